/* SPDX-License-Identifier: MIT */
/* cg_follow: files are followed across rotations. Each step examines the files themselves;
 * inotify, if there is one, only says when to look again. */
#include "config.h"

#include "system/notice.h"

#include <cogen/coro.h>
#include <cogen/file.h>
#include <cogen/reactor.h>
#include <cogen/sched.h>

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

_Static_assert(sizeof(struct cg_follow_op) <= 128, "core ops fit in 128 bytes");

enum {
    FIRST_SIZE = 4096,
    AT_ONCE = 64 * 1024, /* bytes that are read before other coroutines run */
};

#define INTERVAL_TOLD CG_SECOND /* inotify reports nothing about symbolic links and
                                 * network file systems */
#define INTERVAL_ALONE (250 * CG_MILLISECOND)

struct cg_follower {
    struct cg_sched *sched;
    struct cg_op *op; /* the op that reads, from process to finish */
    struct cg_object object;
    struct cg_scope *scope; /* around what run waits for */
    char *path;
    int fd;           /* the file that is read; -1: none yet */
    int next;         /* the file that has replaced it at the path; -1: none */
    off_t offset;     /* in fd: where the next read begins */
    int notice;       /* inotify's descriptor, readable when something may have changed;
                       * -1: there is none */
    int watch, next_watch; /* inotify's watches on fd and next */
    int64_t interval;
    char *data; /* data[start] to data[end - 1] is unread */
    size_t start, end, size, limit;
    size_t scanned;   /* data[start] up to here contains no "\n" */
    size_t broken;    /* > 0: a file ended at data[broken]; the bytes after
                       * that are from the next file */
};

static void stop_notices(struct cg_follower *follow)
{
    struct cg_reactor *reactor = cg_sched_reactor(follow->sched);

    if (follow->notice < 0)
        return;
    reactor->type->forget(reactor, follow->notice);
    close(follow->notice);
    follow->notice = follow->watch = follow->next_watch = -1;
}

/* Waits until it is time to look again. */
static ssize_t wait_for_change(struct cg_follower *follow)
{
    int64_t interval = follow->interval;
    ssize_t n;

    if (follow->notice >= 0) {
        n = cg_yield(cg_poll(follow->notice, CG_IN,
                             .timeout = interval ? interval : INTERVAL_TOLD));
        if (n > 0)
            cg__notice_empty(follow->notice);
        if (n >= 0 || n == -ETIMEDOUT)
            return 0;
        if (n != -EBADF)
            return n;
        stop_notices(follow); /* a simulated world, which has no descriptors of the
                               * kernel */
    }
    return cg_yield(cg_sleep(interval ? interval : INTERVAL_ALONE));
}

static int open_file(const char *path)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

    if (fd < 0)
        return -errno;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
        return fd;
    close(fd);
    return -EINVAL;
}

/* Whether the path leads to another file than the descriptor. If the path cannot be
 * examined, it counts as the same file: reading it anew would return its lines twice. */
static bool is_replaced(int fd, const char *path)
{
    struct stat is, at;

    if (fd < 0)
        return true;
    return stat(path, &at) == 0 && fstat(fd, &is) == 0 &&
           (is.st_ino != at.st_ino || is.st_dev != at.st_dev);
}

static bool has_bytes(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 && st.st_size > 0;
}

static bool is_shorter(int fd, off_t size)
{
    struct stat st;

    return fstat(fd, &st) == 0 && st.st_size < size;
}

static void drop_next(struct cg_follower *follow)
{
    if (follow->next < 0)
        return;
    cg__notice_remove(follow->notice, follow->next_watch);
    close(follow->next);
    follow->next = follow->next_watch = -1;
}

/* Checks whether another file is at the path now. A next file that has had bytes is kept,
 * even if it has been replaced since. */
static void look_for_next(struct cg_follower *follow)
{
    if (follow->next >= 0 &&
        (has_bytes(follow->next) || !is_replaced(follow->next, follow->path)))
        return;
    drop_next(follow);
    if (!is_replaced(follow->fd, follow->path))
        return;
    follow->next = open_file(follow->path);
    if (follow->next >= 0)
        follow->next_watch = cg__notice_add(follow->notice, follow->next);
    else
        follow->next = -1; /* does not exist, or cannot be read yet */
}

/* From now on the next file is read. */
static void change_over(struct cg_follower *follow)
{
    if (follow->fd >= 0) {
        cg__notice_remove(follow->notice, follow->watch);
        close(follow->fd);
    }
    follow->fd = follow->next;
    follow->watch = follow->next_watch;
    follow->next = follow->next_watch = -1;
    follow->offset = 0;
}

