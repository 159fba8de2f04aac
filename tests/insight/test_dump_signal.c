/* SPDX-License-Identifier: MIT */
/* Dumps on a signal: who gets one, and where it is written. */
#include "config.h"

#include "lib/core/sched.h"
#include "lib/insight/backtrace.h"
#include "tests/support/child.h"
#include "tests/support/support.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

static char said[64 * 1024];

static const char *reactor(void)
{
    return test_on_sim() ? "sim" : test_reactor();
}

static ssize_t waits(void *name)
{
    return cg_yield(cg_wait_signal((const char *)name, NULL));
}

/* Sends the process a signal, and waits until another coroutine had been dumped: the dump is
 * made in the next turn. */
static ssize_t asks(void *signo)
{
    OK(cg_yield(cg_add(waits, "godot", .name = "vladimir")));
    raise((int)(intptr_t)signo);
    OK(cg_yield(cg_sleep(CG_MILLISECOND)));
    return cg_yield(cg_signal("godot", 0));
}

static int asked_signal = SIGUSR1;

static void act(void)
{
    exit(cg_main(reactor(), asks, (void *)(intptr_t)asked_signal) == 1 ? 0 : 1);
}

static int run(int signo, const char *environment)
{
    asked_signal = signo;
    if (environment)
        setenv("COGEN_DUMP", environment, 1);
    else
        unsetenv("COGEN_DUMP");
    return child_run(act, said, sizeof said);
}

static bool was_dumped(const char *text)
{
    return strstr(text, "cogen dump of process ") == text &&
           strstr(text, "\n  vladimir: wait_signal \"godot\"") &&
           strstr(text, "\nend of dump\n");
}

/* SIGUSR1 makes cg_main write one dump to stderr, and the program goes on. */
static void dumps_on_usr1(void)
{
    ck_assert_int_eq(run(SIGUSR1, NULL), 0);
    ck_assert_msg(was_dumped(said), "%s", said);
    ck_assert_ptr_null(strstr(said + 1, "cogen dump"));
}

/* The environment chooses another signal, the form, or none. */
static void obeys_the_environment(void)
{
    static const char *const seconds[] = {"USR2", "SIGUSR2", "json,USR2"};
    char number[16];
    int status;

    for (size_t i = 0; i < COUNT(seconds); i++) {
        ck_assert_int_eq(run(SIGUSR2, seconds[i]), 0);
        ck_assert_msg(i == 2 ? strstr(said, "{\"cogen_dump\": 1") == said : was_dumped(said),
                      "%s", said);
    }
    snprintf(number, sizeof number, "%d", SIGUSR2);
    ck_assert_int_eq(run(SIGUSR2, number), 0);
    ck_assert(was_dumped(said));
    status = run(SIGUSR1, "off");
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR1);
    status = run(SIGUSR1, "USR2");
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR1);
    ck_assert_int_eq(run(SIGUSR1, "nonsense,9"), 0);
    ck_assert_msg(strstr(said, "cogen: COGEN_DUMP: \"nonsense\" is neither off, json, ") == said,
                  "%s", said);
    ck_assert_ptr_nonnull(strstr(said, "cogen: COGEN_DUMP: \"9\" is neither"));
    ck_assert_ptr_nonnull(strstr(said, "cogen dump of process"));
}

/* A file is appended to. One that cannot be opened, or takes no more, is reported. */
static void writes_to_a_file(void)
{
    char path[] = "/tmp/cogen-dump-XXXXXX", text[64 * 1024];
    int fd = OK(mkstemp(path));
    ssize_t len;

    for (int i = 1; i <= 2; i++) {
        char *end;

        ck_assert_int_eq(run(SIGUSR1, path), 0);
        ck_assert_str_eq(said, "");
        len = pread(fd, text, sizeof text - 1, 0);
        ck_assert_int_gt(len, 0);
        text[len] = '\0';
        ck_assert(was_dumped(text));
        end = strstr(text, "end of dump\n") + strlen("end of dump\n");
        ck_assert_int_eq(*end == '\0', i == 1);
    }
    close(fd);
    unlink(path);
    ck_assert_int_eq(run(SIGUSR1, "/nonexistent/dump"), 0);
    ck_assert_msg(strstr(said, "cogen: cannot write the dump to /nonexistent/dump: ") == said,
                  "%s", said);
    if (access("/dev/full", W_OK) < 0)
        return;
    ck_assert_int_eq(run(SIGUSR1, "/dev/full"), 0);
    ck_assert_str_eq(said, "cogen: cannot write the dump to /dev/full: No space left on device\n");
}

