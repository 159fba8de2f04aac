/* SPDX-License-Identifier: MIT */
/* Generators: resumed by a caller, and suspended where they yield a value. They have
 * contexts and stacks like coroutines, but no scheduler. The state is atomic: a caller
 * that resumes changes it from "suspended" to "running", so that two threads that resume
 * the same generator cannot both succeed. Stacks come from thread_stacks.c. */
#include "config.h"

#include "lib/generators/generator.h"

#include "lib/base/report.h"
#include "lib/core/coro.h"
#include "lib/stacks/overflow.h"
#include "lib/stacks/thread_stacks.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

/* The header's macros, which cast and check, call these functions. */
#undef cg_gen_next
#undef cg_gen_send
#undef cg_gen_throw
#undef cg_gen_yield

enum {
    BY_NEXT = 0, /* the results of cg_gen_yield; negative: thrown */
    BY_SEND = 1,
};

__thread struct cg_context *cg__generator_outside;

/* Whether this thread has run a generator, so that stack overflows are reported in it. */
static __thread bool watched CG__THREAD_MODEL;

/* The pointer to the context of the innermost running generator, in the current coroutine
 * or outside coroutines. */
static struct cg_context **current(void)
{
    return cg__coro_self ? &cg__coro_self->inner : &cg__generator_outside;
}

/* Tells which generator this thread runs, for the report of an overflow. */
static bool suspect(const char **kind, const char **name, const void **low, size_t *size)
{
    const struct cg_gen *gen = cg__generator_of(*current());

    if (gen == NULL)
        return false;
    *kind = "generator";
    *name = gen->name;
    *low = gen->stack_low;
    *size = (size_t)((char *)gen - (char *)gen->stack_low);
    return true;
}

static void watch(void)
{
    watched = true;
    cg__overflow_watch(suspect);
}

static void *entry(void *arg)
{
    struct cg_gen *gen = arg;

    gen->result = gen->fn(gen, gen->arg);
    /* Every scope that the body opened has been closed. */
    assert(!cg__coro_self || cg__coro_self->scope == gen->scope);
    gen->finished = true;
    return cg__context_exit_then(&gen->ctx, gen->back);
}

struct cg_gen *cg_gen_new_with(cg_gen_fn *fn, void *arg,
                               const struct cg_gen_options *options)
{
    static const struct cg_gen_options none;
    struct cg__thread_stacks *pool;
    struct cg_gen *gen;
    void *low;

    if (options == NULL)
        options = &none;
    if (fn == NULL || (pool = cg__thread_stacks_mine()) == NULL)
        return NULL;
    gen = cg__thread_stacks_get(pool, options->stack_size, sizeof *gen, &low);
    if (gen == NULL)
        return NULL;
    /* Field by field, as a coroutine's; the others are set when it is resumed or yields. */
    atomic_init(&gen->state, CG_GEN_NEW);
    gen->finished = false;
    gen->closing = false;
    gen->fn = fn;
    gen->arg = arg;
    gen->name = options->name ? options->name : "generator";
    gen->stack_low = low;
    gen->pool = pool;
    cg__context_make(&gen->ctx, low, gen, entry, gen);
    return gen;
}

/* Claims a generator that is not running: returns 1, and *was is its old state. Otherwise
 * returns the result for the caller: -EBUSY, or 0 if it has ended. */
__attribute__((always_inline)) static inline int claim(struct cg_gen *gen,
                                                       unsigned char *was)
{
    *was = atomic_load_explicit(&gen->state, memory_order_acquire);
    if (*was == CG_GEN_FINISHED)
        return 0;
    if (*was == CG_GEN_RUNNING || !atomic_compare_exchange_strong_explicit(
                                      &gen->state, was, CG_GEN_RUNNING,
                                      memory_order_acquire, memory_order_relaxed))
        return -EBUSY;
    return 1;
}

/* From here on other threads may resume or free it: its stack is no longer in use. */
static void let_go(struct cg_gen *gen, enum cg_gen_state state)
{
    atomic_store_explicit(&gen->state, (unsigned char)state, memory_order_release);
}

/* Runs in the caller that has resumed a generator, when the generator has yielded or
 * ended. */
static ssize_t resumed(void *arg)
{
    struct cg_gen *gen = arg;

    *current() = gen->outer;
    if (gen->finished) {
        ssize_t result = gen->result;

        let_go(gen, CG_GEN_FINISHED);
        return result < 0 ? result : 0;
    }
    if (gen->out)
        memcpy(gen->out, &gen->value, sizeof gen->value);
    let_go(gen, CG_GEN_SUSPENDED);
    return 1;
}

/* Runs a claimed generator until it yields or ends. Its body may suspend the calling
 * coroutine meanwhile. */
