/* SPDX-License-Identifier: MIT */
/* Calls on plain files. A reactor that serves them (io_uring) saves two switches of threads.
 * Otherwise a thread makes them: a plain file is always "ready", and its calls still wait for
 * the disk. Either way the caller waits until nobody uses its memory any more. */
#include "config.h"

#include "lib/core/sched.h"
#include "lib/stacks/stack.h"
#include "system/disk_request.h"

#include <cogen/disk.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LOOP_PIECE = 1 << 16 }; /* most bytes that the kernel copies in the loop's thread */

struct request {
    struct cg_io_file *call;
    ssize_t result; /* negative until the call was made */
    struct cg_io io;
};

/* The calls themselves */

static ssize_t call_stat(const struct cg_io_file *call)
{
    if (call->path == NULL)
        return fstat(call->fd, call->st);
    return fstatat(call->fd, call->path, call->st, call->flags);
}

static ssize_t call_once(const struct cg_io_file *call)
{
    switch (call->call) {
    case CG_FILE_OPEN:
        return openat(call->fd, call->path, call->flags, call->mode);
    case CG_FILE_READ:
        return pread(call->fd, call->buf, call->len, (off_t)call->offset);
    case CG_FILE_WRITE:
        return pwrite(call->fd, call->buf, call->len, (off_t)call->offset);
    case CG_FILE_SYNC:
        return call->flags ? fdatasync(call->fd) : fsync(call->fd);
    case CG_FILE_STAT:
        return call_stat(call);
    case CG_FILE_RENAME:
        return renameat(call->fd, call->path, call->fd, call->to);
    case CG_FILE_REMOVE:
        return unlinkat(call->fd, call->path, 0);
    }
    return -1;
}

/* Whether an interrupted call is made again. fsync is not: it reports an error of the disk
 * only once. */
static bool is_repeated(const struct cg_io_file *call)
{
    return call->call != CG_FILE_SYNC;
}

static ssize_t make_call(void *arg)
{
    struct request *request = arg;
    ssize_t n;

    do
        n = call_once(request->call);
    while (n < 0 && errno == EINTR && is_repeated(request->call));
    request->result = n < 0 ? -errno : n;
    return request->result;
}

/* The operation that leaves a call to the reactor */

struct disk {
    struct cg__part part;
    unsigned flying; /* calls that the reactor has */
};

struct file_op {
    CG_OP_HEAD;
    struct request *request;
};

static struct request *request_of(struct cg_op *op)
{
    return ((struct file_op *)op)->request;
}

/* The scheduler is being freed while the kernel still uses the stack of a coroutine that did
 * not end: the stacks are never unmapped. */
static void part_drop(struct cg__part *part, struct cg_sched *sched)
{
    if (((struct disk *)part)->flying > 0)
        cg__stack_pool_keep(sched->stacks);
}

static void part_free(struct cg__part *part)
{
    free(part);
}

/* Returns NULL if there is no memory. */
static struct disk *disk_of(struct cg_sched *sched)
{
    struct disk *disk = (struct disk *)sched->parts[CG__PART_DISK];

    if (disk == NULL && (disk = malloc(sizeof *disk)) != NULL) {
        *disk = (struct disk){.part = {.drop = part_drop, .free = part_free}};
        sched->parts[CG__PART_DISK] = &disk->part;
    }
    return disk;
}

static void landed(struct cg_sched *sched)
{
    disk_of(sched)->flying--;
    cg_sched_unhold(sched);
}

static void complete(struct cg_io *io, ssize_t result)
{
    struct cg_op *op = io->owner;

    request_of(op)->result = result;
    landed(cg_op_coro(op)->sched);
    cg_op_complete(op, result);
}

static enum cg_verdict file_process(struct cg_op *op, struct cg_sched *sched)
{
    struct request *request = request_of(op);
    struct disk *disk = disk_of(sched);

    op->result = -ENOMEM;
    if (disk == NULL)
        return CG_DONE;
    request->io = (struct cg_io){.code = CG_IO_FILE,
                                 .fd = -1,
                                 .call = request->call,
                                 .complete = complete,
                                 .owner = op};
    if (cg_reactor_submit(sched->reactor, &request->io) == CG_PENDING) {
        disk->flying++;
        cg_sched_hold(sched);
        return CG_PENDING;
    }
    op->result = request->result = request->io.result;
    return CG_DONE;
}

static enum cg_verdict file_cancel(struct cg_op *op, struct cg_sched *sched)
{
    if (sched->reactor->type->cancel(sched->reactor, &request_of(op)->io) == CG_PENDING)
        return CG_PENDING;
    landed(sched);
    return CG_DONE;
}

static int file_print(const struct cg_op *op, char *buf, size_t size)
{
    static const char *const calls[] = {"open", "read", "write", "sync",
                                        "stat", "rename", "remove"};

    return snprintf(buf, size, "%s", calls[((const struct file_op *)op)->request->call->call]);
}

static const struct cg_op_type file_type = {
    .name = "file", .process = file_process, .cancel = file_cancel, .print = file_print};

/* Whether a call moves bytes at an offset. */
static bool moves(const struct cg_io_file *call)
{
    return call->call == CG_FILE_READ || call->call == CG_FILE_WRITE;
}

static void limit(struct cg_io_file *call, size_t most)
{
    if (moves(call) && call->len > most)
        call->len = most;
}

/* pread refuses a pipe, and an offset below 0. io_uring would wait for the pipe, and take -1
 * for the file's position. */
static int check_offset(const struct cg_io_file *call)
{
    if (!moves(call))
        return 0;
    if (lseek(call->fd, 0, SEEK_CUR) < 0)
        return -errno;
    return call->offset < 0 ? -EINVAL : 0;
}

static ssize_t leave_to_reactor(struct request *request)
{
    struct file_op file = {.type = &file_type, .request = request};
    ssize_t n = check_offset(request->call);

    limit(request->call, LOOP_PIECE);
    if (n < 0)
        return n;
    do
        n = cg_yield(&file.op);
    while (n == -EINTR && is_repeated(request->call));
    return n;
}

ssize_t cg__disk_request(struct cg_io_file *call, struct cg_pool *pool, ssize_t *made)
{
    struct request request = {.call = call, .result = -ECANCELED};
    struct cg_reactor *reactor = cg_sched_reactor(cg_sched_self());
    ssize_t n;

    limit(call, CG_DISK_PIECE);
    if (reactor->simulated) /* not in a thread, so that a run can be repeated exactly */
        n = make_call(&request);
    else if (pool == NULL && (reactor->files & 1u << call->call))
        n = leave_to_reactor(&request);
    else
        n = cg_yield(cg_offload(make_call, &request, .pool = pool));
    *made = request.result;
    return n;
}
