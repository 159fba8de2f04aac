/* SPDX-License-Identifier: MIT */
/* The trace is an observer that writes into a ring, so that it is bounded and never waits for a
 * disk. An operation is noted when it has ended, with its length; one that yields others has an
 * event for its begin, too. Names are copied: coroutines may be gone when the ring is read. */
#include "config.h"

#include "lib/insight/trace.h"

#include "lib/base/environment.h"
#include "lib/base/report.h"
#include "lib/threads/crew.h"

#include <cogen/os_signal.h>
#include <cogen/trace.h>

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void set_name(struct cg__event *event, const char *name)
{
    if (memccpy(event->name, name, '\0', sizeof event->name) == NULL)
        event->name[sizeof event->name - 1] = '\0';
}

static struct cg__event *put(struct cg__trace_ring *ring, enum cg__trace_kind kind, int64_t at,
                             uint64_t coro, const char *name)
{
    struct cg__event *event = &ring->events[ring->count++ & ring->mask];

    event->at = at;
    event->length = 0;
    event->coro = coro;
    event->result = 0;
    event->kind = kind;
    set_name(event, name);
    return event;
}

static int64_t now(const struct cg__trace_ring *ring)
{
    return cg__observe_clock(ring->sched->observe, ring->sched->reactor);
}

/* The coroutine that has run until now. */
static void stop(struct cg__trace_ring *ring, int64_t at)
{
    if (ring->running.coro == 0)
        return;
    put(ring, CG__TRACE_RAN, ring->running.at, ring->running.coro, ring->running.name)->length =
        at - ring->running.at;
    ring->running.coro = 0;
}

/* Notes what has run so far, while it goes on. */
static void note_running(struct cg__trace_ring *ring)
{
    struct cg__event running = ring->running;

    stop(ring, now(ring));
    ring->running = running;
    ring->running.at = now(ring);
}

static void resumes(struct cg__observer *observer, struct cg_coro *coro, int64_t at,
                    int64_t ended)
{
    struct cg__trace_ring *ring = (struct cg__trace_ring *)observer;

    stop(ring, ended ? ended : at);
    ring->running.at = at;
    ring->running.coro = coro->id;
    set_name(&ring->running, coro->name);
}

static void begins(struct cg__observer *observer, struct cg_op *op, int64_t at)
{
    put((struct cg__trace_ring *)observer, CG__TRACE_BEGIN, at, cg__coro_self->id,
        op->type->name);
}

/* The op has waited until its coroutine was resumed. */
static void ends(struct cg__observer *observer, struct cg_op *op, ssize_t result,
                 int64_t length)
{
    struct cg__trace_ring *ring = (struct cg__trace_ring *)observer;
    uint64_t coro = cg__coro_self->id;
    struct cg__event *event;

    if (op->compound) {
        event = put(ring, CG__TRACE_END, now(ring), coro, op->type->name);
    } else if (length < 0) {
        event = put(ring, CG__TRACE_OP, now(ring), coro, op->type->name);
    } else {
        event = put(ring, CG__TRACE_OP, ring->sched->observe->resumed - length, coro,
                    op->type->name);
        event->length = length;
    }
    event->result = result;
}

static void sleeps(struct cg__observer *observer, int64_t at)
{
    struct cg__trace_ring *ring = (struct cg__trace_ring *)observer;

    stop(ring, at);
    ring->asleep = at;
}

static void wakes(struct cg__observer *observer, int64_t at)
{
    struct cg__trace_ring *ring = (struct cg__trace_ring *)observer;

    put(ring, CG__TRACE_SLEPT, ring->asleep, 0, "wait")->length = at - ring->asleep;
}

static void destroy(struct cg__observer *observer);

static struct cg__trace_ring *find(const struct cg_sched *sched)
{
    return (struct cg__trace_ring *)cg__observe_find(sched, destroy);
}

static const char list_end[] = "\n]\n";

static int end_list(FILE *out)
{
    fputs(list_end, out);
    return fflush(out) == 0 && !ferror(out) ? 0 : -EIO;
}

/* A list of the events. The file may be a pipe whose reader has gone. */
static int write_list(const struct cg__trace_ring *ring, FILE *out, const char *before,
                      unsigned number)
{
    int blocked = cg_sigpipe_block();
    int rc = cg__trace_json(ring, out, before, number);

    if (rc == 0)
        rc = end_list(out);
    cg_sigpipe_unblock(blocked, ferror(out));
    return rc;
}

int cg_trace_write(struct cg_sched *sched, FILE *out)
{
    struct cg__trace_ring *ring = find(sched);

    if (ring == NULL)
        return -EINVAL;
    note_running(ring);
    return write_list(ring, out, "[", sched->worker ? sched->worker->number : 0);
}

