/* SPDX-License-Identifier: MIT */
/* Signals to coroutines of other schedulers: in one thread, where each step can be
 * checked, and between threads, where no signal may be lost or delivered twice. */
#include "config.h"

#include "tests/support/child.h"
#include "tests/support/support.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MS CG_MILLISECOND

struct ear {
    struct cg_name name;
    intptr_t heard;
    ssize_t answer;
};

static ssize_t listens(void *arg)
{
    struct ear *ear = arg;

    return ear->answer = cg_yield(cg_wait_signal(ear->name, &ear->heard));
}

/* Opens a scheduler on a second reactor of the same kind, and steps it so that `ears`
 * wait. */
static struct test there_with(struct ear *ears, size_t n)
{
    struct test there = test_open(.grace = CG_SECOND);

    for (size_t i = 0; i < n; i++)
        OK(cg_sched_start(there.sched, listens, &ears[i]));
    cg_sched_step(there.sched, 0);
    return there;
}

/* All that wait for the name get the value, others do not. The name's bytes are copied;
 * integers and pointers can be names, too. */
static void wakes_there(void)
{
    char text[] = "name";
    int object;
    struct ear ears[] = {
        {.name = cg_name("name")}, {.name = cg_name("name")}, {.name = cg_name("other")},
        {.name = cg_name(7)},      {.name = cg_name(&object)},
    };
    struct test there = there_with(ears, COUNT(ears));

    OK(cg_sched_post_signal(there.sched, text, 11));
    memset(text, 'x', sizeof text);
    OK(cg_sched_post_signal(there.sched, 7, 12));
    OK(cg_sched_post_signal(there.sched, &object, &object));
    OK(cg_sched_post_signal(there.sched, "", 13));
    for (int i = 0; i < 3; i++)
        cg_sched_step(there.sched, 0);
    ck_assert_int_eq(ears[0].heard, 11);
    ck_assert_int_eq(ears[1].heard, 11);
    ck_assert_int_eq(ears[2].heard, 0);
    ck_assert_int_eq(ears[3].heard, 12);
    ck_assert_int_eq(ears[4].heard, (intptr_t)&object);
    IS(cg_sched_run(there.sched), 1);
    test_close(&there);
    IS(ears[2].answer, -ECANCELED);
}

/* Signals that the other scheduler has not handled when it is freed are dropped, without a
 * leak. */
static void dropped(void)
{
    struct test there = test_open(.timeout = 0);

    OK(cg_sched_post_signal(there.sched, "a name that is not short", 1));
    test_close(&there);
}

struct mouth {
    struct cg_sched *there;
    struct cg_name name;
    int64_t timeout;
    ssize_t answer;
};

static ssize_t signals(void *arg)
{
    struct mouth *mouth = arg;

    mouth->answer = cg_yield(
        cg_signal_remote(mouth->there, mouth->name, 5, .timeout = mouth->timeout));
    return 0;
}

static struct test here_with(struct mouth *mouths, size_t n, struct cg_sched *there)
{
    struct test here = test_open(.grace = CG_SECOND);

    for (size_t i = 0; i < n; i++) {
        mouths[i].there = there;
        OK(cg_sched_start(here.sched, signals, &mouths[i], .name = "mouth"));
    }
    return here;
}

/* The operation answers how many were woken there: none, one or two; and it holds its own
 * run open until it knows. */
static void answers_number(void)
{
    struct ear ears[] = {{.name = cg_name(1)}, {.name = cg_name(2)}, {.name = cg_name(2)}};
    struct mouth mouths[] = {
        {.name = cg_name(0)}, {.name = cg_name(1)}, {.name = cg_name(2)}};
    struct test there = there_with(ears, COUNT(ears));
    struct test here = here_with(mouths, COUNT(mouths), there.sched);

    IS(cg_sched_step(here.sched, 0), 1);
    cg_sched_step(there.sched, 0);
    test_finish(&here);
    for (ssize_t i = 0; i < 3; i++) {
        IS(mouths[i].answer, i);
        ck_assert_int_eq(ears[i].heard, 5);
    }
    test_finish(&there);
    test_close(&here);
    test_close(&there);
}

