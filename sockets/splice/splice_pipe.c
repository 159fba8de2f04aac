/* SPDX-License-Identifier: MIT */
/* A pipe is open only while bytes move through it: opening one costs a few microseconds, and
 * then idle tunnels have none. They are few, and each is in its scheduler's list, which
 * closes those of coroutines that were abandoned. */
#include "config.h"

#include "lib/base/fork.h"
#include "lib/base/pipe.h"
#include "lib/core/sched.h"
#include "sockets/splice/splice_pipe.h"

#include <cogen/splice.h>

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

struct pipes {
    struct cg__part part;
    struct cg__splice_pipe *first;
    unsigned count;
};

static void free_pipe(struct cg__splice_pipe *pipe)
{
    close(pipe->ends[0]);
    close(pipe->ends[1]);
    free(pipe);
}

static void part_free(struct cg__part *part)
{
    struct pipes *pipes = (struct pipes *)part;
    struct cg__splice_pipe *pipe;

    while ((pipe = pipes->first) != NULL) {
        pipes->first = pipe->next;
        free_pipe(pipe);
    }
    free(pipes);
}

/* Returns NULL if there is no memory. */
static struct pipes *pipes_of(struct cg_sched *sched)
{
    struct pipes *pipes = (struct pipes *)sched->parts[CG__PART_PIPES];

    if (pipes == NULL && (pipes = malloc(sizeof *pipes)) != NULL) {
        *pipes = (struct pipes){.part.free = part_free};
        sched->parts[CG__PART_PIPES] = &pipes->part;
    }
    return pipes;
}

struct cg__splice_pipe *cg__splice_pipe_open(struct cg_sock *from)
{
    struct pipes *pipes = pipes_of(from->sched);
    struct cg__splice_pipe *pipe;

    if (pipes == NULL || pipes->count == CG_SPLICE_PIPES)
        return NULL;
    pipe = calloc(1, sizeof *pipe);
    if (pipe == NULL || cg__pipe_open(pipe->ends) < 0) {
        free(pipe);
        return NULL;
    }
    /* Without it the pipe stays smaller, which costs more system calls. */
    fcntl(pipe->ends[1], F_SETPIPE_SZ, CG_SPLICE_MOST);
    pipe->sched = from->sched;
    pipe->from = from;
    pipe->forks = cg__fork_watch();
    pipe->next = pipes->first;
    pipe->link = &pipes->first;
    if (pipe->next != NULL)
        pipe->next->link = &pipe->next;
    pipes->first = pipe;
    pipes->count++;
    return pipe;
}

/* Moves a chunk of bytes out of the pipe. Returns 0 or -errno. */
static int pull(struct cg__splice_pipe *pipe)
{
    struct cg_sock *from = pipe->from;
    struct cg_chunk *chunk = cg_chunk_get(from->reactor);
    size_t most;
    ssize_t n;

    if (chunk == NULL)
        return -ENOMEM;
    most = pipe->held < chunk->size ? pipe->held : chunk->size;
    do
        n = read(pipe->ends[0], chunk->data, most);
    while (n < 0 && errno == EINTR);
    if (n <= 0) {
        cg_chunk_put(from->reactor, chunk);
        return n < 0 ? -errno : -EIO;
    }
    chunk->end = (uint32_t)n;
    pipe->held -= (size_t)n;
    cg__input_add(from->reactor, &from->input, chunk);
    return 0;
}

/* In a child made by fork() the bytes are the parent's, which has the same pipe. Bytes that
 * cannot be kept must not go unnoticed: the stream ends with the error. */
static void give_back(struct cg__splice_pipe *pipe)
{
    struct cg_sock *from = pipe->from;
    int error = pipe->forks == cg__fork_count() ? 0 : -EPIPE;

    assert(from->input.first == NULL);
    while (pipe->held > 0 && error == 0)
        error = pull(pipe);
    if (error < 0)
        from->error = error;
}

void cg__splice_pipe_close(struct cg__splice_pipe *pipe)
{
    struct pipes *pipes = pipes_of(pipe->sched);

    if (pipe->held > 0 && !pipe->from->closing)
        give_back(pipe);
    pipe->from->piped = false;
    *pipe->link = pipe->next;
    if (pipe->next != NULL)
        pipe->next->link = pipe->link;
    pipes->count--;
    free_pipe(pipe);
}
