/* SPDX-License-Identifier: MIT */
/* Calls of cg_restart, cg_ready and cg_notify that are refused: nothing of the attempt is
 * left, and the program goes on. What cannot be handed over is left out. This program is its
 * own successor. */
#include "config.h"

#include "tests/support/support.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* Which call fails, after how many others, and with what. 0: none. */
static struct refusal {
    int error, after;
} opening_socket, sending, opening_pipe, writing, looking, reading;

static bool refused(struct refusal *refusal)
{
    if (refusal->error == 0 || refusal->after-- > 0)
        return false;
    errno = refusal->error;
    refusal->error = 0;
    return true;
}

int __real_socket(int family, int type, int protocol);
int __wrap_socket(int family, int type, int protocol);
ssize_t __real_sendmsg(int fd, const struct msghdr *message, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags);
int __real_pipe2(int *ends, int flags);
int __wrap_pipe2(int *ends, int flags);
ssize_t __real_write(int fd, const void *buf, size_t len);
ssize_t __wrap_write(int fd, const void *buf, size_t len);
int __real_fstat(int fd, struct stat *st);
int __wrap_fstat(int fd, struct stat *st);

int __wrap_socket(int family, int type, int protocol)
{
    return refused(&opening_socket) ? -1 : __real_socket(family, type, protocol);
}

ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags)
{
    return refused(&sending) ? -1 : __real_sendmsg(fd, message, flags);
}

int __wrap_pipe2(int *ends, int flags)
{
    return refused(&opening_pipe) ? -1 : __real_pipe2(ends, flags);
}

/* Not those by which reactors wake themselves, which are longer. */
ssize_t __wrap_write(int fd, const void *buf, size_t len)
{
    return len < sizeof(uint64_t) && refused(&writing) ? -1 : __real_write(fd, buf, len);
}

ssize_t __real_read(int fd, void *buf, size_t len);
ssize_t __wrap_read(int fd, void *buf, size_t len);

/* Of pipes. */
ssize_t __wrap_read(int fd, void *buf, size_t len)
{
    struct stat st;

    return __real_fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode) && refused(&reading)
               ? -1
               : __real_read(fd, buf, len);
}

int __wrap_fstat(int fd, struct stat *st)
{
    return refused(&looking) ? -1 : __real_fstat(fd, st);
}

/* The successor. It says by its exit code whether it found what it should. */
static ssize_t succeed(void *arg)
{
    const char *how = arg;
    char buf[8];
    ssize_t n = cg_handover_take("test", buf, sizeof buf);

    if (n != (strcmp(how, "bytes") == 0 ? 3 : -ENOENT))
        return -ENOMSG;
    if (strcmp(how, "mute") == 0)
        writing = (struct refusal){.error = EIO};
    n = cg_ready();
    return strcmp(how, "mute") == 0 ? (n == -EIO ? 0 : -EPROTO) : n;
}

static size_t fill(void *arg, void *buf)
{
    memcpy(buf, arg, 3);
    return 3;
}

static struct cg_handover handover = {.name = "test", .fill = fill, .arg = "one"};

static ssize_t restart(const char *how)
{
    char *argv[] = {"/proc/self/exe", "successor", (char *)how, NULL};

    return cg_yield(cg_restart(argv));
}

static void no_children(void)
{
    IS(waitpid(-1, NULL, WNOHANG), -1);
    ck_assert_int_eq(errno, ECHILD);
}

/* Without a pipe, or what is known of it, there is no successor. One that cannot tell that
 * it serves, or cannot be heard, is ended. */
static ssize_t rolls_back(void *arg)
{
    int fds = test_count_fds();

    (void)arg;
    opening_pipe = (struct refusal){.error = EMFILE};
    IS(restart("plain"), -EMFILE);
    opening_pipe = (struct refusal){.error = ENFILE};
    IS(restart("plain"), -ENFILE);
    looking = (struct refusal){.error = EIO};
    IS(restart("plain"), -ENOMEM);
    IS(test_count_fds(), fds);
    if (strcmp(test_reactor(), "io_uring") != 0) { /* there the kernel reads */
        reading = (struct refusal){.error = EIO};
        IS(restart("plain"), -EIO);
        IS(reading.error, 0);
    }
    IS(restart("mute"), -EPIPE);
    no_children();
    IS(restart("plain"), 0);
    return 0;
}

/* If the bytes cannot be handed over, there is no successor, and the next restart hands them over. */
static ssize_t hands_over(void *arg)
{
    int status, fds;

    (void)arg;
    OK(cg_handover_add(&handover));
    fds = test_count_fds();
    opening_pipe = (struct refusal){.error = EMFILE, .after = 1};
    IS(restart("bytes"), -EMFILE);
    writing = (struct refusal){.error = EAGAIN};
    IS(restart("bytes"), -EAGAIN);
    IS(test_count_fds(), fds);
    no_children();
    IS(restart("bytes"), 0);
    cg_handover_remove(&handover);
    if (waitpid(-1, &status, 0) > 0) /* it may have ended before the hand-over */
        IS(status, 0);
    return 0;
}

/* A message that cannot be sent is reported, and no descriptor is left of it. */
static void notifies(void)
{
    static const int errors[] = {EAGAIN, ECONNREFUSED, ENOBUFS, EPERM};
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    char path[CG_ADDR_SIZE], text[64];
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0), fds;

    test_unix_path(path);
    strcpy(addr.sun_path, path + 5);
    OK(bind(fd, (struct sockaddr *)&addr, sizeof addr));
    OK(setenv("NOTIFY_SOCKET", addr.sun_path, 1));
    fds = test_count_fds();
    opening_socket = (struct refusal){.error = EMFILE};
    IS(cg_notify("READY=1", NULL, 0), -EMFILE);
    for (size_t i = 0; i < COUNT(errors); i++) {
        sending = (struct refusal){.error = errors[i]};
        IS(cg_notify("FDSTORE=1", &fd, 1), -errors[i]);
        sending = (struct refusal){.error = errors[i]};
        IS(cg_ready(), -errors[i]);
    }
    IS(test_count_fds(), fds);
    IS(cg_ready(), 0);
    IS(recv(fd, text, sizeof text, MSG_DONTWAIT), 7);
    IS(recv(fd, text, sizeof text, MSG_DONTWAIT), -1);
    close(fd);
    unlink(addr.sun_path);
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        CORO(rolls_back, .where = ON_KERNEL),
        CORO(hands_over, .where = ON_KERNEL),
        PLAIN(notifies, .where = ON_SIM),
    };

    if (argc > 2 && strcmp(argv[1], "successor") == 0)
        return (int)-cg_main(NULL, succeed, argv[2]) & 127;
    return test_main("refused_restart", cases, COUNT(cases));
}
