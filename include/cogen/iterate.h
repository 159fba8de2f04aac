/* SPDX-License-Identifier: MIT */
/* A producer in a coroutine of its own that gives one value after the other. It runs only
 * when the next value is requested, and may yield any operations. See cg_iterator(3). */
#ifndef COGEN_ITERATE_H
#define COGEN_ITERATE_H

#include <cogen/coro.h>

/* In the caller's memory until the producer has ended; made by cg_iterator. Only `result`,
 * what the producer returned, may be read. */
struct cg_iterator {
    cg_fn *fn;
    void *arg;
    const char *name;
    size_t stack_size;
    struct cg_coro *coro;
    struct cg_op *next, *produce, *stop; /* waiting operations */
    ssize_t result;
    bool ended;
    bool stopping;
};

#ifndef __cplusplus

struct cg_get_next_op {
    CG_OP_HEAD;
    struct cg_iterator *iterate;
    void *value;
};

struct cg_produce_op {
    CG_OP_HEAD;
    struct cg_iterator *iterate;
    const void *value;
    bool taken;
};

struct cg_stop_producer_op {
    CG_OP_HEAD;
    struct cg_iterator *iterate;
};

/* cg_iterator(fn, arg): a struct cg_iterator whose producer will run fn(arg), from the
 * first cg_get_next on: struct cg_iterator lines = cg_iterator(fn, arg). Keywords .name
 * (borrowed), .stack_size. It must not move until the producer has ended: cg_get_next has
 * completed with less than 1, or cg_stop_producer was yielded. */
#define cg_iterator(...) cg__iterator(__VA_ARGS__, )
#define cg__iterator(f, a, ...)                                                            \
    CG__STRUCT(struct cg_iterator, .fn = (f), .arg = (a), __VA_ARGS__)

/* cg_get_next(&it, &value): runs the producer up to its next value and stores it in any
 * pointer or intptr_t object. Traceless: a value that comes too late, also one that only
 * CG_NOWAIT missed, is for the next cg_get_next. Completes with
 *   1                 there is a value
 *   0                 the producer has ended, with a result >= 0
 *   < 0               the producer has ended, with this result; or:
 *   -EBUSY            another coroutine waits for the next value
 *   -EDEADLK          the caller is the producer itself
 *   -ENOMEM, -EINVAL  the producer cannot be started */
#define cg_get_next(...) cg__get_next(__VA_ARGS__, )
#define cg__get_next(it, v, ...)                                                           \
    CG_OP(cg_get_next, .iterate = (it), .value = CG__WORD(v), __VA_ARGS__)

/* cg_produce(value): in the producer: passes a word to the coroutine that requested it, and
 * waits for the next request. Completes with 0 if the value was taken; any other result
 * means that it was not. -EPERM: the caller is not a producer; -EBUSY. */
#define cg_produce(...) cg__produce(__VA_ARGS__, )
#define cg__produce(v, ...) CG_OP(cg_produce, .value = (const void *)(v), __VA_ARGS__)

/* cg_stop_producer(&it): cancels the producer and waits until it has ended, also in a
 * cancelled coroutine. Completes with what the producer returned, with 0 if that is
 * -ECANCELED or if it never started; later cg_get_next complete with 0 or its error. If a
 * timeout passes, the producer continues to its end and must be waited for again. */
#define cg_stop_producer(...) cg__stop_producer(__VA_ARGS__, )
#define cg__stop_producer(it, ...)                                                         \
    CG_OP(cg_stop_producer, .iterate = (it), .shield = true, __VA_ARGS__)

#endif

CG_EXTERN_C_BEGIN
extern CG_API const struct cg_op_type cg_get_next_type, cg_produce_type,
    cg_stop_producer_type;
CG_EXTERN_C_END
#endif
