/* SPDX-License-Identifier: MIT */
/* See forward_reveal.h. The fields are composed where they are stored. */
#include "config.h"

#include "http/gateway/forward_reveal.h"
#include "http/message/draft.h"
#include "http/web/client_address.h"

#include <cogen/transport.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    HOST_LIMIT = 255,     /* bytes of a host that is passed on in Forwarded */
    FORWARDED_WORDS = 64, /* bytes of the other parts of an element of Forwarded */
};

static bool is_secure(const struct cg_http_request *req)
{
    const struct cg_sock *sock = cg_http_request_sock(req);

    while (sock != NULL) {
        const struct cg_transport_type *transport = cg_sock_transport(sock);

        if (transport == NULL || strcmp(transport->name, "tls") == 0)
            return transport != NULL;
        sock = transport->below != NULL ? transport->below(sock) : NULL;
    }
    return false;
}

/* What is said about a client. */
struct told {
    const char *client, *host, *proto;
    size_t client_len, host_len, proto_len;
    bool trusted; /* what the client itself says about others is believed */
};

/* Begins a field that lists the clients, behind what a trusted client has sent. The next element
 * has at most `room` bytes. */
static int begin_list(struct cg__http_draft *draft, struct cg__forward *fw, bool trusted,
                      const char *name, size_t name_len, size_t room)
{
    char *list = NULL;
    size_t len = 0;
    int rc;

    if (trusted) {
        list = cg__http_client_address_list(cg_http_request_headers(fw->req), name);
        if (list == NULL)
            return -ENOMEM;
        len = strlen(list);
    }
    rc = cg__http_draft_begin(draft, &fw->fields, name, name_len, len + room + sizeof ", ");
    if (rc == 0 && len > 0) {
        cg__http_draft_add(draft, list, len);
        CG__HTTP_DRAFT_ADD(draft, ", ");
    }
    free(list);
    return rc;
}

#define BEGIN_LIST(draft, fw, trusted, literal, room)                                      \
    begin_list(draft, fw, trusted, literal, sizeof(literal) - 1, room)

/* The server has checked that Host has no quotes; one that is too long for a host is left out. */
static int put_forwarded(struct cg__forward *fw, const struct told *told)
{
    bool v6 = memchr(told->client, ':', told->client_len) != NULL;
    struct cg__http_draft draft;
    int rc = BEGIN_LIST(&draft, fw, told->trusted, "Forwarded",
                        told->client_len + HOST_LIMIT + FORWARDED_WORDS);

    if (rc < 0)
        return rc;
    CG__HTTP_DRAFT_ADD(&draft, "for=");
    if (v6)
        CG__HTTP_DRAFT_ADD(&draft, "\"[");
    cg__http_draft_add(&draft, told->client, told->client_len);
    if (v6)
        CG__HTTP_DRAFT_ADD(&draft, "]\"");
    if (told->host_len > 0 && told->host_len <= HOST_LIMIT) {
        CG__HTTP_DRAFT_ADD(&draft, ";host=\"");
        cg__http_draft_add(&draft, told->host, told->host_len);
        CG__HTTP_DRAFT_ADD(&draft, "\"");
    }
    CG__HTTP_DRAFT_ADD(&draft, ";proto=");
    cg__http_draft_add(&draft, told->proto, told->proto_len);
    return cg__http_draft_end(&draft);
}

static int put_forwarded_for(struct cg__forward *fw, const struct told *told)
{
    struct cg__http_draft draft;
    int rc = BEGIN_LIST(&draft, fw, told->trusted, "X-Forwarded-For", told->client_len);

    if (rc < 0)
        return rc;
    cg__http_draft_add(&draft, told->client, told->client_len);
    return cg__http_draft_end(&draft);
}

/* Whether a trusted client has sent a field. */
static bool has_told(const struct cg__forward *fw, const struct told *told, const char *name)
{
    return told->trusted &&
           cg_http_headers_get(cg_http_request_headers(fw->req), name) != NULL;
}

int cg__http_forward_reveal(struct cg__forward *fw, const char *client, bool trusted)
{
    const char *host = cg_http_request_header(fw->req, "Host");
    bool secure = is_secure(fw->req), known = strcmp(client, "unix") != 0;
    struct told told = {
        .client = known ? client : "unknown",
        .client_len = known ? strlen(client) : sizeof "unknown" - 1,
        .host = host,
        .host_len = host != NULL ? strlen(host) : 0,
        .proto = secure ? "https" : "http",
        .proto_len = secure ? 5 : 4,
        .trusted = trusted,
    };
    int rc = put_forwarded(fw, &told);

    if (rc == 0)
        rc = put_forwarded_for(fw, &told);
    if (rc == 0 && !has_told(fw, &told, "X-Forwarded-Proto"))
        rc = cg__http_message_put_text(&fw->fields, "X-Forwarded-Proto", told.proto);
    if (rc == 0 && host != NULL && !has_told(fw, &told, "X-Forwarded-Host"))
        rc = cg__http_message_put_text(&fw->fields, "X-Forwarded-Host", host);
    return rc;
}