/* A signal that times out before the other scheduler handles it wakes nothing. */
static void withdrawn(void)
{
    struct ear ear = {.name = cg_name(1)};
    struct mouth mouth = {.name = cg_name(1), .timeout = MS};
    struct test there = there_with(&ear, 1);
    struct test here = here_with(&mouth, 1, there.sched);

    test_finish(&here);
    IS(mouth.answer, -ETIMEDOUT);
    IS(cg_sched_run(there.sched), 1);
    ck_assert_int_eq(ear.heard, 0);
    test_close(&here);
    test_close(&there);
}

/* A signal that is cancelled after the other scheduler has handled it, and before it has
 * come back, completes once, and the run of its scheduler stays open until then. */
static void cancelled_on_the_way_back(void)
{
    struct ear ear = {.name = cg_name(1)};
    struct mouth mouth = {.name = cg_name(1)};
    struct test there = there_with(&ear, 1);
    struct test here = here_with(&mouth, 1, there.sched);

    IS(cg_sched_step(here.sched, 0), 1);
    cg_sched_step(there.sched, 0);
    cg_sched_stop(here.sched);
    test_finish(&here);
    IS(mouth.answer, -ECANCELED);
    ck_assert_int_eq(ear.heard, 5);
    test_close(&here);
    test_close(&there);
}

/* If the other scheduler is freed without having handled it, the operation fails. */
static void never_looked(void)
{
    struct mouth mouth = {.name = cg_name(1)};
    struct test there = test_open(.timeout = 0);
    struct test here = here_with(&mouth, 1, there.sched);

    IS(cg_sched_step(here.sched, 0), 1);
    test_close(&there);
    test_finish(&here);
    IS(mouth.answer, -ESRCH);
    test_close(&here);
}

static ssize_t signals_shielded(void *arg)
{
    struct mouth *mouth = arg;

    return cg_yield(cg_signal_remote(mouth->there, mouth->name, 5, .shield = true));
}

/* The sender's scheduler may be freed, after its grace period, although a signal has not
 * come back: then the other scheduler wakes nothing and posts nothing back. */
static void home_is_gone(void)
{
    struct ear ear = {.name = cg_name(1)};
    struct mouth mouth = {.name = cg_name(1)};
    struct test there = there_with(&ear, 1);
    struct test here = test_open(.grace = 1);

    mouth.there = there.sched;
    OK(cg_sched_start(here.sched, signals_shielded, &mouth, .name = "shielded"));
    IS(cg_sched_step(here.sched, 0), 1);
    test_close(&here);
    IS(cg_sched_run(there.sched), 1);
    ck_assert_int_eq(ear.heard, 0);
    test_close(&there);
}

static ssize_t signals_itself(void *arg)
{
    struct ear ear = {.name = cg_name("self")};
    struct cg_coro *coro = test_start(listens, &ear);

    (void)arg;
    test_until_waiting(coro);
    IS(cg_yield(cg_signal_remote(cg_sched_self(), "self", 9)), 1);
    OK(test_end(coro));
    ck_assert_int_eq(ear.heard, 9);
    IS(cg_yield(cg_signal_remote(NULL, "self", 9)), -EINVAL);
    return 0;
}

static ssize_t is_told(void *arg)
{
    struct mouth *mouth = arg;

    while (mouth->answer == 0)
        cg_yield(cg_sleep(0));
    SURE(mouth->answer == -ESRCH);
    return 0;
}

/* The other scheduler belongs to a thread of the parent's: in a child the operation
 * fails. */
static ssize_t forks(void *arg)
{
    struct mouth *mouth = arg;
    struct cg_coro *coro = test_start(signals, mouth);

    test_until_waiting(coro);
    child_ended_well(child_fork(is_told, mouth));
    cg_coro_cancel(coro);
    return test_end(coro);
}

static void forked(void)
{
    struct ear ear = {.name = cg_name(1)};
    struct mouth mouth = {.name = cg_name(1)};
    struct test there = there_with(&ear, 1);

    mouth.there = there.sched;
    OK(test_run(forks, &mouth));
    IS(mouth.answer, -ECANCELED);
    test_close(&there);
}

