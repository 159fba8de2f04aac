/* SPDX-License-Identifier: MIT */
/* The file of a UNIX listener: who removes it, when, and which file is taken over. */
#include "config.h"

#include "tests/support/support.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static struct cg_sock *listen_at(const char *addr, bool take_over)
{
    struct cg_sock *listener;

    OK(cg_sock_listen(cg_sched_self(), addr, &listener, .take_over = take_over));
    return listener;
}

/* Whether the kernel has a UNIX socket of this number. */
static bool has_socket(ino_t wanted)
{
    FILE *list = fopen("/proc/net/unix", "r");
    unsigned long number;
    char line[512];
    bool found = false;

    while (list != NULL && !found && fgets(line, sizeof line, list) != NULL)
        found = sscanf(line, "%*s %*s %*s %*s %*s %*s %lu", &number) == 1 && number == wanted;
    if (list != NULL)
        fclose(list);
    return found;
}

/* Closes the listener and waits until the kernel, with io_uring, has released it. */
static void close_listener(struct cg_sock *listener)
{
    struct stat file;

    IS(fstat(cg_sock_fd(listener), &file), 0);
    cg_sock_close(listener);
    while (has_socket(file.st_ino))
        IS(cg_yield(cg_sleep(CG_MILLISECOND)), 0);
}

static void check_serves(const char *addr)
{
    struct cg_sock *conn;

    OK(cg_yield(cg_connect(addr, &conn)));
    cg_sock_close(conn);
}

/* Leaves the file that a killed server leaves. */
static void leave_behind(const char *path, int type)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, type, 0);

    strcpy(un.sun_path, path);
    IS(bind(fd, (struct sockaddr *)&un, sizeof un), 0);
    close(fd);
}

/* A listener removes only the path that it has bound: not one that was there before, and
 * not one that another program has put in its place. */
static ssize_t unix_paths(void *arg)
{
    struct cg_sched *sched = cg_sched_self();
    struct cg_sock *first, *second, *other;
    char addr[CG_ADDR_SIZE], text[CG_ADDR_SIZE];
    const char *path = addr + strlen("unix:");

    (void)arg;
    test_unix_path(addr);
    OK(cg_sock_listen(sched, addr, &first));
    OK(cg_sock_local_addr(first, text, sizeof text));
    ck_assert_str_eq(text, addr);
    IS(access(path, F_OK), 0);
    IS(cg_sock_listen(sched, addr, &second), -EADDRINUSE);
    IS(access(path, F_OK), 0);
    IS(unlink(path), 0);
    OK(cg_sock_listen(sched, addr, &second));
    cg_sock_close(first);
    IS(cg_yield(cg_sleep(CG_MILLISECOND)), 0);
    IS(access(path, F_OK), 0);
    OK(cg_yield(cg_connect(addr, &other)));
    cg_sock_close(other);
    cg_sock_close(second);
    IS(cg_yield(cg_sleep(CG_MILLISECOND)), 0);
    IS(access(path, F_OK), -1);
    return 0;
}

/* The path is also removed when the process has changed its directory, and when the folder
 * was renamed. */
static ssize_t after_chdir(void *arg)
{
    char dir[] = "/tmp/cogen-test-XXXXXX", moved[sizeof dir + 2], path[sizeof moved + 8];
    int here = open(".", O_RDONLY | O_DIRECTORY);
    struct cg_sock *listener;

    (void)arg;
    ck_assert_ptr_nonnull(mkdtemp(dir));
    IS(chdir(dir), 0);
    listener = listen_at("unix:socket", false);
    IS(chdir("/"), 0);
    snprintf(moved, sizeof moved, "%s.m", dir);
    IS(rename(dir, moved), 0);
    snprintf(path, sizeof path, "%s/socket", moved);
    IS(access(path, F_OK), 0);
    close_listener(listener);
    IS(access(path, F_OK), -1);
    IS(rmdir(moved), 0);
    IS(fchdir(here), 0);
    close(here);
    return 0;
}

