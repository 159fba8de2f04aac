/* SPDX-License-Identifier: MIT */
/* Coroutines that fail and whose result nobody takes are reported, once, to the program's
 * function or on stderr; others are not. */
#include "config.h"

#include "tests/support/support.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int told;
static ssize_t told_result;
static char told_name[32];

static void hear(void *arg, struct cg_coro *coro)
{
    ck_assert_ptr_eq(arg, &told);
    ck_assert_ptr_null(cg_coro_self()); /* outside any coroutine */
    ck_assert_int_eq(cg_coro_state(coro), CG_CORO_FINISHED);
    told++;
    told_result = cg_coro_result(coro);
    snprintf(told_name, sizeof told_name, "%s", cg_coro_name(coro));
}

static void listen_to(struct cg_sched *sched)
{
    told = 0;
    cg_sched_set_failed(sched, hear, &told);
}

static ssize_t fails(void *arg)
{
    cg_yield(cg_pass());
    return arg ? *(ssize_t *)arg : -EIO;
}

static ssize_t fails_when_told(void *arg)
{
    (void)arg;
    IS(cg_yield(cg_wait_signal("fail", NULL)), 0);
    return -EIO;
}

/* Waits long enough for a turn in which failures are reported. */
static void wait_turns(void)
{
    IS(cg_yield(cg_sleep(CG_MILLISECOND)), 0);
}

static void expect(int count)
{
    wait_turns();
    ck_assert_int_eq(told, count);
    told = 0;
}

static ssize_t unjoined(void *arg)
{
    (void)arg;
    listen_to(cg_sched_self());
    IS(cg_yield(cg_add(fails, NULL, .name = "lonely")), 0);
    expect(1);
    IS(told_result, -EIO);
    ck_assert_str_eq(told_name, "lonely");
    return 0;
}

/* A join before the end of the coroutine, and one after it, take the result. */
static ssize_t joined(void *arg)
{
    struct cg_coro *coro;

    (void)arg;
    listen_to(cg_sched_self());
    for (int late = 0; late < 2; late++) {
        IS(cg_yield(cg_add(fails, NULL, .coro = &coro)), 0);
        if (late)
            wait_turns();
        IS(cg_yield(cg_join(coro)), -EIO);
        cg_coro_unref(coro);
        expect(0);
    }
    return 0;
}

/* A join that does not complete takes no result: it times out at once, times out later, or
 * is cancelled. */
static ssize_t join_given_up(void *arg)
{
    struct cg_coro *coro;

    (void)arg;
    listen_to(cg_sched_self());
    for (int way = 0; way < 3; way++) {
        IS(cg_yield(cg_add(fails_when_told, NULL, .coro = &coro)), 0);
        if (way == 0)
            IS(cg_yield(cg_join(coro, .timeout = CG_NOWAIT)), -ETIMEDOUT);
        else if (way == 1)
            IS(cg_yield(cg_join(coro, .timeout = CG_MILLISECOND)), -ETIMEDOUT);
        else
            IS(cg_yield(cg_any((cg_join(coro), cg_pass()))), 1);
        IS(cg_yield(cg_signal("fail", NULL)), 1);
        expect(0); /* its result may still be read */
        cg_coro_unref(coro);
        expect(1);
    }
    return 0;
}

static ssize_t read_later(void *arg)
{
    struct cg_coro *coro;

    (void)arg;
    listen_to(cg_sched_self());
    IS(cg_yield(cg_add(fails, NULL, .coro = &coro)), 0);
    IS(cg_coro_result(coro), -EBUSY); /* too early, so it takes no result */
    wait_turns();
    IS(cg_coro_result(coro), -EIO);
    cg_coro_unref(coro);
    expect(0);
    return 0;
}

static ssize_t no_failures(void *arg)
{
    static ssize_t canceled = -ECANCELED, fine = 3;

    (void)arg;
    listen_to(cg_sched_self());
    IS(cg_yield(cg_add(fails, &canceled)), 0);
    IS(cg_yield(cg_add(fails, &fine)), 0);
    expect(0);
    return 0;
}

