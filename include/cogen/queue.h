/* SPDX-License-Identifier: MIT */
/* Queues between the coroutines of a scheduler. An item is one word: a pointer, or an
 * integer that fits in one. What it points to belongs to whoever has the item. See
 * cg_queue(3). */
#ifndef COGEN_QUEUE_H
#define COGEN_QUEUE_H

#include <cogen/op.h>
#include <cogen/wait.h>

struct cg_queue;

struct cg_queue_options {
    size_t limit; /* items; a put into a full queue waits. 0: no limit */
    bool lifo;    /* the newest first */
    /* A priority queue: the item that is less (negative) than the others first; among
     * equals the oldest, or with lifo the newest. Given the items themselves. */
    int (*compare)(const void *a, const void *b);
    void (*drop)(void *item); /* of the items that are left when the queue is freed */
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

/* All of them may also answer -EBADF: the queue was freed before the coroutine ran on, even
 * if the operation had completed by then (see .taken; the item of a get is dropped);
 * -ETIMEDOUT, with .timeout = CG_NOWAIT as soon as they would have to wait; -ECANCELED. All
 * are traceless. The scheduler's default timeout applies to put and get. */

/* cg_put(queue, item): adds an item, or hands it to the coroutine that has waited longest
 * to get one, which then runs first unless .prio has CG_PRIO_CORO. Waits while the queue
 * is full. 0; -EPIPE: the queue is closed; -ENOMEM: a queue without limit cannot grow.
 * The item stays the caller's unless the answer is 0; or it is -EBADF and *taken, of the
 * keyword .taken = &taken, a bool, was set to true: the item had been put (somebody got it,
 * or it was dropped with the queue) when the queue was freed. */
#define cg_put(...) cg__put(__VA_ARGS__, )
#define cg__put(q, i, ...)                                                                 \
    CG_OP(cg_put, .queue = (q), .item = (const void *)(i), __VA_ARGS__)

/* cg_get(queue, &item): takes the next item and stores it, into any pointer or intptr_t
 * object. Waits while the queue is empty. 0; CG_EOF: the queue is closed and empty. */
#define cg_get(...) cg__get(__VA_ARGS__, )
#define cg__get(q, out, ...)                                                               \
    CG_OP(cg_get, .queue = (q), .item = CG__WORD(out), __VA_ARGS__)

/* cg_join_queue(queue): waits until cg_queue_task_done has been called for every item that
 * was ever put. 0. */
#define cg_join_queue(...) cg__join_queue(__VA_ARGS__, )
#define cg__join_queue(q, ...) CG_OP(cg_join_queue, .queue = (q), __VA_ARGS__)

/* cg_queue_new(): cg_queue_new_with with keywords, as in .limit = 10. */
#define cg_queue_new(...)                                                                  \
    cg_queue_new_with(CG__OPTIONS(struct cg_queue_options, __VA_ARGS__))

#endif

CG_EXTERN_C_BEGIN

extern CG_API const struct cg_op_type cg_put_type, cg_get_type, cg_join_queue_type;

/* A new queue; the options are copied, NULL: all defaults. With a limit all the memory that
 * it will ever need is taken now. NULL: no memory. */
CG_API struct cg_queue *cg_queue_new_with(const struct cg_queue_options *options);

/* Frees a queue and drops what is left in it; whoever waits there is answered -EBADF, also
 * if its operation has completed but its coroutine has not run since. NULL is ignored. */
CG_API void cg_queue_free(struct cg_queue *queue);

/* The same as put and get where nothing may wait, also outside coroutines (in the
 * scheduler's thread), and in a coroutine that has been cancelled. -EAGAIN: full, or
 * empty. Those who are woken run later. */
CG_API int cg_queue_try_put(struct cg_queue *queue, const void *item);
CG_API int cg_queue_try_get(struct cg_queue *queue, void *item);
#ifndef __cplusplus
#define cg_queue_try_get(queue, item) cg_queue_try_get(queue, CG__WORD(item))
#endif

/* Says that the work for one item that was got is done. 0; -EINVAL: that has been said for
 * all of them already. */
CG_API int cg_queue_task_done(struct cg_queue *queue);

/* Ends the queue: puts, waiting ones too, answer -EPIPE; gets take what is left, then
 * answer CG_EOF. */
CG_API void cg_queue_close(struct cg_queue *queue);

/* Items in the queue; whether there are none, or as many as the limit allows. */
CG_API size_t cg_queue_size(const struct cg_queue *queue);
CG_API bool cg_queue_empty(const struct cg_queue *queue);
CG_API bool cg_queue_full(const struct cg_queue *queue);

CG_EXTERN_C_END
#endif
