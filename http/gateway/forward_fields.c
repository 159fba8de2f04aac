/* SPDX-License-Identifier: MIT */
/* The header fields of messages that are forwarded. Those that concern one connection (hop by
 * hop) are left out; what a client says about itself is left out unless it is trusted. */
#include "config.h"

#include "http/gateway/forward_fields.h"
#include "http/gateway/forward_reveal.h"
#include "http/message/draft.h"
#include "lib/base/ascii.h"
#include "lib/base/network.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
    NAME_LIMIT = 120, /* bytes of our name in Via */
    OWN_FIELDS = 512, /* bytes of fields that are usually added */
};

/* The fields of a message, one after the other. */
struct fields {
    const struct cg_http_headers *list;
    bool names_some; /* the field Connection may name some of them */
    uint32_t at;
    struct cg__http_entry entry;
    const char *name;
    size_t name_len;
};

/* Whether Connection names fields, and does not only say whether the connection stays open, as
 * browsers do with each request. No field is called "close", and Keep-Alive never passes. */
static bool names_fields(const struct cg_http_headers *list)
{
    const struct cg__http_entry *entry;
    uint32_t from = 0;

    while ((entry = cg__http_message_find(list, "Connection", 10, &from)) != NULL) {
        const char *value = cg__http_message_at(list, entry->value);

        if (!cg__ascii_equal(value, "keep-alive") && !cg__ascii_equal(value, "close"))
            return true;
    }
    return false;
}

static struct fields all_of(const struct cg_http_headers *list)
{
    return (struct fields){.list = list, .names_some = names_fields(list)};
}

static inline bool next(struct fields *field)
{
    if (field->at == field->list->count)
        return false;
    field->entry = *cg__http_entry(field->list, field->at++);
    field->name = cg__http_message_at(field->list, field->entry.name);
    field->name_len = field->entry.name_len;
    return true;
}

static const char *value_of(const struct fields *field)
{
    return cg__http_message_at(field->list, field->entry.value);
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

/* Whether a field is made anew by forward_reveal.c. */
static bool is_continued(const struct fields *field)
{
    return is(field, "Forwarded") || is(field, "X-Forwarded-For");
}

static int copy(struct cg_http_headers *to, const struct fields *field)
{
    return cg__http_message_put(to, field->name, field->name_len, value_of(field),
                                field->entry.value_len);
}

/* Adds a field whose texts have been copied together with those of all others. */
static inline int push(struct cg_http_headers *to, const struct fields *field, uint32_t shift)
{
    struct cg__http_entry entry = field->entry;

    entry.name += shift;
    entry.value += shift;
    return cg__http_message_entry_push(to, entry);
}

static int copy_fields(struct cg__forward *fw, bool trusted)
{
    struct fields field = all_of(cg_http_request_headers(fw->req));
    uint32_t shift;
    int rc = cg__http_message_copy_texts(&fw->fields, field.list, OWN_FIELDS, &shift);

    while (rc == 0 && next(&field))
        if (!is_replaced(fw, &field) && !is_ambiguous(fw, &field) && may_pass(&field) &&
            (!fw->hop->reveal || !(trusted ? is_continued(&field) : is_claim(&field))))
            rc = push(&fw->fields, &field, shift);
    return rc;
}

static int put_connection(struct cg__forward *fw, bool upgrade)
{
    const struct cg_http_headers *headers = cg_http_request_headers(fw->req);
    struct cg_http_headers *to = &fw->fields;
    int rc = 0;

    if (upgrade) {
        rc = cg__http_message_put_text(to, "Upgrade", cg_http_headers_get(headers, "Upgrade"));
        return rc == 0 ? cg__http_message_put_text(to, "Connection", "upgrade") : rc;
    }
    if (cg_http_headers_has(headers, "TE", "trailers")) {
        rc = cg__http_message_put_text(to, "TE", "trailers");
        return rc == 0 ? cg__http_message_put_text(to, "Connection", "TE") : rc;
    }
    return 0;
}

/* Adds Via, with the version of HTTP of the message: "1.1", "2". */
static int put_via(struct cg__forward *fw, struct cg_http_headers *to, const char *protocol)
{
    const char *version = protocol + sizeof "HTTP/" - 1;
    size_t name_len = strnlen(fw->hop->name, NAME_LIMIT), version_len = strlen(version);
    struct cg__http_draft draft;

    if (CG__HTTP_DRAFT_BEGIN(&draft, to, "Via", version_len + 1 + name_len) < 0)
        return -ENOMEM;
    cg__http_draft_add(&draft, version, version_len);
    CG__HTTP_DRAFT_ADD(&draft, " ");
    cg__http_draft_add(&draft, fw->hop->name, name_len);
    return cg__http_draft_end(&draft);
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
        rc = cg__http_message_put_text(&fw->fields, "Max-Forwards", fw->hops);
    if (rc == 0 && fw->hop->name != NULL)
        rc = put_via(fw, &fw->fields, cg_http_request_protocol(fw->req));
    if (rc == 0 && known)
        rc = cg__http_forward_reveal(fw, client, trusted > 0);
    if (rc < 0)
        cg__http_message_clear(&fw->fields);
    return rc;
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
            fields[count++] = (struct cg_http_field){field.name, value_of(&field)};
    fields[count] = (struct cg_http_field){NULL, NULL};
}

int cg__http_forward_fields_answer(struct cg__forward *fw, struct cg_http_reply *reply,
                                   bool whole)
{
    struct fields field = all_of(cg_http_reply_headers(reply));
    struct cg_http_headers *to = cg_http_response_headers(fw->req);
    uint32_t shift;
    int rc = cg__http_message_copy_texts(to, field.list, OWN_FIELDS, &shift);

    while (rc == 0 && next(&field))
        if (whole ? may_pass(&field) : !is_hop(&field))
            rc = push(to, &field, shift);
    if (rc == 0 && fw->hop->name != NULL)
        rc = put_via(fw, to, cg_http_reply_protocol(reply));
    return rc;
}

int cg__http_forward_fields_length(struct cg__forward *fw, size_t len)
{
    char number[24];

    snprintf(number, sizeof number, "%zu", len);
    return cg__http_message_put_text(cg_http_response_headers(fw->req), "Content-Length", number);
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
            rc = cg_http_response_add_trailer(fw->req, field.name, value_of(&field));
    return rc;
}