static int reading; /* the end of a pipe that is full, and is now stderr */

static char drained[256 * 1024];

/* Reads up to the end of so many dumps. */
static void drain(int dumps)
{
    size_t len = 0;
    ssize_t skip;
    int left = dumps;

    while (left > 0) {
        ssize_t n = OK(read(reading, drained + len, sizeof drained - 1 - len));

        for (; n > 0 && drained[len] == '\0'; n -= skip) { /* zeros that filled it */
            for (skip = 1; skip < n && drained[len + skip] == '\0'; skip++)
                continue;
            memmove(drained + len, drained + len + skip, (size_t)(n - skip));
        }
        len += (size_t)n;
        drained[len] = '\0';
        left = dumps;
        for (char *at = drained; (at = strstr(at, "\nend of dump\n")); at++)
            left--;
    }
}

static ssize_t asks_nobody(void *arg)
{
    (void)arg;
    OK(cg_yield(cg_add(waits, "godot", .name = "vladimir")));
    for (int i = 0; i < 2; i++) {
        raise(SIGUSR1);
        OK(cg_yield(cg_sleep(CG_MILLISECOND)));
    }
    drain(2); /* only now somebody reads */
    ck_assert_msg(was_dumped(drained), "%s", drained);
    return cg_yield(cg_signal("godot", 0));
}

static void act_unread(void)
{
    reading = child_fill_stderr();
    exit(cg_main(reactor(), asks_nobody, NULL) == 1 ? 0 : 1);
}

/* The program goes on while nobody reads its stderr, and the dumps are whole in the end. */
static void does_not_wait_for_a_reader(void)
{
    unsetenv("COGEN_DUMP");
    ck_assert_int_eq(child_run(act_unread, said, sizeof said), 0);
}

static void act_without(void)
{
    OK(cg_dump_set_signal(0));
    act();
}

static void act_with_usr2(void)
{
    OK(cg_dump_set_signal(SIGUSR2));
    act();
}

static void note_nothing(int signo)
{
    (void)signo;
}

static void act_with_its_own(void)
{
    signal(SIGUSR1, note_nothing);
    act();
}

/* A program may say no, or take another signal, or have the signal itself. */
static void obeys_the_program(void)
{
    int status;

    unsetenv("COGEN_DUMP");
    asked_signal = SIGUSR1;
    status = child_run(act_without, said, sizeof said);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR1);
    ck_assert_int_eq(child_run(act_with_its_own, said, sizeof said), 0);
    ck_assert_str_eq(said, "");
    asked_signal = SIGUSR2;
    ck_assert_int_eq(child_run(act_with_usr2, said, sizeof said), 0);
    ck_assert(was_dumped(said));
    IS(cg_dump_set_signal(-1), -EINVAL);
    IS(cg_dump_set_signal(SIGKILL), -EINVAL);
    IS(cg_dump_set_signal(SIGSEGV), -EINVAL);
    IS(cg_dump_set_signal(100000), -EINVAL);
}

static ssize_t passes(void *arg)
{
    (void)arg;
    return cg_yield(cg_pass());
}

/* What is posted to a worker later runs later, so each has made its dump. */
static ssize_t works(void *arg)
{
    if (cg_worker_id() != 0)
        return 0;
    raise(SIGUSR1);
    OK(cg_yield(cg_run_on_each(passes, arg)));
    return cg_yield(cg_sleep(CG_MILLISECOND));
}

static void act_crew(void)
{
    exit(cg_crew_main(works, NULL, .workers = 3, .reactor = reactor()) == 0 ? 0 : 1);
}

/* Each worker writes a dump of its own, and they do not mix. */
static void dumps_every_worker(void)
{
    const char *at = said, *next;
    int dumps = 0;

    unsetenv("COGEN_DUMP");
    ck_assert_int_eq(child_run(act_crew, said, sizeof said), 0);
    for (; (at = strstr(at, "cogen dump of process ")); at = next) {
        const char *end = strstr(at, "\nend of dump\n");

        dumps++;
        next = at + 1;
        ck_assert_ptr_nonnull(end);
        ck_assert_ptr_nonnull(strstr(at, ", worker "));
        next = strstr(next, "cogen dump of process ");
        ck_assert(next == NULL || next > end);
        next = end;
    }
    ck_assert_int_eq(dumps, 3);
}

