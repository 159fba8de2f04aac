/* SPDX-License-Identifier: MIT */
/* Restarts: this program is its own successor. A successor that fails at any step changes
 * nothing; one that is ready has the ports. It also has what was handed over. Also the
 * descriptors that the service manager passes, and the messages that it gets. */
#include "config.h"

#include "tests/system/processes.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* The steps at which the successor may fail. */
enum { AT_ONCE, WITH_PORTS, LISTENING, NEVER };

struct successor {
    const char *how, *addr;
    int step;
};

/* Exits, kills itself or hangs, if this is the step at which it must fail. */
static void step(const struct successor *s, int number)
{
    if (number != s->step)
        return;
    if (strcmp(s->how, "exit") == 0)
        _exit(1);
    raise(strcmp(s->how, "kill") == 0 ? SIGKILL : SIGSTOP);
}

/* Whether a predecessor has handed over what old_open adds, each once and in this order. */
static bool has_bytes(void)
{
    char buf[8];

    return getenv("COGEN_FDS") == NULL ||
           (cg_handover_take("test", buf, sizeof buf) == 3 && memcmp(buf, "one", 3) == 0 &&
            cg_handover_take("test", buf, 2) == 2 && memcmp(buf, "tw", 2) == 0 &&
            cg_handover_take("test", buf, sizeof buf) == -ENOENT &&
            cg_handover_take("nothing", buf, sizeof buf) == -ENOENT &&
            cg_handover_take("removed", buf, sizeof buf) == -ENOENT);
}

/* Whether programs that the successor starts get none of what it has inherited. */
static bool keeps_descriptors(void)
{
    for (int fd = 3; fd < 16; fd++)
        if (fcntl(fd, F_GETFD) >= 0 && (fcntl(fd, F_GETFD) & FD_CLOEXEC) == 0)
            return false;
    return true;
}

/* Serves one connection. */
static ssize_t succeed(void *arg)
{
    const struct successor *s = arg;
    struct cg_ports *ports;
    struct cg_sock *listener, *conn;
    ssize_t n;

    step(s, AT_ONCE);
    if (!has_bytes())
        return -ENOMSG;
    n = cg_ports_open(s->addr, &ports, .name = "test");
    if (n < 0)
        return n;
    step(s, WITH_PORTS);
    n = cg_ports_listen(ports, 0, cg_sched_self(), &listener);
    step(s, LISTENING);
    if (n == 0 && !cg_ports_inherited(ports))
        n = -ENOENT;
    if (n == 0 && !keeps_descriptors())
        n = -EMFILE;
    if (n == 0)
        n = cg_ready();
    if (n == 0 && (n = cg_yield(cg_accept(listener, &conn, .timeout = CG_MINUTE))) == 0) {
        cg_yield(cg_writeall(conn, "new\n", 4));
        cg_sock_close(conn);
    }
    cg_sock_close(listener);
    cg_ports_close(ports);
    return n;
}

static int run_successor(char **argv)
{
    struct successor s = {.how = argv[2], .step = atoi(argv[3]), .addr = argv[4]};

    return (int)-cg_main(NULL, succeed, &s) & 127;
}

struct old {
    char addr[CG_ADDR_SIZE];
    struct cg_ports *ports;
    struct cg_sock *listener;
};

static size_t fill(void *arg, void *buf)
{
    size_t len = strlen(arg);

    memcpy(buf, arg, len);
    return len;
}

static struct cg_handover bytes[] = {
    {.name = "test", .fill = fill, .arg = "one"},
    {.name = "test", .fill = fill, .arg = "two"},
    {.name = "nothing", .fill = fill, .arg = ""},
};

