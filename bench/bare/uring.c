/* SPDX-License-Identifier: MIT */
/* See uring.h. Connections are accepted as registered files, by one multishot accept. Each
 * has one multishot receive; the kernel takes buffers from a ring. There is one
 * io_uring_enter in each turn of the loop. */
#include "bench/bare/uring.h"

#include "bench/listen.h"

#include <errno.h>
#include <liburing.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    ENTRIES = 1024,
    COMPLETIONS = 32768,
    GROUP = 1,
    BUFFERS = 256,
    STRIDE = BENCH_BUFFER + 64, /* spreads the buffers over the sets of the cache */
};

enum { ACCEPT, RECEIVE, SEND, CLOSE, STOP };

static struct io_uring ring;
static struct io_uring_buf_ring *free_buffers;
static char buffers[BUFFERS][STRIDE];

static uint64_t tag(int kind, int conn, int buffer)
{
    return (uint64_t)kind << 60 | (uint64_t)(buffer + 1) << 32 | (unsigned)conn;
}

static struct io_uring_sqe *entry(void)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);

    if (sqe == NULL) {
        io_uring_submit(&ring);
        if ((sqe = io_uring_get_sqe(&ring)) == NULL)
            bench_die("io_uring_get_sqe");
    }
    return sqe;
}

static void accept_on(int listener)
{
    struct io_uring_sqe *sqe = entry();

    io_uring_prep_multishot_accept_direct(sqe, listener, NULL, NULL, 0);
    io_uring_sqe_set_data64(sqe, tag(ACCEPT, 0, -1));
}

static void receive_on(int conn)
{
    struct io_uring_sqe *sqe = entry();

    io_uring_prep_recv_multishot(sqe, conn, NULL, 0, 0);
    sqe->flags |= IOSQE_FIXED_FILE | IOSQE_BUFFER_SELECT;
    sqe->buf_group = GROUP;
    io_uring_sqe_set_data64(sqe, tag(RECEIVE, conn, -1));
}

/* Makes SIGTERM a completion: Valgrind, which counts instructions, delivers no signals
 * while io_uring_enter waits. */
static void stop_on_signal(void)
{
    struct io_uring_sqe *sqe = entry();
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    io_uring_prep_poll_add(sqe, signalfd(-1, &set, SFD_CLOEXEC), POLLIN);
    io_uring_sqe_set_data64(sqe, tag(STOP, 0, -1));
}

static void close_conn(int conn)
{
    struct io_uring_sqe *sqe = entry();

    io_uring_prep_close_direct(sqe, (unsigned)conn);
    io_uring_sqe_set_data64(sqe, tag(CLOSE, conn, -1));
}

void uring_send(int conn, const void *data, unsigned size, int buffer)
{
    struct io_uring_sqe *sqe = entry();

    io_uring_prep_send(sqe, conn, data, size, MSG_WAITALL);
    sqe->flags |= IOSQE_FIXED_FILE;
    io_uring_sqe_set_data64(sqe, tag(SEND, conn, buffer));
}

void uring_giveback(int buffer)
{
    io_uring_buf_ring_add(free_buffers, buffers[buffer], BENCH_BUFFER,
                          (unsigned short)buffer, io_uring_buf_ring_mask(BUFFERS), 0);
    io_uring_buf_ring_advance(free_buffers, 1);
}

static void open_ring(void)
{
    struct io_uring_params params = {
        .flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
                 IORING_SETUP_CQSIZE,
        .cq_entries = COMPLETIONS,
    };
    struct io_uring_buf_reg reg = {.ring_entries = BUFFERS, .bgid = GROUP};
    long files = sysconf(_SC_OPEN_MAX);

    if ((errno = -io_uring_queue_init_params(ENTRIES, &ring, &params)) > 0)
        bench_die("io_uring_queue_init_params");
    io_uring_register_ring_fd(&ring);
    if (files > BENCH_CONNECTIONS)
        files = BENCH_CONNECTIONS;
    if ((errno = -io_uring_register_files_sparse(&ring, (unsigned)files)) > 0)
        bench_die("io_uring_register_files_sparse");
    free_buffers = mmap(NULL, BUFFERS * sizeof(struct io_uring_buf), PROT_READ | PROT_WRITE,
                        MAP_ANONYMOUS | MAP_PRIVATE, -1, 0);
    reg.ring_addr = (uintptr_t)free_buffers;
    if (free_buffers == MAP_FAILED ||
        (errno = -io_uring_register_buf_ring(&ring, &reg, 0)) > 0)
        bench_die("io_uring_register_buf_ring");
    io_uring_buf_ring_init(free_buffers);
    for (int i = 0; i < BUFFERS; i++)
        uring_giveback(i);
}

static void completed(const struct io_uring_cqe *cqe, int listener, uring_received *received)
{
    int conn = (int)(cqe->user_data & UINT32_MAX);
    int buffer = (int)(cqe->user_data >> 32 & 0xffff) - 1;

    switch (cqe->user_data >> 60) {
    case ACCEPT:
        if (cqe->res >= 0)
            receive_on(cqe->res);
        if (!(cqe->flags & IORING_CQE_F_MORE))
            accept_on(listener);
        break;
    case RECEIVE:
        if (cqe->res > 0) {
            buffer = (int)(cqe->flags >> IORING_CQE_BUFFER_SHIFT);
            received(conn, buffers[buffer], (unsigned)cqe->res, buffer);
        }
        if (cqe->res > 0 || cqe->res == -ENOBUFS) {
            if (!(cqe->flags & IORING_CQE_F_MORE))
                receive_on(conn);
        } else {
            close_conn(conn);
        }
        break;
    case SEND:
        if (buffer >= 0)
            uring_giveback(buffer);
        break;
    case STOP:
        exit(0);
    default:
        break;
    }
}

_Noreturn void uring_serve(int listener, uring_received *received)
{
    open_ring();
    stop_on_signal();
    accept_on(listener);
    for (;;) {
        struct io_uring_cqe *cqe;
        unsigned head, n = 0;

        io_uring_submit_and_wait(&ring, 1);
        io_uring_for_each_cqe (&ring, head, cqe) {
            completed(cqe, listener, received);
            n++;
        }
        io_uring_cq_advance(&ring, n);
    }
}
