/* SPDX-License-Identifier: MIT */
/* stderr may be a pipe that is full, and writing to it would stop a scheduler for as long as
 * nobody reads. So a thread writes; it is there only while there is something to write. It
 * cannot be told to stop within a write, so nobody waits for it for long, and what it needs
 * outlives every scheduler. */
#include "config.h"

#include "lib/insight/dump_writer.h"

#include "lib/base/report.h"
#include "lib/base/thread.h"

#include <cogen/os_signal.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 8 * 1024 * 1024 }; /* bytes that wait; further dumps are lost */

struct text {
    struct text *next;
    char *bytes;
    size_t len;
    const char *file;
};

static struct {
    pthread_mutex_t lock; /* protects the following fields */
    pthread_cond_t idle;
    struct text *first, **last;
    size_t bytes;
    unsigned lost; /* dumps and reports, since that was last told */
    bool writing;  /* there is a thread */
} writer = {.lock = PTHREAD_MUTEX_INITIALIZER,
            .idle = PTHREAD_COND_INITIALIZER,
            .last = &writer.first};

static void forget_all(void)
{
    writer.first = NULL;
    writer.last = &writer.first;
    writer.bytes = 0;
    writer.lost = 0;
    writer.writing = false;
}

/* A child made by fork() has no copy of the thread, and what that holds is lost there. */
static void forked(void)
{
    pthread_mutex_init(&writer.lock, NULL);
    pthread_cond_init(&writer.idle, NULL);
    forget_all();
}

static void watch_forks(void)
{
    pthread_atfork(NULL, NULL, forked);
}

/* Whole lines if possible, so that others may write between them. */
static size_t piece(const char *text, size_t len)
{
    if (len <= PIPE_BUF)
        return len;
    for (size_t n = PIPE_BUF; n > 0; n--)
        if (text[n - 1] == '\n')
            return n;
    return PIPE_BUF;
}

/* Waits `wait` ms (-1: no limit) whenever the file cannot be written. Returns 0 or a negative
 * code. A pipe that can be written takes PIPE_BUF bytes without blocking. */
static int write_all(int fd, const char *text, size_t len, int wait)
{
    ssize_t written;

    for (; len > 0; text += written, len -= (size_t)written) {
        struct pollfd poller = {.fd = fd, .events = POLLOUT};
        int ready = poll(&poller, 1, wait);

        if (ready == 0)
            return -EAGAIN;
        written = write(fd, text, piece(text, len));
        if (written < 0 && (errno == EINTR || (errno == EAGAIN && wait != 0)))
            written = 0;
        else if (written < 0)
            return -errno;
    }
    return 0;
}

/* The file is opened each time, since it may have been rotated. */
static int write_file(const struct text *text, int wait)
{
    int fd = open(text->file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0600);
    int rc = fd < 0 ? -errno : write_all(fd, text->bytes, text->len, wait);

    if (fd >= 0 && close(fd) < 0 && rc == 0)
        rc = -errno; /* a quota, or a file of a network */
    return rc;
}

/* Returns 0, or a negative code if a part was not written. */
static int put_out(const struct text *text, int wait)
{
    int rc;

    if (text->file == NULL)
        return write_all(STDERR_FILENO, text->bytes, text->len, wait);
    rc = write_file(text, wait);
    if (rc < 0 && rc != -EAGAIN) /* which is counted */
        cg__report("cannot write the dump to %s: %s", text->file, cg_strerror(rc));
    return rc;
}

static struct text *take(void)
{
    struct text *text = writer.first;

    if (text && (writer.first = text->next) == NULL)
        writer.last = &writer.first;
    return text;
}

static void destroy(struct text *text)
{
    writer.bytes -= text->len;
    free(text->bytes);
    free(text);
}

/* Tells of lost texts after one that was written: now somebody reads. */
static void tell_lost(int wait)
{
    char line[CG__REPORT_LOST_SIZE];
    int len;

    if (writer.lost == 0)
        return;
    len = cg__report_lost(writer.lost, line, sizeof line);
    writer.lost = 0;
    pthread_mutex_unlock(&writer.lock);
    write_all(STDERR_FILENO, line, (size_t)len, wait);
    pthread_mutex_lock(&writer.lock);
}

/* Under the lock, except while it writes. */
static void write_queued(int wait)
{
    struct text *text;
    int rc;

    while ((text = take())) {
        pthread_mutex_unlock(&writer.lock);
        rc = put_out(text, wait);
        pthread_mutex_lock(&writer.lock);
        writer.lost += rc == -EAGAIN;
        destroy(text);
        if (rc == 0)
            tell_lost(wait);
    }
    writer.writing = false;
    pthread_cond_broadcast(&writer.idle);
}

static void *run(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&writer.lock);
    write_queued(-1);
    pthread_mutex_unlock(&writer.lock);
    return NULL;
}

/* Without a thread, what can be written at once is written. */
static void begin(void)
{
    int before;

    writer.writing = true;
    if (cg__thread_start(run, NULL, 0) == 0)
        return;
    before = cg_sigpipe_block();
    write_queued(0);
    cg_sigpipe_unblock(before, true);
}

void cg__dump_writer_put(char *bytes, size_t len, const char *file)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct text *text = malloc(sizeof *text);

    pthread_once(&once, watch_forks);
    pthread_mutex_lock(&writer.lock);
    if (text == NULL || bytes == NULL || len > MOST - writer.bytes) {
        writer.lost++;
        free(bytes);
        free(text);
    } else {
        *text = (struct text){.bytes = bytes, .len = len, .file = file};
        *writer.last = text;
        writer.last = &text->next;
        writer.bytes += len;
        if (!writer.writing)
            begin();
    }
    pthread_mutex_unlock(&writer.lock);
}

void cg__dump_writer_report(const char *text)
{
    char *line = NULL;
    int len = asprintf(&line, "cogen: %s\n", text);

    cg__dump_writer_put(len < 0 ? NULL : line, len < 0 ? 0 : (size_t)len, NULL);
}

void cg__dump_writer_finish(void)
{
    struct timespec end;

    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec++;
    pthread_mutex_lock(&writer.lock);
    while (writer.writing && pthread_cond_timedwait(&writer.idle, &writer.lock, &end) == 0)
        continue;
    pthread_mutex_unlock(&writer.lock);
}