static ssize_t task(void *arg)
{
    struct cg_sched *sched = cg_sched_self();
    struct cg_future *future;

    (void)arg;
    listen_to(sched);
    future = cg_task_new(sched, fails, NULL);
    IS(cg_yield(cg_await(future)), -EIO);
    cg_future_unref(future);
    expect(0);
    cg_future_unref(cg_task_new(sched, fails, NULL));
    expect(1);
    return 0;
}

/* The owner of a group takes the first failure. If the group keeps going, the others are
 * reported. */
static ssize_t groups(void *arg)
{
    struct cg_group group;
    ssize_t answer = 0;

    (void)arg;
    listen_to(cg_sched_self());
    for (int keep_going = 0; keep_going < 2; keep_going++) {
        cg_group_open(&group, .keep_going = keep_going);
        IS(cg_group_start_with(&group, fails, NULL, NULL, NULL), 0);
        IS(cg_group_start_with(&group, fails, NULL, NULL, NULL), 0);
        IS(cg_group_start_with(&group, fails, NULL, NULL, &answer), 0);
        IS(cg_yield(cg_wait_group(&group)), -EIO);
        IS(answer, -EIO);
        expect(keep_going);
    }
    return 0;
}

static ssize_t produces(void *arg)
{
    (void)arg;
    return -EIO;
}

static ssize_t producer(void *arg)
{
    struct cg_iterator it = {.fn = produces};
    void *value;

    (void)arg;
    listen_to(cg_sched_self());
    IS(cg_yield(cg_get_next(&it, &value)), -EIO);
    expect(0);
    return 0;
}

static struct cg_coro *kept;

static void keep(void *arg, struct cg_coro *coro)
{
    ++*(int *)arg;
    kept = cg_coro_ref(coro);
}

/* The function may keep a reference to the coroutine. The failure is reported only once,
 * also when that reference is released. */
static ssize_t kept_by_function(void *arg)
{
    (void)arg;
    told = 0;
    cg_sched_set_failed(cg_sched_self(), keep, &told);
    IS(cg_yield(cg_add(fails, NULL, .name = "kept")), 0);
    expect(1);
    ck_assert_str_eq(cg_coro_name(kept), "kept");
    IS(cg_coro_result(kept), -EIO);
    IS(cg_yield(cg_join(kept)), -EIO);
    cg_coro_unref(kept);
    expect(0);
    return 0;
}

static ssize_t handler(struct cg_sock *conn, void *result)
{
    cg_sock_close(conn);
    return *(ssize_t *)result;
}

struct server {
    struct cg_sock *listener;
    ssize_t result; /* of its handlers */
};

static ssize_t serves(void *arg)
{
    struct server *server = arg;

    return cg_yield(
        cg_serve(server->listener, handler, .arg = &server->result, .name = "handler"));
}

/* Failures of cg_serve's handlers are reported, unless a peer can cause them. */
static ssize_t handlers(void *arg)
{
    static const ssize_t peers[] = {CG_EOF, -ECONNRESET, -EPIPE, -ETIMEDOUT, -EPROTO};
    char addr[CG_ADDR_SIZE], c;
    struct server server = {test_listen(addr), -EIO};
    struct cg_coro *coro = test_start(serves, &server);
    struct cg_sock *conn;

    (void)arg;
    listen_to(cg_sched_self());
    for (size_t i = 0; i < 2 + COUNT(peers); i++) {
        server.result = i < 2 ? -EIO : peers[i - 2];
        IS(cg_yield(cg_connect(addr, &conn)), 0);
        IS(cg_yield(cg_read(conn, &c, 1)), 0);
        cg_sock_close(conn);
        expect(i < 2);
    }
    ck_assert_str_eq(told_name, "handler");
    IS(told_result, -EIO);
    IS(cg_yield(cg_cancel(coro)), 0);
    IS(test_end(coro), -ECANCELED);
    cg_sock_close(server.listener);
    return 0;
}

static int before;

static FILE *catch_stderr(void)
{
    FILE *file = tmpfile();

    ck_assert_ptr_nonnull(file);
    before = dup(STDERR_FILENO);
    ck_assert_int_ge(dup2(fileno(file), STDERR_FILENO), 0);
    return file;
}

