/* SPDX-License-Identifier: MIT */
/* Publish and subscribe: every subscriber gets every message, at its own pace. A message is
 * one word, as in a queue. Published messages are kept until they are compacted, so that
 * later subscribers can still get them. See cg_pubsub(3). */
#ifndef COGEN_PUBSUB_H
#define COGEN_PUBSUB_H

#include <cogen/op.h>
#include <cogen/wait.h>

struct cg_pubsub;

struct cg_pubsub_options {
    /* Most messages kept. Publishing one more drops the oldest if every subscriber is done
     * with it, else waits until that is so. 0: no limit, only cg_pubsub_compact drops
     * messages. */
    size_t limit;
    void (*drop)(void *message); /* called when a message is dropped, its last use; must not
                                    call anything of this header */
    const char *name;            /* for listings, borrowed */
    void *reserved;
};

/* Where a subscriber starts. */
enum cg_since {
    CG_SINCE_START, /* with the oldest message that is kept */
    CG_SINCE_NOW,   /* with the next message */
};

/* A subscriber, in the caller's memory until cg_pubsub_unsubscribe. The contents are the
 * library's. */
struct cg_subscriber {
    struct cg_pubsub *pubsub;
    struct cg_subscriber *next, *prev;
    uint64_t held;   /* the first message of the last fetch, which keeps it valid */
    uint64_t cursor; /* the next message to fetch */
    struct cg_op *fetch;
    struct cg_object object;
};

#ifndef __cplusplus

struct cg_publish_op {
    CG_OP_HEAD;
    struct cg_wait wait;
    struct cg_pubsub *pubsub;
    const void *message;
    bool *taken;
};

struct cg_fetch_op {
    CG_OP_HEAD;
    struct cg_wait wait;
    struct cg_subscriber *subscriber;
    void *messages;
    size_t size;
};

/* Both may also complete with
 *   -EBADF      the pubsub was freed, or the subscription ended or never existed; also if
 *               the operation had completed, but its coroutine had not run since
 *   -ETIMEDOUT  with CG_NOWAIT: it would have to wait
 *   -ECANCELED
 * Both are traceless. The scheduler's default timeout applies. */

/* cg_publish(pubsub, message): adds a message and wakes the subscribers that wait for one;
 * they run before the caller continues, unless .prio has CG_PRIO_CORO. Waits only at the
 * limit. Completes with 0; -EPIPE: closed; -ENOMEM.
 *   If the result is 0 the pubsub owns the message, else the caller still does, with one
 * exception: -EBADF after it was published and then dropped with the pubsub. To know, set
 * .taken = &taken, a bool: it is then set to true. */
#define cg_publish(...) cg__publish(__VA_ARGS__, )
#define cg__publish(p, m, ...)                                                             \
    CG_OP(cg_publish, .pubsub = (p), .message = (const void *)(m), __VA_ARGS__)

/* cg_fetch(&subscriber, messages, size): stores the messages that this subscriber has not
 * fetched yet, oldest first, at most `size` of them, in an array of pointers or intptr_t.
 * Waits if there is none. Completes with their number. What the messages point to stays
 * valid until the subscriber's next fetch is yielded, or cg_pubsub_unsubscribe.
 *   CG_EOF   closed, and nothing is left
 *   -EBUSY   another coroutine fetches for this subscriber
 *   -EINVAL  size is 0 */
#define cg_fetch(...) cg__fetch(__VA_ARGS__, )
#define cg__fetch(s, m, n, ...)                                                            \
    CG_OP(cg_fetch, .subscriber = (s), .messages = (m), .size = (n), __VA_ARGS__)

/* Macro form of cg_pubsub_new_with that takes the options as keywords, as in
 * cg_pubsub_new(.drop = free). */
#define cg_pubsub_new(...)                                                                 \
    cg_pubsub_new_with(CG__OPTIONS(struct cg_pubsub_options, __VA_ARGS__))

#endif

CG_EXTERN_C_BEGIN

extern CG_API const struct cg_op_type cg_publish_type, cg_fetch_type;

/* Makes a pubsub. The options are copied (NULL: all defaults). Returns NULL if there is no
 * memory. */
CG_API struct cg_pubsub *cg_pubsub_new_with(const struct cg_pubsub_options *options);

/* Drops all messages, ends all subscriptions and frees the pubsub. Operations that wait on
 * it complete with -EBADF, also those that have completed but whose coroutines have not run
 * since. NULL is ignored. */
CG_API void cg_pubsub_free(struct cg_pubsub *pubsub);

/* Subscribes. The subscriber, in the caller's memory, must not move until it is
 * unsubscribed or the pubsub is freed. Cannot fail. */
CG_API void cg_pubsub_subscribe(struct cg_pubsub *pubsub, struct cg_subscriber *subscriber,
                                enum cg_since since);

/* Ends a subscription; no effect if it has ended. A fetch that waits for it completes with
 * -EBADF, also if it has completed but its coroutine has not run since: its messages count
 * as fetched. */
CG_API void cg_pubsub_unsubscribe(struct cg_subscriber *subscriber);

/* Function form of cg_publish that never waits; also works outside coroutines, in the
 * scheduler's thread. Returns 0, and the pubsub owns the message; -EAGAIN: at the limit;
 * -EPIPE: closed; -ENOMEM. Coroutines that it wakes run later. */
CG_API int cg_pubsub_try_publish(struct cg_pubsub *pubsub, const void *message);

/* Drops the messages that every subscriber is done with; without subscribers, all. Returns
 * their number. */
CG_API size_t cg_pubsub_compact(struct cg_pubsub *pubsub);

/* Closes the pubsub: publishing completes with -EPIPE; fetches get the remaining messages,
 * then CG_EOF. */
CG_API void cg_pubsub_close(struct cg_pubsub *pubsub);

/* The number of messages kept; and how many of them a subscriber has not fetched yet. */
CG_API size_t cg_pubsub_len(const struct cg_pubsub *pubsub);
CG_API size_t cg_subscriber_unread(const struct cg_subscriber *subscriber);

CG_EXTERN_C_END
#endif