/* An unread piece without "\n" at the end of a file will never become a whole line. */
static void mark_break(struct cg_follower *follow)
{
    if (follow->end > follow->start && follow->data[follow->end - 1] != '\n')
        follow->broken = follow->end;
}

static void compact(struct cg_follower *follow)
{
    /* The piece before a break is returned before more is read. */
    assert(follow->broken == 0);
    if (follow->start == 0)
        return;
    memmove(follow->data, follow->data + follow->start, follow->end - follow->start);
    follow->end -= follow->start;
    follow->scanned -= follow->start;
    follow->start = 0;
}

/* Makes room at the end of the buffer, which grows up to the limit. */
static size_t make_room(struct cg_follower *follow)
{
    size_t size;
    char *data;

    if (follow->end < follow->size)
        return follow->size - follow->end;
    compact(follow);
    if (follow->end < follow->size || follow->size >= follow->limit)
        return follow->size - follow->end;
    size = follow->size ? follow->size * 2 : FIRST_SIZE;
    if (size > follow->limit)
        size = follow->limit;
    if ((data = realloc(follow->data, size))) {
        follow->data = data;
        follow->size = size;
    }
    return follow->size - follow->end;
}

/* Reads from the current file as much as fits. Returns the number of bytes, 0 at the end
 * of the file, or -errno. */
static ssize_t fill(struct cg_follower *follow)
{
    size_t room = make_room(follow);
    ssize_t n;

    if (room == 0)
        return follow->end - follow->start >= follow->limit ? -EMSGSIZE : -ENOMEM;
    if (room > AT_ONCE)
        room = AT_ONCE;
    do
        n = pread(follow->fd, follow->data + follow->end, room, follow->offset);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return -errno;
    follow->offset += n;
    follow->end += (size_t)n;
    return n;
}

/* Adds bytes to the buffer. Returns 1 if there are more, or if a file has ended after
 * bytes that are unread; 0: nothing new yet; -errno. */
static ssize_t more(struct cg_follower *follow)
{
    bool began;
    ssize_t n;

    /* The order matters: a process that writes to the next file has written everything to
     * this one before. */
    look_for_next(follow);
    began = follow->next >= 0 && has_bytes(follow->next);
    if (follow->fd < 0) {
        if (follow->next < 0)
            return 0;
        change_over(follow);
        began = false;
    }
    if (is_shorter(follow->fd, follow->offset)) {
        follow->offset = 0;
        mark_break(follow);
        if (follow->broken)
            return 1;
    }
    if ((n = fill(follow)) != 0)
        return n < 0 ? n : 1;
    if (!began)
        return 0;
    mark_break(follow);
    change_over(follow);
    return 1;
}

static struct cg_follow_op *of(struct cg_op *op)
{
    return (struct cg_follow_op *)op;
}

/* Returns the length of the first line, or of an incomplete line before a break (where the
 * file was replaced or truncated); 0: there is neither so far. */
static size_t find_line(struct cg_follower *follow)
{
    size_t end = follow->broken ? follow->broken : follow->end;
    char *newline = NULL;

    if (end > follow->scanned)
        newline = memchr(follow->data + follow->scanned, '\n', end - follow->scanned);
    if (newline)
        return (size_t)(newline - follow->data) + 1 - follow->start;
    follow->scanned = end;
    return follow->broken ? follow->broken - follow->start : 0;
}

/* What the op can return now, without consuming it. */
static size_t find(const struct cg_follow_op *op)
{
    struct cg_follower *follow = op->follow;

    if (op->type == &cg_follow_line_type)
        return find_line(follow);
    return follow->end - follow->start < op->size ? follow->end - follow->start : op->size;
}

/* The result of an op that has found something or is refused; 0: it must wait. */
static ssize_t result_of(struct cg_follow_op *op)
{
    const struct cg_follower *follow = op->follow;

    op->found = find(op);
    if (op->type == &cg_follow_line_type &&
        (op->found ? op->found : follow->end - follow->start) >= op->size)
        return -EMSGSIZE;
    return (ssize_t)op->found;
}

static enum cg_verdict follow_process(struct cg_op *op, struct cg_sched *sched)
{
    struct cg_follower *follow = of(op)->follow;

    op->result = -EINVAL;
    if (follow == NULL || follow->sched != sched || of(op)->size == 0)
        return CG_DONE;
    op->result = -EBUSY;
    if (follow->op)
        return CG_DONE;
    follow->op = op;
    op->uses = &follow->object;
    op->result = result_of(of(op));
    return op->result ? CG_DONE : cg_object_enter(&follow->object, op);
}

static void end(struct cg_follower *follow)
{
    stop_notices(follow);
    if (follow->next >= 0)
        close(follow->next);
    if (follow->fd >= 0)
        close(follow->fd);
    free(follow->data);
    free(follow->path);
    free(follow);
}

