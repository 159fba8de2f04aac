/* SPDX-License-Identifier: MIT */
/* Files that grow, followed as `tail -F` does: line by line, across rotations. See
 * cg_file(3). */
#ifndef COGEN_FILE_H
#define COGEN_FILE_H

#include <cogen/op.h>

/* A file that is followed by its path. */
struct cg_follower;

enum {
    CG_FOLLOW_LIMIT = 64 * 1024, /* default of the longest line, bytes with its "\n" */
};

struct cg_follower_options {
    bool from_start;  /* begins with what is there already; else with what comes */
    bool missing_ok;  /* it need not exist yet: then it is awaited, and read from its start */
    size_t limit;     /* the longest line, bytes; 0: CG_FOLLOW_LIMIT */
    int64_t interval; /* ns between two looks where nothing tells of changes; 0: 1 s, and
                         250 ms without inotify */
    void *reserved;
};

#ifndef __cplusplus

struct cg_follow_op { /* line, read */
    CG_OP_HEAD;
    struct cg_follower *follow;
    void *buf;
    size_t size;
    size_t found;
};

/* cg_follow_line(follow, buf, size): the next line with its "\n", and a NUL after it;
 * answers its length. Waits while there is none: what has no "\n" yet is no line, unless
 * the file was rotated away or truncated after it, so that no more can come. -EMSGSIZE: it
 * does not fit in size - 1 bytes, or in the limit; it stays unread, cg_follow_bytes has it.
 * -EBUSY: another coroutine reads; and what reading the file says (-EIO ...). Holds the run
 * open. The default timeout does not apply. Traceless. */
#define cg_follow_line(...) cg__follow_line(__VA_ARGS__, )
#define cg__follow_line(f, b, n, ...)                                                      \
    CG__OP_OF(cg_follow, cg_follow_line, .follow = (f), .buf = (b),                        \
              .size = (n), __VA_ARGS__)

/* cg_follow_bytes(follow, buf, size): 1 to size bytes as they come. Otherwise as
 * cg_follow_line. Traceless. */
#define cg_follow_bytes(...) cg__follow_bytes(__VA_ARGS__, )
#define cg__follow_bytes(f, b, n, ...)                                                     \
    CG__OP_OF(cg_follow, cg_follow_bytes, .follow = (f), .buf = (b), .size = (n),          \
              __VA_ARGS__)

/* cg_follower_open(sched, path, &follow): cg_follower_open_with with keywords, as in
 * .from_start = true. */
#define cg_follower_open(...) cg__follower_open(__VA_ARGS__, )
#define cg__follower_open(sched, path, out, ...)                                           \
    cg_follower_open_with(                                                                 \
        sched, path, CG__OPTIONS(struct cg_follower_options, __VA_ARGS__), out)

#endif

CG_EXTERN_C_BEGIN

extern CG_API const struct cg_op_type cg_follow_line_type, cg_follow_bytes_type;

/* Follows the file that has this path, now and whenever another takes its place: the old
 * one is read to its end, at least until the new one has its first byte, so that nothing is
 * lost or doubled of a writer that has changed over. Of several rotations between two looks
 * only the last file is seen; a file that was truncated and has grown beyond its old size
 * between two looks is taken for one that has grown. The path is copied. Where the system
 * tells of changes (inotify) they are seen at once, elsewhere at intervals. 0; -ENOENT,
 * -EACCES ...; -EINVAL: no regular file; -EMFILE, -ENOMEM. */
CG_API int cg_follower_open_with(struct cg_sched *sched, const char *path,
                                 const struct cg_follower_options *options,
                                 struct cg_follower **follow);

/* Ends it; whoever reads it is answered -EBADF, also if its operation has completed but its
 * coroutine has not run since. Before the scheduler is freed. NULL is ignored. */
CG_API void cg_follower_close(struct cg_follower *follow);

CG_EXTERN_C_END
#endif
