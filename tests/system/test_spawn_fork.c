/* SPDX-License-Identifier: MIT */
/* What a process gets that is started by fork: a session, a terminal, a user, limits; and
 * which step has failed. */
#include "config.h"

#include "system/process/spawn.h"
#include "tests/system/processes.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static bool cannot_fork, cannot_read;

pid_t fork(void)
{
    pid_t (*real)(void);

    if (cannot_fork) {
        errno = EAGAIN;
        return -1;
    }
    *(void **)&real = dlsym(RTLD_NEXT, "fork");
    return real();
}

ssize_t read(int fd, void *buf, size_t size)
{
    static ssize_t (*real)(int fd, void *buf, size_t size);

    if (cannot_read) {
        errno = EIO;
        return -1;
    }
    if (real == NULL)
        *(void **)&real = dlsym(RTLD_NEXT, "read");
    return real(fd, buf, size);
}

static int start(char *script, const struct cg_spawn_options *options,
                 struct cg_process **process)
{
    return cg_process_spawn_with(cg_sched_self(), SH(script), options, process);
}

static void ended(ssize_t result, struct cg_process *process)
{
    IS(cg_yield(cg_wait_process(process)), result);
    cg_process_close(process);
}

/* It leads a session, and with it a group. */
static ssize_t session(void *arg)
{
    struct cg_process *process;
    pid_t pid;

    (void)arg;
    OK(cg_process_spawn(cg_sched_self(), SH("read line"), &process, .in = CG_STDIO_PIPE,
                        .session = true, .group = true));
    pid = cg_process_pid(process);
    ck_assert_int_eq(getsid(pid), pid);
    ck_assert_int_eq(getpgid(pid), pid);
    ck_assert_int_ne(getsid(0), pid);
    OK(cg_process_kill(process, SIGKILL));
    ended(CG_EXIT_SIGNAL + SIGKILL, process);
    return 0;
}

/* A shell in a terminal of its own has job control: /dev/tty is that terminal, and an
 * interrupt typed there ends its foreground. */
static ssize_t terminal(void *arg)
{
    int control = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK), end;
    struct cg_process *process;
    struct cg_sock *screen;
    char line[64];

    (void)arg;
    if (control < 0 || grantpt(control) < 0 || unlockpt(control) < 0)
        return 0;
    end = open(ptsname(control), O_RDWR | O_NOCTTY | O_CLOEXEC);
    OK(end);
    OK(cg_sock_attach(cg_sched_self(), control, &screen));
    OK(cg_process_spawn(cg_sched_self(), SH("echo mine >/dev/tty; read line"), &process,
                        .in = end, .out = end, .err = end, .terminal = true));
    close(end);
    IS(cg_yield(cg_readline(screen, line, sizeof line)), 6);
    ck_assert_int_eq(strncmp(line, "mine\r\n", 6), 0);
    ck_assert_int_eq(getsid(cg_process_pid(process)), cg_process_pid(process));
    IS(cg_yield(cg_writeall(screen, "\003", 1)), 1);
    ended(CG_EXIT_SIGNAL + SIGINT, process);
    cg_sock_close(screen);
    return 0;
}

static ssize_t limits(void *arg)
{
    static const struct cg_spawn_limit some[] = {{RLIMIT_NOFILE, 50, 60},
                                                 {RLIMIT_CORE, 0, UINT64_MAX}};
    static const struct cg_spawn_limit none[] = {{9999, 1, 1}};
    struct cg_process *process = NULL;
    const char *failed = NULL;
    struct rlimit core;

    (void)arg;
    OK(getrlimit(RLIMIT_CORE, &core));
    OK(cg_process_spawn(cg_sched_self(), SH("ulimit -Sn; ulimit -Hn"), &process,
                        .out = CG_STDIO_PIPE, .limits = some,
                        .nlimits = 1 + (core.rlim_max == RLIM_INFINITY)));
    expect("50\n60\n", 0, process);
    process = NULL;
    IS(cg_process_spawn(cg_sched_self(), SH("exit 0"), &process, .limits = none, .nlimits = 1,
                        .failed = &failed),
       -EINVAL);
    ck_assert_str_eq(failed, "limits");
    ck_assert_ptr_null(process);
    no_children();
    return 0;
}

