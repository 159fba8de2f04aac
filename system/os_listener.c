/* SPDX-License-Identifier: MIT */
/* One handler for all OS signals that have listeners. It counts the delivery for each
 * scheduler that wants the signal, and posts to that scheduler, which calls its listeners.
 *
 * Why not signalfd: it needs the signal to be blocked in every thread, also in those that
 * exist already, but not in programs that we start; and it gives a delivery to one reader,
 * although several schedulers may wait. */
#include "config.h"

#include "system/os_infos.h"
#include "system/os_listener.h"

#include "lib/base/sigpipe.h"
#include "lib/core/sched.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { SIGNALS = 128 }; /* more than any system has */

/* The listeners of one scheduler, made when there is the first one and freed with the
 * scheduler. The handler may use it while it is in the list of watchers. */
struct cg_os_watcher {
    struct cg__part part; /* must be first */
    struct cg__post post;
    struct cg_sched *sched;
    _Atomic(struct cg_os_watcher *) next;
    atomic_bool posted;
    atomic_bool wants[SIGNALS];
    atomic_uint arrived[SIGNALS];
    struct cg__os_infos infos;
    /* used by the scheduler's thread only: */
    struct cg_os_listener *first, *cursor;
};

/* Signals belong to the process, and so does this state, the only one that schedulers
 * share. The handler must not wait, so it does not take the mutex. A thread that removes
 * what the handler uses waits until no handler is running. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static _Atomic(struct cg_os_watcher *) watchers;
static atomic_int inside;
static struct {
    struct sigaction before;
    unsigned users;
} taken[SIGNALS];

/* A child made by fork() inherits the handler, but before it runs its scheduler nobody can
 * be told. Until then a signal does what it did before the handler was installed. */
static void act_as_before(const struct sigaction *before, int signo, siginfo_t *info,
                          void *context)
{
    if (before->sa_flags & SA_SIGINFO) {
        before->sa_sigaction(signo, info, context);
    } else if (before->sa_handler != SIG_DFL) {
        if (before->sa_handler != SIG_IGN)
            before->sa_handler(signo);
    } else if (signo != SIGCHLD && signo != SIGURG && signo != SIGWINCH && signo != SIGCONT) {
        sigaction(signo, before, NULL);
        raise(signo); /* takes effect when this handler has returned */
    }
}

/* SIGCHLD concerns everybody: the previous handler is called too. */
static void tell_previous(const struct sigaction *before, int signo, siginfo_t *info,
                          void *context)
{
    if (before->sa_flags & SA_SIGINFO)
        before->sa_sigaction(signo, info, context);
    else if (before->sa_handler != SIG_DFL && before->sa_handler != SIG_IGN)
        before->sa_handler(signo);
}

/* The fields of siginfo_t that are valid depend on the code. */
static struct cg_os_signal_info translate(int signo, const siginfo_t *from)
{
    struct cg_os_signal_info info = {.signo = signo, .code = from->si_code};

    if (from->si_code <= 0 || signo == SIGCHLD) {
        info.pid = from->si_pid;
        info.uid = from->si_uid;
    }
    if (from->si_code == SI_QUEUE)
        info.value = (intptr_t)from->si_value.sival_ptr;
    else if (signo == SIGCHLD && from->si_code > 0)
        info.status = from->si_status;
    return info;
}

static void handle(int signo, siginfo_t *info, void *context)
{
    int saved = errno;
    struct cg_os_watcher *watcher;
    struct sigaction before;
    struct cg_os_signal_info details = translate(signo, info);
    bool told = false, parents = false, new = cg__fork_is_new();

    atomic_fetch_add(&inside, 1);
    for (watcher = atomic_load(&watchers); watcher; watcher = atomic_load(&watcher->next)) {
        if (!atomic_load(&watcher->wants[signo]))
            continue;
        if (new || cg__sched_is_parents(watcher->sched)) {
            parents = true;
            continue;
        }
        told = true;
        cg__os_infos_put(&watcher->infos, &details);
        atomic_fetch_add(&watcher->arrived[signo], 1);
        if (!atomic_exchange(&watcher->posted, true))
            cg__post(watcher->sched, &watcher->post);
    }
    before = taken[signo].before;
    atomic_fetch_sub(&inside, 1);
    if (parents && !told)
        act_as_before(&before, signo, info, context);
    else if (signo == SIGCHLD)
        tell_previous(&before, signo, info, context);
    errno = saved;
}

static void wait_until_outside(void)
{
    while (atomic_load(&inside) > 0)
        sched_yield();
}

static int take(int signo)
{
    struct sigaction ours = {.sa_sigaction = handle,
                             .sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK};

    if (taken[signo].users == 0) {
        sigemptyset(&ours.sa_mask);
        if (signo == SIGPIPE)
            cg__sigpipe_handle();
        wait_until_outside();
        /* The old action is read first: the new handler may use it as soon as it is
         * installed. */
        if (sigaction(signo, NULL, &taken[signo].before) < 0 ||
            sigaction(signo, &ours, NULL) < 0)
            return -errno;
    }
    taken[signo].users++;
    return 0;
}

