/* SPDX-License-Identifier: MIT */
/* Rate limits: token buckets, as an operation and on sockets. See cg_bucket(3). */
#ifndef COGEN_BUCKET_H
#define COGEN_BUCKET_H

#include <cogen/coro.h>

struct cg_bucket;
struct cg_sock;

#define CG_BUCKET_RATE_MOST ((uint64_t)1000 * CG_SECOND) /* tokens a second: one a picosecond */
#define CG_BUCKET_BURST_MOST ((uint64_t)1 << 32) /* tokens */

struct cg_bucket_options {
    uint64_t rate;  /* tokens a second, 1 to CG_BUCKET_RATE_MOST */
    uint64_t burst; /* the most tokens that it holds, at most CG_BUCKET_BURST_MOST; 0: those
                     * of a tenth of a second, at least 1 */
    void *reserved;
};

struct cg_limit_options {
    struct cg_bucket *read, *write; /* NULL: no limit in this direction */
    void *reserved;
};

#ifndef __cplusplus

struct cg_take_op {
    CG_OP_HEAD;
    struct cg_bucket *bucket;
    size_t count;
    size_t least;
    size_t taken;
};

/* cg_take(bucket, count): waits until the bucket has so many tokens, and takes them.
 * Completes with the number taken. Waiters are served in the order of their arrival. -EMSGSIZE:
 * more than the bucket can hold. The default timeout does not apply. Traceless: one that does
 * not complete has taken none. Keywords:
 *   .least        completes as soon as there are so many tokens, with as many as there are,
 *                 up to count; 0: count */
#define cg_take(...) cg__take(__VA_ARGS__, )
#define cg__take(b, n, ...) CG_OP(cg_take, .bucket = (b), .count = (n), __VA_ARGS__)

/* Macro forms: cg_bucket_new(&bucket, .rate = 1000000, .burst = 65536) and
 * cg_sock_limit(sock, &limited, .read = bucket, .write = bucket). */
#define cg_bucket_new(...) cg__bucket_new(__VA_ARGS__, )
#define cg__bucket_new(out, ...)                                                           \
    cg_bucket_new_with(CG__OPTIONS(struct cg_bucket_options, __VA_ARGS__), out)
#define cg_sock_limit(...) cg__sock_limit(__VA_ARGS__, )
#define cg__sock_limit(sock, out, ...)                                                     \
    cg_sock_limit_with(sock, CG__OPTIONS(struct cg_limit_options, __VA_ARGS__), out)

#endif

CG_EXTERN_C_BEGIN

extern CG_API const struct cg_op_type cg_take_type;

/* Makes a bucket, full, with one reference, which the caller releases by cg_bucket_unref.
 * It is for the coroutines and sockets of one scheduler. Returns 0; -EINVAL: an option is
 * out of its range; -ENOMEM. */
CG_API int cg_bucket_new_with(const struct cg_bucket_options *options,
                              struct cg_bucket **bucket);

/* Take and release a reference. With the last one the bucket is freed; nobody may wait for
 * it then. NULL is ignored, and cg_bucket_ref returns its argument. */
CG_API struct cg_bucket *cg_bucket_ref(struct cg_bucket *bucket);
CG_API void cg_bucket_unref(struct cg_bucket *bucket);

/* Puts tokens back that were taken and not used. */
CG_API void cg_bucket_return(struct cg_bucket *bucket, size_t count);

/* The tokens that are in it now. Called in a coroutine. */
CG_API uint64_t cg_bucket_level(const struct cg_bucket *bucket);

/* Makes a socket whose bytes cost one token each, over `sock`, which belongs to it from then
 * on: closing the new one closes both. Writing waits for tokens before bytes are sent;
 * reading, before bytes are handed to the reader, so that up to CG_INPUT_LIMIT of them wait
 * in memory and the others at the peer. Sockets may share a bucket, which serves them in
 * turns of about 10 ms. They hold a reference. sock: a stream of any kind, such as TLS.
 * Returns 0; -EINVAL: a listener or datagrams; -EBADF: closed; -ENOMEM; then sock stays the
 * caller's. */
CG_API int cg_sock_limit_with(struct cg_sock *sock, const struct cg_limit_options *options,
                              struct cg_sock **limited);

CG_EXTERN_C_END
#endif
