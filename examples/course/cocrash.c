/* SPDX-License-Identifier: MIT */
/* Nothing can be sent to a coroutine while it runs: not by itself, nor by a function that
 * it has called, nor by another thread. The sender gets an error, and the coroutine does
 * not notice. (In the course, this crashed one of two threads now and then; here the
 * threads are made to meet.)
 *
 *     ./cocrash
 */
#include <cogen.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>

#include "../generators.h"

static pthread_barrier_t inside, tried;

static ssize_t slow(struct cg_gen *gen, void *arg)
{
    const char *text;

    (void)arg;
    while (cg_gen_yield(gen, 0, &text) > 0) {
        printf("got %s\n", text);
        printf("sending to myself: %s\n", cg_strerror(cg_gen_send(gen, "this", NULL)));
        pthread_barrier_wait(&inside); /* the other thread tries now */
        pthread_barrier_wait(&tried);
    }
    return 0;
}

static void *other(void *arg)
{
    struct cg_gen *target = arg;

    pthread_barrier_wait(&inside);
    printf("sending to a running one: %s\n",
           cg_strerror(cg_gen_send(target, "that", NULL)));
    printf("closing a running one: %s\n", cg_strerror(cg_gen_close(target)));
    pthread_barrier_wait(&tried);
    return NULL;
}

int main(void)
{
    struct cg_gen *target = primed(slow, NULL);
    pthread_t thread;

    pthread_barrier_init(&inside, NULL, 2);
    pthread_barrier_init(&tried, NULL, 2);
    if (pthread_create(&thread, NULL, other, target) != 0) {
        fputs("cocrash: no thread can be started\n", stderr);
        return 1;
    }
    cg_gen_send(target, "the first", NULL);
    pthread_join(thread, NULL);
    printf("and closed: %zd\n", cg_gen_free(target));
    return 0;
}