static ssize_t hears_once(void *arg)
{
    ssize_t n;

    (void)arg;
    cg_sched_hold(cg_sched_self());
    n = cg_yield(cg_wait_signal("end", NULL));
    cg_sched_unhold(cg_sched_self());
    return n;
}

static void *run_and_free(void *arg)
{
    struct test *there = arg;

    cg_sched_run(there->sched);
    cg_sched_free(there->sched);
    cg_reactor_close(there->reactor);
    return NULL;
}

/* The other scheduler may be freed as soon as it has begun to handle a signal. ASan may notice if
 * this one still looks at it then. */
static ssize_t outlives(void *arg)
{
    pthread_t thread;
    ssize_t n;

    (void)arg;
    for (int i = 0; i < 20; i++) {
        struct test there = test_open(.timeout = 0);

        OK(cg_sched_start(there.sched, hears_once, NULL));
        IS(pthread_create(&thread, NULL, run_and_free, &there), 0);
        while ((n = cg_yield(cg_signal_remote(there.sched, "end", 1))) == 0)
            OK(cg_yield(cg_sleep(0)));
        IS(n, 1);
        pthread_join(thread, NULL);
    }
    return 0;
}

enum { NODES = 3, ROUNDS = 200 };

struct node {
    struct test test;
    struct node *next;
    pthread_t thread;
    intptr_t last;
    ssize_t left;
};

/* Signals the number that it gets, plus one, to the next scheduler, up to a limit. */
static ssize_t passes(void *arg)
{
    struct node *node = arg;
    intptr_t number = 0;

    cg_sched_hold(cg_sched_self());
    while (number < ROUNDS) {
        OK(cg_yield(cg_wait_signal("token", &number)));
        if (number == 0)
            continue; /* begins() tests whether we wait */
        ck_assert_int_gt(number, node->last);
        node->last = number;
        OK(cg_sched_post_signal(node->next->test.sched, "token", number + 1));
    }
    cg_sched_unhold(cg_sched_self());
    return 0;
}

static void signal_until_heard(struct node *node, intptr_t number)
{
    ssize_t n;

    while ((n = cg_yield(cg_signal_remote(node->test.sched, "token", number))) == 0)
        OK(cg_yield(cg_sleep(MS)));
    IS(n, 1);
}

/* Sends the first number as soon as all wait: a signal for which nothing waits is lost. */
static ssize_t begins(void *arg)
{
    struct node *self = arg;

    for (struct node *node = self->next; node != self; node = node->next)
        signal_until_heard(node, 0);
    signal_until_heard(self->next, 1);
    return 0;
}

static void *run_node(void *arg)
{
    struct node *node = arg;

    node->left = cg_sched_run(node->test.sched);
    return NULL;
}

/* A number goes round schedulers in several threads, and is neither lost nor
 * duplicated. */
static void round_threads(void)
{
    struct node nodes[NODES] = {{.last = 0}};

    for (int i = 0; i < NODES; i++) {
        nodes[i].test = test_open(.timeout = 0);
        nodes[i].next = &nodes[(i + 1) % NODES];
        OK(cg_sched_start(nodes[i].test.sched, passes, &nodes[i]));
    }
    OK(cg_sched_start(nodes[0].test.sched, begins, &nodes[0]));
    for (int i = 0; i < NODES; i++)
        IS(pthread_create(&nodes[i].thread, NULL, run_node, &nodes[i]), 0);
    for (int i = 0; i < NODES; i++)
        pthread_join(nodes[i].thread, NULL);
    for (int i = 0; i < NODES; i++) {
        IS(nodes[i].left, 0);
        ck_assert_int_ge(nodes[i].last, ROUNDS);
    }
    for (int i = 0; i < NODES; i++)
        test_close(&nodes[i].test);
}

enum { SPEAKERS = 4, WORDS = 100 };

