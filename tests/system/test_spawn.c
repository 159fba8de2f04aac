/* SPDX-License-Identifier: MIT */
/* Starting processes on every reactor of a kernel: what they get, and that a start that
 * fails leaves nothing behind. */
#include "config.h"

#include "system/process/spawn.h"
#include "system/process/stdio.h"
#include "tests/system/processes.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

/* Not every system can start a program in another directory. If not, it reports that. */
static bool can_change_dir(void)
{
    struct cg_process *process = NULL;
    int rc = cg_process_spawn(cg_sched_self(), SH("exit 0"), &process, .dir = "/");

    cg_process_close(process);
    return rc != -ENOSYS;
}

/* The error of exec is the result, and nothing is left of the attempt. */
static ssize_t cannot_start(void *arg)
{
    struct cg_sched *sched = cg_sched_self();
    struct cg_process *process = NULL;

    (void)arg;
    IS(cg_process_spawn(sched, ((char *[]){"/no/such/program", NULL}), &process),
       -ENOENT);
    IS(cg_process_spawn(sched, ((char *[]){"no-such-program", NULL}), &process),
       -ENOENT);
    IS(cg_process_spawn(sched, ((char *[]){"/", NULL}), &process, .in = CG_STDIO_PIPE),
       -EACCES);
    IS(cg_process_spawn(sched, ((char *[]){NULL}), &process), -EINVAL);
    IS(cg_process_spawn(sched, NULL, &process), -EINVAL);
    IS(cg_process_spawn(sched, SH("exit 0"), &process, .in = CG_STDIO_OUT), -EINVAL);
    IS(cg_process_spawn(sched, SH("exit 0"), &process, .out = 99), -EBADF);
    no_children();
    if (can_change_dir())
        IS(cg_process_spawn(sched, SH("exit 0"), &process, .dir = "/no/such/place"),
           -ENOENT);
    ck_assert_ptr_null(process);
    return 0;
}

/* cg_spawn does the same as an operation. Its keywords are the options. */
static ssize_t as_an_operation(void *arg)
{
    struct cg_process *process = NULL;
    char word[8] = "";

    (void)arg;
    IS(cg_yield(cg_spawn(((char *[]){"/no/such/program", NULL}), &process)), -ENOENT);
    IS(cg_yield(cg_spawn(SH("printf word >&2"), &process, .out = CG_STDIO_NULL,
                         .err = CG_STDIO_PIPE)),
       0);
    IS(cg_yield(cg_readall(cg_process_sock(process, 2), word, 4)), 4);
    ck_assert_str_eq(word, "word");
    IS(cg_yield(cg_wait_process(process)), 0);
    cg_process_close(process);
    return 0;
}

/* Whichever descriptor cannot be opened, nothing is left of the attempt. If only the pidfd
 * cannot be opened, the process is started, and can be waited for. */
static ssize_t out_of_descriptors(void *arg)
{
    struct cg_process *process = NULL;
    struct rlimit before, limit;
    int fds = test_count_fds(), room = 0, lowest = fcntl(0, F_DUPFD, 3), rc;

    (void)arg;
    ck_assert_int_ge(lowest, 3);
    close(lowest);
    IS(getrlimit(RLIMIT_NOFILE, &before), 0);
    do {
        limit = before;
        limit.rlim_cur = (rlim_t)(lowest + room++);
        IS(setrlimit(RLIMIT_NOFILE, &limit), 0);
        rc = cg_process_spawn(cg_sched_self(), SH("exit 8"), &process,
                              .in = CG_STDIO_PIPE, .out = CG_STDIO_PIPE,
                              .err = CG_STDIO_PIPE);
        IS(setrlimit(RLIMIT_NOFILE, &before), 0);
        if (rc < 0) {
            IS(rc, -EMFILE);
            IS(test_count_fds(), fds);
        }
    } while (rc < 0);
    ck_assert_int_ge(room, 6);
    IS(cg_yield(cg_communicate(process, NULL, 0)), 8);
    cg_process_close(process);
    return 0;
}

/* A world without processes returns an error that says so. */
static ssize_t no_processes_here(void *arg)
{
    struct cg_process *process = NULL;

    (void)arg;
    IS(cg_process_spawn(cg_sched_self(), SH("exit 0"), &process), -EOPNOTSUPP);
    IS(cg_process_spawn(cg_sched_self(), SH("exit 0"), &process, .in = CG_STDIO_PIPE),
       -EOPNOTSUPP);
    return 0;
}