/* If somebody else has installed a handler since, it stays. */
static void give_back(int signo)
{
    struct sigaction now;

    if (--taken[signo].users == 0 && sigaction(signo, NULL, &now) == 0 &&
        now.sa_flags & SA_SIGINFO && now.sa_sigaction == handle)
        sigaction(signo, &taken[signo].before, NULL);
}

/* A listener that is called may remove any listener. So the next one to call is in
 * watcher->cursor, which a removal moves on. */
static void tell(struct cg_os_watcher *watcher, int signo, unsigned deliveries)
{
    struct cg_os_listener *listener = watcher->first;

    for (; listener; listener = watcher->cursor) {
        watcher->cursor = listener->next;
        if (listener->signo == signo)
            listener->fn(listener, deliveries);
    }
}

/* A listener gets nothing from before it was added. */
static void tell_details(struct cg_os_watcher *watcher)
{
    struct cg_os_signal_info info;
    unsigned position;

    while (cg__os_infos_take(&watcher->infos, &info, &position))
        for (struct cg_os_listener *each = watcher->first; each; each = each->next)
            if (each->note && each->signo == info.signo && (int)(position - each->since) >= 0)
                each->note(each, &info);
}

static void tell_all(struct cg_os_watcher *watcher)
{
    unsigned deliveries;

    tell_details(watcher);
    for (int signo = 1; signo < SIGNALS; signo++)
        if ((deliveries = atomic_exchange(&watcher->arrived[signo], 0)) > 0)
            tell(watcher, signo, deliveries);
}

static void run_post(struct cg__post *post, bool dropped)
{
    struct cg_os_watcher *watcher =
        (struct cg_os_watcher *)((char *)post - offsetof(struct cg_os_watcher, post));

    atomic_store(&watcher->posted, false);
    if (!dropped)
        tell_all(watcher);
}

void cg__os_listener_hear(struct cg_os_listener *listener)
{
    if (atomic_load(&listener->watcher->posted))
        tell_all(listener->watcher);
}

/* Coroutines that did not end have left listeners behind, on their stacks. */
static void part_drop(struct cg__part *part, struct cg_sched *sched)
{
    struct cg_os_watcher *watcher = (struct cg_os_watcher *)part;
    _Atomic(struct cg_os_watcher *) *at = &watchers;

    (void)sched;
    pthread_mutex_lock(&mutex);
    while (atomic_load(at) != watcher)
        at = &atomic_load(at)->next;
    atomic_store(at, atomic_load(&watcher->next));
    wait_until_outside();
    for (struct cg_os_listener *listener = watcher->first; listener; listener = listener->next)
        give_back(listener->signo);
    pthread_mutex_unlock(&mutex);
}

static void part_free(struct cg__part *part)
{
    free(part);
}

/* Finds or makes a scheduler's watcher. Returns NULL if there is no memory. */
static struct cg_os_watcher *watcher_of(struct cg_sched *sched)
{
    struct cg_os_watcher *watcher =
        (struct cg_os_watcher *)sched->parts[CG__PART_OS_SIGNALS];

    if (watcher == NULL && (watcher = calloc(1, sizeof *watcher))) {
        watcher->part = (struct cg__part){.drop = part_drop, .free = part_free};
        watcher->post.run = run_post;
        watcher->sched = sched;
        sched->parts[CG__PART_OS_SIGNALS] = &watcher->part;
        atomic_store(&watcher->next, atomic_load(&watchers));
        atomic_store(&watchers, watcher);
    }
    return watcher;
}

static bool can_be_waited_for(int signo)
{
    return signo > 0 && signo < SIGNALS && signo != SIGKILL && signo != SIGSTOP &&
           signo != SIGSEGV && signo != SIGBUS && signo != SIGFPE && signo != SIGILL;
}

int cg__os_listener_add(struct cg_os_listener *listener, struct cg_sched *sched)
{
    int signo = listener->signo, rc;
    struct cg_os_watcher *watcher;

    if (!can_be_waited_for(signo))
        return -EINVAL;
    pthread_mutex_lock(&mutex);
    rc = (watcher = watcher_of(sched)) ? take(signo) : -ENOMEM;
    pthread_mutex_unlock(&mutex);
    if (rc < 0)
        return rc;
    if (!atomic_load(&watcher->wants[signo])) {
        atomic_store(&watcher->arrived[signo], 0); /* drops deliveries counted for
                                                    * earlier listeners */
        atomic_store(&watcher->wants[signo], true);
    }
    listener->watcher = watcher;
    listener->since = atomic_load(&watcher->infos.tail);
    listener->prev = NULL;
    if ((listener->next = watcher->first))
        watcher->first->prev = listener;
    watcher->first = listener;
    return 0;
}

void cg__os_listener_remove(struct cg_os_listener *listener)
{
    struct cg_os_watcher *watcher = listener->watcher;
    struct cg_os_listener *other;

    if (watcher->cursor == listener)
        watcher->cursor = listener->next;
    *(listener->prev ? &listener->prev->next : &watcher->first) = listener->next;
    if (listener->next)
        listener->next->prev = listener->prev;
    for (other = watcher->first; other && other->signo != listener->signo;)
        other = other->next;
    if (other == NULL)
        atomic_store(&watcher->wants[listener->signo], false);
    pthread_mutex_lock(&mutex);
    give_back(listener->signo);
    pthread_mutex_unlock(&mutex);
}
