/* SPDX-License-Identifier: MIT */
/* Calls of liburing, and the entries that are submitted: the one that fails is made one that does
 * nothing and completes with the error, as if the kernel had refused it. */
#include "tests/nth/nth.h"

#ifdef HAVE_LIBURING
#include <liburing.h>
#include <string.h>
#include <sys/utsname.h>

enum { INJECT_RESULT = 1 }; /* IORING_NOP_INJECT_RESULT: `len` is the result */

/* Older kernels take the flag and complete with 0. */
static bool can_inject(void)
{
    static const int since[] = {6, 10};
    struct utsname system;
    int major = 0, minor = 0;

    return uname(&system) == 0 && sscanf(system.release, "%d.%d", &major, &minor) == 2 &&
           (major > since[0] || (major == since[0] && minor >= since[1]));
}

/* Returns CALLS for an operation that the list does not have. */
static enum call call_of(const struct io_uring_sqe *sqe)
{
    switch (sqe->opcode) {
#define X(name)                                                                                  \
    case IORING_OP_##name:                                                                       \
        return CALL_entry_##name;
        ENTRIES(X)
#undef X
    default:
        return CALLS;
    }
}

static void refuse(struct io_uring_sqe *sqe)
{
    uint64_t data = sqe->user_data;

    memset(sqe, 0, sizeof *sqe);
    sqe->opcode = IORING_OP_NOP;
    sqe->rw_flags = INJECT_RESULT;
    sqe->len = (uint32_t)-nth_number;
    sqe->user_data = data;
}

/* Looks at the entries that the next call submits. */
static void look(struct io_uring *ring)
{
    static int can = -1;
    unsigned i;

    if (can < 0)
        can = can_inject();
    for (i = ring->sq.sqe_head; can && i != ring->sq.sqe_tail; i++) {
        struct io_uring_sqe *sqe = &ring->sq.sqes[i & ring->sq.ring_mask];
        enum call call = call_of(sqe);

        if (call != CALLS && nth_fails(call))
            refuse(sqe);
    }
}

static bool fails(enum call call, struct io_uring *ring)
{
    if (nth_fails(call))
        return true;
    look(ring);
    return false;
}

struct io_uring_probe *io_uring_get_probe_ring(struct io_uring *ring)
{
    return nth_fails(CALL_io_uring_get_probe_ring) ? NULL : NEXT(io_uring_get_probe_ring)(ring);
}

int io_uring_register_buf_ring(struct io_uring *ring, struct io_uring_buf_reg *buffers,
                               unsigned flags)
{
    return nth_fails(CALL_io_uring_register_buf_ring)
        ? -nth_number
        : NEXT(io_uring_register_buf_ring)(ring, buffers, flags);
}

int io_uring_register_eventfd(struct io_uring *ring, int fd)
{
    return nth_fails(CALL_io_uring_register_eventfd) ? -nth_number
                                                     : NEXT(io_uring_register_eventfd)(ring, fd);
}

int io_uring_get_events(struct io_uring *ring)
{
    return nth_fails(CALL_io_uring_get_events) ? -nth_number : NEXT(io_uring_get_events)(ring);
}

int io_uring_submit_and_get_events(struct io_uring *ring)
{
    return fails(CALL_io_uring_submit_and_get_events, ring)
        ? -nth_number
        : NEXT(io_uring_submit_and_get_events)(ring);
}

int io_uring_queue_init_params(unsigned entries, struct io_uring *ring, struct io_uring_params *p)
{
    return nth_fails(CALL_io_uring_queue_init_params)
        ? -nth_number
        : NEXT(io_uring_queue_init_params)(entries, ring, p);
}

int io_uring_submit(struct io_uring *ring)
{
    return fails(CALL_io_uring_submit, ring) ? -nth_number : NEXT(io_uring_submit)(ring);
}

int io_uring_submit_and_wait(struct io_uring *ring, unsigned count)
{
    return fails(CALL_io_uring_submit_and_wait, ring) ? -nth_number
                                                : NEXT(io_uring_submit_and_wait)(ring, count);
}

int io_uring_submit_and_wait_timeout(struct io_uring *ring, struct io_uring_cqe **cqe,
                                     unsigned count, struct __kernel_timespec *timeout,
                                     sigset_t *mask)
{
    return fails(CALL_io_uring_submit_and_wait_timeout, ring)
        ? -nth_number
        : NEXT(io_uring_submit_and_wait_timeout)(ring, cqe, count, timeout, mask);
}
#endif

