/* SPDX-License-Identifier: MIT */
/* Calls on plain files that the kernel or the disk refuses: the operation completes with the
 * error, a file that was opened nevertheless is closed, and what was moved before is told. */
#include "config.h"

#include "tests/failing/uring_results.h"
#include "tests/support/support.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* How the calls of each kind fail, counted from the next one. */
static struct refusal {
    int error;
    int after; /* as many are made first */
    int times;
} refusals[CG_FILE_REMOVE + 1];

static bool refused(enum cg_file_call call)
{
    struct refusal *refusal = &refusals[call];

    if (refusal->times == 0 || refusal->after-- > 0)
        return false;
    refusal->after = 0;
    refusal->times--;
    errno = refusal->error;
    return true;
}

static void refuse(enum cg_file_call call, int error, int after, int times)
{
    refusals[call] = (struct refusal){.error = error, .after = after, .times = times};
}

/* The calls, as threads make them. */

int __real_openat(int dir, const char *path, int flags, mode_t mode);
int __wrap_openat(int dir, const char *path, int flags, mode_t mode);
ssize_t __real_pread(int fd, void *buf, size_t len, off_t at);
ssize_t __wrap_pread(int fd, void *buf, size_t len, off_t at);
ssize_t __real_pwrite(int fd, const void *buf, size_t len, off_t at);
ssize_t __wrap_pwrite(int fd, const void *buf, size_t len, off_t at);
int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);
int __real_fstatat(int dir, const char *path, struct stat *st, int flags);
int __wrap_fstatat(int dir, const char *path, struct stat *st, int flags);
int __real_renameat(int from, const char *path, int to, const char *name);
int __wrap_renameat(int from, const char *path, int to, const char *name);
int __real_unlinkat(int dir, const char *path, int flags);
int __wrap_unlinkat(int dir, const char *path, int flags);

int __wrap_openat(int dir, const char *path, int flags, mode_t mode)
{
    return refused(CG_FILE_OPEN) ? -1 : __real_openat(dir, path, flags, mode);
}

ssize_t __wrap_pread(int fd, void *buf, size_t len, off_t at)
{
    return refused(CG_FILE_READ) ? -1 : __real_pread(fd, buf, len, at);
}

ssize_t __wrap_pwrite(int fd, const void *buf, size_t len, off_t at)
{
    return refused(CG_FILE_WRITE) ? -1 : __real_pwrite(fd, buf, len, at);
}

int __wrap_fsync(int fd)
{
    return refused(CG_FILE_SYNC) ? -1 : __real_fsync(fd);
}

int __wrap_fdatasync(int fd)
{
    return refused(CG_FILE_SYNC) ? -1 : __real_fdatasync(fd);
}

int __wrap_fstatat(int dir, const char *path, struct stat *st, int flags)
{
    return refused(CG_FILE_STAT) ? -1 : __real_fstatat(dir, path, st, flags);
}

int __wrap_renameat(int from, const char *path, int to, const char *name)
{
    return refused(CG_FILE_RENAME) ? -1 : __real_renameat(from, path, to, name);
}

int __wrap_unlinkat(int dir, const char *path, int flags)
{
    return refused(CG_FILE_REMOVE) ? -1 : __real_unlinkat(dir, path, flags);
}

#ifdef HAVE_LIBURING
int uring_refuses(void)
{
    return 0;
}

/* As entries of the ring: the call was made, and its result is replaced. */
void uring_result(const struct cg_io *io, int *result)
{
    if (io->code != CG_IO_FILE || *result < 0 || !refused(io->call->call))
        return;
    if (io->call->call == CG_FILE_OPEN)
        close(*result);
    *result = -refusals[io->call->call].error;
}
#endif

/* A file in a folder of its own. */

static char folder[] = "/tmp/cogen-refused-XXXXXX";
static int dir, file;

