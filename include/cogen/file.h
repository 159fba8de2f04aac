/* SPDX-License-Identifier: MIT */
/* Growing files, followed like `tail -F`: line by line, across rotations. See
 * cg_file(3). */
#ifndef COGEN_FILE_H
#define COGEN_FILE_H

#include <cogen/op.h>

/* A file that is followed by its path. */
struct cg_follower;

enum {
    CG_FOLLOW_LIMIT = 64 * 1024, /* default of the longest line, in bytes with its "\n" */
};

struct cg_follower_options {
    bool from_start;  /* starts with the existing content, else at the end of the file */
    bool missing_ok;  /* the file may be missing: waits for it, reads it from its start */
    size_t limit;     /* the longest line, bytes; 0: CG_FOLLOW_LIMIT */
    int64_t interval; /* ns between two checks where changes are not notified; 0: 1 s, and
                         250 ms without inotify */
    void *reserved;
};

#ifndef __cplusplus

struct cg_follow_op { /* cg_follow_line, cg_follow_bytes */
    CG_OP_HEAD;
    struct cg_follower *follow;
    void *buf;
    size_t size;
    size_t found;
};

/* cg_follow_line(follow, buf, size): reads the next line with its "\n" and puts a NUL after
 * it. Completes with its length. Waits while there is none. Bytes without a "\n" count as a
 * line only if no more can come, because the file was rotated or truncated. Holds the run
 * open. The default timeout does not apply. Traceless.
 *   -EMSGSIZE  the line exceeds size - 1 bytes or the limit; it stays unread, and
 *              cg_follow_bytes can read it
 *   -EBUSY     another coroutine reads
 *   -EIO ...   errors of read(2) */
#define cg_follow_line(...) cg__follow_line(__VA_ARGS__, )
#define cg__follow_line(f, b, n, ...)                                                      \
    CG__OP_OF(cg_follow, cg_follow_line, .follow = (f), .buf = (b),                        \
              .size = (n), __VA_ARGS__)

/* cg_follow_bytes(follow, buf, size): reads 1 to size bytes, as soon as there are any.
 * Otherwise like cg_follow_line. Traceless. */
#define cg_follow_bytes(...) cg__follow_bytes(__VA_ARGS__, )
#define cg__follow_bytes(f, b, n, ...)                                                     \
    CG__OP_OF(cg_follow, cg_follow_bytes, .follow = (f), .buf = (b), .size = (n),          \
              __VA_ARGS__)

/* Macro form of cg_follower_open_with that takes the options as keywords, as in
 * cg_follower_open(sched, path, &follow, .from_start = true). */
#define cg_follower_open(...) cg__follower_open(__VA_ARGS__, )
#define cg__follower_open(sched, path, out, ...)                                           \
    cg_follower_open_with(                                                                 \
        sched, path, CG__OPTIONS(struct cg_follower_options, __VA_ARGS__), out)

#endif

CG_EXTERN_C_BEGIN

extern CG_API const struct cg_op_type cg_follow_line_type, cg_follow_bytes_type;

/* Follows the file with this path, and after a rotation the file that replaces it. The old
 * file is read to its end, and at least until the new one has its first byte, so that
 * nothing of a writer that switches over is lost or read twice. If there are several
 * rotations between two checks, only the last file is seen. A file that is truncated and
 * grows beyond its old size between two checks seems to have grown only. Changes are
 * noticed at once where the system notifies them (inotify), elsewhere at intervals. The
 * path is copied. Returns 0; -ENOENT, -EACCES ...; -EINVAL: not a regular file; -EMFILE,
 * -ENOMEM. */
CG_API int cg_follower_open_with(struct cg_sched *sched, const char *path,
                                 const struct cg_follower_options *options,
                                 struct cg_follower **follow);

/* Stops following. An operation that waits completes with -EBADF, also if it has completed
 * but its coroutine has not run since. Must be called before the scheduler is freed. NULL
 * is ignored. */
CG_API void cg_follower_close(struct cg_follower *follow);

CG_EXTERN_C_END
#endif
