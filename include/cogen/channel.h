/* SPDX-License-Identifier: MIT */
/* Channels: bounded queues between coroutines of any schedulers, and other threads. An item
 * is one word: a pointer, or an integer that fits in one. What it points to belongs to the
 * holder of the item. Within one scheduler a cg_queue costs less. See cg_channel(3). */
#ifndef COGEN_CHANNEL_H
#define COGEN_CHANNEL_H

#include <cogen/op.h>
#include <cogen/wait.h>

enum {
    CG_CHANNEL_LIMIT = 1024, /* default of .limit */
};

struct cg_channel;
struct cg__seat;

struct cg_channel_options {
    size_t limit;             /* most items; a send into a full channel waits. 0: 1,024 */
    void (*drop)(void *item); /* called for the items in the channel when it is freed, in the
                               * thread that releases it last */
    const char *name;         /* for listings, borrowed */
    void *reserved;
};

#ifndef __cplusplus

struct cg_send_op {
    CG_OP_HEAD;
    struct cg_wait wait;
    struct cg_channel *channel;
    struct cg__seat *seat;
    const void *item;
};

struct cg_receive_op { /* receive, receive_many */
    CG_OP_HEAD;
    struct cg_wait wait;
    struct cg_channel *channel;
    struct cg__seat *seat;
    void *items;
    size_t most;
};

/* Operations on a channel wait in their own scheduler's thread and hold its run open; the
 * channel is not freed while they wait. All are traceless; the scheduler's default timeout
 * applies. Items that one thread, or one coroutine, has sent are received in their order.
 * In a child made by fork() a channel that other threads used must not be used. */

/* cg_send(channel, item): adds an item; waits while the channel is full. Completes with 0:
 * the channel owns the item; -EPIPE: the channel is closed; -ENOMEM. */
#define cg_send(...) cg__send(__VA_ARGS__, )
#define cg__send(c, i, ...)                                                                \
    CG_OP(cg_send, .channel = (c), .item = (const void *)(i), __VA_ARGS__)

/* cg_receive(channel, &item): takes the oldest item and stores it in any pointer or
 * intptr_t object; waits while the channel is empty. Completes with 0; CG_EOF: the channel
 * is closed and empty; -ENOMEM. */
#define cg_receive(...) cg__receive(__VA_ARGS__, )
#define cg__receive(c, out, ...)                                                           \
    CG__OP_OF(cg_receive, cg_receive, .channel = (c), .items = CG__WORD(out), .most = 1,   \
              __VA_ARGS__)

/* cg_receive_many(channel, items, n): takes 1 to n items, as many as there are, and stores
 * them in an array of pointers or intptr_t; waits while the channel is empty. Completes
 * with their number, or as cg_receive. -EINVAL: n is 0. */
#define cg_receive_many(...) cg__receive_many(__VA_ARGS__, )
#define cg__receive_many(c, out, n, ...)                                                   \
    CG__OP_OF(cg_receive, cg_receive_many, .channel = (c), .items = CG__WORD(out),         \
              .most = (n), __VA_ARGS__)

/* Macro form of cg_channel_new_with that takes the options as keywords, as in
 * cg_channel_new(.limit = 10). */
#define cg_channel_new(...)                                                                \
    cg_channel_new_with(CG__OPTIONS(struct cg_channel_options, __VA_ARGS__))

#endif

CG_EXTERN_C_BEGIN

extern CG_API const struct cg_op_type cg_send_type, cg_receive_type, cg_receive_many_type;

/* All functions may be called in any thread, but not in signal handlers. */

/* Makes a channel with one reference and all its memory. The options are copied (NULL: all
 * defaults). Returns NULL if there is no memory. */
CG_API struct cg_channel *cg_channel_new_with(const struct cg_channel_options *options);

/* Takes one more reference and returns the channel; releases one. The last frees the
 * channel and drops the items in it. NULL is ignored. */
CG_API struct cg_channel *cg_channel_ref(struct cg_channel *channel);
CG_API void cg_channel_unref(struct cg_channel *channel);

/* Function forms of cg_send and cg_receive that never wait. Return 0, -EPIPE or CG_EOF;
 * -EAGAIN: the channel is full, or empty. */
CG_API int cg_channel_try_send(struct cg_channel *channel, const void *item);
CG_API int cg_channel_try_receive(struct cg_channel *channel, void *item);
#ifndef __cplusplus
#define cg_channel_try_receive(channel, item)                                              \
    cg_channel_try_receive(channel, CG__WORD(item))
#endif

/* Closes the channel: sends, also waiting ones, complete with -EPIPE; receives take the
 * remaining items, then complete with CG_EOF. */
CG_API void cg_channel_close(struct cg_channel *channel);

/* The number of items in the channel at this moment. */
CG_API size_t cg_channel_size(struct cg_channel *channel);

CG_EXTERN_C_END
#endif
