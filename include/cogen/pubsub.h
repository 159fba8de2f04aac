/* SPDX-License-Identifier: MIT */
/* Publish and subscribe: every subscriber gets every message, at its own pace. A message is
 * one word, as in a queue. The messages that have been published are kept until they are
 * compacted, so that who comes late can still have them. See cg_pubsub(3). */
#ifndef COGEN_PUBSUB_H
#define COGEN_PUBSUB_H

#include <cogen/op.h>
#include <cogen/wait.h>

struct cg_pubsub;

struct cg_pubsub_options {
    /* Messages kept at most. Publishing one more drops the oldest if every subscriber is
     * done with it, else waits until that is so. 0: no limit, cg_pubsub_compact drops
     * them. */
    size_t limit;
    void (*drop)(void *message); /* of a message that is not kept any more: it is the last
                                    use of it. Does not call anything of this header */
    const char *name;            /* for listings, borrowed */
    void *reserved;
};

/* Where a subscriber begins. */
enum cg_since {
    CG_SINCE_START, /* with the oldest message that is kept */
    CG_SINCE_NOW,   /* with the next one */
};

/* One who reads; the caller's, up to cg_pubsub_unsubscribe. The contents are the
 * library's. */
struct cg_subscriber {
    struct cg_pubsub *pubsub;
    struct cg_subscriber *next, *prev;
    uint64_t held;   /* the first message of the last fetch, or of the next one */
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

/* Both may also answer -EBADF: the pubsub was freed, the subscription ended, or never was,
 * even if the operation had completed, but its coroutine had not run since; -ETIMEDOUT,
 * with CG_NOWAIT as soon as they would have to wait; -ECANCELED. Both are traceless. The
 * scheduler's default timeout applies. */

/* cg_publish(pubsub, message): adds a message and wakes those who wait for one; they run
 * first unless .prio has CG_PRIO_CORO. Waits only at the limit. 0, and the message
 * belongs to the pubsub; -EPIPE: closed; -ENOMEM. With -EBADF the message stays the
 * caller's unless *taken, of the keyword .taken = &taken, a bool, was set to true: it had
 * been published and was dropped when the pubsub was freed. */
#define cg_publish(...) cg__publish(__VA_ARGS__, )
#define cg__publish(p, m, ...)                                                             \
    CG_OP(cg_publish, .pubsub = (p), .message = (const void *)(m), __VA_ARGS__)

/* cg_fetch(&subscriber, messages, size): stores the messages that this subscriber has not
 * yet had, the oldest first, at most `size`, into an array of pointers or intptr_t; waits
 * if there is none. Answers how many; CG_EOF: closed, and there will be none; -EBUSY:
 * another coroutine fetches for this subscriber; -EINVAL: size is 0. What the messages
 * point to stays valid until the subscriber's next fetch is yielded, or
 * cg_pubsub_unsubscribe. */
#define cg_fetch(...) cg__fetch(__VA_ARGS__, )
#define cg__fetch(s, m, n, ...)                                                            \
    CG_OP(cg_fetch, .subscriber = (s), .messages = (m), .size = (n), __VA_ARGS__)

/* cg_pubsub_new(): cg_pubsub_new_with with keywords, as in .drop = free. */
#define cg_pubsub_new(...)                                                                 \
    cg_pubsub_new_with(CG__OPTIONS(struct cg_pubsub_options, __VA_ARGS__))

#endif

CG_EXTERN_C_BEGIN

extern CG_API const struct cg_op_type cg_publish_type, cg_fetch_type;

/* A new one; the options are copied, NULL: all defaults. NULL: no memory. */
CG_API struct cg_pubsub *cg_pubsub_new_with(const struct cg_pubsub_options *options);

/* Drops all messages, ends all subscriptions, answers whoever waits -EBADF (also if its
 * operation has completed but its coroutine has not run since), and frees it. NULL is
 * ignored. */
CG_API void cg_pubsub_free(struct cg_pubsub *pubsub);

/* Subscribes. The subscriber, in the caller's memory, must stay there until it is
 * unsubscribed or the pubsub is freed. Cannot fail. */
CG_API void cg_pubsub_subscribe(struct cg_pubsub *pubsub, struct cg_subscriber *subscriber,
                                enum cg_since since);

/* Ends a subscription; a coroutine that fetches for it is answered -EBADF, also if its
 * fetch has completed but it has not run since: its messages count as fetched. Nothing
 * happens if it has ended already. */
CG_API void cg_pubsub_unsubscribe(struct cg_subscriber *subscriber);

/* What cg_publish does where nothing may wait: also outside coroutines, in the scheduler's
 * thread. 0, and the message belongs to the pubsub; -EAGAIN: it is at its limit; -EPIPE:
 * closed; -ENOMEM. Coroutines that it wakes run later. */
CG_API int cg_pubsub_try_publish(struct cg_pubsub *pubsub, const void *message);

/* Drops the messages that every subscriber is done with; without subscribers, all. Answers
 * how many. */
CG_API size_t cg_pubsub_compact(struct cg_pubsub *pubsub);

/* No more messages: publishing answers -EPIPE; fetches give what there is, then CG_EOF. */
CG_API void cg_pubsub_close(struct cg_pubsub *pubsub);

/* Messages that are kept; and those of them that a subscriber has yet to fetch. */
CG_API size_t cg_pubsub_size(const struct cg_pubsub *pubsub);
CG_API size_t cg_subscriber_unread(const struct cg_subscriber *subscriber);

CG_EXTERN_C_END
#endif
