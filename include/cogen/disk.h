/* SPDX-License-Identifier: MIT */
/* Plain files: opened, read, written and renamed without keeping other coroutines waiting.
 * The io_uring reactor makes the system calls itself. With the others they run in threads
 * of a pool (cogen/offload.h), because a plain file is always "ready" and its calls still
 * wait for the disk. See cg_disk(3). */
#ifndef COGEN_DISK_H
#define COGEN_DISK_H

#include <cogen/offload.h>

struct stat;

enum {
    CG_DISK_PIECE = 1024 * 1024, /* most bytes that one call moves */
};

#ifndef __cplusplus

struct cg_open_file_op {
    CG_OP_HEAD;
    struct cg_pool *pool;
    const char *path;
    int flags;
    unsigned mode;
    int dir;
    int opened; /* the descriptor + 1; 0: not opened */
};

struct cg_disk_bytes_op { /* read_file, write_file */
    CG_OP_HEAD;
    struct cg_pool *pool;
    void *buf;
    size_t len;
    int64_t offset;
    size_t *moved;
    size_t done;
    int fd;
};

struct cg_sync_file_op {
    CG_OP_HEAD;
    struct cg_pool *pool;
    int fd;
    bool data_only;
};

struct cg_stat_file_op {
    CG_OP_HEAD;
    struct cg_pool *pool;
    const char *path;
    struct stat *st;
    int dir;
    bool no_follow;
};

struct cg_disk_names_op { /* rename_file, remove_file */
    CG_OP_HEAD;
    struct cg_pool *pool;
    const char *path;
    const char *to;
    int dir;
};

/* All of these have the keyword .pool (the pool whose threads make the calls; NULL: the
 * reactor, or else the process's own pool) and complete with -errno of the call, or with
 * -EAGAIN, -ENOMEM or -ESRCH as cg_offload does. An op that is cancelled or times out
 * before its call has begun does nothing; once the call runs, the op waits until it has
 * returned or was interrupted, so that the buffers and texts, which are borrowed, are not
 * used any more. The default timeout does not apply. In the simulator the calls are made at
 * once, on the real disk.
 *   Where .dir is a keyword it is the descriptor of a directory where a relative path
 * begins; 0: the working directory. */

/* cg_open_file(path, flags): opens a file as open(2) does, close-on-exec. Completes with
 * its descriptor, which the caller closes (close(2)). If the op does not complete, nothing
 * is left open, but O_CREAT and O_TRUNC may have had their effect. Keywords:
 *   .mode   the permissions of a new file, before the umask; 0: 0666
 *   .dir */
#define cg_open_file(...) cg__open_file(__VA_ARGS__, )
#define cg__open_file(p, f, ...) CG_OP(cg_open_file, .path = (p), .flags = (f), __VA_ARGS__)

/* cg_read_file(fd, buf, size, offset): reads up to size bytes at an offset; neither uses
 * nor moves the file's position. Completes with their number, less than size only at the
 * end of the file, 0 behind it. Partial (.moved): a cancelled op may have read a part. */
#define cg_read_file(...) cg__read_file(__VA_ARGS__, )
#define cg__read_file(f, b, n, o, ...)                                                     \
    CG__OP_OF(cg_disk_bytes, cg_read_file, .fd = (f), .buf = (b), .len = (n),              \
              .offset = (o), __VA_ARGS__)

/* cg_write_file(fd, buf, len, offset): writes all bytes at an offset; neither uses nor
 * moves the file's position. Completes with len. Partial (.moved). */
#define cg_write_file(...) cg__write_file(__VA_ARGS__, )
#define cg__write_file(f, b, n, o, ...)                                                    \
    CG__OP_OF(cg_disk_bytes, cg_write_file, .fd = (f), .buf = (void *)(b), .len = (n),     \
              .offset = (o), __VA_ARGS__)

/* cg_sync_file(fd): waits until what was written is on the disk, as fsync(2) does.
 * Completes with 0. Keywords:
 *   .data_only   fdatasync(2): without the times of the file */
#define cg_sync_file(...) cg__sync_file(__VA_ARGS__, )
#define cg__sync_file(f, ...) CG_OP(cg_sync_file, .fd = (f), __VA_ARGS__)

/* cg_stat_file(path, &st): reads a file's properties as stat(2) does into a struct stat
 * (sys/stat.h). Completes with 0; if it does not, *st may have changed. Keywords:
 *   .dir         with path NULL: any descriptor, whose properties are read
 *   .no_follow   those of a symbolic link itself */
#define cg_stat_file(...) cg__stat_file(__VA_ARGS__, )
#define cg__stat_file(p, s, ...) CG_OP(cg_stat_file, .path = (p), .st = (s), __VA_ARGS__)

/* cg_rename_file(path, to): renames a file, and replaces what was there, as rename(2)
 * does. cg_remove_file(path): removes a name of a file, as unlink(2) does. Both complete
 * with 0, and have .dir for all paths. If the op was cancelled, the call may nevertheless
 * have been made. */
#define cg_rename_file(...) cg__rename_file(__VA_ARGS__, )
#define cg__rename_file(p, t, ...)                                                         \
    CG__OP_OF(cg_disk_names, cg_rename_file, .path = (p), .to = (t), __VA_ARGS__)
#define cg_remove_file(...) cg__remove_file(__VA_ARGS__, )
#define cg__remove_file(p, ...)                                                            \
    CG__OP_OF(cg_disk_names, cg_remove_file, .path = (p), __VA_ARGS__)

#endif

CG_EXTERN_C_BEGIN

extern CG_API const struct cg_op_type cg_open_file_type, cg_read_file_type,
    cg_write_file_type, cg_sync_file_type, cg_stat_file_type, cg_rename_file_type,
    cg_remove_file_type;

CG_EXTERN_C_END
#endif
