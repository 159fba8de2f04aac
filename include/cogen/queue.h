/* SPDX-License-Identifier: MIT */
/* Queues between the coroutines of a scheduler. An item is one word: a pointer, or an
 * integer that fits in one. What it points to belongs to the holder of the item. See
 * cg_queue(3). */
#ifndef COGEN_QUEUE_H
#define COGEN_QUEUE_H

#include <cogen/op.h>
#include <cogen/wait.h>

struct cg_queue;

struct cg_queue_options {
    size_t limit; /* most items; a put into a full queue waits. 0: no limit */
    bool lifo;    /* the newest item comes first */
    /* Makes a priority queue. Returns < 0 if item a comes before item b. Among equal items
     * the oldest comes first, with lifo the newest. */
    int (*compare)(const void *a, const void *b);
    void (*drop)(void *item); /* called for the items in the queue when it is freed */
    const char *name;         /* for listings, borrowed */
    void *reserved;
};

#ifndef __cplusplus

struct cg_put_op {
    CG_OP_HEAD;
    struct cg_wait wait;
    struct cg_queue *queue;
    const void *item;
    bool *taken;
};

struct cg_get_op {
    CG_OP_HEAD;
    struct cg_wait wait;
    struct cg_queue *queue;
    void *item;
};

struct cg_join_queue_op {
    CG_OP_HEAD;
    struct cg_wait wait;
    struct cg_queue *queue;
};

/* All may also complete with
 *   -EBADF      the queue was freed before the coroutine ran, even if the operation had
 *               already completed (see .taken; the item of such a get is dropped)
 *   -ETIMEDOUT  with .timeout = CG_NOWAIT: it would have to wait
 *   -ECANCELED
 * All are traceless. The scheduler's default timeout applies to put and get. */

/* cg_put(queue, item): adds an item, or passes it to the coroutine that has waited longest
 * in cg_get, which then runs before the caller continues, unless .prio has CG_PRIO_CORO.
 * Waits while the queue is full. Completes with 0; -EPIPE: the queue is closed; -ENOMEM: a
 * queue without limit cannot grow.
 *   If the result is 0 the queue owns the item, else the caller still does, with one
 * exception: -EBADF after the item was added and then received by somebody or dropped. To
 * know, set .taken = &taken, a bool: it is then set to true. */
#define cg_put(...) cg__put(__VA_ARGS__, )
#define cg__put(q, i, ...)                                                                 \
    CG_OP(cg_put, .queue = (q), .item = (const void *)(i), __VA_ARGS__)

/* cg_get(queue, &item): takes the next item and stores it in any pointer or intptr_t
 * object. Waits while the queue is empty. Completes with 0; CG_EOF: the queue is closed and
 * empty. */
#define cg_get(...) cg__get(__VA_ARGS__, )
#define cg__get(q, out, ...)                                                               \
    CG_OP(cg_get, .queue = (q), .item = CG__WORD(out), __VA_ARGS__)

/* cg_join_queue(queue): waits until cg_queue_task_done has been called for every item that
 * was ever put. Completes with 0. */
#define cg_join_queue(...) cg__join_queue(__VA_ARGS__, )
#define cg__join_queue(q, ...) CG_OP(cg_join_queue, .queue = (q), __VA_ARGS__)

/* Macro form of cg_queue_new_with that takes the options as keywords, as in
 * cg_queue_new(.limit = 10). */
#define cg_queue_new(...)                                                                  \
    cg_queue_new_with(CG__OPTIONS(struct cg_queue_options, __VA_ARGS__))

#endif

CG_EXTERN_C_BEGIN

extern CG_API const struct cg_op_type cg_put_type, cg_get_type, cg_join_queue_type;

/* Makes a queue. The options are copied (NULL: all defaults). A queue with a limit
 * allocates all its memory now. Returns NULL if there is no memory. */
CG_API struct cg_queue *cg_queue_new_with(const struct cg_queue_options *options);

/* Frees a queue and drops the items in it. Operations that wait on it complete with -EBADF,
 * also those that have completed but whose coroutines have not run since. NULL is
 * ignored. */
CG_API void cg_queue_free(struct cg_queue *queue);

/* Function forms of cg_put and cg_get that never wait. They also work outside coroutines
 * (in the scheduler's thread), and in a cancelled coroutine. Return 0 or the codes of
 * cg_put and cg_get; -EAGAIN: the queue is full, or empty. Coroutines that they wake run
 * later. */
CG_API int cg_queue_try_put(struct cg_queue *queue, const void *item);
CG_API int cg_queue_try_get(struct cg_queue *queue, void *item);
#ifndef __cplusplus
#define cg_queue_try_get(queue, item) cg_queue_try_get(queue, CG__WORD(item))
#endif

/* Reports that the work for one received item is done. Returns 0; -EINVAL: it was already
 * called for all items. */
CG_API int cg_queue_task_done(struct cg_queue *queue);

/* Closes the queue: puts, also waiting ones, complete with -EPIPE; gets take the remaining
 * items, then complete with CG_EOF. */
CG_API void cg_queue_close(struct cg_queue *queue);

/* The number of items in the queue; whether it is empty; whether it is at its limit. */
CG_API size_t cg_queue_len(const struct cg_queue *queue);
CG_API bool cg_queue_empty(const struct cg_queue *queue);
CG_API bool cg_queue_full(const struct cg_queue *queue);

CG_EXTERN_C_END
#endif