/* The process gets the directory, environment and arguments that were asked for. */
static ssize_t surroundings(void *arg)
{
    struct cg_sched *sched = cg_sched_self();
    struct cg_process *process = NULL;
    char *env[] = {"A=b", NULL};

    (void)arg;
    if (can_change_dir()) {
        OK(cg_process_spawn(sched, SH("pwd"), &process, .dir = "/",
                            .out = CG_STDIO_PIPE));
        expect("/\n", 0, process);
    }
    OK(cg_process_spawn(sched, SH("echo $A"), &process, .env = env,
                        .out = CG_STDIO_PIPE));
    expect("b\n", 0, process);
    OK(cg_process_spawn(sched, ((char *[]){"echo", "a b", "$A", NULL}), &process,
                        .out = CG_STDIO_PIPE));
    expect("a b $A\n", 0, process);
    return 0;
}

/* Input, output and error are redirected as asked for. */
static ssize_t redirections(void *arg)
{
    struct cg_sched *sched = cg_sched_self();
    struct cg_process *process = NULL;
    struct cg_output out = {.limit = 0}, err = {.limit = 0};
    int fds[2];
    char text[16];

    (void)arg;
    OK(cg_process_spawn(sched, SH("echo out; echo err >&2; cat"), &process,
                        .in = CG_STDIO_NULL, .out = CG_STDIO_PIPE,
                        .err = CG_STDIO_OUT));
    expect("out\nerr\n", 0, process);
    OK(cg_process_spawn(sched, SH("echo out; echo err >&2"), &process,
                        .out = CG_STDIO_PIPE, .err = CG_STDIO_PIPE));
    IS(cg_yield(cg_communicate(process, NULL, 0, .out = &out, .err = &err)), 0);
    ck_assert_str_eq(out.data, "out\n");
    ck_assert_str_eq(err.data, "err\n");
    free(out.data);
    free(err.data);
    cg_process_close(process);
    OK(cg_process_spawn(sched, SH("echo lost; echo err >&2"), &process,
                        .out = CG_STDIO_NULL, .err = CG_STDIO_NULL));
    IS(cg_yield(cg_wait_process(process)), 0);
    cg_process_close(process);
    IS(pipe(fds), 0);
    OK(cg_process_spawn(sched, SH("echo given >&2"), &process, .out = CG_STDIO_NULL,
                        .err = fds[1]));
    close(fds[1]);
    IS(cg_yield(cg_wait_process(process)), 0);
    cg_process_close(process);
    IS(read(fds[0], text, sizeof text), 6);
    IS(read(fds[0], text, sizeof text), 0); /* no other process has the other end */
    close(fds[0]);
    return 0;
}

/* Moves a descriptor to a place, where what was there is kept; returns that. */
static int put_at(int place, int fd)
{
    int kept = fcntl(place, F_DUPFD_CLOEXEC, 10);

    ck_assert_int_eq(dup2(fd, place), place);
    close(fd);
    return kept;
}

static void put_back(int place, int kept)
{
    if (kept < 0) {
        close(place);
        return;
    }
    dup2(kept, place);
    close(kept);
}

/* What the child writes to its output goes where our errors go, and the other way round.
 * The two do not overwrite each other. */
static ssize_t crossed(void *arg)
{
    struct cg_process *process = NULL;
    int out[2], err[2], kept_out, kept_err;
    char text[16] = "";
    ssize_t rc;

    (void)arg;
    IS(pipe(out), 0);
    IS(pipe(err), 0);
    kept_out = put_at(1, out[1]);
    kept_err = put_at(2, err[1]);
    rc = cg_process_spawn(cg_sched_self(), SH("echo one; echo three >&2"), &process,
                          .out = 2, .err = 1);
    put_back(1, kept_out);
    put_back(2, kept_err);
    OK(rc);
    IS(cg_yield(cg_wait_process(process)), 0);
    cg_process_close(process);
    IS(read(err[0], text, sizeof text), 4);
    ck_assert_mem_eq(text, "one\n", 4);
    IS(read(out[0], text, sizeof text), 6);
    ck_assert_mem_eq(text, "three\n", 6);
    close(out[0]);
    close(err[0]);
    return 0;
}

/* Pipes that get the numbers of the child's own input and output do not conflict with
 * them. */
