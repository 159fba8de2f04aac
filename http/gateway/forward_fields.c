/* SPDX-License-Identifier: MIT */
/* The header fields of messages that are forwarded. Those that concern one connection (hop by
 * hop) are left out; what a client says about itself is left out unless it is trusted. */
#include "config.h"

#include "http/gateway/forward_fields.h"
#include "http/message/message.h"
#include "lib/base/network.h"
#include "http/web/client_address.h"
#include "lib/base/ascii.h"

#include <cogen/transport.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    HOST_LIMIT = 255, /* bytes of a host that is passed on in Forwarded */
    ELEMENT = CG_ADDR_SIZE + HOST_LIMIT + 64, /* of Forwarded */
};

/* The fields of a message, one after the other. */
struct fields {
    const struct cg_http_headers *list;
    bool names_some; /* the field Connection may name some of them */
    uint32_t at;
    const char *name, *value;
    size_t name_len, value_len;
};

static struct fields all_of(const struct cg_http_headers *list)
{
    return (struct fields){.list = list,
                           .names_some = cg_http_headers_get(list, "Connection") != NULL};
}

static bool next(struct fields *field)
{
    const struct cg__http_entry *entry;

    if (field->at == field->list->count)
        return false;
    entry = cg__http_entry(field->list, field->at++);
    field->name = cg__http_message_at(field->list, entry->name);
    field->value = cg__http_message_at(field->list, entry->value);
    field->name_len = entry->name_len;
    field->value_len = entry->value_len;
    return true;
}

/* Most names differ in their length, which the compiler knows of the literals. */
static inline bool is(const struct fields *field, const char *name)
{
    size_t len = strlen(name);

    return field->name_len == len && cg__ascii_same(field->name, name, len);
}

/* Whether a field concerns one connection and not the message: one that HTTP defines so, or that
 * Connection names, except Host, which requests cannot do without. */
static bool is_hop(const struct fields *field)
{
    return cg__http_message_is_of_connection(field->name, field->name_len) || is(field, "TE") ||
           is(field, "Proxy-Authorization") || is(field, "Proxy-Authenticate") ||
           (field->names_some && !is(field, "Host") &&
            cg_http_headers_has(field->list, "Connection", field->name));
}

/* Whether a field may be passed on: it concerns the message, and the library does not send it
 * itself, as it does the length of the body. */
static bool may_pass(const struct fields *field)
{
    return !cg__http_message_is_framing(field->name, field->name_len) && !is_hop(field);
}

/* Fields that the library's client sends itself, or that are made anew. */
static bool is_replaced(const struct cg__forward *fw, const struct fields *field)
{
    return is(field, "Expect") || (fw->hop->own_host && is(field, "Host")) ||
           (*fw->hops != '\0' && is(field, "Max-Forwards"));
}

/* Whether a field's name has a "_". CGI and its heirs take that for a "-": Content_Length would
 * be a second Content-Length to them, and X_Forwarded_For would pass for ours. */
static bool is_ambiguous(const struct cg__forward *fw, const struct fields *field)
{
    return !fw->hop->underscores && memchr(field->name, '_', field->name_len) != NULL;
}

/* Whether a field says who the client is, also with "_" for "-". */
static bool is_claim(const struct fields *field)
{
    static const char *const claims[] = {
        "Forwarded",          "X-Forwarded-For",  "X-Forwarded-Host", "X-Forwarded-Port",
        "X-Forwarded-Prefix", "X-Forwarded-Proto", "X-Forwarded-Server", "X-Real-IP", NULL};
    char first = cg__ascii_lower(*field->name), plain[24];

    if ((first != 'f' && first != 'x') || field->name_len >= sizeof plain)
        return false;
    for (size_t i = 0; i <= field->name_len; i++)
        plain[i] = field->name[i] == '_' ? '-' : field->name[i];
    return cg__http_message_is_one_of(plain, claims);
}

/* Whether a field is made anew by reveal(). */
static bool is_continued(const struct fields *field)
{
    return is(field, "Forwarded") || is(field, "X-Forwarded-For");
}

static int copy(struct cg_http_headers *to, const struct fields *field)
{
    return cg__http_message_put(to, field->name, field->name_len, field->value,
                                field->value_len);
}

