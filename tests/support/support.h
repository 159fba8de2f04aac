/* SPDX-License-Identifier: MIT */
/* What the test programs share: cases written as coroutines, each run once on every
 * reactor of this machine, with a watchdog and a check for leaked descriptors and
 * coroutines. */
#ifndef COGEN_TESTS_SUPPORT_SUPPORT_H
#define COGEN_TESTS_SUPPORT_SUPPORT_H

#include <check.h>
#include <cogen.h>
#include <time.h>

enum test_where {
    ON_ALL = 0,
    ON_KERNEL = 1, /* real descriptors: every reactor except sim */
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

/* A case. Its comment says what must hold. A coroutine runs to its end in a scheduler of
 * its own (test_run) and returns 0. A function of two connected sockets runs once over
 * each kind of connection, and closes both. A plain function opens what it needs
 * (test_open). */
struct test_case {
    const char *name;
    cg_fn *coro;
    void (*link)(struct cg_sock *a, struct cg_sock *b);
    void (*plain)(void);
    enum test_where where;
    unsigned over; /* enum test_link; 0: all of them */
    void (*above)(struct cg_sock **a, struct cg_sock **b); /* puts a transport above both
                                                            * sockets; NULL: none */
};

/* CORO(fn), LINK(fn, .over = OVER_NET), PLAIN(fn), CORO(fn, .where = ON_SIM),
 * LINK(sock_closed, .above = secured) */
#define CORO(...) CORO_(__VA_ARGS__, )
#define CORO_(f, ...) {.name = #f, .coro = (f), __VA_ARGS__}
#define LINK(...) LINK_(__VA_ARGS__, )
#define LINK_(f, ...) {.name = #f, .link = (f), __VA_ARGS__}
#define PLAIN(...) PLAIN_(__VA_ARGS__, )
#define PLAIN_(f, ...) {.name = #f, .plain = (f), __VA_ARGS__}
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A test program's main: one Check suite "theme/REACTOR" for each reactor; prints "SKIP
 * kqueue: why" for each that is not available. $COGEN_TEST_REACTORS, a list with commas,
 * selects reactors. Returns the exit code. */
int test_main(const char *theme, const struct test_case *cases, size_t n);

/* Like test_main, for suites that the program has made; NULL ends the list. */
int check_main(Suite *suite, ...);

/* The reactor for the running case ("sim-late" and "sim-single" are simulated worlds with
 * delays and late cancels); whether it is simulated; whether it is a late one. */
const char *test_reactor(void);
bool test_on_sim(void);
bool test_on_late_sim(void);
int test_open_reactor(struct cg_reactor **reactor);

/* A reactor and a scheduler on it. */
struct test {
    struct cg_reactor *reactor;
    struct cg_sched *sched;
};

/* Opens both (keywords: struct cg_sched_options) and starts the watchdog. */
#define test_open(...) test_open_with(&(struct cg_sched_options){.reserved = NULL, __VA_ARGS__})
struct test test_open_with(const struct cg_sched_options *options);

/* Runs until all coroutines have ended. If some are left, lists them and fails. */
void test_finish(struct test *test);

/* Frees both. */
void test_close(struct test *test);

/* Opens, starts one coroutine, finishes and closes. Returns what fn returned. */
ssize_t test_run(cg_fn *fn, void *arg);

/* Fails the case if it still runs after so many seconds, and lists the coroutines of
 * `sched` if it is not NULL. 0 seconds stops the watch. */
void test_watch(struct cg_sched *sched, unsigned seconds);

/* Reads one of the system's clocks, ns. */
int64_t test_clock(clockid_t id);

/* Calls act(arg) 50 times, and fails if each call has waited (getrusage: voluntary context
 * switches). Unlike a limit of time this holds on a busy machine as well. */
void test_never_waits(void (*act)(void *arg), void *arg);

/* Lets the calling coroutine sleep for so long (ns), and fails if the process spins meanwhile. One
 * that spins uses that much CPU time each time; another one may seem to use half of it once, where
 * a virtual machine's lost time counts as its own. So it sleeps up to 10 times. */
void test_never_spins(int64_t length);

/* Writes a file with this text into a folder. */
void test_put_file(const char *folder, const char *name, const char *text);

/* Returns the number of open descriptors. */
int test_count_fds(void);

/* OK(result): must not be negative; returned unchanged. IS(result, wanted): must be equal.
 * A failure message names both codes in words. */
#define OK(expr) test_ok((expr), #expr, __FILE__, __LINE__)
#define IS(expr, want) test_is((expr), (want), #expr, __FILE__, __LINE__)
ssize_t test_ok(ssize_t answer, const char *expr, const char *file, int line);
void test_is(ssize_t answer, ssize_t want, const char *expr, const char *file, int line);

/* Adds a text to the reactor's name in failure messages. The text is not copied. */
void test_label(const char *label);

/* In a coroutine: starts another one. Release its reference with test_end. */
struct cg_coro *test_start(cg_fn *fn, void *arg);

/* Joins the coroutine, releases the reference and returns its result. */
ssize_t test_end(struct cg_coro *coro);

/* In a coroutine: how many coroutines there are whose names begin like this. */
size_t test_count(const char *prefix);

/* Lets other coroutines run until this one waits for an operation. */
void test_until_waiting(const struct cg_coro *coro);

/* Connects two sockets over the loopback: an accepted one and a connecting one. */
void test_tcp(struct cg_sock **accepted, struct cg_sock **connected);

/* Connects two sockets over any kind of connection. Returns false if this machine lacks it
 * (IPv6). */
bool test_connect(enum test_link kind, struct cg_sock **accepted,
                  struct cg_sock **connected);

/* Listens on "127.0.0.1:0" and stores the address with the chosen port. */
struct cg_sock *test_listen(char addr[static CG_ADDR_SIZE]);

/* Stores a free address for a UNIX socket: "unix:/tmp/..." */
void test_unix_path(char path[static CG_ADDR_SIZE]);

/* Makes a nameless file of that size, filled by test_fill. Returns its descriptor. */
int test_file(size_t size);

/* Fill with, or check for, bytes that differ from place to place: those of a stream from
 * position `at` on. The check fails the case at the first wrong byte. */
void test_fill(void *buf, size_t size, size_t at);
void test_verify(const void *buf, size_t size, size_t at);

/* Returns a random number and advances the seed. */
uint32_t test_random(uint64_t *seed);

#endif
