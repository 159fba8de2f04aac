/* SPDX-License-Identifier: MIT */
/* Stores responses while they are read, and updates them when they are validated. */
#include "config.h"

#include "http/cache/cache.h"
#include "http/cache/cache_list.h"
#include "http/cache/cache_vary.h"
#include "lib/base/ascii.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_BODY = 4096 };

/* Whether a field is not stored: it concerns one connection (RFC 9111, 3.1). The age is
 * computed anew. */
static bool is_passing(const struct cg_http_headers *head, const char *name)
{
    static const char *const names[] = {
        "Age",    "Proxy-Authenticate", "Proxy-Authentication-Info", "Proxy-Authorization", "TE",
        "Trailer", NULL};

    return cg__http_message_is_of_connection(name, strlen(name)) ||
           cg__http_message_is_one_of(name, names) ||
           cg_http_headers_has(head, "Connection", name);
}

/* Whether a field of a 304 does not replace the stored one (RFC 9111, 3.2): it describes the body
 * that is stored. */
static bool is_of_body(const char *name)
{
    static const char *const names[] = {"Content-Length", "Content-Encoding", "Content-Range",
                                        NULL};

    return cg__http_message_is_one_of(name, names);
}

static int add_date(struct cg_http_headers *head, struct cg__cache_now now)
{
    char date[CG_HTTP_DATE_SIZE];

    cg_http_date_print(now.wall, date);
    return cg_http_headers_add(head, "Date", date);
}

/* Appends the fields of a head that are stored. */
static int take_fields(struct cg_http_headers *to, const struct cg_http_headers *head,
                       bool validates, struct cg__cache_now now)
{
    struct cg_http_field field;
    int rc = 0;

    for (size_t at = 0; rc == 0 && cg_http_headers_next(head, &at, &field);)
        if (!is_passing(head, field.name) && !(validates && is_of_body(field.name)))
            rc = cg_http_headers_add(to, field.name, field.value);
    return rc == 0 && cg_http_headers_get(head, "Date") == NULL ? add_date(to, now) : rc;
}

/* The memory that a response takes, with so many bytes for its body. */
static size_t weight(const struct cg__cached *cached, size_t body)
{
    return sizeof *cached + strlen(cached->url) + 1 + cached->asked.size + cached->head.size + body;
}

/* Makes a list as small as it can be. */
static int trim(struct cg_http_headers *list)
{
    struct cg_http_headers small = {.data = NULL};
    int rc = cg__http_message_copy(&small, list);

    if (rc == 0) {
        cg__http_message_clear(list);
        *list = small;
    }
    return rc;
}

/* Sets the head, and the fields of the request on which it depends. */
static int set_head(struct cg__cached *cached, struct cg_http_headers *head,
                    const struct cg__cache_request *request)
{
    struct cg_http_headers asked = {.data = NULL};
    int rc = cg__http_cache_vary_copy(&asked, head, request->fields);

    if (rc == 0)
        rc = trim(&asked);
    if (rc == 0)
        rc = trim(head);
    if (rc < 0) {
        cg__http_message_clear(&asked);
        return rc;
    }
    cg__http_message_clear(&cached->asked);
    cg__http_message_clear(&cached->head);
    cached->asked = asked;
    cached->head = *head;
    *head = (struct cg_http_headers){.data = NULL};
    return 0;
}

static int fill(struct cg__cached *cached, const struct cg__cache_request *request,
                const char *reason, const struct cg_http_headers *head, struct cg__cache_now now)
{
    struct cg_http_headers own = {.data = NULL};
    int rc = cg__http_message_text(&own, reason, strlen(reason) + 1);

    if (rc == 0)
        rc = take_fields(&own, head, false, now);
    if (rc == 0)
        rc = set_head(cached, &own, request);
    cg__http_message_clear(&own);
    cached->url = rc == 0 ? strdup(request->url) : NULL;
    if (cached->url == NULL)
        return -ENOMEM;
    return cg__http_cache_charge(cached, weight(cached, 0)) ? 0 : -ENOMEM;
}

struct cg__cached *cg__http_cache_begin(struct cg_http_cache *cache,
                                        const struct cg__cache_request *request,
                                        unsigned status, const char *protocol,
                                        const char *reason,
                                        const struct cg_http_headers *head,
                                        struct cg__cache_now now)
{
    struct cg__cache_life life;
    struct cg__cached *cached;

