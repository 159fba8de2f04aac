/* SPDX-License-Identifier: MIT */
/* Traces: what a ring keeps, and how it is written. tests/trace.sh has a JSON parser read it. */
#include "config.h"

#include "lib/base/sanitize.h"
#include "tests/support/child.h"
#include "tests/support/support.h"

#include <errno.h>
#include <glob.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char *text_of(struct cg_sched *sched)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    OK(cg_trace_write(sched, out));
    ck_assert_int_eq(fclose(out), 0);
    return text;
}

static size_t count(const char *text, const char *what)
{
    size_t n = 0;

    for (; (text = strstr(text, what)); text++)
        n++;
    return n;
}

static void has(const char *text, const char *what, size_t times)
{
    ck_assert_msg(count(text, what) == times, "%zu times \"%s\" in:\n%s", count(text, what), what,
                  text);
}

static uint64_t crossing;

static ssize_t ends_it(void *arg)
{
    OK(cg_yield(cg_sleep(CG_MILLISECOND)));
    cg_trace_end(crossing);
    return (intptr_t)arg;
}

static ssize_t sleeps(void *arg)
{
    (void)arg;
    return cg_yield(cg_sleep(CG_MILLISECOND));
}

/* Spans cross: the first ends in another coroutine, after the second was begun. */
static ssize_t makes_events(void *arg)
{
    uint64_t second;

    (void)arg;
    crossing = cg_trace_begin("cross\"ing", "\xff\xc3\xa4");
    OK(cg_yield(cg_add(ends_it, (void *)7, .name = "other")));
    second = cg_trace_begin("second", NULL);
    ck_assert_uint_ne(second, crossing);
    OK(cg_yield(cg_call(sleeps, NULL)));
    OK(cg_yield(cg_sleep(CG_MILLISECOND)));
    cg_trace_end(second);
    return 0;
}

static void traced(cg_fn *fn, unsigned events, void (*check)(const char *text))
{
    struct cg_reactor *reactor;
    struct cg_sched *sched;
    char *text;

    OK(cg_reactor_open(test_on_sim() ? "sim" : test_reactor(), &reactor));
    sched = cg_sched_new(reactor, .trace = events);
    OK(cg_sched_start(sched, fn, NULL, .name = "first"));
    IS(cg_sched_run(sched), 0);
    text = text_of(sched);
    check(text);
    free(text);
    cg_sched_free(sched);
    cg_reactor_close(reactor);
}

static void check_events(const char *text)
{
    has(text, "\"name\": \"process_name\"", 1);
    has(text, "{\"name\": \"#1 first\"}", 1);
    has(text, "{\"name\": \"#2 other\"}", 1);
    has(text, "{\"ph\": \"B\", \"name\": \"call\", \"pid\": 0, \"tid\": 1, ", 1);
    has(text, "{\"ph\": \"E\", \"name\": \"call\", \"pid\": 0, \"tid\": 1, ", 1);
    has(text, "{\"ph\": \"X\", \"name\": \"sleep\", \"pid\": 0, \"tid\": 1, ", 2);
    has(text, "{\"ph\": \"X\", \"name\": \"sleep\", \"pid\": 0, \"tid\": 2, ", 1);
    has(text,
        "{\"ph\": \"b\", \"name\": \"cross\\\"ing \\ufffd\xc3\xa4\", \"pid\": 0, \"tid\": 1, ", 1);
    has(text, "{\"ph\": \"b\", \"name\": \"second\", ", 1);
    has(text, "{\"ph\": \"e\", \"name\": \"\", \"pid\": 0, \"tid\": 2, ", 1);
    has(text, "{\"local\": \"0x1\"}", 2);
    has(text, "{\"local\": \"0x2\"}", 2);
}

static void keeps_events(void)
{
    traced(makes_events, 1000, check_events);
}

static ssize_t makes_many(void *arg)
{
    (void)arg;
    for (int i = 0; i < 1000; i++)
        OK(cg_yield(cg_call(sleeps, NULL)));
    return 0;
}

/* No end without a begin, and no more than there is room for. */
static void check_many(const char *text)
{
    const char *end = strstr(text, "\"ph\": \"E\""), *begin = strstr(text, "\"ph\": \"B\"");

    ck_assert(begin && end && begin < end);
    ck_assert_uint_le(count(text, "\n{"), 64 + 3);
    ck_assert_uint_ge(count(text, "\n{"), 64);
}

static void is_bounded(void)
{
    traced(makes_many, 1, check_many);
}

/* The schedulers of a process are in one file, as different processes. That has a number behind
 * its name, since tests run in children. */
static char folder[] = "/tmp/test_trace.XXXXXX", path[sizeof folder + 8];

static void act_twice(void)
{
    for (int i = 0; i < 2; i++)
        if (cg_main(test_on_sim() ? "sim" : test_reactor(), sleeps, NULL) != 0)
            exit(1);
}

/* The only file that a program leaves; it says nothing. */
static void written_by(void (*act)(void), char text[static 10000])
{
    char said[1000];
    glob_t files;
    FILE *file;
    size_t n;

    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/trace", folder);
    setenv("COGEN_TRACE", path, 1);
    IS(child_run(act, said, sizeof said), 0);
    unsetenv("COGEN_TRACE");
    ck_assert_str_eq(said, "");
    strcat(path, "*");
    IS(glob(path, 0, NULL, &files), 0);
    ck_assert_uint_eq(files.gl_pathc, 1);
    file = fopen(files.gl_pathv[0], "r");
    ck_assert_ptr_nonnull(file);
    n = fread(text, 1, 10000 - 1, file);
    fclose(file);
    unlink(files.gl_pathv[0]);
    rmdir(folder);
    globfree(&files);
    strcpy(strchr(folder, '\0') - 6, "XXXXXX");
    text[n] = '\0';
}

