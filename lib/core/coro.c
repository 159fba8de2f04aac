/* SPDX-License-Identifier: MIT */
/* Coroutines: how one is made on a stack from the pool, how it ends, and its properties. */
#include "config.h"

#include "lib/base/json.h"
#include "lib/base/probe.h"
#include "lib/core/coro_ops.h"
#include "lib/core/debug.h"
#include "lib/core/sched.h"
#include "lib/core/scope.h"

#include <cogen/os_signal.h>

#include <assert.h>
#include <errno.h>
#include <stdio.h>

__thread struct cg_coro *cg__coro_self;

/* Runs on the new stack. */
static void *entry(void *arg)
{
    struct cg_coro *self = arg, *next;
    struct cg_sched *sched = self->sched;

    cg__sched_bury(sched);
    self->result = self->fn(self->arg);
    CG__PROBE(finish, self, self->result);
    if (self->leaving)
        self->leaving->fn(self);
    assert(self->scope == &self->base); /* every scope that was opened has been closed */
    self->state = CG_CORO_FINISHED;
    *(self->prev ? &self->prev->next : &sched->first) = self->next;
    *(self->next ? &self->next->prev : &sched->last) = self->prev;
    cg__trim_leave(&sched->idle, self, self->next);
    if (sched->debug)
        cg__debug_coro_ended(self);
    sched->count -= !self->internal;
    cg__ready_release(&sched->ready);
    if (self->ended)
        self->ended(self);
    if (self->joiners)
        cg__coro_ops_wake_joiners(self);
    sched->dead = self;
    cg__coro_self = next = cg__sched_next(sched);
    return cg__context_exit(&self->ctx, next ? cg__coro_context(next) : &sched->ctx);
}

static void make_unusual(struct cg_coro *coro, struct cg_sched *sched)
{
    if (sched->order)
        coro->rank = cg__order_rank(sched->order);
    if (sched->observe && cg__observe_coros(sched->observe))
        coro->unusual = CG__CORO_OBSERVED;
}

struct cg_coro *cg__coro_new(struct cg_sched *sched, cg_fn *fn, void *arg, const char *name,
                             size_t stack_size, bool first)
{
    void *low;
    struct cg_coro *coro;

    if (cg__reactor_lacks(sched->reactor, CG_LACKS_MEMORY) || !cg__ready_reserve(&sched->ready))
        return NULL;
    coro = cg__stack_get(sched->stacks, stack_size ? stack_size : sched->options.stack_size,
                         sizeof *coro, &low);
    if (coro == NULL) {
        cg__ready_release(&sched->ready);
        return NULL;
    }
    /* Field by field, without those that are set before they are read: clearing the whole
     * block compiles to a string instruction, which takes longer to start than these
     * stores. */
    coro->sched = sched;
    coro->op = NULL;
    coro->inner = NULL;
    coro->since = sched->now;
    coro->internal = false;
    coro->activated = false;
    coro->refs = 1;
    coro->taken = false;
    coro->fn = fn;
    coro->arg = arg;
    coro->suspend = NULL;
    coro->joiners = NULL;
    coro->next = NULL;
    coro->prev = sched->last;
    coro->ended = NULL;
    coro->leaving = NULL;
    coro->name = name ? name : "coroutine";
    coro->stack_low = low;
    coro->id = ++sched->started;
    coro->starter = cg__coro_self ? cg__coro_self->id : 0;
    coro->born = sched->now;
    coro->base = (struct cg_scope){.coro = coro};
    coro->scope = &coro->base;
    coro->unusual = 0;
    if (sched->unusual)
        make_unusual(coro, sched);
    cg__context_make(&coro->ctx, low, coro, entry, coro);
    *(sched->last ? &sched->last->next : &sched->first) = coro;
    sched->last = coro;
    sched->count++;
    cg__sched_ready(sched, coro, first);
    if (sched->stopping)
        cg__scope_end(&coro->base, -ECANCELED);
    return coro;
}

void cg__coro_free(struct cg_coro *coro)
{
    cg__context_drop(&coro->ctx);
    cg__stack_put(coro->sched->stacks, coro);
}

struct cg_coro *cg__coro_visible(struct cg_coro *coro)
{
    while (coro->internal)
        coro = cg_op_coro(coro->arg);
    return coro;
}

struct cg_coro *cg_coro_ref(struct cg_coro *coro)
{
    coro->refs++;
    cg__debug_made(coro->sched, CG__DEBUG_CORO, coro, coro->name);
    return coro;
}

void cg_coro_unref(struct cg_coro *coro)
{
    if (coro == NULL || --coro->refs > 0)
        return;
    cg__debug_gone(coro->sched, CG__DEBUG_CORO, coro);
    if (coro->result < 0 && coro->result != -ECANCELED && !coro->taken)
        cg__failed_put(coro);
    else
        cg__coro_free(coro);
}

struct cg_coro *cg_coro_self(void)
{
    return cg__coro_self;
}

struct cg_sched *cg_sched_self(void)
{
    return cg__coro_self ? cg__coro_self->sched : NULL;
}

const char *cg_coro_name(const struct cg_coro *coro)
{
    return coro->name;
}

enum cg_coro_state cg_coro_state(const struct cg_coro *coro)
{
    return coro->state;
}

ssize_t cg_coro_result(const struct cg_coro *coro)
{
    if (coro->state != CG_CORO_FINISHED)
        return -EBUSY;
    cg__coro_take((struct cg_coro *)coro); /* no coroutine is const but to the caller */
    return coro->result;
}

const struct cg_op *cg_coro_op(const struct cg_coro *coro)
{
    return coro->op;
}

int64_t cg_coro_age(const struct cg_coro *coro)
{
    return coro->sched->now - coro->since;
}

size_t cg_coro_stack_size(const struct cg_coro *coro)
{
    return (size_t)((char *)coro - (char *)coro->stack_low) / 4096 * 4096;
}

struct cg_coro *cg_coro_next(const struct cg_sched *sched, const struct cg_coro *coro)
{
    struct cg_coro *next = coro ? coro->next : sched->first;

    while (next && next->internal)
        next = next->next;
    return next;
}

int cg_coro_cancel(struct cg_coro *coro)
{
    if (coro->state == CG_CORO_FINISHED)
        return -ESRCH;
    cg__scope_end(&coro->base, -ECANCELED);
    return 0;
}

bool cg__coro_suspect(const char **kind, const char **name, const void **low, size_t *size)
{
    const struct cg_coro *self = cg__coro_self;

    if (self == NULL)
        return false;
    *kind = "coroutine";
    *name = self->name;
    *low = self->stack_low;
    *size = (size_t)((char *)self - (char *)self->stack_low);
    return true;
}

int cg__coro_print(const struct cg_coro *coro, char *buf, size_t size)
{
    return snprintf(buf, size, "%s", coro ? coro->name : "nobody");
}

const char *cg__coro_state_name(const struct cg_coro *coro)
{
    static const char *const names[] = {"ready", "running", "waiting", "finished"};

    return names[coro->state];
}

void cg_coro_dump(const struct cg_sched *sched, FILE *out)
{
    char text[256];
    int before = cg_sigpipe_block();

    for (struct cg_coro *coro = NULL; (coro = cg_coro_next(sched, coro));) {
        if (coro->op)
            cg_op_print(coro->op, text, sizeof text);
        else
            snprintf(text, sizeof text, "%s", cg__coro_state_name(coro));
        cg__json_print_plain(out, coro->name);
        fputs(": ", out);
        cg__json_print_plain(out, text);
        putc('\n', out);
    }
    cg_sigpipe_unblock(before, ferror(out));
}
