/* SPDX-License-Identifier: MIT */
/* Finds hogs. A thread looks at the schedulers from time to time: if one is in the same
 * resumption as before, the thread adds the CPU time that it has used meanwhile, and the time
 * in which its thread was blocked. A scheduler does nothing for that but say when it waits in
 * its reactor: a resumption is known by the turn's clock and the number of resumptions in the
 * turn, which are there anyway.
 *
 * A process that was stopped, and a thread that waits for a processor, use no CPU time and are
 * not blocked. So neither is taken for a hog.
 *
 * When the limit has passed, a signal (SIGURG, which nobody else minds) has the scheduler's own
 * thread write down who runs, and where. The report is made when the resumption has ended, or
 * after a second. */
#include "config.h"

#include "lib/insight/hog.h"

#include "lib/base/json.h"
#include "lib/base/monotonic.h"
#include "lib/base/report.h"
#include "lib/base/thread.h"
#include "lib/insight/dump_writer.h"
#include "lib/insight/whence.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* The time between two looks: a fraction of the limit, and short once it has passed, so that
 * the report says when the resumption has ended. */
enum { FRACTION = 8 };
#define SHORTEST (500 * CG_MICROSECOND)
#define LONGEST (50 * CG_MILLISECOND)
#define PATIENCE CG_SECOND /* how much longer than the limit nothing is reported */

/* What identifies a resumption. */
struct mark {
    int64_t now;
    unsigned ran;
};

struct hog {
    struct cg__observer observer; /* must be first */
    struct cg_sched *sched;
    struct hog *next, **link; /* among all of them; NULL: not in the list */
    int64_t limit;
    atomic_bool asleep;
    bool bound; /* its thread is known, and belongs to this process */
    pid_t thread;    /* its number: unlike a pthread_t, that may be of a thread that has ended */
    clockid_t clock; /* of its CPU time */
    int state;       /* describes the thread, /proc/thread-self/stat; -1: there is none */
    /* The watching thread's. */
    struct mark mark;
    int64_t looked, cpu;   /* when it last looked, and the thread's CPU time then */
    int64_t used, blocked; /* in this resumption */
    bool asked, told;
    bool reported; /* something, at some time */
    /* Between that thread and the signal handler. */
    atomic_uint question, answer; /* equal: the question was answered */
    struct mark asked_for;
    char name[48];
    struct cg__backtrace backtrace;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of the list and its hogs */
static pthread_cond_t changed;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct hog *first;
static bool watching; /* the thread runs */
static bool can_ask;  /* the handler is installed */

static int64_t read_clock(clockid_t clock)
{
    struct timespec time;

    if (clock_gettime(clock, &time) < 0)
        return 0;
    return time.tv_sec * CG_SECOND + time.tv_nsec;
}

/* The handler. */

static void free_hog(struct cg__observer *observer);

static void handle(int signo)
{
    struct cg_coro *self = cg__coro_self;
    struct hog *hog = self ? (struct hog *)cg__observe_find(self->sched, free_hog) : NULL;
    int saved = errno;
    unsigned question;

    (void)signo;
    if (hog == NULL)
        return;
    question = atomic_load(&hog->question);
    if (question == atomic_load(&hog->answer) || hog->asked_for.now != self->sched->now ||
        hog->asked_for.ran != self->sched->ran)
        return; /* it has yielded meanwhile */
    cg__json_copy_plain(hog->name, sizeof hog->name, cg__coro_visible(self)->name);
    cg__backtrace_interrupted(&hog->backtrace);
    atomic_store(&hog->answer, question);
    errno = saved;
}

/* The watching thread. */

/* Reads what the scheduler's thread writes without synchronisation: a mark that is read torn is
 * one that has changed. */
__attribute__((no_sanitize("thread"))) static bool read_mark(const struct hog *hog,
                                                             struct mark *mark)
{
    const struct cg_sched *sched = hog->sched;