static void old_open(struct old *old, bool on_path)
{
    struct cg_handover removed = {.name = "removed", .fill = fill, .arg = "no"};

    OK(cg_handover_add(&removed));
    for (size_t i = 0; i < COUNT(bytes); i++)
        OK(cg_handover_add(&bytes[i]));
    cg_handover_remove(&removed);
    strcpy(old->addr, "127.0.0.1:0");
    if (on_path)
        test_unix_path(old->addr);
    OK(cg_ports_open(old->addr, &old->ports, .name = "test"));
    OK(cg_ports_addr(old->ports, old->addr, sizeof old->addr));
    OK(cg_ports_listen(old->ports, 0, cg_sched_self(), &old->listener));
}

static void old_close(struct old *old)
{
    for (size_t i = 0; i < COUNT(bytes); i++)
        cg_handover_remove(&bytes[i]);
    cg_sock_close(old->listener);
    cg_ports_close(old->ports);
}

static ssize_t restart(const struct old *old, const char *how, int at, int64_t timeout)
{
    char number[2] = {(char)('0' + at), '\0'};
    char *argv[] = {"/proc/self/exe", "successor", (char *)how, number, (char *)old->addr,
                    NULL};

    return cg_yield(cg_restart(argv, .timeout = timeout));
}

static void check_serves(const struct old *old)
{
    struct cg_sock *conn, *accepted;

    OK(cg_yield(cg_connect(old->addr, &conn)));
    OK(cg_yield(cg_accept(old->listener, &accepted)));
    cg_sock_close(conn);
    cg_sock_close(accepted);
}

/* If the successor exits, is killed or hangs, at any step, it is gone, and this process
 * serves as before. */
static ssize_t rolls_back(void *arg)
{
    static const struct {
        const char *how;
        int64_t timeout;
        ssize_t answer;
    } ways[] = {
        {"exit", CG_MINUTE, -EPIPE},
        {"kill", CG_MINUTE, -EPIPE},
        {"hang", 200 * MS, -ETIMEDOUT},
    };
    struct old old;
    int fds;

    (void)arg;
    for (int on_path = 0; on_path < 2; on_path++) {
        old_open(&old, on_path > 0);
        check_serves(&old);
        fds = test_count_fds();
        for (size_t i = 0; i < COUNT(ways); i++)
            for (int at = AT_ONCE; at < NEVER; at++) {
                IS(restart(&old, ways[i].how, at, ways[i].timeout), ways[i].answer);
                no_children();
                check_serves(&old);
            }
        IS(test_count_fds(), fds);
        old_close(&old);
    }
    return 0;
}

static size_t fills_too_much(void *arg, void *buf)
{
    (void)arg;
    (void)buf;
    return CG_HANDOVER_SIZE + 1;
}

/* What cannot be handed over, for lack of descriptors or since it is too long, is not left out: the
 * restart fails. */
static ssize_t hands_over_too_much(void *arg)
{
    static struct cg_handover many[1100];
    struct cg_handover wrong = {.name = "wrong", .fill = fills_too_much};
    struct old old;
    int fds;

    (void)arg;
    old_open(&old, false);
    fds = test_count_fds();
    OK(cg_handover_add(&wrong));
    IS(restart(&old, "exit", AT_ONCE, CG_MINUTE), -EINVAL);
    cg_handover_remove(&wrong);
    for (size_t i = 0; i < COUNT(many); i++) {
        many[i] = (struct cg_handover){.name = "many", .fill = fill, .arg = "x"};
        OK(cg_handover_add(&many[i]));
    }
    IS(restart(&old, "exit", AT_ONCE, CG_MINUTE), -EMFILE);
    for (size_t i = 0; i < COUNT(many); i++)
        cg_handover_remove(&many[i]);
    IS(test_count_fds(), fds);
    check_serves(&old);
    old_close(&old);
    return 0;
}

/* A program that cannot be started is reported as by cg_process_spawn. A successor that
 * opens the port with another address ends. */
