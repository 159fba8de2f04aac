/* SPDX-License-Identifier: MIT */
/* Redis by hiredis' asynchronous interface, whose callbacks tell what it waits for.
 *     cc redis.c $(pkg-config --cflags --libs cogen hiredis)
 *     ./redis 127.0.0.1 6379 "SET a 1" "GET a" ...
 * All commands are sent at the same time over one connection, each by its own
 * coroutine, and may take $PATIENCE seconds (5) together. */
#include "patience.h"

#include <cogen.h>
#include <errno.h>
#include <hiredis/async.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct redis {
    redisAsyncContext *ctx;  /* NULL: the connection has ended */
    unsigned events;         /* for which hiredis waits */
    bool ending;             /* tells the driver to end */
    struct cg_event changed; /* one of the fields above has changed */
};

/* hiredis' callbacks run in the coroutine that calls hiredis. They only note what it waits
 * for, and never yield. */
static void want(struct redis *redis, unsigned events)
{
    redis->events = events;
    cg_event_set(&redis->changed);
}

static void add_read(void *redis)
{
    want(redis, ((struct redis *)redis)->events | CG_IN);
}
static void del_read(void *redis)
{
    want(redis, ((struct redis *)redis)->events & ~CG_IN);
}
static void add_write(void *redis)
{
    want(redis, ((struct redis *)redis)->events | CG_OUT);
}
static void del_write(void *redis)
{
    want(redis, ((struct redis *)redis)->events & ~CG_OUT);
}

static void cleanup(void *redis) /* called before the context is freed */
{
    ((struct redis *)redis)->ctx = NULL;
    want(redis, 0);
}

/* The coroutine that drives a connection to its end. hiredis closes the descriptor only in
 * calls from here, when nothing waits for it. The coroutine is not cancelled, but told to
 * end. */
static ssize_t redis_drive(void *arg)
{
    struct redis *redis = arg;
    ssize_t rc = 0;

    while (redis->ctx && !redis->ending && rc >= 0) {
        struct cg_op *changed = cg_wait_event(&redis->changed);
        struct cg_op *polling =
            cg_poll(redis->ctx->c.fd, redis->events, .timeout = CG_NEVER);

        cg_event_clear(&redis->changed);
        if (!redis->events)
            rc = cg_yield(cg_any((changed), .shield = true));
        else if ((rc = cg_yield(cg_any((polling, changed), .shield = true))) == 0 &&
                 (rc = cg_op_result(polling)) > 0) {
            if (rc & ~CG_OUT)
                redisAsyncHandleRead(redis->ctx);
            if (redis->ctx && (rc & redis->events & CG_OUT))
                redisAsyncHandleWrite(redis->ctx);
        }
    }
    if (redis->ctx)
        redisAsyncFree(redis->ctx);
    return rc < 0 ? rc : 0;
}

static void redis_end(struct redis *redis)
{
    redis->ending = true;
    cg_event_set(&redis->changed);
}

static ssize_t redis_open(struct redis *redis, const char *ip, int port)
{
    *redis = (struct redis){.ctx = redisAsyncConnect(ip, port)};
    if (!redis->ctx)
        return -ENOMEM;
    if (redis->ctx->err) { /* hiredis tells what getaddrinfo says as a text only */
        ssize_t rc = redis->ctx->err == REDIS_ERR_IO ? -errno : CG_EHOST;

        redisAsyncFree(redis->ctx);
        redis->ctx = NULL;
        return rc;
    }
    redis->ctx->ev.data = redis;
    redis->ctx->ev.addRead = add_read;
    redis->ctx->ev.delRead = del_read;
    redis->ctx->ev.addWrite = add_write;
    redis->ctx->ev.delWrite = del_write;
    redis->ctx->ev.cleanup = cleanup;
    add_write(redis); /* writable: hiredis learns that the connection is established */
    return 0;
}

/* A request, shared by the coroutine that waits and the callback: the last of the two
 * frees it. */
struct question {
    struct cg_event done;
    bool left; /* the coroutine no longer waits */
    char *reply;
};

static void on_reply(redisAsyncContext *ctx, void *data, void *arg)
{
    struct question *question = arg;
    redisReply *reply =
        data; /* NULL: the connection has failed; else hiredis frees it */
    char number[32];

    (void)ctx;
    if (question->left) {
        free(question);
        return;
    }
    if (reply) {
        snprintf(number, sizeof number, "%lld", reply->integer);
        question->reply = strdup(reply->type == REDIS_REPLY_INTEGER ? number
                                 : reply->str                       ? reply->str
                                                                    : "(nil)");
    }
    cg_event_set(&question->done);
}

/* Sends a command and waits for the reply, a text that the caller frees. */
static ssize_t redis_ask(struct redis *redis, int argc, const char **argv, char **reply)
{
    struct question *question = calloc(1, sizeof *question);
    ssize_t rc;

    if (!question)
        return -ENOMEM;
    if (!redis->ctx ||
        redisAsyncCommandArgv(redis->ctx, on_reply, question, argc, argv, NULL)) {
        free(question);
        return -ENOTCONN;
    }
    rc = cg_yield(cg_wait_event(&question->done));
    if (rc < 0 && !question->done.set) {
        question->left = true; /* the callback will still be called */
        return rc;
    }
    *reply = question->reply;
    free(question);
    return *reply ? 0 : -ECONNRESET;
}

static struct redis redis;
static int64_t patience = 5 * CG_SECOND; /* ns, for all commands */
static int status; /* of the program */

static void complain(const char *what, ssize_t code)
{
    fprintf(stderr, "redis: %s: %s\n", what, cg_strerror(code));
    status = 1;
}

enum { WORDS = 8 }; /* of a command, at most */

static ssize_t ask(void *command)
{
    const char *words[WORDS];
    char *rest = command, *reply;
    int n = 0;
    ssize_t rc;

    while (n < WORDS && (words[n] = strsep(&rest, " ")))
        n++;
    if (rest) {
        complain(words[0], -E2BIG);
        return 0;
    }
    rc = redis_ask(&redis, n, words, &reply);
    if (rc < 0) {
        complain(words[0], rc);
        return 0;
    }
    printf("%s %s: %s\n", words[0], n > 1 ? words[1] : "", reply);
    free(reply);
    return 0;
}

static ssize_t program(void *arg)
{
    char **argv = arg;
    struct cg_group group;
    ssize_t rc = redis_open(&redis, argv[1], (int)strtol(argv[2], NULL, 10));

    if (rc < 0) {
        complain(argv[1], rc);
        return 0;
    }
    rc = cg_yield(cg_add(redis_drive, &redis, .name = "redis"));
    if (rc < 0) {
        complain(argv[1], rc);
        redisAsyncFree(redis.ctx);
        return 0;
    }
    cg_group_open(&group, .timeout = patience, .keep_going = true);
    for (char **command = argv + 3; *command; command++)
        if ((rc = cg_yield(cg_add_to_group(&group, ask, *command, .name = "ask"))) < 0)
            complain(*command, rc);
    rc = cg_yield(cg_wait_group(&group));
    redis_end(&redis);
    return rc;
}

int main(int argc, char **argv)
{
    char *end = NULL;
    long port = argc > 2 ? strtol(argv[2], &end, 10) : 0;

    if (argc < 4 || *end != '\0' || port < 1 || port > 65535 || !patience_read(&patience)) {
        fprintf(stderr, "usage: [PATIENCE=SECONDS] %s IP PORT COMMAND...\n", argv[0]);
        return 2;
    }
    return cg_main(NULL, program, argv) < 0 || status;
}
