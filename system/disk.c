/* SPDX-License-Identifier: MIT */
/* Operations on plain files. Each is a system call in a thread; the calls are a table, and
 * one run serves them all. Since an offloaded call that runs is waited for, also when the
 * op is cancelled, it may use the caller's memory. */
#include "config.h"

#include <cogen/disk.h>
#include <cogen/reactor.h>
#include <cogen/sched.h>

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* The first fields of all these operations. */
struct disk_op {
    CG_OP_HEAD;
    struct cg_pool *pool;
};

/* Makes the call, or the next one of several, in a thread. Returns its result or -errno.
 * The `detail` of an op's type is the address of a pointer to this function. */
typedef ssize_t disk_call(void *op);

#define DISK(call) static disk_call *const call##_detail = call

static ssize_t done(ssize_t n)
{
    return n < 0 ? -errno : n;
}

static int dir_of(int dir)
{
    return dir > 0 ? dir : AT_FDCWD;
}

/* In a simulated world the call is made at once and not in a thread, so that a run can be
 * repeated exactly. */
static ssize_t run(struct cg_op *op)
{
    disk_call *call = *(disk_call *const *)op->type->detail;

    if (cg_sched_reactor(cg_sched_self())->simulated)
        return call(op);
    return cg_yield(cg_offload(call, op, .pool = ((struct disk_op *)op)->pool));
}

static ssize_t open_call(void *op)
{
    struct cg_open_file_op *open = op;
    unsigned mode = open->mode != 0 ? open->mode : 0666;
    int fd;

    do
        fd = openat(dir_of(open->dir), open->path, open->flags | O_CLOEXEC, mode);
    while (fd < 0 && errno == EINTR);
    open->opened = fd + 1;
    return done(fd);
}
DISK(open_call);

/* The op may have lost a race after the file was opened. */
static ssize_t open_finish(struct cg_op *op)
{
    struct cg_open_file_op *open = (struct cg_open_file_op *)op;

    if (op->result < 0 && open->opened > 0)
        close(open->opened - 1);
    open->opened = 0;
    return op->result;
}

static int path_print(const struct cg_op *op, char *buf, size_t size)
{
    const char *path = ((const struct cg_open_file_op *)op)->path;

    return snprintf(buf, size, "%s", path != NULL ? path : "a descriptor");
}

const struct cg_op_type cg_open_file_type = {
    .name = "open_file",
    .run = run,
    .finish = open_finish,
    .print = path_print,
    .detail = &open_call_detail,
};

/* Bytes are moved in pieces, between which the op can be cancelled. */

static struct cg_disk_bytes_op *bytes(void *op)
{
    return op;
}

static size_t piece(const struct cg_disk_bytes_op *op)
{
    size_t left = op->len - op->done;

    return left < CG_DISK_PIECE ? left : CG_DISK_PIECE;
}

static ssize_t read_call(void *op)
{
    struct cg_disk_bytes_op *read = op;
    ssize_t n;

    do
        n = pread(read->fd, (char *)read->buf + read->done, piece(read),
                  read->offset + (off_t)read->done);
    while (n < 0 && errno == EINTR);
    read->done += n > 0 ? (size_t)n : 0;
    return done(n);
}
DISK(read_call);

static ssize_t write_call(void *op)
{
    struct cg_disk_bytes_op *write = op;
    ssize_t n;

    do
        n = pwrite(write->fd, (char *)write->buf + write->done, piece(write),
                   write->offset + (off_t)write->done);
    while (n < 0 && errno == EINTR);
    write->done += n > 0 ? (size_t)n : 0;
    return done(n);
}
DISK(write_call);

static ssize_t bytes_run(struct cg_op *op)
{
    ssize_t n;

    bytes(op)->done = 0;
    do
        n = run(op);
    while (n > 0 && bytes(op)->done < bytes(op)->len);
    return n < 0 ? n : (ssize_t)bytes(op)->done;
}

static ssize_t bytes_finish(struct cg_op *op)
{
    if (bytes(op)->moved != NULL)
        *bytes(op)->moved = bytes(op)->done;
    bytes(op)->done = 0;
    return op->result;
}

static int bytes_print(const struct cg_op *op, char *buf, size_t size)
{
    const struct cg_disk_bytes_op *self = (const struct cg_disk_bytes_op *)op;

    return snprintf(buf, size, "fd %d, %zu/%zu", self->fd, self->done, self->len);
}

#define BYTES(name_, call_)                                                                \
    {                                                                                      \
        .name = name_, .run = bytes_run, .finish = bytes_finish, .print = bytes_print,     \
        .detail = &call_##_detail,                                                         \
    }

const struct cg_op_type cg_read_file_type = BYTES("read_file", read_call);
const struct cg_op_type cg_write_file_type = BYTES("write_file", write_call);

static ssize_t sync_call(void *op)
{
    const struct cg_sync_file_op *sync = op;

    return done(sync->data_only ? fdatasync(sync->fd) : fsync(sync->fd));
}
DISK(sync_call);

static int sync_print(const struct cg_op *op, char *buf, size_t size)
{
    return snprintf(buf, size, "fd %d", ((const struct cg_sync_file_op *)op)->fd);
}

const struct cg_op_type cg_sync_file_type = {
    .name = "sync_file", .run = run, .print = sync_print, .detail = &sync_call_detail};

_Static_assert(offsetof(struct cg_open_file_op, path) ==
                       offsetof(struct cg_stat_file_op, path) &&
                   offsetof(struct cg_open_file_op, path) ==
                       offsetof(struct cg_disk_names_op, path),
               "path_print serves them all");

static ssize_t stat_call(void *op)
{
    const struct cg_stat_file_op *stat = op;

    if (stat->path == NULL)
        return done(fstat(stat->dir, stat->st));
    return done(fstatat(dir_of(stat->dir), stat->path, stat->st,
                        stat->no_follow ? AT_SYMLINK_NOFOLLOW : 0));
}
DISK(stat_call);

const struct cg_op_type cg_stat_file_type = {
    .name = "stat_file", .run = run, .print = path_print, .detail = &stat_call_detail};

static ssize_t rename_call(void *op)
{
    const struct cg_disk_names_op *names = op;
    int dir = dir_of(names->dir);

    return done(renameat(dir, names->path, dir, names->to));
}
DISK(rename_call);

static ssize_t remove_call(void *op)
{
    const struct cg_disk_names_op *names = op;

    return done(unlinkat(dir_of(names->dir), names->path, 0));
}
DISK(remove_call);

const struct cg_op_type cg_rename_file_type = {
    .name = "rename_file", .run = run, .print = path_print, .detail = &rename_call_detail};
const struct cg_op_type cg_remove_file_type = {
    .name = "remove_file", .run = run, .print = path_print, .detail = &remove_call_detail};
