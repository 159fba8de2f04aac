/* SPDX-License-Identifier: MIT */
/* Operations on plain files, which run off the loop: bytes that are written are read
 * again, at every length and offset; errors are those of the system calls; an op that does
 * not complete leaves nothing open. */
#include "config.h"

#include "tests/support/child.h"
#include "tests/support/support.h"

#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define MS CG_MILLISECOND

static char folder[] = "/tmp/cogen-disk-XXXXXX";

static const char *path_of(const char *name)
{
    static char path[64];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static int open_new(const char *name)
{
    ssize_t fd = cg_yield(cg_open_file(path_of(name), O_RDWR | O_CREAT | O_TRUNC));

    ck_assert_int_ge(fd, 0);
    return (int)fd;
}

/* Bytes that were written are read again at the same offset, also if they are more than
 * one system call moves. */
static ssize_t bytes_come_back(void *arg)
{
    enum { LEN = 2 * CG_DISK_PIECE + 4321 };
    char *out = malloc(LEN), *in = malloc(LEN), few[8];
    uint64_t seed = 3;
    size_t moved = 1;
    int fd = open_new("bytes");

    (void)arg;
    for (size_t i = 0; i < LEN; i++)
        out[i] = (char)test_random(&seed);
    IS(cg_yield(cg_write_file(fd, out, LEN, 10, .moved = &moved)), LEN);
    ck_assert_uint_eq(moved, LEN);
    IS(cg_yield(cg_read_file(fd, in, LEN, 10)), LEN);
    ck_assert_int_eq(memcmp(in, out, LEN), 0);
    IS(cg_yield(cg_read_file(fd, few, sizeof few, 8)), sizeof few);
    ck_assert_int_eq(memcmp(few, "\0\0", 2), 0); /* a hole */
    ck_assert_int_eq(memcmp(few + 2, out, 6), 0);
    IS(lseek(fd, 0, SEEK_CUR), 0); /* the file's position has not moved */
    IS(cg_yield(cg_read_file(fd, in, LEN, LEN, .moved = &moved)), 10);
    ck_assert_uint_eq(moved, 10);
    IS(cg_yield(cg_read_file(fd, in, LEN, LEN + 10)), 0);
    IS(cg_yield(cg_sync_file(fd)), 0);
    IS(cg_yield(cg_sync_file(fd, .data_only = true)), 0);
    close(fd);
    free(out);
    free(in);
    return 0;
}

/* Files are found, renamed and removed by name, also relative to a directory. */
static ssize_t names(void *arg)
{
    int dir = open(folder, O_RDONLY | O_DIRECTORY), fd = open_new("old");
    struct stat st;

    (void)arg;
    IS(cg_yield(cg_write_file(fd, "12345", 5, 0)), 5);
    IS(cg_yield(cg_stat_file(NULL, &st, .dir = fd)), 0);
    IS(st.st_size, 5);
    close(fd);
    IS(cg_yield(cg_rename_file("old", "new", .dir = dir)), 0);
    IS(cg_yield(cg_stat_file("old", &st, .dir = dir)), -ENOENT);
    IS(cg_yield(cg_stat_file(path_of("new"), &st)), 0);
    IS(st.st_size, 5);
    IS(symlink("nowhere", path_of("link")), 0);
    IS(cg_yield(cg_stat_file("link", &st, .dir = dir)), -ENOENT);
    IS(cg_yield(cg_stat_file("link", &st, .dir = dir, .no_follow = true)), 0);
    ck_assert(S_ISLNK(st.st_mode));
    IS(cg_yield(cg_remove_file("link", .dir = dir)), 0);
    IS(cg_yield(cg_remove_file("new", .dir = dir)), 0);
    IS(cg_yield(cg_remove_file("new", .dir = dir)), -ENOENT);
    fd = (int)cg_yield(cg_open_file("private", O_WRONLY | O_CREAT, .dir = dir, .mode = 0600));
    IS(cg_yield(cg_stat_file(NULL, &st, .dir = fd)), 0);
    IS(st.st_mode & 0777, 0600);
    ck_assert_int_ne(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
    close(fd);
    close(dir);
    return 0;
}

static ssize_t refused(void *arg)
{
    char byte;

    (void)arg;
    IS(cg_yield(cg_open_file(path_of("missing"), O_RDONLY)), -ENOENT);
    IS(cg_yield(cg_open_file(folder, O_WRONLY)), -EISDIR);
    IS(cg_yield(cg_read_file(-1, &byte, 1, 0)), -EBADF);
    IS(cg_yield(cg_write_file(-1, "x", 1, 0)), -EBADF);
    IS(cg_yield(cg_sync_file(-1)), -EBADF);
    IS(cg_yield(cg_rename_file(path_of("missing"), "anywhere")), -ENOENT);
    return 0;
}

static sem_t gate;

static ssize_t waits_at_the_gate(void *arg)
{
    (void)arg;
    while (sem_wait(&gate) < 0)
        continue;
    return 0;
}

static ssize_t occupies(void *pool)
{
    return cg_yield(cg_offload(waits_at_the_gate, NULL, .pool = pool));
}

/* An op that times out while it is queued has done nothing. */
static ssize_t taken_back(void *arg)
{
    struct cg_pool *pool = cg_pool_new(1, 1);
    struct cg_coro *other;
    struct stat st;

    (void)arg;
    sem_init(&gate, 0, 0);
    other = test_start(occupies, pool);
    test_until_waiting(other);
    IS(cg_yield(cg_open_file(path_of("late"), O_WRONLY | O_CREAT, .pool = pool,
                             .timeout = 5 * MS)),
       -ETIMEDOUT);
    sem_post(&gate);
    test_end(other);
    IS(cg_yield(cg_stat_file(path_of("late"), &st)), -ENOENT);
    cg_pool_free(pool);
    return 0;
}

static unsigned open_descriptors(void)
{
    unsigned count = 0;

    for (int fd = 0; fd < 256; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

/* A file that was opened for an op that loses its race is closed again. */
static ssize_t opened_too_late(void *arg)
{
    unsigned before;

    (void)arg;
    close(open_new("raced"));
    before = open_descriptors();
    for (int i = 0; i < 50; i++) {
        struct cg_op *open = cg_open_file(path_of("raced"), O_RDONLY);
        struct cg_op *other = cg_sleep(i * MS / 50);
        ssize_t winner = cg_yield(cg_any((open, other)));

        ck_assert_int_ge(winner, 0);
        if (winner == 0)
            close((int)cg_op_result(open));
        else
            IS(cg_op_result(open), -ECANCELED);
    }
    ck_assert_uint_eq(open_descriptors(), before);
    return 0;
}

/* A pipe has no offsets: it is refused, and its bytes stay. No file has an offset below 0. */
static ssize_t no_plain_file(void *arg)
{
    int ends[2], fd = open("/bin/sh", O_RDONLY);
    char byte;

    (void)arg;
    IS(cg_yield(cg_read_file(fd, &byte, 1, -1)), -EINVAL);
    close(fd);
    OK(pipe(ends));
    ck_assert_int_eq(write(ends[1], "x", 1), 1);
    IS(cg_yield(cg_read_file(ends[0], &byte, 1, 0)), -ESPIPE);
    IS(cg_yield(cg_write_file(ends[1], "y", 1, 0)), -ESPIPE);
    ck_assert_int_eq(read(ends[0], &byte, 1), 1);
    close(ends[0]);
    close(ends[1]);
    return 0;
}

/* The properties are those of stat(2), field by field. */
static ssize_t properties(void *arg)
{
    static const char *const paths[] = {"/dev/null", "/", "/bin/sh"};

    (void)arg;
    for (size_t i = 0; i < COUNT(paths); i++) {
        struct stat want, st;

        OK(stat(paths[i], &want));
        IS(cg_yield(cg_stat_file(paths[i], &st)), 0);
        ck_assert(st.st_dev == want.st_dev && st.st_ino == want.st_ino &&
                  st.st_mode == want.st_mode && st.st_nlink == want.st_nlink &&
                  st.st_uid == want.st_uid && st.st_gid == want.st_gid &&
                  st.st_rdev == want.st_rdev && st.st_size == want.st_size &&
                  st.st_blksize == want.st_blksize && st.st_blocks == want.st_blocks);
        ck_assert(st.st_mtim.tv_sec == want.st_mtim.tv_sec &&
                  st.st_mtim.tv_nsec == want.st_mtim.tv_nsec &&
                  st.st_ctim.tv_nsec == want.st_ctim.tv_nsec);
    }
    return 0;
}

/* Returns the number of descriptors that are open. */
static unsigned make_fifo(void)
{
    unlink(path_of("fifo")); /* of a case that has failed */
    OK(mkfifo(path_of("fifo"), 0600));
    return open_descriptors();
}

/* Lets an open that still waits for the other end of the fifo return, if there is one. */
static ssize_t opens_the_other_end(void *arg)
{
    int fd;

    (void)arg;
    OK(cg_yield(cg_sleep(20 * MS)));
    fd = open(path_of("fifo"), O_RDWR | O_NONBLOCK);
    OK(fd);
    OK(cg_yield(cg_sleep(20 * MS)));
    close(fd);
    return 0;
}

/* An open that the kernel holds can time out; afterwards nothing is open. */
static ssize_t held_by_the_kernel(void *arg)
{
    unsigned before = make_fifo();
    struct cg_coro *other = test_start(opens_the_other_end, NULL);

    (void)arg;
    IS(cg_yield(cg_open_file(path_of("fifo"), O_RDONLY, .timeout = 5 * MS)), -ETIMEDOUT);
    OK(test_end(other));
    ck_assert_uint_eq(open_descriptors(), before);
    OK(unlink(path_of("fifo")));
    return 0;
}

static ssize_t opens_fifo(void *arg)
{
    (void)arg;
    return cg_yield(cg_open_file(path_of("fifo"), O_RDONLY));
}

static ssize_t is_not_here(void *coro)
{
    SURE(cg_yield(cg_join(coro)) == -ESRCH);
    return 0;
}

/* In a child made by fork() a call that is on its way stays the parent's. */
static ssize_t child_makes_no_call(void *arg)
{
    struct cg_coro *coro;
    int fd, opened;

    (void)arg;
    make_fifo();
    coro = test_start(opens_fifo, NULL);
    test_until_waiting(coro);
    child_ended_well(child_fork(is_not_here, coro));
    fd = open(path_of("fifo"), O_RDWR | O_NONBLOCK); /* the parent's call goes on */
    OK(fd);
    OK(opened = (int)test_end(coro));
    close(opened);
    close(fd);
    OK(unlink(path_of("fifo")));
    return 0;
}

static ssize_t reads_byte(void *at)
{
    char byte;

    IS(cg_yield(cg_read_file(*(int *)at, &byte, 1, (intptr_t)at % 5)), 1);
    return byte - "12345"[(intptr_t)at % 5];
}

/* More calls at once than the queue of a ring has places. */
static ssize_t many_at_once(void *arg)
{
    enum { MANY = 700 };
    static int fds[MANY];
    struct cg_group group;
    int fd = open_new("bytes");

    (void)arg;
    IS(cg_yield(cg_write_file(fd, "12345", 5, 0)), 5);
    cg_group_open(&group);
    for (int i = 0; i < MANY; i++) {
        fds[i] = fd;
        OK(cg_yield(cg_add_to_group(&group, reads_byte, &fds[i])));
    }
    IS(cg_yield(cg_wait_group(&group)), 0);
    close(fd);
    return 0;
}

static ssize_t printed(void *arg)
{
    struct cg_op *read = cg_read_file(7, NULL, 12, 0);
    struct cg_op *open = cg_open_file("/a/b", O_RDONLY);
    char text[100];

    (void)arg;
    cg_op_print(read, text, sizeof text);
    ck_assert_ptr_nonnull(strstr(text, "read_file fd 7, 0/12"));
    cg_op_print(open, text, sizeof text);
    ck_assert_ptr_nonnull(strstr(text, "open_file /a/b"));
    return 0;
}

static void remove_folder(void)
{
    static const char *const left[] = {"bytes", "fifo", "private", "raced"};

    for (size_t i = 0; i < COUNT(left); i++)
        unlink(path_of(left[i]));
    rmdir(folder);
}

int main(void)
{
    static const struct test_case cases[] = {
        CORO(bytes_come_back),
        CORO(names),
        CORO(refused),
        CORO(taken_back, .where = ON_KERNEL),
        CORO(opened_too_late),
        CORO(no_plain_file),
        CORO(properties),
        CORO(held_by_the_kernel, .where = ON_KERNEL),
        CORO(child_makes_no_call, .where = ON_KERNEL),
        CORO(many_at_once),
        CORO(printed),
    };
    int failed;

    if (mkdtemp(folder) == NULL)
        return 1;
    failed = test_main("disk", cases, COUNT(cases));
    remove_folder();
    return failed;
}
