/* SPDX-License-Identifier: MIT */
/* The header fields of messages that are forwarded. Those that concern one connection (hop by
 * hop) are left out; what a client says about itself is left out unless it is trusted. */
#include "config.h"

#include "http/gateway/forward_fields.h"
#include "http/message/message.h"
#include "http/message/network.h"
#include "http/web/client_address.h"
#include "lib/base/ascii.h"

#include <cogen/transport.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    OURS = 10,        /* fields that a proxy adds, and the end of the list */
    HOST_LIMIT = 255, /* bytes of a host that is passed on in Forwarded */
    ELEMENT = CG_ADDR_SIZE + HOST_LIMIT + 64, /* of Forwarded */
};

/* Whether a field concerns one connection and not the message: one of a list, or one that
 * Connection names, except Host, which requests cannot do without. */
static bool is_hop(const struct cg_http_headers *headers, const char *name)
{
    static const char *const hops[] = {"Proxy-Authorization", "Proxy-Authenticate", "TE", NULL};

    return cg__http_message_is_of_connection(name) || cg__http_message_is_one_of(name, hops) ||
           (!cg__ascii_equal(name, "Host") && cg_http_headers_has(headers, "Connection", name));
}

/* Whether a field may be passed on: it concerns the message, and the library does not send it
 * itself, as it does the length of the body. */
static bool may_pass(const struct cg_http_headers *headers, const char *name)
{
    return !cg__http_message_is_framing(name, strlen(name)) && !is_hop(headers, name);
}

/* Fields that the library's client sends itself, or that are made anew. */
static bool is_replaced(const struct cg__forward *fw, const char *name)
{
    return cg__ascii_equal(name, "Expect") ||
           (cg__ascii_equal(name, "Host") && fw->hop->own_host) ||
           (cg__ascii_equal(name, "Max-Forwards") && *fw->hops != '\0');
}

/* Whether a field's name has a "_". CGI and its heirs take that for a "-": Content_Length would
 * be a second Content-Length to them, and X_Forwarded_For would pass for ours. */
static bool is_ambiguous(const struct cg__forward *fw, const char *name)
{
    return !fw->hop->underscores && strchr(name, '_') != NULL;
}

/* Whether a field says who the client is, also with "_" for "-". */
static bool is_claim(const char *name)
{
    static const char *const claims[] = {
        "Forwarded",          "X-Forwarded-For",  "X-Forwarded-Host", "X-Forwarded-Port",
        "X-Forwarded-Prefix", "X-Forwarded-Proto", "X-Forwarded-Server", "X-Real-IP", NULL};
    char plain[24];
    size_t len = strlen(name);

    if (len >= sizeof plain)
        return false;
    for (size_t i = 0; i <= len; i++)
        plain[i] = name[i] == '_' ? '-' : name[i];
    return cg__http_message_is_one_of(plain, claims);
}

/* Whether a field is made anew by reveal(). */
static bool is_continued(const char *name)
{
    return cg__ascii_equal(name, "Forwarded") || cg__ascii_equal(name, "X-Forwarded-For");
}

static void put(struct cg__forward *fw, const char *name, const char *value)
{
    fw->fields[fw->count++] = (struct cg_http_field){name, value};
}

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

/* The list of a trusted client with one more element; just this element if the client is not
 * trusted. The caller frees it. NULL: no memory. */
static char *continued(const struct cg__forward *fw, bool trusted, const char *name,
                       const char *element)
{
    char *list, *longer;
    size_t len;

    if (!trusted)
        return strdup(element);
    list = cg__http_client_address_list(cg_http_request_headers(fw->req), name);
    len = list != NULL ? strlen(list) : 0;
    longer = list != NULL ? realloc(list, len + strlen(element) + sizeof ", ") : NULL;
    if (longer == NULL) {
        free(list);
        return NULL;
    }
    strcpy(stpcpy(longer + len, len > 0 ? ", " : ""), element);
    return longer;
}

/* An element of Forwarded. The server has checked that Host has no quotes; one that is too
 * long for a host is left out. */
static void print_element(char to[static ELEMENT], const char *client, const char *host,
                          const char *proto)
{
    bool v6 = strchr(client, ':') != NULL, known = strcmp(client, "unix") != 0;

    to = stpcpy(stpcpy(to, "for="), v6 ? "\"[" : "");
    to = stpcpy(stpcpy(to, known ? client : "unknown"), v6 ? "]\"" : "");
    if (host != NULL && *host != '\0' && strlen(host) <= HOST_LIMIT)
        to = stpcpy(stpcpy(stpcpy(to, ";host=\""), host), "\"");
    strcpy(stpcpy(to, ";proto="), proto);
}

/* Adds what the upstream may know about the client. */
static int reveal(struct cg__forward *fw, const char *client, bool trusted)
{
    const struct cg_http_headers *headers = cg_http_request_headers(fw->req);
    const char *host = cg_http_headers_get(headers, "Host");
    const char *proto = is_secure(fw->req) ? "https" : "http";
    char element[ELEMENT];

    print_element(element, client, host, proto);
    fw->made[0] = continued(fw, trusted, "Forwarded", element);
    fw->made[1] = continued(fw, trusted, "X-Forwarded-For",
                            strcmp(client, "unix") != 0 ? client : "unknown");
    if (fw->made[0] == NULL || fw->made[1] == NULL)
        return -ENOMEM;
    put(fw, "Forwarded", fw->made[0]);
    put(fw, "X-Forwarded-For", fw->made[1]);
    if (!trusted || cg_http_headers_get(headers, "X-Forwarded-Proto") == NULL)
        put(fw, "X-Forwarded-Proto", proto);
    if (host != NULL && (!trusted || cg_http_headers_get(headers, "X-Forwarded-Host") == NULL))
        put(fw, "X-Forwarded-Host", host);
    return 0;
}