static void caught(FILE *file, char *text, size_t size)
{
    dup2(before, STDERR_FILENO);
    close(before);
    rewind(file);
    text[fread(text, 1, size - 1, file)] = '\0';
    fclose(file);
}

static int lines(const char *text)
{
    int n = 0;

    for (; (text = strchr(text, '\n')); text++)
        n++;
    return n;
}

/* Failures are reported on stderr if no function is set, or no longer. */
static ssize_t by_default(void *arg)
{
    FILE *file = catch_stderr();
    char text[256];

    (void)arg;
    IS(cg_yield(cg_add(fails, NULL, .name = "one")), 0);
    wait_turns();
    listen_to(cg_sched_self());
    IS(cg_yield(cg_add(fails, NULL, .name = "two")), 0);
    expect(1);
    cg_sched_set_failed(cg_sched_self(), NULL, NULL);
    IS(cg_yield(cg_add(fails, NULL, .name = "three")), 0);
    wait_turns();
    caught(file, text, sizeof text);
    ck_assert_ptr_nonnull(strstr(text, "cogen: coroutine one failed: "));
    ck_assert_ptr_nonnull(strstr(text, cg_strerror(-EIO)));
    ck_assert_ptr_null(strstr(text, "two"));
    ck_assert_ptr_nonnull(strstr(text, "cogen: coroutine three failed: "));
    ck_assert_int_eq(lines(text), 2);
    return 0;
}

/* A name that a stranger has chosen neither begins a line of its own nor commands a terminal. */
static ssize_t strange_name(void *arg)
{
    FILE *file = catch_stderr();
    char text[256];

    (void)arg;
    IS(cg_yield(cg_add(fails, NULL, .name = "a\nb\033[2J")), 0);
    wait_turns();
    caught(file, text, sizeof text);
    ck_assert_ptr_nonnull(strstr(text, "cogen: coroutine a\\u000ab\\u001b[2J failed: "));
    ck_assert_int_eq(lines(text), 1);
    return 0;
}

static ssize_t flood(void *arg)
{
    FILE *file = catch_stderr();
    char text[4096];

    (void)arg;
    for (int i = 0; i < CG_FAILED_LINES + 5; i++)
        IS(cg_yield(cg_add(fails, NULL)), 0);
    IS(cg_yield(cg_sleep(CG_SECOND)), 0);
    IS(cg_yield(cg_add(fails, NULL)), 0); /* reported, with the five */
    IS(cg_yield(cg_add(fails, NULL)), 0); /* too early again */
    IS(cg_yield(cg_sleep(CG_SECOND)), 0);
    IS(cg_yield(cg_add(fails, NULL)), 0); /* reported, with that one */
    wait_turns();
    caught(file, text, sizeof text);
    ck_assert_ptr_nonnull(strstr(text, "cogen: 5 more coroutines failed\n"));
    ck_assert_ptr_nonnull(strstr(text, "cogen: 1 more coroutine failed\n"));
    ck_assert_int_eq(lines(text), CG_FAILED_LINES + 4);
    return 0;
}

/* A failure while the scheduler is being freed is reported, too. */
static ssize_t fails_at_end(void *arg)
{
    (void)arg;
    cg_yield(cg_sleep(CG_NEVER));
    return -EIO;
}

static void at_the_end(void)
{
    struct test test = test_open();

    listen_to(test.sched);
    ck_assert_int_eq(cg_sched_start(test.sched, fails_at_end, NULL, .name = "last"), 0);
    ck_assert_int_ge(cg_sched_step(test.sched, 0), 0);
    test_close(&test);
    ck_assert_int_eq(told, 1);
    ck_assert_str_eq(told_name, "last");
}

static const struct test_case cases[] = {
    CORO(unjoined),
    CORO(joined),
    CORO(join_given_up),
    CORO(read_later),
    CORO(no_failures),
    CORO(task),
    CORO(groups),
    CORO(producer),
    CORO(kept_by_function),
    CORO(handlers),
    CORO(by_default),
    CORO(strange_name, .where = ON_SIM),
    CORO(flood, .where = ON_SIM),
    PLAIN(at_the_end),
};

int main(void)
{
    return test_main("failed", cases, COUNT(cases));
}
