/* SPDX-License-Identifier: MIT */
/* See uring_results.h. */
#include "config.h"

#include "tests/failing/uring_results.h"

#ifdef HAVE_LIBURING
typedef struct io_uring ring;
typedef struct io_uring_cqe cqe;
typedef struct __kernel_timespec span;

int __real_io_uring_submit(ring *r);
int __wrap_io_uring_submit(ring *r);
int __real_io_uring_submit_and_get_events(ring *r);
int __wrap_io_uring_submit_and_get_events(ring *r);
int __real_io_uring_submit_and_wait(ring *r, unsigned n);
int __wrap_io_uring_submit_and_wait(ring *r, unsigned n);
int __real_io_uring_submit_and_wait_timeout(ring *r, cqe **c, unsigned n, span *s, sigset_t *m);
int __wrap_io_uring_submit_and_wait_timeout(ring *r, cqe **c, unsigned n, span *s, sigset_t *m);

static int and_change_results(ring *r, int entered)
{
    uintptr_t reactor = (uintptr_t)r - offsetof(struct uring, ring);
    unsigned head;
    cqe *c;

    io_uring_for_each_cqe (r, head, c) {
        if (c->user_data == reactor || c->user_data & 1) /* of a wake or a cancel */
            continue;
        uring_result((const struct cg_io *)(uintptr_t)c->user_data, &c->res);
    }
    return entered;
}

int __wrap_io_uring_submit(ring *r)
{
    int error = uring_refuses();

    return error ? -error : and_change_results(r, __real_io_uring_submit(r));
}

int __wrap_io_uring_submit_and_get_events(ring *r)
{
    int error = uring_refuses();

    return error ? -error : and_change_results(r, __real_io_uring_submit_and_get_events(r));
}

int __wrap_io_uring_submit_and_wait(ring *r, unsigned n)
{
    int error = uring_refuses();

    return error ? -error : and_change_results(r, __real_io_uring_submit_and_wait(r, n));
}

int __wrap_io_uring_submit_and_wait_timeout(ring *r, cqe **c, unsigned n, span *s, sigset_t *m)
{
    int error = uring_refuses();

    return error ? -error
                 : and_change_results(
                       r, __real_io_uring_submit_and_wait_timeout(r, c, n, s, m));
}
#else
/* ISO C requires a declaration in every file. */
typedef int no_uring_results;
#endif