    *mark = (struct mark){*(volatile const int64_t *)&sched->now,
                          *(volatile const unsigned *)&sched->ran};
    return *(volatile const bool *)&sched->running && !atomic_load(&hog->asleep);
}

/* Whether the scheduler's thread waits in a system call, and neither runs nor is ready to. */
static bool is_blocked(const struct hog *hog)
{
    char text[128], *end;
    ssize_t len = hog->state < 0 ? -1 : pread(hog->state, text, sizeof text - 1, 0);

    if (len <= 0)
        return false;
    text[len] = '\0';
    end = strrchr(text, ')'); /* behind the thread's name */
    return end && end[1] == ' ' && (end[2] == 'S' || end[2] == 'D');
}

static int64_t period(const struct hog *hog)
{
    int64_t length = hog->asked && !hog->told ? SHORTEST : hog->limit / FRACTION;

    return length < SHORTEST ? SHORTEST : length > LONGEST ? LONGEST : length;
}

static void ask(struct hog *hog)
{
    hog->asked = true;
    hog->asked_for = hog->mark;
    atomic_fetch_add(&hog->question, 1);
    if (can_ask)
        syscall(SYS_tgkill, getpid(), hog->thread, SIGURG);
}

/* A new resumption, of which the first coroutine of a turn has run since the turn began. Of
 * the others it is not known, so they get nothing. */
static void begin(struct hog *hog, struct mark mark, int64_t now, int64_t cpu)
{
    int64_t since = mark.ran == 1 ? now - mark.now : 0;

    hog->used = since < 0 ? 0 : since < cpu - hog->cpu ? since : cpu - hog->cpu;
    hog->blocked = 0;
    hog->mark = mark;
    hog->asked = hog->told = false;
}

/* Writes the report, without its end. The list is locked. */
static void describe(struct hog *hog, bool goes_on, char *buf, size_t size)
{
    int64_t length = hog->used + hog->blocked;
    bool known = atomic_load(&hog->answer) == atomic_load(&hog->question);
    char place[1536] = "an unknown place";

    if (known) {
        cg__whence_shorten(&hog->backtrace);
        cg__whence_print(hog->backtrace.frames, hog->backtrace.count, place, sizeof place);
    }
    snprintf(buf, size, "%s%s %s %" PRId64 " ms without yielding, at %s",
             known ? "coroutine " : "", known ? hog->name : "something",
             hog->blocked > hog->used ? goes_on ? "has blocked for" : "blocked for"
             : goes_on                ? "has run for"
                                      : "ran",
             length / CG_MILLISECOND, place);
}

/* Looks at one scheduler. Returns true if `buf` has a report. */
static bool look(struct hog *hog, char *buf, size_t size)
{
    int64_t now = cg__monotonic_now(), cpu = read_clock(hog->clock);
    int64_t passed = now - hog->looked;
    struct mark mark;
    bool busy = read_mark(hog, &mark);
    bool same = busy && mark.now == hog->mark.now && mark.ran == hog->mark.ran;
    bool report = hog->asked && !hog->told;

    if (same) {
        hog->used += cpu - hog->cpu;
        if (is_blocked(hog)) /* a look that comes very late says little of the time before */
            hog->blocked += passed < hog->limit / 2 ? passed : hog->limit / 2;
        report = report && hog->used + hog->blocked > hog->limit + PATIENCE;
    }
    if (report) {
        describe(hog, same, buf, size);
        hog->told = hog->reported = true;
    }
    if (!same)
        begin(hog, busy ? mark : (struct mark){.now = -1}, now, cpu);
    if (busy && !hog->asked && hog->used + hog->blocked >= hog->limit)
        ask(hog);
    hog->looked = now;
    hog->cpu = cpu;
    return report;
}

static void wait_until(int64_t moment)
{
    struct timespec time = {moment / CG_SECOND, moment % CG_SECOND};

    pthread_cond_timedwait(&changed, &lock, &time);
}

/* Until there is nobody to watch. Under the lock, reports are only handed to the thread that
 * writes. */
static void *watch(void *arg)
{
    static char report[2048];

    pthread_mutex_lock(&lock);
    while (first) {
        int64_t shortest = LONGEST;

        for (struct hog *hog = first; hog; hog = hog->next) {
            if (hog->bound && look(hog, report, sizeof report))
                cg__dump_writer_report(report);
            if (period(hog) < shortest)
                shortest = period(hog);
        }
        wait_until(cg__monotonic_now() + shortest);
    }
    watching = false;
    pthread_mutex_unlock(&lock);
    return arg;
}

/* The scheduler's thread. */

static void binds(struct cg__observer *observer)
{
    struct hog *hog = (struct hog *)observer;

    pthread_mutex_lock(&lock);
    hog->thread = (pid_t)syscall(SYS_gettid);
    hog->state = open("/proc/thread-self/stat", O_RDONLY | O_CLOEXEC);
    hog->bound = pthread_getcpuclockid(pthread_self(), &hog->clock) == 0;
    hog->cpu = read_clock(hog->clock);
    pthread_mutex_unlock(&lock);
}

static void sleeps(struct cg__observer *observer, int64_t now)
{
    (void)now;
    atomic_store_explicit(&((struct hog *)observer)->asleep, true, memory_order_relaxed);
}

static void wakes(struct cg__observer *observer, int64_t now)
{
    (void)now;
    atomic_store_explicit(&((struct hog *)observer)->asleep, false, memory_order_relaxed);
}

static void free_hog(struct cg__observer *observer)
{
    struct hog *hog = (struct hog *)observer;
    char report[2048];
    bool reports;

    pthread_mutex_lock(&lock);
    reports = hog->bound && hog->asked && !hog->told; /* it was the last to run */
    if (reports)
        describe(hog, false, report, sizeof report);
    *hog->link = hog->next;
    if (hog->next)
        hog->next->link = hog->link;
    if (first == NULL)
        pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
    if (reports)
        cg__dump_writer_report(report);
    if (hog->reported || reports)
        cg__dump_writer_finish(); /* the program may exit now */
    if (hog->state >= 0)
        close(hog->state);
    free(hog);
}

static void make_condition(void)
{
    pthread_condattr_t monotonic;

    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

static void before_fork(void)
{
    pthread_mutex_lock(&lock);
}

static void after_fork(void)
{
    pthread_mutex_unlock(&lock);
}

/* The child has no watching thread until it makes a scheduler. Those that it has inherited
 * belong to threads of the parent, and are not watched. */
static void in_child(void)
{
    for (struct hog *hog = first; hog; hog = hog->next)
        hog->bound = false;
    watching = false;
    make_condition(); /* the parent's thread may have been waiting for the old one */
    pthread_mutex_unlock(&lock);
}

static void set_up(void)
{
    struct sigaction action = {.sa_handler = handle, .sa_flags = SA_RESTART | SA_ONSTACK},
                     before;

    make_condition();
    pthread_atfork(before_fork, after_fork, in_child);
    sigemptyset(&action.sa_mask);
    if (sigaction(SIGURG, NULL, &before) == 0 && !(before.sa_flags & SA_SIGINFO) &&
        before.sa_handler == SIG_DFL)
        can_ask = sigaction(SIGURG, &action, NULL) == 0;
    if (!can_ask)
        cg__report("hogs are not named: the program handles SIGURG");
}

static int enlist(struct hog *hog)
{
    int rc = 0;

    pthread_once(&once, set_up);
    pthread_mutex_lock(&lock);
    if (!watching)
        rc = cg__thread_start(watch, NULL, 0);
    if (rc == 0) {
        watching = true;
        hog->next = first;
        hog->link = &first;
        if (first)
            first->link = &hog->next;
        first = hog;
    }
    pthread_mutex_unlock(&lock);
    return rc == 0 ? 0 : -ENOMEM; /* what pthread_create calls EAGAIN */
}

/* In a simulated world the clock stands still while a coroutine runs. */
int cg__hog_add(struct cg_sched *sched, int64_t limit)
{
    struct hog *hog;
    int rc;

    if (sched->reactor->simulated)
        return 0;
    if ((hog = calloc(1, sizeof *hog)) == NULL)
        return -ENOMEM;
    hog->observer = (struct cg__observer){
        .binds = binds, .sleeps = sleeps, .wakes = wakes, .free = free_hog};
    hog->sched = sched;
    hog->limit = limit;
    hog->mark.now = -1;
    hog->state = -1;
    if ((rc = enlist(hog)) == 0 && (rc = cg__observe_add(sched, &hog->observer)) < 0)
        free_hog(&hog->observer);
    else if (rc < 0)
        free(hog);
    return rc;
}