static void begin(void)
{
    strcpy(folder + strlen(folder) - 6, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    dir = open(folder, O_RDONLY | O_DIRECTORY);
    OK(dir);
    file = (int)OK(cg_yield(cg_open_file("file", O_RDWR | O_CREAT, .dir = dir)));
    IS(cg_yield(cg_write_file(file, "12345", 5, 0)), 5);
}

static void end(void)
{
    IS(cg_yield(cg_remove_file("file", .dir = dir)), 0);
    close(file);
    close(dir);
    IS(rmdir(folder), 0);
}

/* Each call once. */
static ssize_t make(enum cg_file_call call)
{
    struct stat st;
    char buf[8];
    ssize_t n;

    switch (call) {
    case CG_FILE_OPEN:
        n = cg_yield(cg_open_file("file", O_RDONLY, .dir = dir));
        if (n >= 0)
            close((int)n);
        return n < 0 ? n : 0;
    case CG_FILE_READ:
        n = cg_yield(cg_read_file(file, buf, sizeof buf, 0));
        return n == 5 ? 0 : n;
    case CG_FILE_WRITE:
        n = cg_yield(cg_write_file(file, "12345", 5, 0));
        return n == 5 ? 0 : n;
    case CG_FILE_SYNC:
        return cg_yield(cg_sync_file(file));
    case CG_FILE_STAT:
        return cg_yield(cg_stat_file("file", &st, .dir = dir));
    case CG_FILE_RENAME:
        return cg_yield(cg_rename_file("file", "file", .dir = dir));
    case CG_FILE_REMOVE:
        IS(linkat(dir, "file", dir, "other", 0), 0);
        n = cg_yield(cg_remove_file("other", .dir = dir));
        __real_unlinkat(dir, "other", 0);
        return n;
    }
    return -ENOSYS;
}

/* Every call fails with the kernel's code, and works the next time. */
static ssize_t every_call(void *arg)
{
    static const int errors[] = {EIO, ENOSPC, EACCES, ENOMEM, ESTALE, EMFILE};

    (void)arg;
    begin();
    for (enum cg_file_call call = CG_FILE_OPEN; call <= CG_FILE_REMOVE; call++)
        for (size_t i = 0; i < COUNT(errors); i++) {
            int before = test_count_fds();

            refuse(call, errors[i], 0, 1);
            IS(make(call), -errors[i]);
            refuse(call, 0, 0, 0);
            IS(make(call), 0);
            ck_assert_int_eq(test_count_fds(), before);
        }
    end();
    return 0;
}

/* A call that a signal has interrupted is made again. fsync is not: it tells of an error of
 * the disk only once. */
static ssize_t interrupted(void *arg)
{
    (void)arg;
    begin();
    for (enum cg_file_call call = CG_FILE_OPEN; call <= CG_FILE_REMOVE; call++) {
        if (call == CG_FILE_RENAME || call == CG_FILE_REMOVE)
            continue; /* under io_uring they have been made already */
        refuse(call, EINTR, 0, 3);
        IS(make(call), call == CG_FILE_SYNC ? -EINTR : 0);
        refuse(call, 0, 0, 0);
    }
    end();
    return 0;
}

/* What was moved before the error is told. */
static ssize_t moved_before(void *arg)
{
    enum { LEN = 5 * CG_DISK_PIECE / 2 };
    char *bytes = calloc(1, LEN);
    size_t moved;

    (void)arg;
    begin();
    for (int after = 0; after < 2; after++) {
        refuse(CG_FILE_WRITE, ENOSPC, after, 1);
        moved = 1;
        IS(cg_yield(cg_write_file(file, bytes, LEN, 0, .moved = &moved)), -ENOSPC);
        ck_assert_int_eq(moved > 0, after);
        ck_assert_uint_lt(moved, LEN);
        IS(cg_yield(cg_write_file(file, bytes, LEN, 0)), LEN);
        refuse(CG_FILE_READ, EIO, after, 1);
        moved = 1;
        IS(cg_yield(cg_read_file(file, bytes, LEN, 0, .moved = &moved)), -EIO);
        ck_assert_int_eq(moved > 0, after);
        ck_assert_uint_lt(moved, LEN);
    }
    free(bytes);
    end();
    return 0;
}

int main(void)
{
    static const struct test_case cases[] = {
        CORO(every_call),
        CORO(interrupted),
        CORO(moved_before),
    };

    return test_main("refused_files", cases, COUNT(cases));
}