static ssize_t cannot_start(void *arg)
{
    struct old old;
    char *argv[] = {"/no/such/program", NULL}, *nothing[] = {NULL};

    (void)arg;
    old_open(&old, false);
    IS(cg_yield(cg_restart(argv)), -ENOENT);
    IS(cg_yield(cg_restart(nothing)), -EINVAL);
    IS(cg_yield(cg_restart(NULL)), -EINVAL);
    IS(cg_handover_add(&(struct cg_handover){.name = "a:b", .fill = fill}), -EINVAL);
    strcpy(old.addr, "127.0.0.1:1");
    IS(restart(&old, "exit", NEVER, CG_MINUTE), -EPIPE);
    no_children();
    old_close(&old);
    return 0;
}

/* A reactor may close the descriptor of a child that has ended a little later. */
static void until_descriptors(int count)
{
    for (int i = 0; i < 1000 && test_count_fds() != count; i++)
        IS(cg_yield(cg_sleep(CG_MILLISECOND)), 0);
    IS(test_count_fds(), count);
}

/* Without descriptors for the pipe, the copies of the ports or the program, nothing is left
 * of the attempt. */
static ssize_t without_descriptors(void *arg)
{
    struct rlimit limit, less;
    struct old old;
    int next, fds;
    ssize_t n = -EMFILE;

    (void)arg;
    old_open(&old, false);
    next = dup(0);
    close(next);
    fds = test_count_fds();
    OK(getrlimit(RLIMIT_NOFILE, &limit));
    for (int spare = 0; n == -EMFILE; spare++) {
        less = limit;
        less.rlim_cur = (rlim_t)(next + spare);
        OK(setrlimit(RLIMIT_NOFILE, &less));
        n = restart(&old, "exit", AT_ONCE, CG_MINUTE);
        OK(setrlimit(RLIMIT_NOFILE, &limit));
        until_descriptors(fds);
    }
    IS(n, -EPIPE);
    no_children();
    check_serves(&old);
    old_close(&old);
    return 0;
}

static ssize_t second(void *arg)
{
    return restart(arg, "hang", AT_ONCE, CG_MINUTE);
}

/* Only one restart at a time. A cancel ends the successor. */
static ssize_t cancelled(void *arg)
{
    struct old old;
    struct cg_coro *coro;

    (void)arg;
    old_open(&old, false);
    coro = test_start(second, &old);
    test_until_waiting(coro);
    IS(restart(&old, "exit", NEVER, CG_MINUTE), -EBUSY);
    cg_coro_cancel(coro);
    IS(test_end(coro), -ECANCELED);
    no_children();
    check_serves(&old);
    old_close(&old);
    return 0;
}

/* A successor that is ready serves all connections, also one that came before it was
 * ready. The file of a UNIX path stays when the predecessor ends; the successor removes it. */
static ssize_t hands_over(void *arg)
{
    struct old old;
    struct cg_sock *conn;
    char line[8];
    int status;

    old_open(&old, arg != NULL);
    if (arg == NULL)
        OK(cg_yield(cg_connect(old.addr, &conn)));
    IS(restart(&old, "exit", NEVER, CG_MINUTE), 0);
    IS(restart(&old, "exit", NEVER, CG_MINUTE), -EBUSY);
    old_close(&old);
    if (arg != NULL)
        OK(cg_yield(cg_connect(old.addr, &conn)));
    IS(cg_yield(cg_readline(conn, line, sizeof line, .timeout = CG_MINUTE)), 4);
    ck_assert_str_eq(line, "new\n");
    cg_sock_close(conn);
    if (waitpid(-1, &status, 0) > 0) /* it may have ended before the hand-over */
        IS(status, 0);
    if (arg != NULL)
        IS(access(old.addr + 5, F_OK), -1);
    return 0;
}

static ssize_t hands_path_over(void *arg)
{
    (void)arg;
    return hands_over("path");
}

/* Starts this program as a service manager does, with one listening descriptor of this
 * name. Returns its exit code. */
static ssize_t activate(const char *variables, const char *addr, int fd)
{
    struct cg_process *process;
    char script[512];
    ssize_t n;

    snprintf(script, sizeof script,
             "LISTEN_PID=$$ LISTEN_FDS=1 %s exec \"$SELF\" successor exit 3 '%s'", variables,
             addr);
    OK(cg_process_spawn(cg_sched_self(), SH(script), &process, .fds = &fd, .nfds = 1));
    n = cg_yield(cg_wait_process(process));
    cg_process_close(process);
    return n;
}

