/* SPDX-License-Identifier: MIT */
/* What the test programs share: cases written as coroutines, each run once on every reactor
 * of this machine, with a watchdog and a look for leaked descriptors and coroutines. */
#ifndef COGEN_TESTS_SUPPORT_SUPPORT_H
#define COGEN_TESTS_SUPPORT_SUPPORT_H

#include <check.h>
#include <cogen.h>
#include <time.h>

enum test_where {
    ON_ALL = 0,
    ON_KERNEL = 1, /* real descriptors: every reactor but sim */
    ON_SIM = 2,    /* virtual time, in a perfect world */
};

/* Kinds of connection. */
enum test_link {
    OVER_TCP = 1,
    OVER_TCP6 = 2,
    OVER_UNIX = 4,
    OVER_PAIR = 8, /* in memory, no descriptor */
    OVER_NET = OVER_TCP | OVER_TCP6 | OVER_UNIX,
    OVER_ALL = 15,
};

/* A case says first what must hold. A coroutine is run to its end in a scheduler of its own
 * (test_run) and answers 0; a function of two connected sockets is run in one over each
 * kind of connection, and closes them; a plain function opens what it needs (test_open). */
struct test_case {
    const char *name;
    cg_fn *coro;
    void (*link)(struct cg_sock *a, struct cg_sock *b);
    void (*plain)(void);
    enum test_where where;
    unsigned over; /* enum test_link; 0: all of them */
};

/* CORO(fn), LINK(fn, .over = OVER_NET), PLAIN(fn), CORO(fn, .where = ON_SIM) */
#define CORO(...) CORO_(__VA_ARGS__, )
#define CORO_(f, ...) {.name = #f, .coro = (f), __VA_ARGS__}
#define LINK(...) LINK_(__VA_ARGS__, )
#define LINK_(f, ...) {.name = #f, .link = (f), __VA_ARGS__}
#define PLAIN(...) PLAIN_(__VA_ARGS__, )
#define PLAIN_(f, ...) {.name = #f, .plain = (f), __VA_ARGS__}
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The whole of a test program's main: one Check suite "theme/REACTOR" for each reactor,
 * printing "SKIP kqueue: why" for each that is unavailable. $COGEN_TEST_REACTORS, names
 * with commas, limits them. Answers the exit code. */
int test_main(const char *theme, const struct test_case *cases, size_t n);

/* The same for suites that were made by hand, ended by NULL. */
int check_main(Suite *suite, ...);

/* The reactor that the running case is to use ("sim-late" and "sim-single" are simulated
 * worlds of delays and late cancels), and whether that is a simulated one, or a late
 * one. */
const char *test_reactor(void);
bool test_on_sim(void);
bool test_on_late_sim(void);
int test_open_reactor(struct cg_reactor **reactor);

/* A reactor and a scheduler on it. */
struct test {
    struct cg_reactor *reactor;
    struct cg_sched *sched;
};

/* Opens them (the keywords of struct cg_sched_options) and starts the watchdog. */
#define test_open(...) test_open_with(&(struct cg_sched_options){.reserved = NULL, __VA_ARGS__})
struct test test_open_with(const struct cg_sched_options *options);

/* Runs until everything has ended; fails, listing them, if coroutines are left. */
void test_finish(struct test *test);

/* Frees both. */
void test_close(struct test *test);

/* All of it for one coroutine: open, start, finish, close. Answers what fn answered. */
ssize_t test_run(cg_fn *fn, void *arg);

/* Fails the case if it is still there after so many seconds, listing the coroutines of
 * `sched`, if there is one; 0 ends the watch. */
void test_watch(struct cg_sched *sched, unsigned seconds);

/* One of the system's clocks, in nanoseconds. */
int64_t test_clock(clockid_t id);

/* The number of open descriptors. */
int test_count_fds(void);

/* OK(answer): must not be negative, answered unchanged. IS(answer, wanted): exactly that.
 * On failure both name the codes in words. */
#define OK(expr) test_ok((expr), #expr, __FILE__, __LINE__)
#define IS(expr, want) test_is((expr), (want), #expr, __FILE__, __LINE__)
ssize_t test_ok(ssize_t answer, const char *expr, const char *file, int line);
void test_is(ssize_t answer, ssize_t want, const char *expr, const char *file, int line);

/* What they are told to say next to the reactor's name; kept, not copied. */
void test_label(const char *label);

/* In a coroutine: starts another one, whose reference is to be given back (test_end). */
struct cg_coro *test_start(cg_fn *fn, void *arg);

/* Joins it, gives the reference back and answers its result. */
ssize_t test_end(struct cg_coro *coro);

/* Lets others run until this coroutine waits for an operation. */
void test_until_waiting(const struct cg_coro *coro);

/* A connection over the loopback: an accepted socket and a connected one. */
void test_tcp(struct cg_sock **accepted, struct cg_sock **connected);

/* The same over any kind of connection. False: this machine has no such kind (IPv6). */
bool test_connect(enum test_link kind, struct cg_sock **accepted,
                  struct cg_sock **connected);

/* Listens on "127.0.0.1:0" and tells which port that became. */
struct cg_sock *test_listen(char addr[static CG_ADDR_SIZE]);

/* An address of a UNIX socket that is free: "unix:/tmp/..." */
void test_unix_path(char path[static CG_ADDR_SIZE]);

/* A nameless file of that size, with the bytes of test_fill. */
int test_file(size_t size);

/* Bytes that differ from place to place: those of a stream from position `at` on. The check
 * fails the case at the first one that is wrong. */
void test_fill(void *buf, size_t size, size_t at);
void test_verify(const void *buf, size_t size, size_t at);

/* A random number from a seed that moves on. */
uint32_t test_random(uint64_t *seed);

#endif