/* A path without a listener is taken over if an option says so, whatever kind of socket
 * left it. Then it belongs to the new listener. */
static ssize_t takes_over(void *arg)
{
    static const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};
    struct cg_sock *listener;
    char addr[CG_ADDR_SIZE];
    const char *path = addr + strlen("unix:");

    (void)arg;
    for (size_t i = 0; i < COUNT(types); i++) {
        test_unix_path(addr);
        leave_behind(path, types[i]);
        IS(cg_sock_listen(cg_sched_self(), addr, &listener), -EADDRINUSE);
        listener = listen_at(addr, true);
        check_serves(addr);
        close_listener(listener);
        IS(access(path, F_OK), -1);
    }
    listener = listen_at(addr, true); /* without a file the option has no effect */
    close_listener(listener);
    IS(access(path, F_OK), -1);
    return 0;
}

/* Nothing else is taken over: the path of a server that listens or has a full backlog, a
 * file that is not a socket, or a path that another process is about to take. */
static ssize_t takes_no_more(void *arg)
{
    struct cg_sock *listener, *second, *waiting;
    char addr[CG_ADDR_SIZE], dir[CG_ADDR_SIZE];
    const char *path = addr + strlen("unix:");
    int fd;

    (void)arg;
    test_unix_path(addr);
    OK(cg_sock_listen(cg_sched_self(), addr, &listener, .backlog = 1));
    IS(cg_sock_listen(cg_sched_self(), addr, &second, .take_over = true), -EADDRINUSE);
    while (cg_yield(cg_connect(addr, &waiting, .timeout = CG_MILLISECOND)) == 0)
        cg_sock_close(waiting); /* until the backlog is full */
    IS(cg_sock_listen(cg_sched_self(), addr, &second, .take_over = true), -EADDRINUSE);
    IS(access(path, F_OK), 0);
    close_listener(listener);

    fd = open(path, O_CREAT | O_WRONLY, 0600);
    OK(fd);
    close(fd);
    IS(cg_sock_listen(cg_sched_self(), addr, &second, .take_over = true), -EADDRINUSE);
    IS(unlink(path), 0);

    leave_behind(path, SOCK_STREAM);
    snprintf(dir, sizeof dir, "%.*s", (int)(strrchr(path, '/') - path), path);
    fd = open(dir, O_RDONLY | O_DIRECTORY);
    IS(flock(fd, LOCK_EX), 0);
    IS(cg_sock_listen(cg_sched_self(), addr, &second, .take_over = true), -EADDRINUSE);
    IS(access(path, F_OK), 0);
    close(fd);
    close_listener(listen_at(addr, true));
    return 0;
}

/* The longest possible path, and a path in a folder that does not exist. */
static ssize_t odd_paths(void *arg)
{
    struct sockaddr_un un;
    char addr[5 + sizeof un.sun_path + 1] = "unix:/tmp/cogen-test-", text[CG_ADDR_SIZE];
    size_t length = strlen(addr);
    struct cg_sock *listener;

    (void)arg;
    memset(addr + length, 'x', sizeof addr - 1 - length);
    unlink(addr + 5);
    listener = listen_at(addr, false);
    OK(cg_sock_local_addr(listener, text, sizeof text));
    ck_assert_str_eq(text, addr);
    check_serves(addr);
    close_listener(listener);
    IS(access(addr + 5, F_OK), -1);
    IS(cg_sock_listen(cg_sched_self(), "unix:/tmp/no/such/folder", &listener), -ENOENT);
    IS(cg_sock_listen(cg_sched_self(), "unix:/tmp/", &listener, .take_over = true),
       -EADDRINUSE);
    return 0;
}