static ssize_t from_manager(void *arg)
{
    char addr[CG_ADDR_SIZE], line[8], self[512];
    struct cg_sock *listener = test_listen(addr), *conn;
    int fd = cg_sock_fd(listener);
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);

    (void)arg;
    self[len] = '\0';
    OK(setenv("SELF", self, 1));
    OK(cg_yield(cg_connect(addr, &conn)));
    IS(activate("LISTEN_FDNAMES=other", addr, fd), EADDRINUSE);
    IS(activate("LISTEN_FDNAMES=test", "127.0.0.1:1", fd), EADDRNOTAVAIL);
    IS(activate("LISTEN_FDNAMES=test LISTEN_PID=1", addr, fd), EADDRINUSE);
    IS(activate("LISTEN_FDNAMES=test", "127.0.0.1:0", fd), 0);
    IS(cg_yield(cg_readline(conn, line, sizeof line)), 4);
    cg_sock_close(conn);
    cg_sock_close(listener);
    return 0;
}

static void notifies(void)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    char path[CG_ADDR_SIZE], text[64] = "";
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

    unsetenv("NOTIFY_SOCKET");
    IS(cg_notify("READY=1", NULL, 0), 0);
    test_unix_path(path);
    strcpy(addr.sun_path, path + 5);
    OK(bind(fd, (struct sockaddr *)&addr, sizeof addr));
    OK(setenv("NOTIFY_SOCKET", addr.sun_path, 1));
    IS(cg_notify("READY=1\nSTATUS=x", NULL, 0), 1);
    IS(recv(fd, text, sizeof text, 0), 16);
    ck_assert_str_eq(text, "READY=1\nSTATUS=x");
    IS(cg_notify("FDSTORE=1", &fd, 1), 1);
    IS(recv(fd, text, sizeof text, 0), 9);
    IS(cg_notify("FDSTORE=1", &fd, 1000), -EINVAL);
    IS(cg_ready(), 0);
    IS(recv(fd, text, sizeof text, 0), 7);
    close(fd);
    IS(cg_notify("READY=1", NULL, 0), -ECONNREFUSED);
    unlink(addr.sun_path);
    OK(setenv("NOTIFY_SOCKET", "relative", 1));
    IS(cg_notify("READY=1", NULL, 0), -EAFNOSUPPORT);
}

static void watchdog(void)
{
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
    ck_assert_int_eq(cg_watchdog_interval(), 0);
    OK(setenv("WATCHDOG_USEC", "2000000", 1));
    ck_assert_int_eq(cg_watchdog_interval(), 2 * CG_SECOND);
    OK(setenv("WATCHDOG_PID", "1", 1));
    ck_assert_int_eq(cg_watchdog_interval(), 0);
    OK(setenv("WATCHDOG_USEC", "x", 1));
    unsetenv("WATCHDOG_PID");
    ck_assert_int_eq(cg_watchdog_interval(), 0);
}

static const struct test_case cases[] = {
    CORO(rolls_back, .where = ON_KERNEL),   CORO(cannot_start, .where = ON_KERNEL),
    CORO(hands_over_too_much, .where = ON_KERNEL),
    CORO(without_descriptors, .where = ON_KERNEL),
    CORO(cancelled, .where = ON_KERNEL),    CORO(hands_over, .where = ON_KERNEL),
    CORO(hands_path_over, .where = ON_KERNEL), CORO(from_manager, .where = ON_KERNEL),
    PLAIN(notifies, .where = ON_SIM),       PLAIN(watchdog, .where = ON_SIM),
};

int main(int argc, char **argv)
{
    if (argc > 4 && strcmp(argv[1], "successor") == 0)
        return run_successor(argv);
    return test_main("restart", cases, COUNT(cases));
}