static ssize_t without_standard_descriptors(void *arg)
{
    struct cg_process *process = NULL;
    struct cg_output out = {.limit = 0};
    int keep[3];
    ssize_t n;
    int rc;

    (void)arg;
    for (int i = 0; i < 3; i++) {
        keep[i] = fcntl(i, F_DUPFD_CLOEXEC, 3);
        close(i);
    }
    rc = cg_process_spawn(cg_sched_self(), ((char *[]){"cat", NULL}), &process,
                          .in = CG_STDIO_PIPE, .out = CG_STDIO_PIPE,
                          .err = CG_STDIO_NULL);
    n = rc < 0 ? rc : cg_yield(cg_communicate(process, "through", 7, .out = &out));
    cg_process_close(process);
    for (int i = 0; i < 3; i++) {
        if (keep[i] >= 0) {
            dup2(keep[i], i);
            close(keep[i]);
        }
    }
    IS(n, 0);
    ck_assert_uint_eq(out.len, 7);
    ck_assert_mem_eq(out.data, "through", 7);
    free(out.data);
    return 0;
}

/* The child has three descriptors, and no signal is blocked or ignored. */
static ssize_t clean_slate(void *arg)
{
    struct cg_process *process = NULL;
    int leak = fcntl(0, F_DUPFD, 50);
    sigset_t set, before;

    (void)arg;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, &before);
    signal(SIGPIPE, SIG_IGN);
    OK(cg_process_spawn(
        cg_sched_self(),
        SH("if [ -d /proc/self/fd ]; then ls /proc/self/fd | grep -c '^[3-9].';"
           " else echo 0; fi"),
        &process, .in = CG_STDIO_NULL, .out = CG_STDIO_PIPE));
    expect("0\n", 1, process);
    OK(cg_process_spawn(cg_sched_self(), SH("kill -PIPE $$; kill -TERM $$"), &process));
    IS(cg_yield(cg_wait_process(process)), CG_EXIT_SIGNAL + SIGPIPE);
    cg_process_close(process);
    OK(cg_process_spawn(cg_sched_self(), SH("kill -TERM $$"), &process));
    IS(cg_yield(cg_wait_process(process)), CG_EXIT_SIGNAL + SIGTERM);
    cg_process_close(process);
    signal(SIGPIPE, SIG_DFL);
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (leak >= 0)
        close(leak);
    return 0;
}

/* /dev/null is needed only if the options ask for it. If it is missing, the error differs
 * from that of a missing program. */
static ssize_t without_dev_null(void *arg)
{
    struct cg_process *process = NULL;

    (void)arg;
    cg__stdio_null = "/no/such/file";
    IS(cg_yield(cg_wait_process(process = spawn("exit 3"))), 3);
    cg_process_close(process);
    OK(cg_process_spawn(cg_sched_self(), SH("echo out"), &process,
                        .out = CG_STDIO_PIPE));
    expect("out\n", 0, process);
    IS(cg_process_spawn(cg_sched_self(), SH("exit 0"), &process, .out = CG_STDIO_NULL),
       -ENODEV);
    cg__stdio_null = "/dev/null";
    return 0;
}

/* On a system where the child cannot close all other descriptors at once, it gets a list of
 * those that are open. */
static ssize_t clean_without_closefrom(void *arg)
{
    cg__spawn_may_closefrom = false;
    clean_slate(arg);
    cg__spawn_may_closefrom = true;
    return 0;
}

/* O_NONBLOCK */

enum { MUCH = 300000 };

static bool blocks(int fd)
{
    return !(fcntl(fd, F_GETFL) & O_NONBLOCK);
}

/* Where a file cannot be opened again, the child and the loop share its flags. */
static bool reopens(int fd)
{
    int own = cg__stdio_reopen(fd, O_RDWR);

    close(own);
    return own >= 0;
}

/* Reads what a child writes, after the child had to wait. */
static ssize_t read_late(int fd)
{
    static char buf[MUCH];
    struct cg_sock *sock;
    ssize_t n = 0;
    int most = 0, waiting = 1;

    while (waiting > most) { /* until no more bytes come for a while */
        most = waiting;
        OK(cg_yield(cg_sleep(30 * MS)));
        IS(ioctl(fd, FIONREAD, &waiting), 0);
    }
    OK(cg_sock_attach(cg_sched_self(), fd, &sock));
    n = cg_yield(cg_readall(sock, buf, sizeof buf));
    cg_sock_close(sock);
    return n;
}

/* A child writes `MUCH` bytes into one of two connected descriptors, and we read slowly
 * from the other. The child fails if a write returns EAGAIN. */
