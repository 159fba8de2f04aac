/* SPDX-License-Identifier: MIT */
/* A TLS connection, and the calls of OpenSSL on it. */
#include "config.h"

#include "tls/conn.h"
#include "tls/why.h"

#include <assert.h>
#include <errno.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

static void set_server(struct cg__tls_conn *conn)
{
    int mode = SSL_VERIFY_NONE;

    if (conn->tls->options.verify_client != CG_TLS_ANYONE)
        mode = SSL_VERIFY_PEER;
    if (conn->tls->options.verify_client == CG_TLS_REQUIRED)
        mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    SSL_set_verify(conn->ssl, mode, NULL);
    SSL_set_accept_state(conn->ssl);
}

/* An IP address is compared with the certificate's addresses and never sent as SNI. */
static bool set_host(struct cg__tls_conn *conn, const struct cg__tls_host *host)
{
    X509_VERIFY_PARAM *param = SSL_get0_param(conn->ssl);

    conn->host = strdup(host->text);
    if (conn->host == NULL)
        return false;
    if (host->address_len > 0)
        return X509_VERIFY_PARAM_set1_ip(param, host->address, host->address_len) == 1;
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return X509_VERIFY_PARAM_set1_host(param, host->text, 0) == 1 &&
           SSL_set_tlsext_host_name(conn->ssl, host->text) == 1;
}

