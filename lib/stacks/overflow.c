/* SPDX-License-Identifier: MIT */
/* Stack overflow: a fault in the guard below the running coroutine's stack is reported
 * with the coroutine's name, then the fault kills the process. Any other fault goes to the
 * handler that was installed before ours. Our handler runs on a signal stack of the thread
 * (sigaltstack), since the coroutine's stack is full. */
#include "config.h"

#include "lib/stacks/overflow.h"

#include "lib/stacks/stack.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    SIGNAL_STACK = 64 * 1024, /* enough for the earlier handlers, which run on it, too */
    NAME_LIMIT = 128,
    SUSPECTS = 2,
};

static _Atomic(cg__overflow_suspect *) suspects[SUSPECTS];
static struct sigaction before_segv, before_bus;
static size_t page, guard;
static pthread_key_t stack_key; /* the signal stack that we gave a thread */
static bool have_key;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* The report is written without stdio, since only async-signal-safe functions may be
 * called here. */
static char *put_text(char *at, const char *text, size_t limit)
{
    while (*text != '\0' && limit-- > 0)
        *at++ = *text++;
    return at;
}

/* A name that a stranger has chosen must not begin a line of its own nor command a terminal. */
static char *put_name(char *at, const char *name)
{
    char *end = put_text(at, name, NAME_LIMIT);

    for (; at < end; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7f)
            *at = '?';
    return end;
}

static char *put_number(char *at, size_t number)
{
    char digits[24], *digit = digits + sizeof digits;

    *--digit = '\0';
    do
        *--digit = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    return put_text(at, digit, sizeof digits);
}

static void report(const char *kind, const char *name, size_t size)
{
    char line[NAME_LIMIT + 128], *at = line;

    at = put_text(at, "cogen: stack overflow in ", 32);
    at = put_text(at, kind, 16);
    at = put_text(at, " ", 1);
    at = put_name(at, name != NULL ? name : "?");
    at = put_text(at, " (", 2);
    at = put_number(at, size / page * page / 1024); /* without the top page */
    at = put_text(at, " KiB stack)\n", 16);
    if (write(STDERR_FILENO, line, (size_t)(at - line)) < 0)
        return; /* nothing can be done about it */
}

static bool in_guard(const void *address)
{
    for (int i = 0; i < SUSPECTS; i++) {
        cg__overflow_suspect *suspect = atomic_load(&suspects[i]);
        const char *kind, *name;
        const void *low;
        size_t size;

        if (suspect == NULL || !suspect(&kind, &name, &low, &size) ||
            (uintptr_t)address - (uintptr_t)cg__stack_guard((const char *)low + size) >= guard)
            continue;
        report(kind, name, size);
        return true;
    }
    return false;
}

static void die_of(int sig, bool fault)
{
    struct sigaction action = {.sa_handler = SIG_DFL};

    sigemptyset(&action.sa_mask);
    sigaction(sig, &action, NULL);
    /* When the handler returns, the faulting instruction runs again and kills the process
     * there, so that a core dump shows the place. A signal that was sent must be sent
     * again. */
    if (!fault)
        raise(sig);
}

static void hand_on(int sig, siginfo_t *info, void *context, bool fault)
{
    const struct sigaction *before = sig == SIGBUS ? &before_bus : &before_segv;

    if (before->sa_flags & SA_SIGINFO) {
        before->sa_sigaction(sig, info, context);
    } else if (before->sa_handler == SIG_IGN) {
        if (fault) /* a fault kills the process even if its signal is ignored */
            die_of(sig, fault);
    } else if (before->sa_handler == SIG_DFL) {
        die_of(sig, fault);
    } else {
        before->sa_handler(sig);
    }
}

static void handle(int sig, siginfo_t *info, void *context)
{
    int saved = errno;
    bool fault = info->si_code > 0; /* a fault, not a signal sent by kill(2) */

    /* With a sanitizer, its own handler, which was installed before ours, adds its
     * report. */
    if (fault && in_guard(info->si_addr) && !CG__ASAN && !CG__TSAN)
        die_of(sig, fault);
    else
        hand_on(sig, info, context, fault);
    errno = saved;
}

static void watch_signal(int sig, struct sigaction *before)
{
    struct sigaction action;

    if (sigaction(sig, NULL, before) < 0)
        return;
    action = *before; /* keeps its mask and SA_NODEFER, which it may rely on */
    action.sa_flags &= ~(int)SA_RESETHAND;
    action.sa_flags |= SA_SIGINFO | SA_ONSTACK;
    sigaddset(&action.sa_mask, SIGPIPE); /* stderr may be a pipe that nobody reads */
    action.sa_sigaction = handle;
    sigaction(sig, &action, NULL);
}

static size_t signal_stack_size(void)
{
#ifdef _SC_MINSIGSTKSZ
    long least =
        sysconf(_SC_MINSIGSTKSZ); /* grows with the processor's vector registers */

    if (least > 0)
        return SIGNAL_STACK + (size_t)least;
#endif
    return SIGNAL_STACK;
}

static void signal_stack_free(void *mem)
{
    stack_t stack;

    /* Another library may have installed its own signal stack since. */
    if (sigaltstack(NULL, &stack) == 0 && stack.ss_sp == mem) {
        stack.ss_flags = SS_DISABLE;
        sigaltstack(&stack, NULL);
    }
    munmap(mem, signal_stack_size());
}

static void watch_process(void)
{
    page = (size_t)sysconf(_SC_PAGESIZE);
    have_key = pthread_key_create(&stack_key, signal_stack_free) == 0;
    guard = (CG__STACK_GUARD + page - 1) / page * page;
    watch_signal(SIGSEGV, &before_segv);
    watch_signal(SIGBUS, &before_bus);
}

/* Gives the thread a signal stack, unless it has one. If that fails (no memory, no key
 * left), an overflow is a SIGSEGV without a report. */
static void watch_thread(void)
{
    stack_t stack = {.ss_size = signal_stack_size()};
    stack_t old;

    if (!have_key || sigaltstack(NULL, &old) < 0 || !(old.ss_flags & SS_DISABLE))
        return;
    stack.ss_sp = mmap(NULL, stack.ss_size, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (stack.ss_sp == MAP_FAILED)
        return;
    if (pthread_setspecific(stack_key, stack.ss_sp) != 0 ||
        sigaltstack(&stack, NULL) < 0) {
        pthread_setspecific(stack_key, NULL);
        munmap(stack.ss_sp, stack.ss_size);
    }
}

static void add_suspect(cg__overflow_suspect *suspect)
{
    for (int i = 0; i < SUSPECTS; i++) {
        cg__overflow_suspect *there = NULL;

        if (atomic_compare_exchange_strong(&suspects[i], &there, suspect) || there == suspect)
            return;
    }
    assert(false); /* there is no place for a third one */
}

void cg__overflow_watch(cg__overflow_suspect *suspect)
{
    add_suspect(suspect);
    pthread_once(&once, watch_process);
    watch_thread();
}
