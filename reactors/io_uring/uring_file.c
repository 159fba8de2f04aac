/* SPDX-License-Identifier: MIT */
/* Calls on plain files as entries of the ring. */
#include "config.h"

#ifdef HAVE_LIBURING

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "reactors/io_uring/uring.h"

static const struct {
    enum cg_file_call call;
    int opcode;
} opcodes[] = {
    {CG_FILE_OPEN, IORING_OP_OPENAT},     {CG_FILE_READ, IORING_OP_READ},
    {CG_FILE_WRITE, IORING_OP_WRITE},     {CG_FILE_SYNC, IORING_OP_FSYNC},
    {CG_FILE_STAT, IORING_OP_STATX},      {CG_FILE_RENAME, IORING_OP_RENAMEAT},
    {CG_FILE_REMOVE, IORING_OP_UNLINKAT},
};

unsigned cg__uring_file_calls(const struct io_uring_probe *probe)
{
    unsigned calls = 0;

    for (size_t i = 0; i < sizeof opcodes / sizeof opcodes[0]; i++)
        if (io_uring_opcode_supported(probe, opcodes[i].opcode))
            calls |= 1u << opcodes[i].call;
    return calls;
}

_Static_assert(sizeof(struct statx) <= sizeof((struct cg_io_file *)0)->room,
               "the kernel writes a struct statx there");

static void prepare_stat(struct cg_io_file *call, struct io_uring_sqe *sqe)
{
    int flags = call->path != NULL ? call->flags : AT_EMPTY_PATH;

    io_uring_prep_statx(sqe, call->fd, call->path != NULL ? call->path : "", flags,
                        STATX_BASIC_STATS, (struct statx *)call->room);
}

void cg__uring_file_prepare(struct cg_io_file *call, struct io_uring_sqe *sqe)
{
    unsigned len = (unsigned)call->len; /* less than 2^31: see system/disk_request.c */

    switch (call->call) {
    case CG_FILE_OPEN:
        io_uring_prep_openat(sqe, call->fd, call->path, call->flags, call->mode);
        sqe->flags |= IOSQE_ASYNC; /* otherwise first tried with O_NONBLOCK, by which a fifo
                                    * opens, or fails, at once */
        break;
    case CG_FILE_READ:
        io_uring_prep_read(sqe, call->fd, call->buf, len, (uint64_t)call->offset);
        break;
    case CG_FILE_WRITE:
        io_uring_prep_write(sqe, call->fd, call->buf, len, (uint64_t)call->offset);
        break;
    case CG_FILE_SYNC:
        io_uring_prep_fsync(sqe, call->fd, call->flags ? IORING_FSYNC_DATASYNC : 0);
        break;
    case CG_FILE_STAT:
        prepare_stat(call, sqe);
        break;
    case CG_FILE_RENAME:
        io_uring_prep_renameat(sqe, call->fd, call->path, call->fd, call->to, 0);
        break;
    case CG_FILE_REMOVE:
        io_uring_prep_unlinkat(sqe, call->fd, call->path, 0);
        break;
    }
}

static struct timespec time_of(const struct statx_timestamp *time)
{
    return (struct timespec){.tv_sec = time->tv_sec, .tv_nsec = time->tv_nsec};
}

void cg__uring_file_ended(const struct cg_io *io)
{
    const struct cg_io_file *call = io->call;
    const struct statx *x = (const struct statx *)call->room;

    if (io->result < 0 || call->call != CG_FILE_STAT)
        return;
    *call->st = (struct stat){
        .st_dev = makedev(x->stx_dev_major, x->stx_dev_minor),
        .st_ino = x->stx_ino,
        .st_mode = x->stx_mode,
        .st_nlink = x->stx_nlink,
        .st_uid = x->stx_uid,
        .st_gid = x->stx_gid,
        .st_rdev = makedev(x->stx_rdev_major, x->stx_rdev_minor),
        .st_size = (off_t)x->stx_size,
        .st_blksize = (blksize_t)x->stx_blksize,
        .st_blocks = (blkcnt_t)x->stx_blocks,
        .st_atim = time_of(&x->stx_atime),
        .st_mtim = time_of(&x->stx_mtime),
        .st_ctim = time_of(&x->stx_ctime),
    };
}

#else
/* ISO C requires a declaration in every file. */
typedef int cg__no_liburing;
#endif