struct crowd {
    struct test here, there;
    pthread_t thread;
    atomic_bool over;
    int heard;           /* there */
    int answered, unsure; /* here */
    int speaking;
};

static ssize_t counts(void *arg)
{
    struct crowd *crowd = arg;

    while (!atomic_load(&crowd->over))
        if (cg_yield(cg_wait_signal("word", NULL, .timeout = MS)) == 0)
            crowd->heard++;
    return 0;
}

static ssize_t speaks(void *arg)
{
    struct crowd *crowd = arg;

    for (int i = 0; i < WORDS; i++) {
        ssize_t n = cg_yield(cg_signal_remote(crowd->there.sched, "word", i,
                                              .timeout = 1 + i * CG_MICROSECOND));

        ck_assert(n == 0 || n == 1 || n == -ETIMEDOUT);
        crowd->answered += n == 1;
        crowd->unsure += n < 0;
    }
    if (--crowd->speaking == 0)
        atomic_store(&crowd->over, true);
    return 0;
}

static void *run_there(void *arg)
{
    struct crowd *crowd = arg;

    IS(cg_sched_run(crowd->there.sched), 0);
    return NULL;
}

/* Timeouts race with the other thread: what was answered was heard, and nothing was heard
 * that nobody said. */
static void cancels_race(void)
{
    struct crowd crowd = {.speaking = SPEAKERS};

    atomic_init(&crowd.over, false);
    crowd.here = test_open(.timeout = 0);
    crowd.there = test_open(.timeout = 0);
    OK(cg_sched_start(crowd.there.sched, counts, &crowd));
    for (int i = 0; i < SPEAKERS; i++)
        OK(cg_sched_start(crowd.here.sched, speaks, &crowd));
    IS(pthread_create(&crowd.thread, NULL, run_there, &crowd), 0);
    test_finish(&crowd.here);
    pthread_join(crowd.thread, NULL);
    ck_assert_int_ge(crowd.heard, crowd.answered);
    ck_assert_int_le(crowd.heard, crowd.answered + crowd.unsure);
    test_close(&crowd.here);
    test_close(&crowd.there);
}

struct shout {
    struct test test;
    atomic_bool heard;
};

static void *shouts(void *arg)
{
    struct shout *shout = arg;

    for (int i = 0; !atomic_load(&shout->heard); i++) {
        OK(cg_sched_post_signal(shout->test.sched, "shout", i));
        usleep(50); /* nothing else limits the number of posted signals */
    }
    return NULL;
}

static ssize_t hears_shouts(void *arg)
{
    struct shout *shout = arg;
    intptr_t word, last = -1;

    cg_sched_hold(cg_sched_self());
    for (int i = 0; i < 20; i++) {
        OK(cg_yield(cg_wait_signal("shout", &word)));
        ck_assert_int_gt(word, last);
        last = word;
    }
    atomic_store(&shout->heard, true);
    cg_sched_unhold(cg_sched_self());
    return 0;
}

/* A thread without a scheduler may signal, too, and its signals arrive in order. */
static void from_plain_thread(void)
{
    struct shout shout;
    pthread_t thread;

    atomic_init(&shout.heard, false);
    shout.test = test_open(.timeout = 0);
    OK(cg_sched_start(shout.test.sched, hears_shouts, &shout));
    IS(pthread_create(&thread, NULL, shouts, &shout), 0);
    test_finish(&shout.test);
    pthread_join(thread, NULL);
    test_close(&shout.test);
}

int main(void)
{
    static const struct test_case cases[] = {
        PLAIN(wakes_there),
        PLAIN(dropped),
        PLAIN(answers_number),
        PLAIN(withdrawn),
        PLAIN(cancelled_on_the_way_back),
        PLAIN(never_looked),
        PLAIN(home_is_gone),
        CORO(signals_itself),
        PLAIN(forked),
        CORO(outlives, .where = ON_KERNEL),
        PLAIN(round_threads, .where = ON_KERNEL),
        PLAIN(cancels_race, .where = ON_KERNEL),
        PLAIN(from_plain_thread, .where = ON_KERNEL),
    };

    return test_main("remote", cases, COUNT(cases));
}
