/* SPDX-License-Identifier: MIT */
/* Operations on plain files. Each asks for a call (disk_request.c) and notes what it has
 * done; one run serves them all. */
#include "config.h"

#include "system/disk_request.h"

#include <cogen/disk.h>
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

/* The `detail` of an op's type. */
struct detail {
    /* Fills in the call, or the next one of several. */
    void (*ask)(const void *op, struct cg_io_file *call);
    /* Notes the result of a call that was made and did not fail, also if the op was cancelled
     * meanwhile. May be NULL. */
    void (*got)(void *op, ssize_t result);
};

static int dir_of(int dir)
{
    return dir > 0 ? dir : AT_FDCWD;
}

static ssize_t run(struct cg_op *op)
{
    const struct detail *detail = op->type->detail;
    struct cg_io_file call = {.fd = -1};
    ssize_t made, n;

    detail->ask(op, &call);
    n = cg__disk_request(&call, ((struct disk_op *)op)->pool, &made);
    if (made >= 0 && detail->got != NULL)
        detail->got(op, made);
    return n;
}

static void open_ask(const void *op, struct cg_io_file *call)
{
    const struct cg_open_file_op *open = op;

    call->call = CG_FILE_OPEN;
    call->fd = dir_of(open->dir);
    call->path = open->path;
    call->flags = open->flags | O_CLOEXEC;
    call->mode = open->mode != 0 ? open->mode : 0666;
}

static void open_got(void *op, ssize_t fd)
{
    ((struct cg_open_file_op *)op)->opened = (int)fd + 1;
}

static const struct detail open_detail = {open_ask, open_got};

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
    .detail = &open_detail,
};

/* Bytes are moved in pieces, between which the op can be cancelled. */

static struct cg_disk_bytes_op *bytes(void *op)
{
    return op;
}

static void bytes_ask(const void *op, struct cg_io_file *call)
{
    const struct cg_disk_bytes_op *self = op;

    call->call = self->type == &cg_read_file_type ? CG_FILE_READ : CG_FILE_WRITE;
    call->fd = self->fd;
    call->buf = (char *)self->buf + self->done;
    call->len = self->len - self->done;
    call->offset = self->offset + (int64_t)self->done;
}

static void bytes_got(void *op, ssize_t n)
{
    bytes(op)->done += (size_t)n;
}

static const struct detail bytes_detail = {bytes_ask, bytes_got};

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

#define BYTES(name_)                                                                       \
    {                                                                                      \
        .name = name_, .run = bytes_run, .finish = bytes_finish, .print = bytes_print,     \
        .detail = &bytes_detail,                                                           \
    }

const struct cg_op_type cg_read_file_type = BYTES("read_file");
const struct cg_op_type cg_write_file_type = BYTES("write_file");

static void sync_ask(const void *op, struct cg_io_file *call)
{
    const struct cg_sync_file_op *sync = op;

    call->call = CG_FILE_SYNC;
    call->fd = sync->fd;
    call->flags = sync->data_only;
}

static const struct detail sync_detail = {.ask = sync_ask};

static int sync_print(const struct cg_op *op, char *buf, size_t size)
{
    return snprintf(buf, size, "fd %d", ((const struct cg_sync_file_op *)op)->fd);
}

const struct cg_op_type cg_sync_file_type = {
    .name = "sync_file", .run = run, .print = sync_print, .detail = &sync_detail};

_Static_assert(offsetof(struct cg_open_file_op, path) ==
                       offsetof(struct cg_stat_file_op, path) &&
                   offsetof(struct cg_open_file_op, path) ==
                       offsetof(struct cg_disk_names_op, path),
               "path_print serves them all");

static void stat_ask(const void *op, struct cg_io_file *call)
{
    const struct cg_stat_file_op *stat = op;

    call->call = CG_FILE_STAT;
    call->fd = stat->path != NULL ? dir_of(stat->dir) : stat->dir;
    call->path = stat->path;
    call->st = stat->st;
    call->flags = stat->no_follow ? AT_SYMLINK_NOFOLLOW : 0;
}

static const struct detail stat_detail = {.ask = stat_ask};

const struct cg_op_type cg_stat_file_type = {
    .name = "stat_file", .run = run, .print = path_print, .detail = &stat_detail};

static void names_ask(const void *op, struct cg_io_file *call)
{
    const struct cg_disk_names_op *names = op;

    call->call = names->type == &cg_rename_file_type ? CG_FILE_RENAME : CG_FILE_REMOVE;
    call->fd = dir_of(names->dir);
    call->path = names->path;
    call->to = names->to;
}

static const struct detail names_detail = {.ask = names_ask};

const struct cg_op_type cg_rename_file_type = {
    .name = "rename_file", .run = run, .print = path_print, .detail = &names_detail};
const struct cg_op_type cg_remove_file_type = {
    .name = "remove_file", .run = run, .print = path_print, .detail = &names_detail};
