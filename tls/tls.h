/* SPDX-License-Identifier: MIT */
/* A configuration: its options, what was loaded for them, and its client sessions. Threads
 * may share it. */
#ifndef COGEN_TLS_TLS_H
#define COGEN_TLS_TLS_H

#include "tls/keys.h"
#include "tls/turn.h"

#include <pthread.h>

/* A session that may be resumed. */
struct cg__tls_session {
    struct cg__tls_session *next;
    SSL_SESSION *session;
    char host[];
};

struct cg_tls {
    atomic_uint refs;
    struct cg_tls_options options; /* with copies of all texts; never changes */
    pthread_mutex_t lock;          /* protects the following fields */
    struct cg__tls_keys *keys;
    unsigned begun, loaded; /* numbers of the last reload that has begun, and of the one
                             * that has loaded the keys */
    struct cg__tls_session *sessions; /* newest first */
    unsigned count;
    struct cg__tls_turns *turns; /* one for each scheduler; NULL: nothing uses it */
};

struct cg_tls *cg__tls_ref(struct cg_tls *tls);

/* Returns a reference to what is loaded now. */
struct cg__tls_keys *cg__tls_keys_now(struct cg_tls *tls);

/* Defined in options.c: */

/* Returns 0, or -EINVAL if they make no sense, with an explanation in options->why. */
int cg__tls_options_check(const struct cg_tls_options *options);

/* Copies all texts. Returns false if there is no memory; drop the copy in that case too. */
bool cg__tls_options_copy(struct cg_tls_options *to, const struct cg_tls_options *from);

/* Frees a copy, and erases the keys in it. */
void cg__tls_options_drop(struct cg_tls_options *options);

/* Defined in session.c: */

/* Makes this context keep its client sessions. The callback finds the connection with
 * SSL_get_app_data. */
void cg__tls_session_keep(SSL_CTX *context);

/* Stores a session made with this host and these keys; its ownership passes to the store.
 * Returns false if there is no memory, or other keys were loaded meanwhile, so that the
 * session's trust may have been withdrawn; then it stays the caller's. */
bool cg__tls_session_put(struct cg_tls *tls, const struct cg__tls_keys *keys,
                         const char *host, SSL_SESSION *session);

/* Returns a session for this host, which the caller then owns, or NULL. */
SSL_SESSION *cg__tls_session_get(struct cg_tls *tls, const char *host);

/* Takes all sessions out, with the lock; frees what was taken out, without it. */
struct cg__tls_session *cg__tls_session_take_all(struct cg_tls *tls);
void cg__tls_session_free_all(struct cg__tls_session *sessions);

#endif
