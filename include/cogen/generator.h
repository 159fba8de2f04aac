/* SPDX-License-Identifier: MIT */
/* Generators, as in Python: functions that give one value after the other, each when it is
 * requested, and accept values in between. They need no scheduler. See cg_generator(3). */
#ifndef COGEN_GENERATOR_H
#define COGEN_GENERATOR_H

#include <cogen/construct.h>

struct cg_gen;

/* The body of a generator. It returns the generator's result: >= 0 or a negative code. */
typedef ssize_t cg_gen_fn(struct cg_gen *gen, void *arg);

enum cg_gen_state {
    CG_GEN_NEW,       /* not started yet */
    CG_GEN_SUSPENDED, /* suspended in cg_gen_yield */
    CG_GEN_RUNNING,   /* resumed, by some thread or coroutine */
    CG_GEN_FINISHED,  /* has returned, or was closed; its result is available */
};

struct cg_gen_options {
    const char *name;  /* for the report of an overflow, borrowed; NULL: "generator" */
    size_t stack_size; /* bytes, rounded up; 0: 64 KiB (more under ASan) */
    void *reserved;
};

CG_EXTERN_C_BEGIN

/* Makes a generator that will run fn(gen, arg) when it is first resumed, on a stack from
 * the calling thread's pool. The options are copied (NULL: all defaults). Free it with
 * cg_gen_free. Returns NULL if there is no memory, fn is NULL, or the stack size is not
 * possible. */
CG_API struct cg_gen *cg_gen_new_with(cg_gen_fn *fn, void *arg,
                                      const struct cg_gen_options *options);

/* Three ways to resume a generator. They return when it has yielded a value or ended:
 *   1          it has yielded a value, stored in *out
 *   0          it has ended, with a result >= 0 (cg_gen_result), or had ended before
 *   < 0        it has ended now, with this code
 *   -EBUSY     it is running: in another thread or coroutine, or it is the caller itself
 * *out is any pointer or intptr_t object (out may be NULL); it is set only with 1. Inside
 * the generator cg_gen_yield returns:
 *   next   0
 *   send   1, and the value. A generator that has not started has no yield that could take
 *          a value: -EINVAL
 *   throw  the code, which must be negative (else -EINVAL). A generator that has not
 *          started, or has ended, ends with the code at once */
CG_API ssize_t cg_gen_next(struct cg_gen *gen, void *out);
CG_API ssize_t cg_gen_send(struct cg_gen *gen, void *value, void *out);
CG_API ssize_t cg_gen_throw(struct cg_gen *gen, ssize_t code, void *out);

/* Closes a generator: cg_gen_yield returns -ECANCELED inside it; the body cleans up and
 * returns. A generator that has not started never runs. Returns
 *   0        it has ended (perhaps before), with -ECANCELED or a result >= 0
 *   < 0      it has ended with this other code
 *   -EBUSY   it is running; or it has yielded again instead of ending, and is suspended */
CG_API ssize_t cg_gen_close(struct cg_gen *gen);

/* Closes a generator and frees it and its stack. Returns what cg_gen_close returned. If it
 * is running, nothing happens: -EBUSY. If it yields instead of ending it is abandoned, and
 * a line on stderr names it. NULL is ignored. May be called from any thread. */
CG_API ssize_t cg_gen_free(struct cg_gen *gen);

/* What the body returned; -ECANCELED if it was closed before it started; -EBUSY: it has not
 * ended. */
CG_API ssize_t cg_gen_result(const struct cg_gen *gen);
CG_API enum cg_gen_state cg_gen_state(const struct cg_gen *gen);

/* In the body: yields a value, one word, and suspends until the generator is resumed.
 * Returns 0 after cg_gen_next, and *out is NULL; 1 after cg_gen_send, and *out is the
 * value; < 0 after cg_gen_throw or cg_gen_close: the code. -EPERM: gen is not the
 * generator that runs here; or the body has opened a scope of the calling coroutine
 * (cg_scope_open, cg_call), which would stay open. */
CG_API ssize_t cg_gen_yield(struct cg_gen *gen, void *value, void *out);

/* In the body of gen, like Python's "yield from": yields all values of sub, and passes what
 * is sent or thrown on to sub. Returns the result of sub. If gen is closed, so is sub, and
 * the result is -ECANCELED. The caller still owns sub. -EBUSY: sub is running; -EPERM: as
 * cg_gen_yield. */
CG_API ssize_t cg_gen_from(struct cg_gen *gen, struct cg_gen *sub);

/* The innermost generator whose body runs here; NULL: none. */
CG_API struct cg_gen *cg_gen_self(void);

/* Returns the memory of most free stacks in the calling thread's pool to the system.
 * Returns their number. A scheduler does this by itself before it sleeps. */
CG_API size_t cg_gen_trim(void);

CG_EXTERN_C_END

/* Macro forms that accept pointers and integers as values, as in cg_gen_yield(gen, 7, &n),
 * and check that `out` points to one word. */
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
/* Macro form of cg_gen_new_with that takes the options as keywords, as in
 * cg_gen_new(fn, arg, .name = "countdown"). */
#define cg_gen_new(...) cg__gen_new(__VA_ARGS__, )
#define cg__gen_new(fn, arg, ...)                                                          \
    cg_gen_new_with(fn, arg, CG__OPTIONS(struct cg_gen_options, __VA_ARGS__))
#endif
#endif
