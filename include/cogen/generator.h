/* SPDX-License-Identifier: MIT */
/* Generators, as Python has them: functions that give one value after another, each when it
 * is asked for, and take values in between. They need no scheduler. See cg_generator(3). */
#ifndef COGEN_GENERATOR_H
#define COGEN_GENERATOR_H

#include <cogen/construct.h>

struct cg_gen;

/* The body of a generator. What it returns is its result: >= 0 or a negative code. */
typedef ssize_t cg_gen_fn(struct cg_gen *gen, void *arg);

enum cg_gen_state {
    CG_GEN_NEW,       /* has not been started */
    CG_GEN_SUSPENDED, /* inside cg_gen_yield */
    CG_GEN_RUNNING,   /* has been resumed, by whatever thread or coroutine */
    CG_GEN_FINISHED,  /* has returned, or was closed; its result can be had */
};

struct cg_gen_options {
    const char *name;  /* for the report of an overflow, borrowed; NULL: "generator" */
    size_t stack_size; /* bytes, rounded up; 0: 64 KiB (more under ASan) */
    void *reserved;
};

CG_EXTERN_C_BEGIN

/* A generator that will run fn(gen, arg) when it is first resumed. The options are copied
 * (NULL: all defaults). To be given back by cg_gen_free. NULL: no memory, no fn, or no such
 * stack size. Its stack comes from a pool of the calling thread. */
CG_API struct cg_gen *cg_gen_new_with(cg_gen_fn *fn, void *arg,
                                      const struct cg_gen_options *options);

/* Four ways to resume a generator; the caller goes on when it has yielded a value or ended.
 * `out` is where to put the value, one word: any pointer or intptr_t object, or NULL.
 *   1          it has yielded a value: *out
 *   0          it has ended, with a result >= 0 (cg_gen_result), or had ended before
 *   < 0        it has ended now, with this code
 *   -EBUSY     it is running: in another thread or coroutine, or it is the caller itself
 * *out is set only if the answer is 1.
 * next: cg_gen_yield answers 0. send: it answers 1 and has the value; -EINVAL if the
 * generator has not been started, since there is no yield yet that could take a value.
 * throw: it answers the code, which is negative (else -EINVAL); one that has not been
 * started, or has ended, answers the code at once and has ended. */
CG_API ssize_t cg_gen_next(struct cg_gen *gen, void *out);
CG_API ssize_t cg_gen_send(struct cg_gen *gen, void *value, void *out);
CG_API ssize_t cg_gen_throw(struct cg_gen *gen, ssize_t code, void *out);

/* Ends a generator: cg_gen_yield answers -ECANCELED, its body cleans up and returns. One
 * that has not been started never runs. 0: it has ended (before this call, too), with
 * -ECANCELED or a result >= 0; another negative code: it has ended with that. -EBUSY: it is
 * running, or it has yielded once more instead of ending, and is suspended there. */
CG_API ssize_t cg_gen_close(struct cg_gen *gen);

/* Closes a generator and gives it back, its stack too; the answer is that of cg_gen_close.
 * A running one is left alone: -EBUSY. One that yields instead of ending is abandoned,
 * which a line on stderr says by name. NULL is ignored. From any thread. */
CG_API ssize_t cg_gen_free(struct cg_gen *gen);

/* What the body returned; -ECANCELED if it was closed before it began; -EBUSY: it has not
 * ended. */
CG_API ssize_t cg_gen_result(const struct cg_gen *gen);
CG_API enum cg_gen_state cg_gen_state(const struct cg_gen *gen);

/* In the body: yields a value, one word, and suspends until the generator is resumed. 0: by
 * next, and *out (as above) is NULL; 1: by send, and *out is the value; < 0: by throw or
 * close, with that code. -EPERM: gen is not the generator that is running here, or a scope
 * of the calling coroutine (cg_scope_open, cg_call) was opened inside the body, which would
 * be left open. */
CG_API ssize_t cg_gen_yield(struct cg_gen *gen, void *value, void *out);

/* In the body of gen, Python's "yield from": yields all that sub yields; what is sent or
 * thrown goes to sub; if gen is closed, so is sub, and the answer is -ECANCELED. Otherwise
 * answers the result of sub, >= 0 or negative. sub remains the caller's to free. -EBUSY: it
 * is running; -EPERM as cg_gen_yield. */
CG_API ssize_t cg_gen_from(struct cg_gen *gen, struct cg_gen *sub);

/* The innermost generator whose body is running here; NULL: none. */
CG_API struct cg_gen *cg_gen_self(void);

/* Gives the memory of free stacks in the calling thread's pool back to the system, all but
 * a few; answers how many. A scheduler that is about to sleep does so by itself. */
CG_API size_t cg_gen_trim(void);

CG_EXTERN_C_END

/* Values are pointers or integers alike, cg_gen_yield(gen, 7, &n); and `out` points to one
 * word. */
#ifndef __cplusplus
#define cg_gen_next(gen, out) cg_gen_next(gen, CG__WORD(out))
#define cg_gen_send(gen, value, out)                                                       \
    cg_gen_send(gen, (void *)(intptr_t)(value), CG__WORD(out))
#define cg_gen_throw(gen, code, out) cg_gen_throw(gen, code, CG__WORD(out))
#define cg_gen_yield(gen, value, out)                                                      \
    cg_gen_yield(gen, (void *)(intptr_t)(value), CG__WORD(out))
#else
#define cg_gen_send(gen, value, out) cg_gen_send(gen, (void *)(intptr_t)(value), out)
#define cg_gen_yield(gen, value, out) cg_gen_yield(gen, (void *)(intptr_t)(value), out)
#endif

#ifndef __cplusplus
/* The same with keyword arguments: cg_gen_new(fn, arg, .name = "countdown"). */
#define cg_gen_new(...) cg__gen_new(__VA_ARGS__, )
#define cg__gen_new(fn, arg, ...)                                                          \
    cg_gen_new_with(fn, arg, CG__OPTIONS(struct cg_gen_options, __VA_ARGS__))
#endif
#endif
