/* SPDX-License-Identifier: MIT */
/* What OpenSSL reads from and writes to, in memory. It reads the inner socket's input
 * without a copy; its output goes into the queue, which has no limit here. */
#include "config.h"

#include "tls/conn.h"

#include <errno.h>
#include <openssl/bio.h>
#include <string.h>

static int bio_read(BIO *bio, char *buf, int size)
{
    struct cg__tls_conn *conn = BIO_get_data(bio);
    size_t left = conn->view.len - conn->used;

    BIO_clear_retry_flags(bio);
    if (size <= 0)
        return 0;
    /* OpenSSL reads each record's header with a call of its own, and reads on until it has
     * bytes to return. A peer's records may be small and empty, or only ask for new keys,
     * so they are counted. */
    if (size == CG__TLS_HEADER && left > 0)
        conn->records++;
    if (left == 0 || conn->records > CG__TLS_RECORDS) {
        BIO_set_retry_read(bio);
        return -1;
    }
    if ((size_t)size > left)
        size = (int)left;
    memcpy(buf, conn->view.data + conn->used, (size_t)size);
    for (int i = 0; i < size && conn->nfirst < CG__TLS_HEADER; i++)
        conn->first[conn->nfirst++] = (unsigned char)buf[i];
    conn->used += (size_t)size;
    return size;
}

/* If memory ran out, part of a record may be queued already. So the failure is final, and
 * there is no retry. */
static int bio_write(BIO *bio, const char *data, int size)
{
    struct cg__tls_conn *conn = BIO_get_data(bio);

    BIO_clear_retry_flags(bio);
    if (size <= 0)
        return 0;
    if (cg__tls_queue_put(&conn->queue, data, (size_t)size) == (size_t)size)
        return size;
    conn->failure = -ENOMEM;
    return -1;
}

static long bio_ctrl(BIO *bio, int what, long number, void *data)
{
    (void)bio;
    (void)number;
    (void)data;
    return what == BIO_CTRL_FLUSH;
}

bool cg__tls_bio_attach(struct cg__tls_conn *conn)
{
    BIO *bio = BIO_new(conn->keys->bio);

    if (bio == NULL)
        return false;
    BIO_set_data(bio, conn);
    BIO_set_init(bio, 1);
    SSL_set_bio(conn->ssl, bio, bio);
    return true;
}

BIO_METHOD *cg__tls_bio_method(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "cogen");

    if (method == NULL)
        return NULL;
    BIO_meth_set_read(method, bio_read);
    BIO_meth_set_write(method, bio_write);
    BIO_meth_set_ctrl(method, bio_ctrl);
    return method;
}
