/* SPDX-License-Identifier: MIT */
/* A configuration: its options, what was read for them, and its clients' sessions. */
#ifndef COGEN_TLS_TLS_H
#define COGEN_TLS_TLS_H

#include "tls/keys.h"
#include "tls/turn.h"

/* A session that may be resumed. */
struct cg__tls_session {
    struct cg__tls_session *next;
    SSL_SESSION *session;
    char host[];
};

struct cg_tls {
    unsigned refs;
    struct cg_tls_options options; /* with copies of all texts */
    struct cg__tls_keys *keys;
    struct cg__tls_session *sessions; /* newest first */
    unsigned count;
    struct cg__tls_turns turns;
};

struct cg_tls *cg__tls_ref(struct cg_tls *tls);

/* ---- options.c ---- */

/* 0; -EINVAL: they make no sense, and options->why says why. */
int cg__tls_options_check(const struct cg_tls_options *options);

/* Copies all texts. False: no memory; the copy is dropped all the same. */
bool cg__tls_options_copy(struct cg_tls_options *to, const struct cg_tls_options *from);

/* Frees a copy, and erases the keys in it. */
void cg__tls_options_drop(struct cg_tls_options *options);

/* ---- session.c ---- */

/* Has this context keep its clients' sessions. Those that are kept are found by the conn,
 * which SSL_get_app_data tells. */
void cg__tls_session_keep(SSL_CTX *context);

/* Puts a session that was made with this host into the store, which takes it over. False:
 * no memory, it is still the caller's. */
bool cg__tls_session_put(struct cg_tls *tls, const char *host, SSL_SESSION *session);

/* A session for this host, which is the caller's; NULL: none. */
SSL_SESSION *cg__tls_session_get(struct cg_tls *tls, const char *host);

/* Drops all. */
void cg__tls_session_clear(struct cg_tls *tls);

#endif
