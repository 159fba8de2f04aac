/* SPDX-License-Identifier: MIT */
/* cg_tls_accept and cg_tls_connect: the handshake, and what is known after it. */
#include "config.h"

#include "tls/conn.h"
#include "tls/names.h"
#include "tls/pins.h"
#include "tls/why.h"

#include <errno.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct cg_tls_op *of(struct cg_op *op)
{
    return (struct cg_tls_op *)op;
}

static int shake(SSL *ssl, void *data, size_t size)
{
    (void)data;
    (void)size;
    return SSL_do_handshake(ssl);
}

/* The name of a client: the first alternative name without its kind, or else the common
 * name. */
static char *client_name(struct cg__tls_conn *conn, X509 *cert)
{
    conn->alt = cg__tls_names_alt(cert);
    if (conn->alt != NULL && conn->alt[0] != NULL)
        return strdup(strchr(conn->alt[0], ':') + 1);
    return cg__tls_names_common(cert);
}

/* A resumed session was verified for the same host when it was made. */
static char *verified_name(struct cg__tls_conn *conn)
{
    SSL *ssl = conn->ssl;
    X509 *cert = SSL_get0_peer_certificate(ssl);
    const char *name = SSL_get0_peername(ssl);

    if (cert == NULL || SSL_get_verify_mode(ssl) == SSL_VERIFY_NONE)
        return NULL;
    if (SSL_is_server(ssl))
        return client_name(conn, cert);
    return strdup(name != NULL ? name : conn->host);
}

/* A name for which there is no memory stays unknown. */
static void note(struct cg__tls_conn *conn)
{
    const unsigned char *alpn;
    struct cg__tls_host host;
    unsigned size;

    cg__tls_why_clear();
    if (SSL_is_server(conn->ssl) && cg__tls_choose_host(conn->ssl, &host))
        conn->host = strdup(host.text);
    SSL_get0_alpn_selected(conn->ssl, &alpn, &size);
    if (size > 0)
        conn->alpn = strndup((const char *)alpn, size);
    conn->peer = verified_name(conn);
    cg__tls_why_clear();
}

/* Takes references to everything that may be freed before the handshake starts: as a
 * branch of a cg_any it starts later. */
static enum cg_verdict begin(struct cg_tls_op *op, bool server)
{
    op->result = cg__tls_conn_new(op, server);
    if (op->result < 0)
        return CG_DONE;
    cg_sock_keep(op->inner);
    return CG_RUN;
}

static enum cg_verdict accept_process(struct cg_op *op, struct cg_sched *sched)
{
    (void)sched;
    return begin(of(op), true);
}

static enum cg_verdict connect_process(struct cg_op *op, struct cg_sched *sched)
{
    (void)sched;
    return begin(of(op), false);
}

/* Checks a resumed session, too: it stores the server's certificate. */
static ssize_t check_pins(struct cg__tls_conn *conn)
{
    const char *pins = conn->tls->options.pins;
    char own[CG__TLS_PIN_SIZE], text[CG_TLS_WHY_SIZE];

    if (pins == NULL || SSL_is_server(conn->ssl) ||
        cg__tls_pins_have(pins, SSL_get0_peer_certificate(conn->ssl), own))
        return 1;
    snprintf(text, sizeof text, "%s%s%s", cg_strerror(CG_ETLS_PIN), *own ? ": " : "", own);
    return cg__tls_why_say(conn->why, CG_ETLS_PIN, text);
}

/* Sends the last flight. That of a server of TLS 1.3 is tickets, for which no client waits: they
 * go with the response, or when a reader waits. */
static int send_last(struct cg__tls_conn *conn)
{
    if (!SSL_is_server(conn->ssl) || SSL_version(conn->ssl) < TLS1_3_VERSION)
        return cg__tls_pump_flush(conn);
    conn->tickets = conn->queue.in;
    return 0;
}

/* The pins are checked before the last flight of TLS 1.3, with a client's certificate, is sent. */
static ssize_t run(struct cg_op *op)
{
    struct cg__tls_conn *conn = of(op)->conn;
    ssize_t result = cg__tls_conn_read(conn, shake, NULL, 0);

    if (result > 0)
        result = check_pins(conn);
    if (result > 0)
        result = send_last(conn);
    if (result == CG_ETLS_CUT)
        return cg__tls_why_say(conn->why, CG_EOF, "the peer closed the connection");
    return result;
}

/* After a failure *sock keeps its value: it may be the caller's only pointer to the inner
 * socket. */
static ssize_t make_sock(struct cg__tls_conn *conn, struct cg_sock **sock)
{
    struct cg_sock *made =
        cg_sock_open(cg_sock_sched(conn->inner), &cg__tls_transport, conn, -1);

    if (made == NULL)
        return -ENOMEM;
    *sock = made;
    return 0;
}

/* Only finish knows whether the handshake was complete in time; until then the inner
 * socket belongs to the caller. */
static ssize_t finish(struct cg_op *op)
{
    struct cg_tls_op *tls = of(op);
    struct cg__tls_conn *conn = tls->conn;
    ssize_t result = op->result;

    if (conn == NULL) /* the handshake was not started */
        return result;
    tls->conn = NULL;
    if (cg_sock_unkeep(tls->inner) < 0 && result >= 0)
        result = -EBADF;
    if (result >= 0) {
        note(conn);
        result = make_sock(conn, tls->sock);
    }
    if (result < 0 && tls->why != NULL)
        cg__tls_why_say(tls->why, 0, conn->why[0] ? conn->why : cg_strerror(result));
    if (result < 0)
        cg__tls_conn_free(conn);
    return result;
}

static int print(const struct cg_op *op, char *buf, size_t size)
{
    const char *host = ((const struct cg_tls_op *)op)->host;

    return snprintf(buf, size, "%s", host != NULL ? host : "handshake");
}

const struct cg_op_type cg_tls_accept_type = {
    .name = "tls_accept",
    .flags = CG_OP_DEFAULT_TIMEOUT,
    .process = accept_process,
    .run = run,
    .finish = finish,
    .print = print,
};

const struct cg_op_type cg_tls_connect_type = {
    .name = "tls_connect",
    .flags = CG_OP_DEFAULT_TIMEOUT,
    .process = connect_process,
    .run = run,
    .finish = finish,
    .print = print,
};