/* host: NULL if the configuration is insecure and the caller gave none. */
static bool set_client(struct cg__tls_conn *conn, const struct cg__tls_host *host)
{
    bool insecure = conn->tls->options.insecure;
    SSL_SESSION *session;

    SSL_set_verify(conn->ssl, insecure ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
    SSL_set_connect_state(conn->ssl);
    if (host == NULL)
        return true;
    if (!set_host(conn, host))
        return false;
    session = cg__tls_session_get(conn->tls, conn->host);
    if (session != NULL) {
        SSL_set_session(conn->ssl, session); /* OpenSSL ignores a session that does not
                                              * match */
        SSL_SESSION_free(session);
    }
    return true;
}

static bool has_certificate(const struct cg_tls_options *options)
{
    return options->cert != NULL ||
           (options->pairs != NULL && options->pairs->cert != NULL);
}

/* Returns why a connection cannot be made, or NULL if it can. */
static const char *check(const struct cg_tls_op *op, bool server,
                         struct cg__tls_host *parsed)
{
    if (op->inner == NULL)
        return "no socket";
    if (op->tls == NULL)
        return "no configuration";
    if (server)
        return has_certificate(&op->tls->options) ? NULL : "a server needs a certificate";
    if (op->host == NULL)
        return op->tls->options.insecure ? NULL : "host: none";
    return cg__tls_host_parse(op->host, parsed);
}

/* Takes the protocols of this one connection. Returns false if there is no memory. */
static bool set_offer(struct cg__tls_conn *conn, const struct cg__tls_alpn *alpn)
{
    conn->offer = malloc(sizeof *conn->offer);
    if (conn->offer == NULL)
        return false;
    *conn->offer = *alpn;
    return SSL_set_alpn_protos(conn->ssl, alpn->names, alpn->len) == 0;
}

int cg__tls_conn_new(struct cg_tls_op *op, bool server)
{
    struct cg__tls_host parsed;
    struct cg__tls_alpn alpn;
    const char *wrong = check(op, server, &parsed);
    struct cg__tls_conn *conn;
    bool ok;
    int rc;

    if (wrong != NULL)
        return cg__tls_why_say(op->why, -EINVAL, wrong);
    rc = cg__tls_choose_encode(&alpn, op->alpn, op->why);
    if (rc < 0)
        return rc;
    conn = calloc(1, sizeof *conn);
    if (conn == NULL)
        return cg__tls_why_say(op->why, -ENOMEM, cg_strerror(-ENOMEM));
    cg__tls_why_clear();
    conn->inner = op->inner;
    conn->tls = cg__tls_ref(op->tls);
    conn->keys = cg__tls_keys_now(op->tls);
    conn->turns = cg__tls_turn_ref(op->tls, cg_sock_sched(op->inner));
    conn->queue.reactor = cg_sched_reactor(cg_sock_sched(op->inner));
    conn->ssl = SSL_new(conn->keys->context);
    ok = conn->turns != NULL && conn->ssl != NULL && cg__tls_bio_attach(conn) &&
         SSL_set_app_data(conn->ssl, conn);
    if (ok && server)
        set_server(conn);
    else if (ok)
        ok = set_client(conn, op->host != NULL ? &parsed : NULL);
    if (ok && SSL_get_verify_mode(conn->ssl) != SSL_VERIFY_NONE)
        cg__tls_keys_trust_system(conn->keys);
    if (ok && op->alpn != NULL)
        ok = set_offer(conn, &alpn);
    cg__tls_why_clear();
    if (!ok) {
        cg__tls_conn_free(conn);
        return cg__tls_why_say(op->why, -ENOMEM, cg_strerror(-ENOMEM));
    }
    op->conn = conn;
    return 0;
}

void cg__tls_conn_free(struct cg__tls_conn *conn)
{
    assert(!conn->pumped[CG__TLS_IN] && !conn->pumped[CG__TLS_OUT]);
    /* A close without close_notify does not invalidate the session. */
    if (conn->ssl != NULL && conn->failure == 0)
        SSL_set_shutdown(conn->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(conn->ssl);
    cg__tls_queue_drop(&conn->queue, cg__tls_queue_size(&conn->queue));
    cg__tls_turn_unref(conn->turns);
    cg__tls_keys_unref(conn->keys);
    cg_tls_free(conn->tls);
    free(conn->packed);
    free(conn->host);
    free(conn->peer);
    free(conn->alt);
    free(conn->alpn);
    free(conn->offer);
    free(conn);
}

static void end_view(struct cg__tls_conn *conn)
{
    if (conn->view.chunk != NULL)
        cg_view_release(&conn->view, conn->used);
    conn->view = (struct cg_view){.sock = conn->inner};
    conn->used = 0;
}

/* No TLS record begins with a letter, but every message of HTTP does: a response begins with
 * "HTTP/", a request with its method, as in "GET /" or "DELET". */
static bool is_http(const struct cg__tls_conn *conn)
{
    bool method = true;

    if (conn->nfirst != CG__TLS_HEADER)
        return false;
    if (!SSL_is_server(conn->ssl))
        return memcmp(conn->first, "HTTP/", CG__TLS_HEADER) == 0;
    for (size_t i = 0; method && i < CG__TLS_HEADER; i++)
        method = (conn->first[i] >= 'A' && conn->first[i] <= 'Z') ||
                 (i >= 3 && strchr(" /*", conn->first[i]) != NULL && conn->first[i] != '\0');
    return method;
}

/* Drops OpenSSL's alert to a peer that speaks HTTP: a client would take it for the response. */
static int fail(struct cg__tls_conn *conn)
{
    int code = cg__tls_why(conn->ssl, conn->why);

    if (!is_http(conn))
        return code;
    cg__tls_queue_drop(&conn->queue, cg__tls_queue_size(&conn->queue));
    return cg__tls_why_say(conn->why, CG_ETLS_HTTP, cg_strerror(CG_ETLS_HTTP));
}

static ssize_t result_of(struct cg__tls_conn *conn, int rc, int error)
{
    if (rc > 0)
        return rc;
    if (error == SSL_ERROR_ZERO_RETURN)
        return CG_EOF;
    if (error == SSL_ERROR_WANT_READ)
        return CG__TLS_MORE;
    if (conn->failure == 0)
        conn->failure = fail(conn);
    cg__tls_why_clear();
    return conn->failure;
}

ssize_t cg__tls_conn_call(struct cg__tls_conn *conn, cg__tls_call *call, void *data,
                          size_t size)
{
    ssize_t result = conn->failure;

    if (result == 0) {
        int rc;

        conn->records = 0;
        cg__tls_why_clear(); /* SSL_get_error would take errors of others for ours */
        rc = call(conn->ssl, data, size);
        result = result_of(conn, rc, SSL_get_error(conn->ssl, rc));
        if (conn->records > 1)
            cg_sched_charge(cg_sock_sched(conn->inner),
                            (conn->records - 1) * CG__TLS_CHARGE);
    }
    end_view(conn);
    return result;
}

static ssize_t flush(void *conn)
{
    return cg__tls_pump_flush(conn);
}

/* Sends the alert about our failure, to a peer that may not read any more. */
static void part(struct cg__tls_conn *conn)
{
    if (conn->parted)
        return;
    conn->parted = true;
    cg_yield(cg_call(flush, conn, .timeout = CG_SECOND));
}

/* Only bytes from the peer make a step of the handshake expensive. */
static int wait_for_turn(struct cg__tls_conn *conn)
{
    if (conn->view.chunk == NULL || !SSL_in_init(conn->ssl))
        return 0;
    return (int)cg_yield(CG_OP(cg__tls_turn, .turns = conn->turns));
}

/* What is sent meanwhile changes nothing for OpenSSL, which would ask for a buffer of 16 KiB only
 * to find that nothing has come. */
static int wait_for_input(struct cg__tls_conn *conn)
{
    int rc;

    do
        rc = cg__tls_pump_fill(conn);
    while (rc > 0 && conn->failure == 0);
    return rc < 0 ? rc : 0;
}

ssize_t cg__tls_conn_do(struct cg__tls_conn *conn, cg__tls_call *call, void *data,
                        size_t size)
{
    ssize_t result;
    int rc = 0;

    for (;;) {
        /* What the peer makes us send is limited by what it reads. */
        if (cg__tls_queue_size(&conn->queue) > 2 * CG__TLS_QUEUE_LIMIT)
            rc = cg__tls_pump_flush(conn);
        if (rc == 0)
            rc = wait_for_turn(conn);
        if (rc < 0) {
            end_view(conn);
            return rc;
        }
        result = cg__tls_conn_call(conn, call, data, size);
        if (result == conn->failure && conn->failure < 0)
            part(conn);
        if (result != CG__TLS_MORE)
            return result;
        if (conn->ended)
            return CG_ETLS_CUT;
        rc = wait_for_input(conn);
    }
}

/* Whether OpenSSL has read all that has come, so that a call that reads would only ask for
 * more. A server's handshake begins with reading. */
static bool is_drained(const struct cg__tls_conn *conn)
{
    bool reads = SSL_in_before(conn->ssl) ? SSL_is_server(conn->ssl) : !SSL_in_init(conn->ssl);

    return reads && conn->failure == 0 && !conn->ended && !SSL_has_pending(conn->ssl) &&
           !(SSL_get_shutdown(conn->ssl) & SSL_RECEIVED_SHUTDOWN);
}

ssize_t cg__tls_conn_read(struct cg__tls_conn *conn, cg__tls_call *call, void *data,
                          size_t size)
{
    int rc = is_drained(conn) ? wait_for_input(conn) : 0;

    return rc < 0 ? rc : cg__tls_conn_do(conn, call, data, size);
}