    cg__http_cache_fresh_read(&life, status, head, request->at, now);
    if (!cg__http_cache_fresh_is_storable(&life, status, head))
        return NULL;
    cached = malloc(sizeof *cached);
    if (cached == NULL)
        return NULL;
    *cached = (struct cg__cached){
        .cache = cache,
        .hash = request->hash,
        .changes = request->changes,
        .refs = 1,
        .protocol = protocol,
        .status = status,
        .life = life,
    };
    if (fill(cached, request, reason, head, now) == 0)
        return cached;
    cg__http_cache_release(cached);
    return NULL;
}

/* Room for the body grows by doubling as long as one response may be that large. */
static bool make_room(struct cg__cached *cached, size_t wanted)
{
    size_t size = cached->size > 0 ? 2 * cached->size : FIRST_BODY;
    char *body;

    size = size > wanted ? size : wanted;
    if (!cg__http_cache_charge(cached, weight(cached, size))) {
        size = wanted;
        if (!cg__http_cache_charge(cached, weight(cached, size)))
            return false;
    }
    body = realloc(cached->body, size);
    if (body == NULL)
        return false;
    cached->body = body;
    cached->size = size;
    return true;
}

bool cg__http_cache_add(struct cg__cached *cached, const void *data, size_t len)
{
    if (len > cached->size - cached->len && !make_room(cached, cached->len + len))
        return false;
    memcpy(cached->body + cached->len, data, len);
    cached->len += len;
    return true;
}

/* Whether a new response takes the place of an old one: it answers the same requests, or what its
 * URL depends on has changed. */
static bool replaces(const struct cg__cached *cached, const struct cg__cached *old)
{
    return !cg__http_cache_vary_same(&cached->head, &old->head) ||
           cg__http_cache_vary_fits(&old->asked, &cached->head, &cached->asked);
}

static void make_place(const struct cg__cached *cached)
{
    unsigned variants = 1;
    struct cg__cached *at = cg__http_cache_bucket(cached->cache, cached->hash)->first, *next;

    at = cg__http_cache_seek(at, cached->hash, cached->url);
    for (; at != NULL; at = next) {
        next = cg__http_cache_seek(at->next, cached->hash, cached->url);
        if (replaces(cached, at) || ++variants > CG_HTTP_CACHE_VARIANTS)
            cg__http_cache_drop(at);
    }
}

void cg__http_cache_commit(struct cg__cached *cached)
{
    char *body;

    if (cg__http_cache_bucket(cached->cache, cached->hash)->changes != cached->changes)
        return;
    body = cached->len > 0 ? realloc(cached->body, cached->len) : NULL;
    cached->body = body != NULL ? body : cached->body;
    cached->size = body != NULL ? cached->len : cached->size;
    cg__http_cache_charge(cached, weight(cached, cached->size));
    make_place(cached);
    cg__http_cache_link(cached);
}

/* Makes a head of the stored one, in which the fields of a 304 replace those of the same name. */
static int merge(struct cg_http_headers *to, const struct cg__cached *cached,
                 const struct cg_http_headers *head, struct cg__cache_now now)
{
    const char *reason = cg__http_message_at(&cached->head, 0);
    struct cg_http_field field;
    int rc = cg__http_message_text(to, reason, strlen(reason) + 1);

    for (size_t at = 0; rc == 0 && cg_http_headers_next(&cached->head, &at, &field);)
        if (!cg__ascii_equal(field.name, "Date") &&
            (cg_http_headers_get(head, field.name) == NULL || is_of_body(field.name) ||
             is_passing(head, field.name)))
            rc = cg_http_headers_add(to, field.name, field.value);
    return rc == 0 ? take_fields(to, head, true, now) : rc;
}

/* Reads the merged head. It has no Age, which is not stored: the age is that of the 304. */
static void read_life(struct cg__cached *cached, const struct cg_http_headers *merged,
                      const struct cg_http_headers *head,
                      const struct cg__cache_request *request, struct cg__cache_now now)
{
    struct cg__cache_life validation;

    cg__http_cache_fresh_read(&cached->life, cached->status, merged, request->at, now);
    cg__http_cache_fresh_read(&validation, cached->status, head, request->at, now);
    if (validation.age > cached->life.age)
        cached->life.age = validation.age;
}

void cg__http_cache_update(struct cg__cached *cached, const struct cg__cache_request *request,
                           const struct cg_http_headers *head, struct cg__cache_now now)
{
    struct cg_http_headers merged = {.data = NULL};
    bool kept = merge(&merged, cached, head, now) == 0;

    if (kept) {
        read_life(cached, &merged, head, request, now);
        kept = cg__http_cache_fresh_is_storable(&cached->life, cached->status, &merged) &&
               set_head(cached, &merged, request) == 0 &&
               cg__http_cache_charge(cached, weight(cached, cached->size));
    }
    cg__http_message_clear(&merged);
    if (!kept)
        cg__http_cache_drop(cached);
}
