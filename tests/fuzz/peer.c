/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/fuzz/peer.h"

#include <errno.h>
#include <sys/socket.h>

void peer_world(cg_fn *fn, void *arg)
{
    const struct cg_sim_options options = {.latency = CG_MILLISECOND};
    struct cg_reactor *world;
    struct cg_sched *sched;

    MUST(cg_sim_open(&options, &world) == 0);
    sched = cg_sched_new(world);
    MUST(sched != NULL && cg_sched_start(sched, fn, arg, .stack_size = 256 * 1024) == 0);
    MUST(cg_sched_run(sched) == 0);
    MUST(cg_sim_handles(world) == 0);
    cg_sched_free(sched);
    cg_reactor_close(world);
}

void peer_send(struct cg_sock *sock, const struct peer_input *input)
{
    const uint8_t *data = input->data;
    size_t left = input->size, n;
    uint32_t state = 0;

    for (; left > 0; data += n, left -= n) {
        n = fuzz_piece(input->cuts, data, left, &state);
        if (cg_yield(cg_writeall(sock, data, n)) < 0)
            return;
        cg_yield(cg_sleep(2 * CG_MILLISECOND)); /* more than the latency */
    }
    cg_yield(cg_shutdown(sock, SHUT_WR));
}

size_t peer_read(struct cg_sock *sock, char *buf, size_t size)
{
    char piece[4096];
    size_t len = 0;
    ssize_t n;

    while ((n = cg_yield(cg_read(sock, piece, sizeof piece, .timeout = CG_MINUTE * 10))) > 0) {
        size_t fits = (size_t)n < size - 1 - len ? (size_t)n : size - 1 - len;

        memcpy(buf + len, piece, fits);
        len += fits;
    }
    MUST(n != -ETIMEDOUT);
    buf[len] = '\0';
    return len;
}