static void write_much(int from, int to)
{
    struct cg_process *process = NULL;

    OK(cg_process_spawn(cg_sched_self(),
                        ((char *[]){"head", "-c", "300000", "/dev/zero", NULL}),
                        &process, .out = to));
    IS(read_late(from), MUCH);
    IS(cg_yield(cg_wait_process(process)), 0);
    cg_process_close(process);
}

/* A descriptor that a child gets is blocking, while the loop uses its own without
 * blocking. */
static ssize_t a_pipe_blocks_for_the_child(void *arg)
{
    int fds[2];

    (void)arg;
    IS(pipe(fds), 0);
    IS(fcntl(fds[1], F_SETFL, O_NONBLOCK), 0);
    write_much(fds[0], fds[1]);
    ck_assert(!blocks(fds[1]) || !reopens(fds[1]));
#ifdef __linux__
    ck_assert(reopens(fds[1]) || access("/proc/self/fd", X_OK) != 0);
#endif
    close(fds[1]);
    return 0;
}

/* A terminal is blocking for the child, too, which shares it. */
static ssize_t a_terminal_blocks_for_the_child(void *arg)
{
    struct cg_process *process = NULL;
    int control = posix_openpt(O_RDWR | O_NOCTTY), terminal;
    struct termios raw;
    char text[64];
    ssize_t n;

    (void)arg;
    if (control < 0 || grantpt(control) < 0 || unlockpt(control) < 0)
        return 0;
    terminal = open(ptsname(control), O_RDWR | O_NOCTTY | O_NONBLOCK);
    ck_assert_int_ge(terminal, 0);
    IS(tcgetattr(terminal, &raw), 0);
    raw.c_oflag &= ~(tcflag_t)OPOST;
    raw.c_lflag &= ~(tcflag_t)ECHO;
    IS(tcsetattr(terminal, TCSANOW, &raw), 0);
    OK(cg_process_spawn(cg_sched_self(), SH("read line; echo \"got $line\""), &process,
                        .in = terminal, .out = terminal));
    ck_assert(!blocks(terminal) || !reopens(terminal));
    IS(write(control, "me\n", 3), 3);
    IS(cg_yield(cg_wait_process(process)), 0);
    cg_process_close(process);
    n = read(control, text, sizeof text - 1);
    ck_assert_int_gt(n, 0);
    text[n] = '\0';
    ck_assert_ptr_nonnull(strstr(text, "got me\n"));
    close(terminal);
    close(control);
    return 0;
}

/* A socket cannot be opened a second time. */
static ssize_t a_socket_blocks_for_both(void *arg)
{
    int fds[2];

    (void)arg;
    IS(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    IS(fcntl(fds[1], F_SETFL, O_NONBLOCK), 0);
    write_much(fds[0], fds[1]);
    ck_assert(blocks(fds[1]));
    close(fds[1]);
    return 0;
}

/* With a blocking listener the loop would wait in accept. */
static ssize_t a_listener_is_left_alone(void *arg)
{
    struct cg_process *process = NULL;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

    (void)arg;
    IS(listen(fd, 1), 0);
    OK(cg_process_spawn(cg_sched_self(), SH("exit 0"), &process, .in = fd));
    ck_assert(!blocks(fd));
    IS(cg_yield(cg_wait_process(process)), 0);
    cg_process_close(process);
    close(fd);
    return 0;
}

int main(void)
{
    static const struct test_case cases[] = {
        CORO(cannot_start, .where = ON_KERNEL),
        CORO(as_an_operation, .where = ON_KERNEL),
        CORO(out_of_descriptors, .where = ON_KERNEL),
        CORO(no_processes_here, .where = ON_SIM),
        CORO(surroundings, .where = ON_KERNEL),
        CORO(redirections, .where = ON_KERNEL),
        CORO(crossed, .where = ON_KERNEL),
        CORO(without_standard_descriptors, .where = ON_KERNEL),
        CORO(clean_slate, .where = ON_KERNEL),
        CORO(without_dev_null, .where = ON_KERNEL),
        CORO(clean_without_closefrom, .where = ON_KERNEL),
        CORO(a_pipe_blocks_for_the_child, .where = ON_KERNEL),
        CORO(a_terminal_blocks_for_the_child, .where = ON_KERNEL),
        CORO(a_socket_blocks_for_both, .where = ON_KERNEL),
        CORO(a_listener_is_left_alone, .where = ON_KERNEL),
    };

    return test_main("spawn", cases, COUNT(cases));
}
