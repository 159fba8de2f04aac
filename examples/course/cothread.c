/* SPDX-License-Identifier: MIT */
/* A coroutine in its own thread: lines that are sent to it go through a queue, and the
 * sender does not wait. The coroutine itself does not know of the thread.
 *
 *     ./cothread [LOG]         the lines with "python" in them, printed by another thread
 */
#include <cogen.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "../generators.h"
#include "stages.h"

enum {
    QUEUE = 8
}; /* lines in the queue: a sender waits if it is full, the thread if it is empty */

struct threaded {
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    char lines[QUEUE][256];
    unsigned put, got;
    bool closed;
    cg_gen_fn *fn;
    void *arg;
};

/* Takes the next line from the queue; false: there will be no more. */
static bool take(struct threaded *t, char *line)
{
    bool more;

    pthread_mutex_lock(&t->mutex);
    while (t->put == t->got && !t->closed)
        pthread_cond_wait(&t->changed, &t->mutex);
    if ((more = t->put != t->got))
        strcpy(line, t->lines[t->got++ % QUEUE]);
    pthread_cond_broadcast(&t->changed);
    pthread_mutex_unlock(&t->mutex);
    return more;
}

static void *thread_main(void *arg)
{
    struct threaded *t = arg;
    struct cg_gen *target = primed(t->fn, t->arg);
    char line[256];

    while (take(t, line))
        cg_gen_send(target, line, NULL);
    cg_gen_free(target);
    return NULL;
}

/* A stage like the others, but it passes the lines that it is sent to the thread. */
static ssize_t threaded(struct cg_gen *gen, void *arg)
{
    struct threaded *t = arg;
    const char *line;
    ssize_t sent;

    if (pthread_create(&t->thread, NULL, thread_main, t) != 0) {
        fputs("cothread: no thread can be started\n", stderr);
        exit(1);
    }
    while ((sent = cg_gen_yield(gen, 0, &line)) > 0) {
        pthread_mutex_lock(&t->mutex);
        while (t->put - t->got == QUEUE)
            pthread_cond_wait(&t->changed, &t->mutex);
        snprintf(t->lines[t->put++ % QUEUE], sizeof t->lines[0], "%s", line);
        pthread_cond_broadcast(&t->changed);
        pthread_mutex_unlock(&t->mutex);
    }
    pthread_mutex_lock(&t->mutex);
    t->closed = true;
    pthread_cond_broadcast(&t->changed);
    pthread_mutex_unlock(&t->mutex);
    pthread_join(t->thread, NULL);
    return sent;
}

int main(int argc, char **argv)
{
    FILE *log = stage_open(argc, argv, EXAMPLES_DATA "/access-log");
    struct threaded t = {.mutex = PTHREAD_MUTEX_INITIALIZER,
                         .changed = PTHREAD_COND_INITIALIZER,
                         .fn = stage_print};
    struct cg_gen *thread = primed(threaded, &t);
    struct cg_gen *grep = primed(stage_grep, &(struct stage_grep){"python", thread});

    stage_feed(log, grep);
    cg_gen_free(grep);
    cg_gen_free(thread);
    fclose(log);
    return 0;
}