static void numbers_schedulers(void)
{
    static char text[10000];

    written_by(act_twice, text);
    has(text, "\"name\": \"process_name\", \"pid\": 0,", 1);
    has(text, "\"name\": \"process_name\", \"pid\": 1,", 1);
    has(text, "\n]\n", 1);
}

/* Waits for a child that has run a scheduler, and removes the file that it has written. */
static void child_has_traced(pid_t pid)
{
    char own[sizeof path + 30];
    int status;

    SURE(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0);
    snprintf(own, sizeof own, "%s.%ld", path, (long)pid);
    SURE(unlink(own) == 0);
}

/* A child that frees its copy of a scheduler, and then makes one of its own. */
static void act_forks(void)
{
    const char *name = test_on_sim() ? "sim" : test_reactor();
    struct cg_reactor *reactor;
    struct cg_sched *sched;
    int fds[2];
    pid_t pid;

    SURE(cg_reactor_open(name, &reactor) == 0 && (sched = cg_sched_new(reactor)) != NULL);
    SURE(cg_sched_start(sched, sleeps, NULL) == 0 && cg_sched_run(sched) == 0);
    SURE(pipe(fds) == 0 && (pid = fork()) >= 0);
    if (pid == 0) { /* until the parent has written its trace */
        char byte;

        close(fds[1]);
        SURE(read(fds[0], &byte, 1) == 0);
    }
    cg_sched_free(sched);
    cg_reactor_close(reactor);
    if (pid == 0)
        _exit(cg_main(name, sleeps, NULL) != 0);
    close(fds[1]);
    child_has_traced(pid);
}

/* The parent's file stays as it is; the child has another one. */
static void is_written_by_its_process(void)
{
    static char text[10000];

    written_by(act_forks, text);
    has(text, "\"name\": \"process_name\", \"pid\": 0,", 1);
    has(text, "\"name\": \"process_name\", \"pid\": 1,", 0);
    has(text, "\n]\n", 1);
}

/* A child that makes a scheduler; one that hangs is killed by its alarm. */
static pid_t fork_to_trace(void)
{
    pid_t pid = fork();

    if (pid > 0)
        return pid;
    alarm(60);
    _exit(pid < 0 || cg_main("poll", sleeps, NULL) != 0);
}

/* Children of a parent that makes a scheduler only after them: each has a file of its own. */
static void act_forks_first(void)
{
    pid_t pids[3];

    for (int i = 0; i < 3; i++)
        pids[i] = fork_to_trace();
    for (int i = 0; i < 3; i++)
        child_has_traced(pids[i]);
    SURE(cg_main("poll", sleeps, NULL) == 0);
}

static void lets_children_be_first(void)
{
    static char text[10000];

    written_by(act_forks_first, text);
}

/* Children are made while a thread may be writing. Not with ASan: a thread may hold the lock of
 * its allocator at a fork, and then the child waits for that lock for good. */
#if !CG__ASAN
static atomic_bool over;

static void *writes_often(void *arg)
{
    while (!atomic_load(&over))
        SURE(cg_main("poll", sleeps, NULL) == 0);
    return arg;
}

static void act_forks_often(void)
{
    pthread_t thread;

    SURE(cg_main("poll", sleeps, NULL) == 0);
    SURE(pthread_create(&thread, NULL, writes_often, NULL) == 0);
    for (int i = 0; i < 50; i++)
        child_has_traced(fork_to_trace());
    atomic_store(&over, true);
    SURE(pthread_join(thread, NULL) == 0);
}

static void lets_threads_fork(void)
{
    static char text[10000];

    written_by(act_forks_often, text);
}
#endif

static ssize_t has_none(void *arg)
{
    (void)arg;
    IS(cg_trace_write(cg_sched_self(), stderr), -EINVAL);
    ck_assert_uint_eq(cg_trace_begin("nothing", NULL), 0);
    cg_trace_end(0);
    return 0;
}

static void write_into_closed_pipe(struct cg_sched *sched)
{
    FILE *out;
    int fds[2];

    OK(pipe(fds));
    close(fds[0]);
    out = fdopen(fds[1], "w");
    ck_assert_ptr_nonnull(out);
    IS(cg_trace_write(sched, out), -EIO);
    fclose(out);
}

/* A reader that has gone ends no program, also after a run, which itself blocks no signal. */
static void act_for_nobody(void)
{
    struct cg_reactor *reactor;
    struct cg_sched *sched;

    SURE(cg_reactor_open(test_on_sim() ? "sim" : test_reactor(), &reactor) == 0);
    SURE((sched = cg_sched_new(reactor, .trace = 64)) != NULL);
    SURE(cg_sched_start(sched, sleeps, NULL) == 0 && cg_sched_run(sched) == 0);
    write_into_closed_pipe(sched);
    cg_sched_free(sched);
    cg_reactor_close(reactor);
}

static void survives_its_reader(void)
{
    char said[1000];

    IS(child_run(act_for_nobody, said, sizeof said), 0);
    ck_assert_str_eq(said, "");
}

static const struct test_case cases[] = {
    PLAIN(keeps_events),
    PLAIN(is_bounded),
    PLAIN(numbers_schedulers),
    PLAIN(is_written_by_its_process),
    PLAIN(lets_children_be_first, .where = ON_SIM),
#if !CG__ASAN
    PLAIN(lets_threads_fork, .where = ON_SIM),
#endif
    PLAIN(survives_its_reader),
    CORO(has_none),
};

int main(void)
{
    return test_main("trace", cases, COUNT(cases));
}