__attribute__((always_inline)) static inline ssize_t
resume(struct cg_gen *gen, ssize_t how, void *value, void *out)
{
    struct cg_coro *coro = cg__coro_self;
    struct cg_context **here = current();

    if (!watched)
        watch();
    gen->outer = *here;
    gen->scope = coro ? coro->scope : NULL;
    gen->how = how;
    gen->value = value;
    gen->out = out;
    if (gen->outer)
        gen->back = gen->outer;
    else if (coro)
        gen->back = &coro->ctx;
    else
        cg__context_adopt(gen->back = &gen->base);
    *here = &gen->ctx;
    return cg__context_switch_then(gen->back, &gen->ctx, resumed, gen);
}

ssize_t cg_gen_next(struct cg_gen *gen, void *out)
{
    unsigned char was;
    int rc = claim(gen, &was);

    return rc == 1 ? resume(gen, BY_NEXT, NULL, out) : rc;
}

ssize_t cg_gen_send(struct cg_gen *gen, void *value, void *out)
{
    unsigned char was;
    int rc = claim(gen, &was);

    if (rc != 1)
        return rc;
    if (was == CG_GEN_NEW) {
        let_go(gen, CG_GEN_NEW);
        return -EINVAL;
    }
    return resume(gen, BY_SEND, value, out);
}

/* Ends a claimed generator that was never started. */
static ssize_t end_unborn(struct cg_gen *gen, ssize_t code)
{
    gen->finished = true;
    gen->result = code;
    let_go(gen, CG_GEN_FINISHED);
    return code;
}

ssize_t cg_gen_throw(struct cg_gen *gen, ssize_t code, void *out)
{
    unsigned char was;
    int rc;

    if (code >= 0)
        return -EINVAL;
    if ((rc = claim(gen, &was)) != 1)
        return rc == 0 ? code : rc;
    if (was == CG_GEN_NEW)
        return end_unborn(gen, code);
    return resume(gen, code, NULL, out);
}

/* Closes a claimed generator. */
static ssize_t close_claimed(struct cg_gen *gen, unsigned char was)
{
    ssize_t rc;

    if (was == CG_GEN_NEW) {
        end_unborn(gen, -ECANCELED);
        return 0;
    }
    gen->closing = true;
    rc = resume(gen, -ECANCELED, NULL, NULL);
    if (rc == 1)
        return -EBUSY;
    return rc == -ECANCELED ? 0 : rc;
}

ssize_t cg_gen_close(struct cg_gen *gen)
{
    unsigned char was;
    int rc = claim(gen, &was);

    return rc == 1 ? close_claimed(gen, was) : rc;
}

ssize_t cg_gen_free(struct cg_gen *gen)
{
    unsigned char was;
    ssize_t rc;

    if (gen == NULL)
        return 0;
    rc = claim(gen, &was);
    if (rc < 0)
        return rc;
    if (rc == 1)
        rc = close_claimed(gen, was);
    if (!gen->finished)
        cg__report("generator %s abandoned: it yields though it is closed", gen->name);
    cg__context_drop(&gen->ctx);
    cg__thread_stacks_put(gen->pool, gen);
    return rc;
}

ssize_t cg_gen_result(const struct cg_gen *gen)
{
    return cg_gen_state(gen) == CG_GEN_FINISHED ? gen->result : -EBUSY;
}

enum cg_gen_state cg_gen_state(const struct cg_gen *gen)
{
    return (enum cg_gen_state)atomic_load_explicit(&gen->state, memory_order_acquire);
}

size_t cg_gen_trim(void)
{
    return cg__thread_stacks_trim(SIZE_MAX);
}

struct cg_gen *cg_gen_self(void)
{
    return cg__generator_of(*current());
}

/* A scope that was opened in the body belongs to the coroutine, which would find it open,
 * and the generator may be resumed by another one. */
static bool may_yield(const struct cg_gen *gen)
{
    return &gen->ctx == *current() && (!cg__coro_self || cg__coro_self->scope == gen->scope);
}

/* Runs when the generator has been resumed. It uses no thread-local variable, since the
 * thread may be another one. */
static ssize_t yielded(void *arg)
{
    struct cg_gen *gen = arg;
    ssize_t how = gen->how;

    if (gen->in && how >= 0)
        memcpy(gen->in, &gen->value, sizeof gen->value);
    return how;
}

ssize_t cg_gen_yield(struct cg_gen *gen, void *value, void *out)
{
    if (!may_yield(gen))
        return -EPERM;
    gen->closing = false;
    gen->value = value;
    gen->in = out;
    return cg__context_switch_then(&gen->ctx, gen->back, yielded, gen);
}

ssize_t cg_gen_from(struct cg_gen *gen, struct cg_gen *sub)
{
    void *value;
    ssize_t rc, how;

    if (!may_yield(gen))
        return -EPERM;
    rc = cg_gen_next(sub, &value);
    while (rc == 1) {
        how = cg_gen_yield(gen, value, &value);
        if (gen->closing) {
            rc = cg_gen_close(sub);
            return rc < 0 ? rc : -ECANCELED;
        }
        if (how == BY_NEXT)
            rc = cg_gen_next(sub, &value);
        else if (how == BY_SEND)
            rc = cg_gen_send(sub, value, &value);
        else
            rc = cg_gen_throw(sub, how, &value);
    }
    return rc < 0 ? rc : cg_gen_result(sub);
}
