/* SPDX-License-Identifier: MIT */
/* A producer in a coroutine of its own, pulled value by value: it runs only when somebody
 * asks for the next one, and may yield any operations in between. See cg_iterator(3). */
#ifndef COGEN_ITERATE_H
#define COGEN_ITERATE_H

#include <cogen/coro.h>

/* The caller's, up to the end of the producer; made by cg_iterator. Only `result` may be
 * read: what the producer has returned. */
struct cg_iterator {
    cg_fn *fn;
    void *arg;
    const char *name;
    size_t stack_size;
    struct cg_coro *coro;
    struct cg_op *next, *produce, *stop; /* that wait */
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

/* cg_iterator(fn, arg): a struct cg_iterator that will run fn(arg), beginning with the
 * first cg_get_next: struct cg_iterator lines = cg_iterator(fn, arg). Keywords .name
 * (borrowed), .stack_size. It must stay where it is until the producer has ended:
 * cg_get_next has answered less than 1, or cg_stop_producer has been yielded. */
#define cg_iterator(...) cg__iterator(__VA_ARGS__, )
#define cg__iterator(f, a, ...)                                                            \
    CG__STRUCT(struct cg_iterator, .fn = (f), .arg = (a), __VA_ARGS__)

/* cg_get_next(&it, &value): runs the producer up to its next value and stores it, into any
 * pointer or intptr_t object. 1; 0: the producer has ended; what it returned, if that is
 * negative; -EBUSY: another coroutine waits for the next value; -EDEADLK: asked by the
 * producer itself; -ENOMEM, -EINVAL: it cannot be started. Traceless: a value that comes
 * too late is there for the next cg_get_next, and so is one that only CG_NOWAIT missed. */
#define cg_get_next(...) cg__get_next(__VA_ARGS__, )
#define cg__get_next(it, v, ...)                                                           \
    CG_OP(cg_get_next, .iterate = (it), .value = CG__WORD(v), __VA_ARGS__)

/* cg_produce(value): in the producer: hands a word to whoever asks for it, and waits
 * until one more is wanted. 0, which also means that the value has been taken; any other
 * answer: it has not. -EPERM: not called by a producer; -EBUSY. */
#define cg_produce(...) cg__produce(__VA_ARGS__, )
#define cg__produce(v, ...) CG_OP(cg_produce, .value = (const void *)(v), __VA_ARGS__)

/* cg_stop_producer(&it): cancels the producer and waits until it has ended. It is done
 * even in a coroutine that has been cancelled. Answers what the producer returned, 0 if
 * that is -ECANCELED or if it had never begun; later cg_get_next answer 0 or its error.
 * With a timeout that passes the producer goes on to its end, and must be waited for
 * again. */
#define cg_stop_producer(...) cg__stop_producer(__VA_ARGS__, )
#define cg__stop_producer(it, ...)                                                         \
    CG_OP(cg_stop_producer, .iterate = (it), .shield = true, __VA_ARGS__)

#endif

CG_EXTERN_C_BEGIN
extern CG_API const struct cg_op_type cg_get_next_type, cg_produce_type,
    cg_stop_producer_type;
CG_EXTERN_C_END
#endif