static int put(struct cg_http_headers *to, const char *name, const char *value)
{
    return cg__http_message_put(to, name, strlen(name), value, strlen(value));
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

/* Adds a field that lists the clients, with one more element. What came before is believed if
 * the client is trusted. */
static int put_element(struct cg__forward *fw, bool trusted, const char *name,
                       const char *element)
{
    char *list, *longer;
    size_t len;
    int rc;

    if (!trusted)
        return put(&fw->fields, name, element);
    list = cg__http_client_address_list(cg_http_request_headers(fw->req), name);
    len = list != NULL ? strlen(list) : 0;
    longer = list != NULL ? realloc(list, len + strlen(element) + sizeof ", ") : NULL;
    if (longer == NULL) {
        free(list);
        return -ENOMEM;
    }
    strcpy(stpcpy(longer + len, len > 0 ? ", " : ""), element);
    rc = put(&fw->fields, name, longer);
    free(longer);
    return rc;
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
    int rc;

    print_element(element, client, host, proto);
    rc = put_element(fw, trusted, "Forwarded", element);
    if (rc == 0)
        rc = put_element(fw, trusted, "X-Forwarded-For",
                         strcmp(client, "unix") != 0 ? client : "unknown");
    if (rc == 0 && (!trusted || cg_http_headers_get(headers, "X-Forwarded-Proto") == NULL))
        rc = put(&fw->fields, "X-Forwarded-Proto", proto);
    if (rc == 0 && host != NULL &&
        (!trusted || cg_http_headers_get(headers, "X-Forwarded-Host") == NULL))
        rc = put(&fw->fields, "X-Forwarded-Host", host);
    return rc;
}

static int copy_fields(struct cg__forward *fw, bool trusted)
{
    struct fields field = all_of(cg_http_request_headers(fw->req));
    int rc = 0;

    while (rc == 0 && next(&field))
        if (!is_replaced(fw, &field) && !is_ambiguous(fw, &field) && may_pass(&field) &&
            (!fw->hop->reveal || !(trusted ? is_continued(&field) : is_claim(&field))))
            rc = copy(&fw->fields, &field);
    return rc;
}

static int put_connection(struct cg__forward *fw, bool upgrade)
{
    const struct cg_http_headers *headers = cg_http_request_headers(fw->req);
    struct cg_http_headers *to = &fw->fields;
    int rc = 0;

    if (upgrade) {
        rc = put(to, "Upgrade", cg_http_headers_get(headers, "Upgrade"));
        return rc == 0 ? put(to, "Connection", "upgrade") : rc;
    }
    if (cg_http_headers_has(headers, "TE", "trailers")) {
        rc = put(to, "TE", "trailers");
        return rc == 0 ? put(to, "Connection", "TE") : rc;
    }
    return 0;
}

/* Adds Via, with the version of HTTP of the message: "1.1", "2". */
static int put_via(struct cg__forward *fw, struct cg_http_headers *to, const char *protocol)
{
    char via[CG__FORWARD_VIA], *name = stpcpy(stpcpy(via, protocol + sizeof "HTTP/" - 1), " ");
    size_t room = sizeof via - 1 - (size_t)(name - via);
    size_t len = strnlen(fw->hop->name, room);

    memcpy(name, fw->hop->name, len);
    return cg__http_message_put(to, "Via", 3, via, (size_t)(name - via) + len);
}

int cg__http_forward_fields_make(struct cg__forward *fw, bool upgrade)
{
    const char *client;
    bool known = false;
    int trusted = 0, rc;

    if (fw->fields.count > 0) /* of the last attempt */
        return 0;
    if (fw->hop->reveal)
        known = cg_http_request_client(fw->req, &client) == 0;
    if (known)
        trusted = cg__network_trusts(fw->hop->trusted, client);
    if (trusted < 0)
        return trusted;
    rc = copy_fields(fw, trusted > 0);
    if (rc == 0)
        rc = put_connection(fw, upgrade);
    if (rc == 0 && *fw->hops != '\0')
        rc = put(&fw->fields, "Max-Forwards", fw->hops);
    if (rc == 0 && fw->hop->name != NULL)
        rc = put_via(fw, &fw->fields, cg_http_request_protocol(fw->req));
    if (rc == 0 && known)
        rc = reveal(fw, client, trusted > 0);
    if (rc < 0)
        cg__http_message_clear(&fw->fields);
    return rc;
}

void cg__http_forward_fields_free(struct cg__forward *fw)
{
    cg__http_message_clear(&fw->trailers);
    cg__http_message_clear(&fw->fields);
}

size_t cg__http_forward_fields_size(const struct cg_http_headers *headers)
{
    size_t size = 0;

    for (uint32_t i = 0; i < headers->count; i++) {
        const struct cg__http_entry *entry = cg__http_entry(headers, i);

        size += entry->name_len + entry->value_len + 4;
    }
    return size;
}

void cg__http_forward_fields_interim(const struct cg_http_headers *headers,
                                     struct cg_http_field fields[CG_HTTP_HEADERS_COUNT + 1])
{
    struct fields field = all_of(headers);
    size_t count = 0;

    while (count < CG_HTTP_HEADERS_COUNT && next(&field))
        if (may_pass(&field))
            fields[count++] = (struct cg_http_field){field.name, field.value};
    fields[count] = (struct cg_http_field){NULL, NULL};
}

int cg__http_forward_fields_answer(struct cg__forward *fw, struct cg_http_reply *reply,
                                   bool whole)
{
    struct fields field = all_of(cg_http_reply_headers(reply));
    struct cg_http_headers *to = cg_http_response_headers(fw->req);
    int rc = 0;

    while (rc == 0 && next(&field))
        if (whole ? may_pass(&field) : !is_hop(&field))
            rc = copy(to, &field);
    if (rc == 0 && fw->hop->name != NULL)
        rc = put_via(fw, to, cg_http_reply_protocol(reply));
    return rc;
}

/* Whether a field may stand behind the body of a message. */
static bool is_trailer(const struct fields *field)
{
    return may_pass(field) && !is(field, "Host");
}

int cg__http_forward_fields_pass_trailers(struct cg__forward *fw)
{
    struct fields field = all_of(cg_http_request_trailers(fw->req));
    int rc = 0;

    cg__http_message_clear(&fw->trailers);
    while (rc == 0 && next(&field))
        if (is_trailer(&field) && !is_ambiguous(fw, &field) && !is_claim(&field))
            rc = copy(&fw->trailers, &field);
    return rc;
}

int cg__http_forward_fields_trailers(struct cg__forward *fw, struct cg_http_reply *reply)
{
    struct fields field = all_of(cg_http_reply_trailers(reply));
    int rc = 0;

    while (rc == 0 && next(&field))
        if (is_trailer(&field))
            rc = cg_http_response_add_trailer(fw->req, field.name, field.value);
    return rc;
}