static int leave(struct cg_op *op)
{
    struct cg_follower *follow = of(op)->follow;
    int rc = cg_object_leave(&follow->object, op);

    if (rc < 0)
        end(follow);
    return rc;
}

/* Called only when there is no memory to run the op. It uses the follower no more, so that finish
 * leaves the follower alone. */
static enum cg_verdict follow_cancel(struct cg_op *op, struct cg_sched *sched)
{
    (void)sched;
    of(op)->follow->op = NULL;
    leave(op);
    return CG_DONE;
}

/* Lets others run between two pieces of a long line, unless the time of the op would then be over:
 * with CG_NOWAIT it gets all that the file has. */
static ssize_t let_others_run(const struct cg_op *op)
{
    return op->timeout == CG_NOWAIT ? 0 : cg_yield(cg_pass());
}

static ssize_t read_on(struct cg_op *op)
{
    struct cg_follower *follow = of(op)->follow;
    ssize_t n, result;

    do {
        if (follow->object.closed)
            return -EBADF;
        if ((n = more(follow)) < 0)
            return n;
        if ((result = result_of(of(op))) != 0)
            return result;
        n = n == 0 ? wait_for_change(follow) : let_others_run(op);
    } while (n >= 0);
    return n;
}

static ssize_t follow_run(struct cg_op *op)
{
    struct cg_follower *follow = of(op)->follow;
    struct cg_scope scope;
    ssize_t n;

    cg_scope_open(&scope, CG_NEVER, false);
    follow->scope = &scope; /* cg_follower_close cancels this scope */
    n = read_on(op);
    follow->scope = NULL;
    cg_scope_close(&scope);
    return leave(op) < 0 ? -EBADF : n;
}

/* Bytes are consumed only here, so that an op that is cancelled at the last moment leaves
 * them. */
static ssize_t follow_finish(struct cg_op *op)
{
    struct cg_follower *follow = of(op)->follow;
    size_t n = of(op)->found;

    if (op->uses == NULL || follow->op != op)
        return op->result; /* it was refused, or the follower was closed */
    follow->op = NULL;
    if (op->result <= 0)
        return op->result;
    memcpy(of(op)->buf, follow->data + follow->start, n);
    if (op->type == &cg_follow_line_type)
        ((char *)of(op)->buf)[n] = '\0';
    follow->start += n;
    if (follow->scanned < follow->start)
        follow->scanned = follow->start;
    if (follow->broken <= follow->start)
        follow->broken = 0;
    return op->result;
}

static int follow_print(const struct cg_op *op, char *buf, size_t size)
{
    const struct cg_follower *follow = ((const struct cg_follow_op *)op)->follow;

    return snprintf(buf, size, "%s", follow ? follow->path : "nothing");
}

const struct cg_op_type cg_follow_line_type = {
    .name = "follow_line",
    .process = follow_process,
    .run = follow_run,
    .cancel = follow_cancel,
    .finish = follow_finish,
    .print = follow_print,
};

const struct cg_op_type cg_follow_bytes_type = {
    .name = "follow_bytes",
    .process = follow_process,
    .run = follow_run,
    .cancel = follow_cancel,
    .finish = follow_finish,
    .print = follow_print,
};

void cg_follower_close(struct cg_follower *follow)
{
    if (follow == NULL)
        return;
    if (cg_object_close(&follow->object))
        end(follow);
    else if (follow->scope)
        cg_scope_cancel(follow->scope);
}

int cg_follower_open_with(struct cg_sched *sched, const char *path,
                          const struct cg_follower_options *options,
                          struct cg_follower **follow)
{
    static const struct cg_follower_options none;
    struct cg_follower *made = calloc(1, sizeof *made);

    if (made == NULL)
        return -ENOMEM;
    if (options == NULL)
        options = &none;
    made->sched = sched;
    made->fd = made->next = made->notice = made->watch = made->next_watch = -1;
    made->interval = options->interval;
    made->limit = options->limit ? options->limit : CG_FOLLOW_LIMIT;
    if ((made->path = strdup(path)) == NULL) {
        cg_follower_close(made);
        return -ENOMEM;
    }
    made->fd = open_file(path);
    if (made->fd < 0 && !(made->fd == -ENOENT && options->missing_ok)) {
        int rc = made->fd;

        cg_follower_close(made);
        return rc;
    }
    made->notice = cg__notice_open(made->path);
    if (made->fd >= 0) {
        made->watch = cg__notice_add(made->notice, made->fd);
        if (!options->from_start)
            made->offset = lseek(made->fd, 0, SEEK_END);
    }
    *follow = made;
    return 0;
}