/* Permissions and owner are those that were asked for, whatever the umask. */
static ssize_t protected(void *arg)
{
    struct cg_sock *listener;
    char addr[CG_ADDR_SIZE], abstract[CG_ADDR_SIZE], owner[64];
    const char *path = addr + strlen("unix:");
    mode_t before = umask(077);
    struct stat found;

    (void)arg;
    test_unix_path(addr);
    snprintf(owner, sizeof owner, "%lu:%lu", (unsigned long)geteuid(), (unsigned long)getegid());
    OK(cg_sock_listen(cg_sched_self(), addr, &listener, .mode = 0620, .owner = owner));
    umask(before);
    IS(stat(path, &found), 0);
    ck_assert_uint_eq(found.st_mode & 0777, 0620);
    check_serves(addr);
    close_listener(listener);
    IS(cg_sock_listen(cg_sched_self(), addr, &listener, .owner = "no-such-user"), -EINVAL);
    IS(access(path, F_OK), -1);
    IS(cg_sock_listen(cg_sched_self(), addr, &listener, .owner = "0:no-such-group"), -EINVAL);
    IS(cg_sock_listen(cg_sched_self(), addr, &listener, .owner = ""), -EINVAL);
    IS(cg_sock_listen(cg_sched_self(), addr, &listener, .owner = "0:"), -EINVAL);
    IS(cg_sock_listen(cg_sched_self(), "127.0.0.1:0", &listener, .mode = 0600), -EINVAL);
    snprintf(abstract, sizeof abstract, "unix:@cogen-test-%d", (int)getpid());
    IS(cg_sock_listen(cg_sched_self(), abstract, &listener, .mode = 0600), -EINVAL);
    IS(cg_sock_listen(cg_sched_self(), abstract, &listener, .owner = owner), -EINVAL);
    if (geteuid() != 0)
        return 0;
    OK(cg_sock_listen(cg_sched_self(), addr, &listener, .owner = "nobody"));
    IS(stat(path, &found), 0);
    ck_assert_uint_ne(found.st_uid, 0);
    ck_assert_uint_eq(found.st_gid, getegid());
    close_listener(listener);
    OK(cg_sock_listen(cg_sched_self(), addr, &listener, .owner = ":12345"));
    IS(stat(path, &found), 0);
    ck_assert_uint_eq(found.st_gid, 12345);
    close_listener(listener);
    return 0;
}

/* After cg_sock_set_unlink(listener, false) the file stays when the listener is closed, so
 * that a copy of the listener can still be reached. */
static ssize_t stays(void *arg)
{
    struct cg_sock *listener, *copy, *conn;
    char addr[CG_ADDR_SIZE];
    int fd;

    (void)arg;
    test_unix_path(addr);
    listener = listen_at(addr, false);
    fd = (int)OK(dup(cg_sock_fd(listener)));
    OK(cg_sock_set_unlink(listener, false));
    cg_sock_close(listener); /* the copy keeps the socket */
    OK(cg_sock_attach(cg_sched_self(), fd, &copy));
    check_serves(addr);
    IS(cg_sock_set_unlink(copy, true), -EOPNOTSUPP);
    OK(cg_yield(cg_accept(copy, &conn)));
    IS(cg_sock_set_unlink(conn, false), -EOPNOTSUPP);
    cg_sock_close(conn);
    close_listener(copy);
    listener = listen_at(addr, true);
    OK(cg_sock_set_unlink(listener, false));
    OK(cg_sock_set_unlink(listener, true));
    close_listener(listener);
    IS(access(addr + 5, F_OK), -1);
    return 0;
}

static const struct test_case cases[] = {
    CORO(unix_paths, .where = ON_KERNEL),
    CORO(after_chdir, .where = ON_KERNEL),
    CORO(takes_over, .where = ON_KERNEL),
    CORO(takes_no_more, .where = ON_KERNEL),
    CORO(odd_paths, .where = ON_KERNEL),
    CORO(protected, .where = ON_KERNEL),
    CORO(stays, .where = ON_KERNEL),
};

int main(void)
{
    return test_main("unix_path", cases, COUNT(cases));
}
