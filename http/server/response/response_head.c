/* SPDX-License-Identifier: MIT */
/* The head of a response: the setters for handlers, and what is decided before a carrier
 * lays it out. */
#include "config.h"

#include "http/coding/compress.h"
#include "http/server/log.h"
#include "http/server/response/response_head.h"
#include "lib/base/ascii.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void cg_http_response_set_status(struct cg_http_request *req, int status)
{
    req->status = status;
}

void cg_http_response_set_failure(struct cg_http_request *req, int status)
{
    req->failure = status;
}

int cg_http_response_status(const struct cg_http_request *req)
{
    return req->begun ? req->status : 0;
}

int cg_http_response_set_header(struct cg_http_request *req, const char *name,
                                const char *value)
{
    return req->begun ? -EALREADY : cg_http_headers_set(&req->out, name, value);
}

int cg_http_response_add_header(struct cg_http_request *req, const char *name,
                                const char *value)
{
    return req->begun ? -EALREADY : cg_http_headers_add(&req->out, name, value);
}

struct cg_http_headers *cg_http_response_headers(struct cg_http_request *req)
{
    return &req->out;
}

int cg_http_response_add_trailer(struct cg_http_request *req, const char *name,
                                 const char *value)
{
    return req->ended ? -EALREADY : cg_http_headers_add(&req->out_trailers, name, value);
}

void cg_http_response_close(struct cg_http_request *req)
{
    req->keep = false;
}

static inline uint8_t sets_if(bool same, enum cg__http_sets which)
{
    return same ? (uint8_t)which : 0;
}

/* What a field with this name sets; most names differ in their length. */
static uint8_t sets_of(const char *name, size_t len)
{
    switch (len) {
    case 4:
        return sets_if(cg__ascii_same(name, "Date", 4), CG__HTTP_SETS_DATE);
    case 6:
        return sets_if(cg__ascii_same(name, "Server", 6), CG__HTTP_SETS_SERVER);
    case 10:
        return sets_if(cg__ascii_same(name, "Connection", 10), CG__HTTP_SETS_CONNECTION);
    case 12:
        return sets_if(cg__ascii_same(name, "Content-Type", 12), CG__HTTP_SETS_TYPE);
    case 14:
        return sets_if(cg__ascii_same(name, "Content-Length", 14), CG__HTTP_SETS_LENGTH);
    case 17:
        return sets_if(cg__ascii_same(name, "Transfer-Encoding", 17), CG__HTTP_SETS_CODING);
    default:
        return 0;
    }
}

static uint8_t sets_of_all(const struct cg_http_headers *fields)
{
    uint8_t sets = 0;

    for (uint32_t i = 0; i < fields->count; i++) {
        const struct cg__http_entry *entry = cg__http_entry(fields, i);

        sets |= sets_of(cg__http_message_at(fields, entry->name), entry->name_len);
    }
    return sets;
}

/* Lets the handler's Content-Length and Content-Type replace these, and computes the room
 * that the head needs. 0, -EINVAL or -EMSGSIZE. */
static int measure(const struct cg_http_request *req, int64_t *length,
                   const char **type, size_t *room)
{
    uint64_t set = 0;

    if (*length < 0 && (req->sets & CG__HTTP_SETS_LENGTH)) {
        if (!cg__http_framing_length(cg_http_headers_get(&req->out, "Content-Length"), &set) ||
            set > INT64_MAX)
            return -EINVAL;
        *length = (int64_t)set;
    }
    if (req->sets & CG__HTTP_SETS_TYPE)
        *type = NULL;
    *room = CG__HTTP_HEAD_ROOM + req->out.used + 4 * req->out.count +
            (*type != NULL ? strlen(*type) : 0);
    return *room > CG__HTTP_OUT_SIZE ? -EMSGSIZE : 0;
}

/* Removes the handler's framing fields, and chooses the framing. */
static void settle(struct cg_http_request *req, int status, bool has_length)
{
    if (req->sets & CG__HTTP_SETS_LENGTH)
        cg_http_headers_remove(&req->out, "Content-Length");
    if (req->sets & CG__HTTP_SETS_CODING)
        cg_http_headers_remove(&req->out, "Transfer-Encoding");
    if ((req->sets & CG__HTTP_SETS_CONNECTION) &&
        cg_http_headers_has(&req->out, "Connection", "close")) {
        cg_http_headers_remove(&req->out, "Connection");
        req->keep = false;
    }
    req->framing = cg__http_framing_choose(
        status, cg__http_response_is_bare(req, status), req->minor, has_length);
    if (req->switches && req->framing == CG__HTTP_CHUNKED)
        req->framing = CG__HTTP_CLOSE; /* who gets the connection knows no chunks */
}

/* Only cg_http_upgrade may send 101, after which the connection is no longer HTTP. Other
 * 1xx are interim. */
static bool is_final(const struct cg_http_request *req, int status)
{
    return (status >= 200 && status <= 999) || (status == 101 && req->switches);
}

int cg__http_response_head_put(struct cg_http_request *req, int status, int64_t length,
                               const char *type, size_t behind)
{
    size_t room;
    int rc;

    req->sets = sets_of_all(&req->out);
    rc = measure(req, &length, &type, &room);
    if (!is_final(req, status))
        return -EINVAL;
    if (rc < 0)
        return rc;
    if (status == 205)
        length = 0;
    rc = req->carrier->room(req, room, behind);
    if (rc < 0)
        return rc;
    cg__http_log_date(req->server);
    settle(req, status, length >= 0);
    rc = req->carrier->head(req, status, length, type);
    if (rc < 0)
        return rc;
    req->begun = true;
    req->status = status;
    req->left = length >= 0 ? (uint64_t)length : 0;
    return 0;
}

ssize_t cg__http_response_head_write(struct cg_http_request *req, int status,
                                     int64_t length, const char *type)
{
    ssize_t n = cg__http_response_head_put(req, status, length, type, 0);

    if (n == -ENOBUFS && (n = req->carrier->write(req, NULL, 0)) == 0)
        n = cg__http_response_head_put(req, status, length, type, 0);
    return n;
}

static bool has(const struct cg_http_request *req, const char *name)
{
    return req->out.count > 0 && cg_http_headers_get(&req->out, name) != NULL;
}

bool cg__http_response_is_worth(const struct cg_http_request *req, int status,
                                const char *type)
{
    const char *set;

    if (status != 200 || has(req, "Content-Encoding") || has(req, "Content-Range"))
        return false;
    set = cg_http_headers_get(&req->out, "Content-Type");
    return cg__http_compress_is_text(set ? set : type);
}

static int weaken_tag(struct cg_http_headers *fields)
{
    const char *tag = cg_http_headers_get(fields, "ETag");
    char *weak;
    int rc;

    if (tag == NULL || *tag != '"')
        return 0;
    weak = malloc(sizeof "W/" + strlen(tag));
    if (weak == NULL)
        return -ENOMEM;
    strcpy(stpcpy(weak, "W/"), tag);
    rc = cg_http_headers_set(fields, "ETag", weak);
    free(weak);
    return rc;
}

int cg__http_response_head_coded(struct cg_http_request *req, enum cg__http_coding coding)
{
    int rc = weaken_tag(&req->out);

    return rc < 0 ? rc
                  : cg_http_headers_set(&req->out, "Content-Encoding",
                                        cg__http_coding_name(coding));
}
