/* SPDX-License-Identifier: MIT */
/* For systems without nghttp2: no connection speaks HTTP/2. */
#include "config.h"

#include "http/client/h2/h2.h"
#include "http/client/h2/tunnel.h"

#include <stddef.h>

const bool cg__http_client_h2_known = false;

const struct cg__carrier cg__http_client_h2 = {.send = NULL};

struct cg__h2 *cg__http_client_h2_new(struct cg_http_client *client, struct cg_sock *sock)
{
    (void)client;
    (void)sock;
    return NULL;
}

void cg__http_client_h2_free(struct cg__h2 *h2)
{
    (void)h2;
}

void cg__http_client_h2_free_spare(struct cg_http_client *client)
{
    (void)client;
}

void cg__http_client_h2_set(struct cg__h2 *h2, struct cg__origin *lease,
                            struct cg__line *line)
{
    (void)h2;
    (void)lease;
    (void)line;
}

struct cg__origin *cg__http_client_h2_lease(const struct cg__h2 *h2)
{
    (void)h2;
    return NULL;
}

void cg__http_client_h2_retire(struct cg__h2 *h2)
{
    (void)h2;
}

bool cg__http_client_h2_is_retired(const struct cg__h2 *h2)
{
    (void)h2;
    return false;
}

bool cg__http_client_h2_is_spent(const struct cg__h2 *h2)
{
    (void)h2;
    return true;
}

bool cg__http_client_h2_has_room(const struct cg__h2 *h2)
{
    (void)h2;
    return false;
}

bool cg__http_client_h2_is_idle(const struct cg__h2 *h2)
{
    (void)h2;
    return true;
}

bool cg__http_client_h2_connects(const struct cg__h2 *h2)
{
    (void)h2;
    return false;
}

bool cg__http_client_h2_revive(struct cg__h2 *h2)
{
    (void)h2;
    return false;
}

struct cg__h2_stream *cg__http_client_h2_join(struct cg__h2 *h2)
{
    (void)h2;
    return NULL;
}

struct cg__h2 *cg__http_client_h2_part(struct cg__h2_stream *stream)
{
    (void)stream;
    return NULL;
}

struct cg_sock *cg__http_client_h2_tunnel(struct cg_http_client *client, struct cg__link *link)
{
    (void)client;
    (void)link;
    return NULL;
}