static void compute(int64_t length)
{
    int64_t end = test_clock(CLOCK_MONOTONIC) + length;

    while (test_clock(CLOCK_MONOTONIC) < end)
        continue;
}

/* Two signals at once only ask for a dump; the third one complains. */
static ssize_t computes(void *arg)
{
    (void)arg;
    raise(SIGUSR1);
    raise(SIGUSR1);
    compute(250 * CG_MILLISECOND);
    raise(SIGUSR1);
    return cg_yield(cg_sleep(CG_MILLISECOND));
}

static ssize_t starts_computing(void *arg)
{
    return cg_yield(cg_add(computes, arg, .name = "two\nlines"));
}

static void act_stuck(void)
{
    exit(cg_main(reactor(), starts_computing, NULL) == 0 ? 0 : 1);
}

static void says_who_does_not_yield(const char *name)
{
    const char *at = strstr(said, "cogen: no dump for ");
    long length;
    char *end;

    ck_assert_msg(at != NULL && strstr(at + 1, "cogen: no dump for ") == NULL, "%s", said);
    length = strtol(at + strlen("cogen: no dump for "), &end, 10);
    ck_assert_int_ge(length, 200);
    ck_assert_msg(strncmp(end, " ms: coroutine ", 15) == 0 &&
                      strncmp(end + 15, name, strlen(name)) == 0,
                  "%s", said);
    ck_assert_msg(strstr(end, " does not yield, at ") != NULL, "%s", said);
    if (cg__backtrace_works())
        ck_assert_msg(strstr(end, "test_dump_signal+0x") != NULL, "%s", said);
}

/* A coroutine that does not yield is named in one line, with its place, and the dump comes
 * afterwards. */
static void names_who_does_not_yield(void)
{
    const char *dump;

    unsetenv("COGEN_DUMP");
    ck_assert_int_eq(child_run(act_stuck, said, sizeof said), 0);
    says_who_does_not_yield("two\\u000alines");
    dump = strstr(said, "cogen dump of process ");
    ck_assert_ptr_nonnull(dump);
    ck_assert(dump > strstr(said, "cogen: no dump"));
}

static atomic_bool busy, over;
static struct cg_sched *elsewhere;

static ssize_t computes_elsewhere(void *arg)
{
    (void)arg;
    elsewhere = cg_sched_self();
    atomic_store(&busy, true);
    while (!atomic_load(&over))
        continue;
    return 0;
}

static ssize_t complains(void *arg)
{
    if (cg_worker_id() != 0)
        return computes_elsewhere(arg);
    while (!atomic_load(&busy))
        OK(cg_yield(cg_sleep(CG_MILLISECOND)));
    raise(SIGUSR1);
    OK(cg_yield(cg_sleep(250 * CG_MILLISECOND)));
    raise(SIGUSR1);
    while (atomic_load(&elsewhere->is_urged))
        OK(cg_yield(cg_sleep(CG_MILLISECOND)));
    atomic_store(&over, true);
    return 0;
}

static void act_stuck_crew(void)
{
    exit(cg_crew_main(complains, NULL, .workers = 2, .reactor = reactor()) == 0 ? 0 : 1);
}

/* Also on another thread than the one that gets the signal. */
static void names_it_on_another_thread(void)
{
    if (test_on_sim())
        return; /* all workers share a thread there */
    unsetenv("COGEN_DUMP");
    ck_assert_int_eq(child_run(act_stuck_crew, said, sizeof said), 0);
    says_who_does_not_yield("worker");
}

static const struct test_case cases[] = {
    PLAIN(dumps_on_usr1),     PLAIN(obeys_the_environment), PLAIN(writes_to_a_file),
    PLAIN(obeys_the_program), PLAIN(dumps_every_worker),
    PLAIN(does_not_wait_for_a_reader),
    PLAIN(names_who_does_not_yield), PLAIN(names_it_on_another_thread),
};

int main(void)
{
    return test_main("dump_signal", cases, COUNT(cases));
}
