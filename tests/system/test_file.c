/* SPDX-License-Identifier: MIT */
/* Following a file that grows: no line is lost and none comes twice, across rotations,
 * truncation and files that appear late. The files are real; in the simulator the time is
 * virtual. */
#include "config.h"

#include "tests/support/support.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MS CG_MILLISECOND

static bool fstat_fails;

int fstat(int fd, struct stat *st)
{
    if (!fstat_fails)
        return fstatat(fd, "", st, AT_EMPTY_PATH);
    errno = EIO;
    return -1;
}

/* A temporary directory with a log in it. */
struct place {
    char dir[64];
    char log[96], old[96];
};

static void make_place(struct place *p)
{
    snprintf(p->dir, sizeof p->dir, "/tmp/cogen-file-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(p->dir));
    snprintf(p->log, sizeof p->log, "%s/log", p->dir);
    snprintf(p->old, sizeof p->old, "%s/log.1", p->dir);
}

static void remove_place(struct place *p)
{
    unlink(p->log);
    unlink(p->old);
    IS(rmdir(p->dir), 0);
}

static void append(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT, 0600);

    ck_assert_int_ge(fd, 0);
    IS(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static struct cg_follower *follow(const char *path, bool from_start)
{
    struct cg_follower *made = NULL;

    OK(cg_follower_open(cg_sched_self(), path, &made, .from_start = from_start));
    return made;
}

/* Checks the next line. */
static void expect(struct cg_follower *f, const char *line)
{
    char buf[128];

    IS(cg_yield(cg_follow_line(f, buf, sizeof buf)), strlen(line));
    ck_assert_str_eq(buf, line);
}

/* Checks that there is no line now. */
static void expect_nothing(struct cg_follower *f)
{
    char buf[128];

    IS(cg_yield(cg_follow_line(f, buf, sizeof buf, .timeout = 2 * MS)), -ETIMEDOUT);
}

/* From the start all lines are read, from the end only new ones. An incomplete line waits
 * for its end. */
static ssize_t lines(void *arg)
{
    struct place p;
    struct cg_follower *all, *new;

    (void)arg;
    make_place(&p);
    append(p.log, "one\ntwo\n");
    all = follow(p.log, true);
    new = follow(p.log, false);
    expect(all, "one\n");
    expect(all, "two\n");
    append(p.log, "three\nfo");
    expect(new, "three\n");
    expect(all, "three\n");
    expect_nothing(new);
    append(p.log, "ur\n\n");
    expect(new, "four\n");
    expect(new, "\n");
    expect(all, "four\n");
    expect(all, "\n");
    expect_nothing(all);
    cg_follower_close(all);
    cg_follower_close(new);
    cg_follower_close(NULL);
    remove_place(&p);
    return 0;
}

static ssize_t reads_one(void *arg)
{
    char buf[128];

    return cg_yield(cg_follow_line(arg, buf, sizeof buf));
}

/* A waiting reader is woken when the file grows. A second reader is refused meanwhile. */
static ssize_t waits_for_more(void *arg)
{
    struct place p;
    struct cg_follower *f;
    struct cg_coro *coro;

    (void)arg;
    make_place(&p);
    append(p.log, "");
    f = follow(p.log, true);
    coro = test_start(reads_one, f);
    test_until_waiting(coro);
    IS(reads_one(f), -EBUSY);
    append(p.log, "four");
    OK(cg_yield(cg_sleep(MS)));
    ck_assert(cg_coro_state(coro) == CG_CORO_WAITING);
    append(p.log, "teen\n");
    IS(test_end(coro), 9);
    cg_follower_close(f);
    remove_place(&p);
    return 0;
}

/* The log is renamed and a new one is made. Lines that are still written to the old one are
 * read first, even when the new one exists, as long as that is empty. */
static ssize_t rotated(void *arg)
{
    struct place p;
    struct cg_follower *f;

    (void)arg;
    make_place(&p);
    append(p.log, "one\n");
    f = follow(p.log, true);
    expect(f, "one\n");
    IS(rename(p.log, p.old), 0);
    append(p.old, "two\n");
    expect(f, "two\n");
    append(p.log, "");
    append(p.old, "three\n");
    expect(f, "three\n");
    expect_nothing(f);
    append(p.old, "four\nhalf");
    append(p.log, "five\n");
    expect(f, "four\n");
    expect(f, "half");
    expect(f, "five\n");
    IS(unlink(p.old), 0);
    IS(rename(p.log, p.old), 0);
    append(p.log, "six\n");
    expect(f, "six\n");
    IS(unlink(p.log), 0);
    expect_nothing(f);
    append(p.log, "seven\n");
    expect(f, "seven\n");
    expect_nothing(f);
    cg_follower_close(f);
    remove_place(&p);
    return 0;
}

/* A file that is truncated in place is read from its start. An incomplete line from before
 * is returned as a line of its own. */
static ssize_t truncated(void *arg)
{
    struct place p;
    struct cg_follower *f;

    (void)arg;
    make_place(&p);
    append(p.log, "one\ntwo\nthree\nhalf");
    f = follow(p.log, true);
    expect(f, "one\n");
    IS(truncate(p.log, 0), 0);
    expect(f, "two\n");
    expect(f, "three\n");
    append(p.log, "new\n");
    expect(f, "half");
    expect(f, "new\n");
    IS(truncate(p.log, 0), 0);
    expect_nothing(f);
    append(p.log, "newer\n");
    expect(f, "newer\n");
    cg_follower_close(f);
    remove_place(&p);
    return 0;
}

/* A file whose size cannot be read is not started again, and is not taken for a new
 * file. */
static ssize_t unknown_size(void *arg)
{
    struct place p;
    struct cg_follower *f;

    (void)arg;
    make_place(&p);
    append(p.log, "one\n");
    f = follow(p.log, true);
    expect(f, "one\n");
    fstat_fails = true;
    expect_nothing(f);
    append(p.log, "two\n");
    expect(f, "two\n");
    IS(rename(p.log, p.old), 0);
    append(p.log, "three\n");
    expect_nothing(f);
    fstat_fails = false;
    expect(f, "three\n");
    expect_nothing(f);
    cg_follower_close(f);
    remove_place(&p);
    return 0;
}

/* A missing file is refused or waited for, as the options say. */
static ssize_t missing(void *arg)
{
    struct place p;
    struct cg_follower *f = NULL;

    (void)arg;
    make_place(&p);
    IS(cg_follower_open(cg_sched_self(), p.log, &f), -ENOENT);
    IS(cg_follower_open(cg_sched_self(), p.dir, &f, .missing_ok = true), -EINVAL);
    ck_assert_ptr_null(f);
    OK(cg_follower_open(cg_sched_self(), p.log, &f, .missing_ok = true));
    expect_nothing(f);
    append(p.log, "there\n");
    expect(f, "there\n");
    cg_follower_close(f);
    remove_place(&p);
    return 0;
}

/* A line that does not fit stays unread. It can be read with a larger buffer, or with
 * cg_follow_bytes. */
static ssize_t long_lines(void *arg)
{
    struct place p;
    struct cg_follower *f = NULL;
    char buf[16], large[64];

    (void)arg;
    make_place(&p);
    append(p.log, "123456789\nshort\n");
    OK(cg_follower_open(cg_sched_self(), p.log, &f, .from_start = true, .limit = 20));
    IS(cg_yield(cg_follow_line(f, buf, 10)), -EMSGSIZE);
    IS(cg_yield(cg_follow_line(f, buf, 11)), 10);
    ck_assert_str_eq(buf, "123456789\n");
    expect(f, "short\n");
    append(p.log, "a line without an end that goes on and on");
    IS(cg_yield(cg_follow_line(f, buf, sizeof buf)), -EMSGSIZE);
    IS(cg_yield(cg_follow_line(f, large, sizeof large)), -EMSGSIZE); /* the limit */
    for (size_t n = 0; n < 41;
         n += (size_t)OK(cg_yield(cg_follow_bytes(f, buf, sizeof buf))))
        continue;
    append(p.log, "\n");
    expect(f, "\n");
    cg_follower_close(f);
    remove_place(&p);
    return 0;
}

/* An op that loses a race or times out, in whatever turn, loses no line. */
static ssize_t traceless(void *arg)
{
    struct place p;
    struct cg_follower *f;
    struct cg_coro *coro;
    char buf[32], text[32];
    int next = 0;

    (void)arg;
    make_place(&p);
    append(p.log, "");
    f = follow(p.log, true);
    for (int i = 0; i < 60; i++) {
        struct cg_op *line = cg_follow_line(f, buf, sizeof buf);

        snprintf(text, sizeof text, "line %d\n", i);
        append(p.log, text);
        if (cg_yield(cg_any((cg_sleep(1 + i * CG_MICROSECOND), line))) != 1)
            continue;
        snprintf(text, sizeof text, "line %d\n", next++);
        ck_assert_str_eq(buf, text);
    }
    for (; next < 60; next++) {
        snprintf(text, sizeof text, "line %d\n", next);
        expect(f, text);
    }
    coro = test_start(reads_one, f);
    test_until_waiting(coro);
    append(p.log, "last\n");
    OK(cg_yield(cg_cancel(coro)));
    IS(test_end(coro), -ECANCELED);
    expect(f, "last\n");
    expect_nothing(f);
    cg_follower_close(f);
    remove_place(&p);
    return 0;
}

struct writer {
    struct place place;
    int count;
};

/* Writes a log and rotates it at times. Some lines are written in two parts, with a pass
 * between them. */
static ssize_t logs(void *arg)
{
    struct writer *w = arg;
    int fd = open(w->place.log, O_WRONLY | O_APPEND | O_CREAT, 0600);
    char text[32];

    for (int i = 0; i < w->count; i++) {
        snprintf(text, sizeof text, "line %d\n", i);
        if (i % 7 == 3) { /* in two pieces */
            IS(write(fd, text, 3), 3);
            OK(cg_yield(cg_pass()));
            IS(write(fd, text + 3, strlen(text) - 3), strlen(text) - 3);
        } else {
            IS(write(fd, text, strlen(text)), strlen(text));
        }
        if (i % 10 == 9) {
            IS(rename(w->place.log, w->place.old), 0);
            if (i % 20 == 9)
                append(w->place.log, "");
            OK(cg_yield(cg_pass()));
            /* One more line to the old file before it is reopened. */
            snprintf(text, sizeof text, "line %d\n", ++i);
            IS(write(fd, text, strlen(text)), strlen(text));
            close(fd);
            fd = open(w->place.log, O_WRONLY | O_APPEND | O_CREAT, 0600);
            OK(cg_yield(cg_sleep(5 * MS))); /* real rotations are further apart */
        }
    }
    close(fd);
    return 0;
}

/* Over many rotations every line comes once and in order. */
static ssize_t through_rotations(void *arg)
{
    struct writer w = {.count = 60};
    struct cg_follower *f = NULL;
    struct cg_coro *coro;
    char text[32];

    (void)arg;
    make_place(&w.place);
    append(w.place.log, ""); /* else it might come and go between two checks */
    OK(cg_follower_open(cg_sched_self(), w.place.log, &f, .interval = MS / 2));
    coro = test_start(logs, &w);
    for (int i = 0; i < w.count; i++) {
        snprintf(text, sizeof text, "line %d\n", i);
        expect(f, text);
    }
    IS(test_end(coro), 0);
    cg_follower_close(f);
    remove_place(&w.place);
    return 0;
}

enum { LONG = 1 << 20 };

static ssize_t counts_passes(void *arg)
{
    while (cg_yield(cg_pass()) == 0)
        ++*(int *)arg;
    return 0;
}

/* While a long line is read, other coroutines run. */
static ssize_t long_line_starves_nobody(void *arg)
{
    static char line[LONG + 3];
    struct cg_coro *counter;
    struct cg_follower *f = NULL;
    struct place p;
    int passes = 0;

    (void)arg;
    make_place(&p);
    memset(line, 'x', LONG);
    strcpy(line + LONG, "\n");
    append(p.log, line);
    OK(cg_follower_open(cg_sched_self(), p.log, &f, .from_start = true, .limit = 2 * LONG));
    counter = test_start(counts_passes, &passes);
    IS(cg_yield(cg_follow_line(f, line, sizeof line)), LONG + 1);
    ck_assert_int_ge(passes, LONG / (64 * 1024));
    OK(cg_yield(cg_cancel(counter)));
    test_end(counter);
    cg_follower_close(f);
    remove_place(&p);
    return 0;
}

/* CG_NOWAIT gets a long line that is there. */
static ssize_t long_line_at_once(void *arg)
{
    static char line[LONG + 3];
    struct cg_follower *f = NULL;
    struct place p;

    (void)arg;
    make_place(&p);
    memset(line, 'x', LONG);
    strcpy(line + LONG, "\n");
    append(p.log, line);
    OK(cg_follower_open(cg_sched_self(), p.log, &f, .from_start = true, .limit = 2 * LONG));
    IS(cg_yield(cg_follow_line(f, line, sizeof line, .timeout = CG_NOWAIT)), LONG + 1);
    IS(cg_yield(cg_follow_line(f, line, sizeof line, .timeout = CG_NOWAIT)), -ETIMEDOUT);
    cg_follower_close(f);
    remove_place(&p);
    return 0;
}

/* Where the system does not report changes, the file is checked at intervals. The wait does
 * not depend on real time. */
static ssize_t at_intervals(void *arg)
{
    struct place p;
    struct cg_follower *f = NULL;
    struct cg_coro *coro;
    int64_t start = cg_sched_now(cg_sched_self());

    (void)arg;
    make_place(&p);
    append(p.log, "");
    OK(cg_follower_open(cg_sched_self(), p.log, &f, .interval = 10 * CG_SECOND));
    coro = test_start(reads_one, f);
    OK(cg_yield(cg_sleep(15 * CG_SECOND)));
    append(p.log, "late\n");
    IS(test_end(coro), 5);
    ck_assert_int_eq(cg_sched_now(cg_sched_self()) - start, 20 * CG_SECOND);
    cg_follower_close(f);
    remove_place(&p);
    return 0;
}

static bool lacks(struct cg_reactor *reactor, enum cg_lack what)
{
    (void)reactor;
    return what == CG_LACKS_MEMORY;
}

/* A read that could not begin, since there was no memory for its branch, occupies nothing. */
static ssize_t memory_runs_out(void *arg)
{
    struct cg_reactor *reactor = cg_sched_reactor(cg_sched_self());
    struct cg_follower *f = NULL;
    struct place p;
    char line[8];
    struct cg_op *read;

    (void)arg;
    make_place(&p);
    append(p.log, "one\n");
    OK(cg_follower_open(cg_sched_self(), p.log, &f, .from_start = true));
    read = cg_follow_line(f, line, sizeof line);
    reactor->lacks = lacks;
    IS(cg_yield(cg_any((read, cg_sleep(CG_MINUTE)))), 0);
    reactor->lacks = NULL;
    IS(cg_op_result(read), -ENOMEM);
    expect(f, "one\n");
    cg_follower_close(f);
    remove_place(&p);
    return 0;
}

int main(void)
{
    static const struct test_case cases[] = {
        CORO(lines),
        CORO(waits_for_more),
        CORO(rotated),
        CORO(truncated),
        CORO(unknown_size),
        CORO(missing),
        CORO(long_lines),
        CORO(traceless),
        CORO(through_rotations),
        CORO(long_line_starves_nobody),
        CORO(long_line_at_once),
        CORO(at_intervals, .where = ON_SIM),
        CORO(memory_runs_out, .where = ON_KERNEL),
    };

    return test_main("file", cases, COUNT(cases));
}
