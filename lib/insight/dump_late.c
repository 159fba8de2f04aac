/* SPDX-License-Identifier: MIT */
/* A coroutine that computes in a loop, or blocks, keeps its scheduler from the dump that a signal
 * asked for, and the program looks dead. A further signal then says in one line who that is, and
 * where. All of this runs in signal handlers, on the signal stack. Like the unwinder, dladdr takes
 * the lock of the dynamic linker, which a thread may take again. */
#include "config.h"

#include "lib/insight/dump_late.h"

#include "lib/base/json.h"
#include "lib/base/monotonic.h"
#include "lib/core/registry.h"
#include "lib/insight/whence.h"

#include <cogen/os_signal.h>

#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Two signals in short order are no complaint: a turn may take that long. */
#define PATIENCE (200 * CG_MILLISECOND)

bool cg__dump_late_begin(struct cg_sched *sched)
{
    int64_t nobody = 0;

    return atomic_compare_exchange_strong(&sched->asked_at, &nobody, cg__monotonic_now());
}

void cg__dump_late_end(struct cg_sched *sched)
{
    atomic_store(&sched->asked_at, 0);
    atomic_store(&sched->is_urged, false);
}

/* Writes a line without a wait. If nobody reads stderr, it is lost. */
static void write_line(char *line, size_t size)
{
    struct pollfd poller = {.fd = STDERR_FILENO, .events = POLLOUT};
    int before = cg_sigpipe_block();
    size_t len = strlen(line);

    if (len == size - 1)
        len--;
    line[len++] = '\n';
    cg_sigpipe_unblock(before, poll(&poller, 1, 0) != 1 || write(STDERR_FILENO, line, len) < 0);
}

/* How long ago the dump was asked for; 0: it has been made meanwhile. */
static int64_t lateness(const struct cg_sched *sched)
{
    int64_t since = atomic_load(&sched->asked_at);

    return since ? cg__monotonic_now() - since : 0;
}

static void tell(const struct cg_sched *sched)
{
    struct cg_coro *self = cg__coro_self;
    bool inside = self != NULL && self->sched == sched;
    int64_t length = lateness(sched);
    struct cg__backtrace backtrace;
    char name[48] = "something outside coroutines", line[2048];
    int len;

    if (length == 0)
        return;
    if (inside)
        cg__json_copy_plain(name, sizeof name, cg__coro_visible(self)->name);
    cg__backtrace_interrupted(&backtrace);
    cg__whence_shorten(&backtrace);
    len = snprintf(line, sizeof line,
                   "cogen: no dump for %" PRId64 " ms: %s%s does not yield, at ",
                   length / CG_MILLISECOND, inside ? "coroutine " : "", name);
    cg__whence_print(backtrace.frames, backtrace.count, line + len, sizeof line - (size_t)len);
    write_line(line, sizeof line);
}

/* Whether the scheduler runs. Then its thread exists. This and thread_of read without
 * synchronisation what that thread wrote. */
__attribute__((no_sanitize("thread"))) static bool is_running(const struct cg_sched *sched)
{
    return *(volatile const bool *)&sched->bound && *(volatile const bool *)&sched->running;
}

__attribute__((no_sanitize("thread"))) static pthread_t thread_of(const struct cg_sched *sched)
{
    return sched->thread;
}

static bool is_here(const struct cg_sched *sched)
{
    return pthread_equal(thread_of(sched), pthread_self());
}

void cg__dump_late_tell(struct cg_sched *sched, int signo)
{
    if (!is_running(sched) || lateness(sched) < PATIENCE)
        return;
    if (is_here(sched))
        tell(sched);
    else if (!atomic_exchange(&sched->is_urged, true))
        pthread_kill(thread_of(sched), signo);
}

static void answer(void *arg, struct cg_sched *sched)
{
    bool *answered = arg;

    if (is_running(sched) && is_here(sched) && atomic_exchange(&sched->is_urged, false)) {
        tell(sched);
        *answered = true;
    }
}

bool cg__dump_late_answer(void)
{
    bool answered = false;

    cg__registry_each(answer, &answered);
    return answered;
}