static void copy_fields(struct cg__forward *fw, bool trusted)
{
    const struct cg_http_headers *headers = cg_http_request_headers(fw->req);
    struct cg_http_field field;
    size_t at = 0;

    while (cg_http_headers_next(headers, &at, &field))
        if (!is_replaced(fw, field.name) && !is_ambiguous(fw, field.name) &&
            may_pass(headers, field.name) &&
            (!fw->hop->reveal ||
             !(trusted ? is_continued(field.name) : is_claim(field.name))))
            put(fw, field.name, field.value);
}

static void put_connection(struct cg__forward *fw, bool upgrade)
{
    const struct cg_http_headers *headers = cg_http_request_headers(fw->req);

    if (upgrade) {
        put(fw, "Upgrade", cg_http_headers_get(headers, "Upgrade"));
        put(fw, "Connection", "upgrade");
    } else if (cg_http_headers_has(headers, "TE", "trailers")) {
        put(fw, "TE", "trailers");
        put(fw, "Connection", "TE");
    }
}

/* The version of HTTP as Via has it: "1.1", "2". */
static void make_via(struct cg__forward *fw, const char *protocol)
{
    char *name = stpcpy(stpcpy(fw->via, protocol + sizeof "HTTP/" - 1), " ");

    *stpncpy(name, fw->hop->name, sizeof fw->via - 1 - (size_t)(name - fw->via)) = '\0';
}

int cg__http_forward_fields_make(struct cg__forward *fw, bool upgrade)
{
    const char *client;
    bool trusted = false;
    int rc = 0;

    fw->fields = malloc((cg_http_request_headers(fw->req)->count + OURS) * sizeof *fw->fields);
    if (fw->fields == NULL)
        return -ENOMEM;
    if (fw->hop->reveal)
        rc = cg_http_request_client(fw->req, &client);
    if (fw->hop->reveal && rc == 0)
        trusted = cg__http_network_is_trusted(fw->hop->trusted, client);
    copy_fields(fw, trusted);
    put_connection(fw, upgrade);
    if (*fw->hops != '\0')
        put(fw, "Max-Forwards", fw->hops);
    if (fw->hop->name != NULL) {
        make_via(fw, cg_http_request_protocol(fw->req));
        put(fw, "Via", fw->via);
    }
    if (fw->hop->reveal && rc == 0)
        rc = reveal(fw, client, trusted);
    put(fw, NULL, NULL);
    return rc;
}

void cg__http_forward_fields_free(struct cg__forward *fw)
{
    cg__http_message_clear(&fw->trailers);
    free(fw->fields);
    free(fw->made[0]);
    free(fw->made[1]);
    fw->fields = NULL;
    fw->made[0] = fw->made[1] = NULL;
    fw->count = 0;
}

size_t cg__http_forward_fields_size(const struct cg_http_headers *headers)
{
    struct cg_http_field field;
    size_t at = 0, size = 0;

    while (cg_http_headers_next(headers, &at, &field))
        size += strlen(field.name) + strlen(field.value) + 4;
    return size;
}

void cg__http_forward_fields_interim(const struct cg_http_headers *headers,
                                     struct cg_http_field fields[CG_HTTP_HEADERS_COUNT + 1])
{
    struct cg_http_field field;
    size_t at = 0, count = 0;

    while (count < CG_HTTP_HEADERS_COUNT && cg_http_headers_next(headers, &at, &field))
        if (may_pass(headers, field.name))
            fields[count++] = field;
    fields[count] = (struct cg_http_field){NULL, NULL};
}

int cg__http_forward_fields_answer(struct cg__forward *fw, struct cg_http_reply *reply,
                                   bool whole)
{
    const struct cg_http_headers *headers = cg_http_reply_headers(reply);
    struct cg_http_field field;
    size_t at = 0;
    int rc = 0;

    while (rc == 0 && cg_http_headers_next(headers, &at, &field))
        if (whole ? may_pass(headers, field.name) : !is_hop(headers, field.name))
            rc = cg_http_response_add_header(fw->req, field.name, field.value);
    if (rc == 0 && fw->hop->name != NULL) {
        make_via(fw, cg_http_reply_protocol(reply));
        rc = cg_http_response_add_header(fw->req, "Via", fw->via);
    }
    return rc;
}

/* Whether a field may stand behind the body of a message. */
static bool is_trailer(const struct cg_http_headers *trailers, const char *name)
{
    return may_pass(trailers, name) && !cg__ascii_equal(name, "Host");
}

int cg__http_forward_fields_pass_trailers(struct cg__forward *fw)
{
    const struct cg_http_headers *trailers = cg_http_request_trailers(fw->req);
    struct cg_http_field field;
    size_t at = 0;
    int rc = 0;

    cg__http_message_clear(&fw->trailers);
    while (rc == 0 && cg_http_headers_next(trailers, &at, &field))
        if (is_trailer(trailers, field.name) && !is_ambiguous(fw, field.name) &&
            !is_claim(field.name))
            rc = cg_http_headers_add(&fw->trailers, field.name, field.value);
    return rc;
}

int cg__http_forward_fields_trailers(struct cg__forward *fw, struct cg_http_reply *reply)
{
    const struct cg_http_headers *trailers = cg_http_reply_trailers(reply);
    struct cg_http_field field;
    size_t at = 0;
    int rc = 0;

    while (rc == 0 && cg_http_headers_next(trailers, &at, &field))
        if (is_trailer(trailers, field.name))
            rc = cg_http_response_add_trailer(fw->req, field.name, field.value);
    return rc;
}