/* It is another user with the groups that were given and no others. */
static ssize_t user(void *arg)
{
    static const gid_t groups[] = {7, 8};
    static const struct cg_spawn_user one = {
        .uid = 12345, .gid = 23456, .groups = groups, .ngroups = 2};
    static const struct cg_spawn_user alone = {.uid = 12345, .gid = 23456};
    struct cg_process *process = NULL;
    const char *failed;

    (void)arg;
    if (getuid() != 0) {
        IS(cg_process_spawn(cg_sched_self(), SH("exit 0"), &process, .user = &one,
                            .failed = &failed),
           -EPERM);
        ck_assert_str_eq(failed, "groups");
        return 0;
    }
    OK(cg_process_spawn(cg_sched_self(), SH("id -u; id -g; id -G"), &process,
                        .out = CG_STDIO_PIPE, .user = &one));
    expect("12345\n23456\n23456 7 8\n", 0, process);
    OK(cg_process_spawn(cg_sched_self(), SH("id -G"), &process, .out = CG_STDIO_PIPE,
                        .user = &alone));
    expect("23456\n", 0, process);
    return 0;
}

/* The directory is entered as the user. */
static ssize_t users_directory(void *arg)
{
    static const struct cg_spawn_user one = {.uid = 12345, .gid = 23456};
    char path[] = "/tmp/cogen-test-XXXXXX";
    struct cg_process *process = NULL;
    const char *failed;

    (void)arg;
    if (getuid() != 0)
        return 0;
    ck_assert_ptr_nonnull(mkdtemp(path)); /* only its owner may enter */
    IS(cg_process_spawn(cg_sched_self(), SH("exit 0"), &process, .dir = path, .user = &one,
                        .failed = &failed),
       -EACCES);
    ck_assert_str_eq(failed, "dir");
    OK(rmdir(path));
    no_children();
    return 0;
}

/* Two steps with the same error are told apart; nothing is left of the attempt. */
static ssize_t steps_that_fail(void *arg)
{
    static char *const nothing[] = {"no-such-program", NULL}, *const folder[] = {"/", NULL};
    struct cg_sched *sched = cg_sched_self();
    struct cg_process *process = NULL;
    const char *failed;

    (void)arg;
    IS(cg_process_spawn(sched, nothing, &process, .failed = &failed), -ENOENT);
    ck_assert_str_eq(failed, "program");
    IS(cg_process_spawn(sched, folder, &process, .failed = &failed), -EACCES);
    ck_assert_str_eq(failed, "program");
    IS(start("exit 0", &(struct cg_spawn_options){.dir = "/no/such", .failed = &failed},
             &process),
       -ENOENT);
    ck_assert_str_eq(failed, "dir");
    IS(start("exit 0", &(struct cg_spawn_options){.in = CG_STDIO_NULL, .terminal = true,
                                                  .failed = &failed},
             &process),
       -ENOTTY);
    ck_assert_str_eq(failed, "terminal");
    IS(start("exit 0", &(struct cg_spawn_options){.in = 99, .failed = &failed}, &process),
       -EBADF);
    ck_assert_ptr_null(failed);
    cannot_fork = true;
    IS(start("exit 0", &(struct cg_spawn_options){.failed = &failed}, &process), -EAGAIN);
    cannot_fork = false;
    ck_assert_ptr_null(failed);
    ck_assert_ptr_null(process);
    no_children();
    OK(start("exit 3", &(struct cg_spawn_options){.failed = &failed}, &process));
    ck_assert_ptr_null(failed);
    ended(3, process);
    return 0;
}

/* A program is searched for in PATH as execvp does. */
static ssize_t search(void *arg)
{
    static const struct {
        const char *path;
        int rc;
    } table[] = {{"/no/such:/bin", 0}, {":/bin", 0}, {"/bin:", 0}, {"/etc/passwd:/bin", 0},
                 {"/no/such", -ENOENT}, {"", -ENOENT}, {NULL, 0}};
    char *before = strdup(getenv("PATH"));
    const char *failed;

    (void)arg;
    for (size_t i = 0; i < COUNT(table); i++) {
        struct cg_process *process = NULL;
        int rc;

        if (table[i].path != NULL)
            setenv("PATH", table[i].path, 1);
        else
            unsetenv("PATH");
        rc = cg_process_spawn(cg_sched_self(), ((char *[]){"true", NULL}), &process,
                              .failed = &failed);
        setenv("PATH", before, 1);
        IS(rc, table[i].rc);
        if (rc == 0)
            ended(0, process);
    }
    free(before);
    return 0;
}