/* Appends a blank and more to a name, as much as fits. */
static void append_detail(struct cg__event *event, const char *detail)
{
    size_t len = strlen(event->name);

    snprintf(event->name + len, sizeof event->name - len, " %s", detail);
}

uint64_t cg_trace_begin(const char *name, const char *detail)
{
    const struct cg_coro *self = cg__coro_self;
    struct cg__trace_ring *ring = self ? find(self->sched) : NULL;
    struct cg__event *event;

    if (ring == NULL)
        return 0;
    event = put(ring, CG__TRACE_SPAN_BEGIN, now(ring), self->id, name);
    event->result = (int64_t)++ring->spans;
    if (detail)
        append_detail(event, detail);
    return ring->spans;
}

void cg_trace_end(uint64_t span)
{
    const struct cg_coro *self = cg__coro_self;
    struct cg__trace_ring *ring = span && self ? find(self->sched) : NULL;

    if (ring)
        put(ring, CG__TRACE_SPAN_END, now(ring), self->id, "")->result = (int64_t)span;
}

/* The file of this process. All its schedulers write into one list: what comes later takes the
 * place of the bracket that closed it, and each has a number of its own there. */
static struct {
    pthread_mutex_t lock;
    FILE *out; /* stays open for later schedulers */
    unsigned written; /* schedulers */
    pid_t opened;     /* the process that has opened it */
    pid_t owner;      /* the process that has its name, since it has loaded the library */
} file = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* Children know by this that they are some, although their parent may use nothing of the library,
 * and so count no forks. */
__attribute__((constructor)) static void loaded(void)
{
    file.owner = getpid();
}

static void lock_file(void)
{
    pthread_mutex_lock(&file.lock);
}

static void unlock_file(void)
{
    pthread_mutex_unlock(&file.lock);
}

/* A fork waits for a thread that writes: otherwise the child would have half of a trace in its
 * buffer, and a lock that nobody unlocks. */
static void watch_forks(void)
{
    pthread_atfork(lock_file, unlock_file, unlock_file);
}

static int append(const struct cg__trace_ring *ring)
{
    int rc;

    if (file.written > 0 && fseek(file.out, -(long)strlen(list_end), SEEK_END) < 0)
        return -errno;
    rc = write_list(ring, file.out, file.written ? "," : "[", file.written);
    if (rc == 0)
        file.written++;
    return rc;
}

/* The file of a child of that process has its number behind the name. */
static int open_file(const struct cg__trace_ring *ring)
{
    char *name = ring->file;
    int rc = 0;

    if (file.out && file.opened == getpid())
        return 0;
    if (file.owner != getpid() && asprintf(&name, "%s.%ld", ring->file, (long)getpid()) < 0)
        return -ENOMEM;
    if (file.out)
        fclose(file.out); /* the parent's */
    file.written = 0;
    file.opened = getpid();
    if ((file.out = fopen(name, "we")) == NULL)
        rc = -errno;
    if (name != ring->file)
        free(name);
    return rc;
}

static void write_file(const struct cg__trace_ring *ring)
{
    int rc;

    lock_file();
    rc = open_file(ring);
    if (rc == 0)
        rc = append(ring);
    unlock_file();
    if (rc < 0)
        cg__report("cannot write the trace to %s: %s", ring->file, cg_strerror(rc));
}

static void destroy(struct cg__observer *observer)
{
    struct cg__trace_ring *ring = (struct cg__trace_ring *)observer;

    note_running(ring);
    if (ring->file && ring->forks == cg__fork_count()) /* else it is the parent's to write */
        write_file(ring);
    free(ring->file);
    free(ring->events);
    free(ring);
}

static size_t places(size_t wanted)
{
    size_t count = 64;

    while (count < wanted && count < CG__TRACE_MOST)
        count *= 2;
    return count;
}

int cg__trace_begin(struct cg_sched *sched)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    const char *name = cg__environment("COGEN_TRACE");
    size_t wanted = sched->options.trace;
    struct cg__trace_ring *ring;

    if (name && !*name)
        name = NULL;
    if (wanted == 0 && name == NULL)
        return 0;
    if ((ring = malloc(sizeof *ring)) == NULL)
        return -ENOMEM;
    wanted = places(wanted ? wanted : CG__TRACE_DEFAULT);
    *ring = (struct cg__trace_ring){
        .observer = {.resumes = resumes, .begins = begins, .ends = ends, .sleeps = sleeps,
                     .wakes = wakes, .free = destroy},
        .sched = sched,
        .forks = cg__fork_count(),
        .events = malloc(wanted * sizeof *ring->events),
        .mask = wanted - 1,
    };
    if (ring->events && name)
        ring->file = strdup(name);
    if (ring->file)
        pthread_once(&once, watch_forks);
    if (ring->events && (!name || ring->file) && cg__observe_add(sched, &ring->observer) == 0)
        return 0;
    free(ring->file);
    free(ring->events);
    free(ring);
    return -ENOMEM;
}
