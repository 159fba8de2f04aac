/* SPDX-License-Identifier: MIT */
/* Functions that take a struct of options take NULL instead, for the defaults of all of them. */
#include "config.h"

#include "tests/support/support.h"

#include <errno.h>

static ssize_t returns_5(void *arg)
{
    (void)arg;
    return 5;
}

static ssize_t group(void *arg)
{
    struct cg_group all;

    (void)arg;
    ck_assert_ptr_eq(cg_group_open_with(&all, NULL), &all);
    IS(cg_yield(cg_add_to_group(&all, returns_5, NULL)), 0);
    IS(cg_yield(cg_wait_group(&all)), 0);
    return 0;
}

static ssize_t made(void *arg)
{
    struct cg_bucket *bucket;
    struct cg_queue *queue = cg_queue_new_with(NULL);
    struct cg_pubsub *pubsub = cg_pubsub_new_with(NULL);
    struct cg_channel *channel = cg_channel_new_with(NULL);

    (void)arg;
    IS(cg_bucket_new_with(NULL, &bucket), -EINVAL); /* a rate has no default */
    ck_assert(queue != NULL && pubsub != NULL && channel != NULL);
    cg_queue_free(queue);
    cg_pubsub_free(pubsub);
    cg_channel_unref(channel);
    return 0;
}

static ssize_t sockets(void *arg)
{
    struct cg_sock *a, *b, *listener, *datagrams;
    char byte;

    (void)arg;
    OK(test_connect(OVER_TCP, &a, &b));
    OK(cg_sock_limit_with(a, NULL, &a));
    OK(cg_sock_buffer_with(a, NULL, &a));
    IS(cg_yield(cg_writeall(a, "x", 1)), 1);
    IS(cg_yield(cg_flush(a)), 0);
    IS(cg_yield(cg_read(b, &byte, 1)), 1);
    ck_assert_int_eq(byte, 'x');
    cg_sock_close(a);
    cg_sock_close(b);
    OK(cg_sock_listen_with(cg_sched_self(), "127.0.0.1:0", NULL, &listener));
    cg_sock_close(listener);
    OK(cg_datagram_open_with(cg_sched_self(), "127.0.0.1:0", NULL, &datagrams));
    OK(cg_datagram_join_with(datagrams, "239.1.2.3", NULL));
    OK(cg_datagram_leave_with(datagrams, "239.1.2.3", NULL));
    cg_sock_close(datagrams);
    return 0;
}

static const struct test_case cases[] = {CORO(group), CORO(made), CORO(sockets)};

int main(void)
{
    return test_main("defaults", cases, COUNT(cases));
}