/* It has the descriptors that were given, blocking, and no others, whether or not the kernel
 * can mark them at once. */
static ssize_t descriptors(void *arg)
{
    static char script[] = "cat <&3; (cat <&9) 2>/dev/null && echo open || echo closed";
    struct cg_process *process;
    int ends[2];

    (void)arg;
    for (int round = 0; round < 2; round++) {
        cg__spawn_may_closefrom = round == 0;
        OK(pipe(ends));
        ck_assert_int_eq(write(ends[1], "given\n", 6), 6);
        close(ends[1]);
        OK(dup2(ends[0], 9));
        OK(cg_process_spawn(cg_sched_self(), SH(script), &process, .out = CG_STDIO_PIPE,
                            .fds = ends, .nfds = 1, .session = true));
        close(ends[0]);
        close(9);
        expect("given\nclosed\n", 0, process);
    }
    cg__spawn_may_closefrom = true;
    return 0;
}

/* It has no blocked signal, and none that is ignored. */
static ssize_t signals(void *arg)
{
    void (*before)(int) = signal(SIGTERM, SIG_IGN);
    struct cg_process *process;
    sigset_t blocked, mask;

    (void)arg;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &blocked, &mask);
    OK(cg_process_spawn(cg_sched_self(), SH("kill -TERM $$"), &process, .session = true));
    pthread_sigmask(SIG_SETMASK, &mask, NULL);
    signal(SIGTERM, before);
    ended(CG_EXIT_SIGNAL + SIGTERM, process);
    return 0;
}

/* Whichever descriptor cannot be opened, nothing is left of the attempt. */
static ssize_t out_of_descriptors(void *arg)
{
    struct cg_process *process = NULL;
    struct rlimit before, limit;
    int fds = test_count_fds(), room = 0, lowest = fcntl(0, F_DUPFD, 3), rc;
    const char *failed;

    (void)arg;
    OK(lowest);
    close(lowest);
    OK(getrlimit(RLIMIT_NOFILE, &before));
    do {
        limit = before;
        limit.rlim_cur = (rlim_t)(lowest + room++);
        OK(setrlimit(RLIMIT_NOFILE, &limit));
        rc = cg_process_spawn(cg_sched_self(), SH("exit 8"), &process, .out = CG_STDIO_PIPE,
                              .fds = (int[]){0}, .nfds = 1, .failed = &failed);
        OK(setrlimit(RLIMIT_NOFILE, &before));
        if (rc < 0) {
            IS(rc, -EMFILE);
            IS(test_count_fds(), fds);
        }
    } while (rc < 0);
    IS(cg_yield(cg_communicate(process, NULL, 0)), 8);
    cg_process_close(process);
    return 0;
}

/* If nobody can say whether the program runs, it is ended, and the call does not wait for its own
 * end. */
static ssize_t unknown_outcome(void *arg)
{
    struct cg_process *process;
    int rc;

    (void)arg;
    cannot_read = true;
    rc = cg_process_spawn(cg_sched_self(), SH("exec sleep 1000"), &process, .session = true);
    cannot_read = false;
    IS(rc, -EIO);
    ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
    ck_assert_int_eq(errno, ECHILD);
    return 0;
}

static const struct test_case cases[] = {
    CORO(session, .where = ON_KERNEL),
    CORO(terminal, .where = ON_KERNEL),
    CORO(limits, .where = ON_KERNEL),
    CORO(user, .where = ON_KERNEL),
    CORO(users_directory, .where = ON_KERNEL),
    CORO(steps_that_fail, .where = ON_KERNEL),
    CORO(search, .where = ON_KERNEL),
    CORO(descriptors, .where = ON_KERNEL),
    CORO(signals, .where = ON_KERNEL),
    CORO(out_of_descriptors, .where = ON_KERNEL),
    CORO(unknown_outcome, .where = ON_KERNEL),
};

int main(void)
{
    return test_main("spawn_fork", cases, COUNT(cases));
}
