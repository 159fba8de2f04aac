/* SPDX-License-Identifier: MIT */
/* Tests the switch, the stacks and the overflow report without Check, so that it can be
 * compiled for another processor and run in an emulator (see tests/cross/config.h):
 *
 *   aarch64-linux-gnu-gcc -std=gnu11 -O2 -static -pthread -Itests/cross -I. \
 *       tests/stacks/context_smoke.c lib/stacks/context.c lib/stacks/context_aarch64.S
 *       lib/stacks/guard.c lib/stacks/stack.c \ lib/stacks/overflow.c -o context_smoke &&
 *       qemu-aarch64-static ./context_smoke
 *
 * Prints "ok" and exits with 0, or prints the line whose condition fails and exits with
 * 1. */
#include "config.h"

#include "lib/stacks/context.h"
#include "lib/stacks/overflow.h"
#include "lib/stacks/stack.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    MANY = 10000,
    ROUNDS = 4
};

#define HOLDS(condition)                                                               \
    do {                                                                               \
        if (!(condition)) {                                                            \
            printf("line %d: %s does not hold\n", __LINE__, #condition);               \
            exit(1);                                                                   \
        }                                                                              \
    } while (0)

struct ctx {
    struct cg_context ctx;
    void *low;
    uintptr_t seed;
    int rounds;
};

static struct cg_context here;
static struct cg_stacks *stacks;
static struct ctx *running;

static struct ctx *open_ctx(void *(*entry)(void *), uintptr_t seed)
{
    void *low;
    struct ctx *c = cg__stack_get(stacks, CG__STACK_MIN, sizeof *c, &low);

    HOLDS(c != NULL);
    c->low = low;
    c->seed = seed;
    c->rounds = 0;
    cg__context_make(&c->ctx, low, c, entry, c);
    return c;
}

static void close_ctx(struct ctx *c)
{
    cg__context_drop(&c->ctx);
    cg__stack_put(stacks, c);
}

static void resume(struct ctx *c)
{
    running = c;
    cg__context_switch(&here, &c->ctx);
    running = NULL;
}

static ssize_t seed_and(void *arg)
{
    HOLDS((uintptr_t)__builtin_frame_address(0) % 16 == 0);
    return (ssize_t)((struct ctx *)arg)->seed + 1;
}

/* Keeps more values across a switch than there are callee-saved registers, of both
 * kinds. */
static void *values_entry(void *arg)
{
    struct ctx *self = arg;

    while (self->rounds < ROUNDS - 1) {
        uintptr_t n[10];
        double d[10];

#define EACH(m) m(0) m(1) m(2) m(3) m(4) m(5) m(6) m(7) m(8) m(9)
#define SET(i)                                                                         \
    uintptr_t n##i = self->seed * 31 + (i);                                            \
    double d##i = (double)self->seed + (i) / 16.0;                                     \
    __asm__ volatile("" : "+r"(n##i), "+m"(d##i));
#define GET(i) n[i] = n##i, d[i] = d##i;
        EACH(SET)
        self->rounds++;
        cg__context_switch(&self->ctx, &here);
        EACH(GET)
        for (int i = 0; i < 10; i++) {
            HOLDS(n[i] == self->seed * 31 + (uintptr_t)i);
            HOLDS(d[i] == (double)self->seed + i / 16.0);
        }
    }
    self->rounds++;
    HOLDS(cg__context_switch_then(&self->ctx, &here, seed_and, self) ==
          (ssize_t)self->seed + 1);
    HOLDS((uintptr_t)__builtin_frame_address(0) % 16 == 0);
    return cg__context_exit(&self->ctx, &here);
}

static void many_keep_their_values(void)
{
    static struct ctx *all[MANY];

    for (int i = 0; i < MANY; i++)
        all[i] = open_ctx(values_entry, (uintptr_t)i + 1);
    for (int round = 0; round < ROUNDS + 1; round++)
        for (int i = 0; i < MANY; i++)
            resume(all[i]);
    for (int i = 0; i < MANY; i++) {
        HOLDS(all[i]->rounds == ROUNDS);
        close_ctx(all[i]);
    }
    HOLDS(cg__stack_pool_trim(stacks, SIZE_MAX, CG__STACK_KEEP) == MANY - CG__STACK_KEEP);
}

static bool suspect(const char **kind, const char **name, const void **low, size_t *size)
{
    *kind = "coroutine";
    *name = "smoke";
    *low = running != NULL ? running->low : NULL;
    *size = CG__STACK_MIN;
    return running != NULL;
}

__attribute__((noinline)) static int recurse(int n)
{
    volatile char local[512];

    local[0] = (char)n;
    if (n == INT32_MAX)
        return 0;
    return recurse(n + 1) + local[0];
}

static void *overflow_entry(void *arg)
{
    struct ctx *self = arg;

    self->rounds = recurse(0);
    return cg__context_exit(&self->ctx, &here);
}

__attribute__((noinline)) static ssize_t twice(ssize_t n)
{
    return cg__context_return(n * 2);
}

static void an_answer_reaches_the_caller(void)
{
    for (ssize_t i = -3; i <= 3; i++)
        HOLDS(twice(i) + i == 3 * i);
}

static void an_overflow_is_reported(void)
{
    char said[1024];
    size_t n = 0;
    ssize_t got;
    int fds[2], status;
    pid_t pid;

    HOLDS(pipe(fds) == 0);
    pid = fork();
    HOLDS(pid >= 0);
    if (pid == 0) {
        dup2(fds[1], STDERR_FILENO);
        cg__overflow_watch(suspect);
        resume(open_ctx(overflow_entry, 0));
        _exit(0);
    }
    close(fds[1]);
    while ((got = read(fds[0], said + n, sizeof said - 1 - n)) > 0)
        n += (size_t)got;
    said[n] = '\0';
    HOLDS(waitpid(pid, &status, 0) == pid);
    HOLDS(WIFSIGNALED(status));
    HOLDS(strncmp(said, "cogen: stack overflow in coroutine smoke (", 42) == 0);
}

int main(void)
{
    stacks = cg__stack_pool_new();
    HOLDS(stacks != NULL);
    cg__context_adopt(&here);
    many_keep_their_values();
    an_answer_reaches_the_caller();
    an_overflow_is_reported();
    cg__stack_pool_free(stacks);
    printf("ok\n");
    return 0;
}
