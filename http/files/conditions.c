/* SPDX-License-Identifier: MIT */
/* Conditional and range requests (RFC 9110) for files with an entity tag and a modification
 * date. */
#include "config.h"

#include "http/files/files.h"
#include "lib/base/ascii.h"

#include <string.h>

/* Whether a list of tags has ours; "*" matches every tag. `weak`: weak tags match too. */
static bool has_tag(const char *list, const char *etag, bool weak)
{
    size_t len = strlen(etag);

    for (;;) {
        bool is_weak = false;

        list += strspn(list, ", \t");
        if (*list == '\0')
            return false;
        if (*list == '*')
            return true;
        if (strncmp(list, "W/", 2) == 0) {
            is_weak = true;
            list += 2;
        }
        if (strncmp(list, etag, len) == 0 && (weak || !is_weak))
            return true;
        if (*list == '"')
            list += 1 + strcspn(list + 1, "\"");
        list += strcspn(list, ",");
    }
}

/* Whether a field, whose lines are one list, has our tag. */
static bool names(const struct cg_http_request *req, const char *field, const char *etag,
                  bool weak)
{
    const struct cg__http_entry *entry;
    uint32_t from = 0;

    while ((entry = cg__http_message_find(&req->in, field, strlen(field), &from)) !=
           NULL)
        if (has_tag(cg__http_message_at(&req->in, entry->value), etag, weak))
            return true;
    return false;
}

/* The first line of a field; NULL: there is none. */
static const char *first_of(const struct cg_http_request *req, const char *field, uint32_t *from)
{
    const struct cg__http_entry *entry =
        cg__http_message_find(&req->in, field, strlen(field), from);

    return entry != NULL ? cg__http_message_at(&req->in, entry->value) : NULL;
}

const char *cg__http_conditions_only(const struct cg_http_request *req, const char *field)
{
    uint32_t from = 0;
    const char *value = first_of(req, field, &from);

    return value != NULL && first_of(req, field, &from) == NULL ? value : NULL;
}

/* The date of a field; false: there is none, or it is invalid and the condition is
 * ignored. */
static bool date_of(const struct cg_http_request *req, const char *field, int64_t *moment)
{
    const char *date = cg__http_conditions_only(req, field);

    return date != NULL && cg_http_date_parse(date, moment);
}

/* If-Range allows a range only if it has the same strong tag. A date does not match: a
 * file may change twice in a second, and a client that has a tag must not send a date. */
static bool is_unchanged(const struct cg_http_request *req, const char *etag)
{
    uint32_t from = 0;
    const char *given = first_of(req, "If-Range", &from);

    return given == NULL ||
           (strcmp(given, etag) == 0 && first_of(req, "If-Range", &from) == NULL);
}

/* Whether there may be a condition: all their names begin with "If-". */
static bool has_any(const struct cg_http_headers *fields)
{
    uint32_t i = 0;

    while (i < fields->count &&
           !cg__ascii_same(cg__http_message_at(fields, cg__http_entry(fields, i)->name), "If-", 3))
        i++;
    return i < fields->count;
}

int cg__http_conditions(const struct cg_http_request *req, const char *etag, time_t modified,
                        bool *range)
{
    int64_t moment;

    *range = true;
    if (!has_any(&req->in))
        return 0;
    *range = is_unchanged(req, etag);
    if (cg_http_request_header(req, "If-Match") != NULL) {
        if (!names(req, "If-Match", etag, false))
            return 412;
    } else if (date_of(req, "If-Unmodified-Since", &moment) && modified > moment) {
        return 412;
    }
    if (cg_http_request_header(req, "If-None-Match") != NULL)
        return names(req, "If-None-Match", etag, true) ? 304 : 0;
    return date_of(req, "If-Modified-Since", &moment) && modified <= moment ? 304 : 0;
}

enum cg__http_range cg__http_conditions_range(const char *range, uint64_t size,
                                              uint64_t *first, uint64_t *length)
{
    uint64_t last;
    bool from;

    /* An empty file has no part, but all of it can be sent: some clients ask for "bytes=0-" of
     * whatever they read, and 416 would be a failure to them. */
    if (size == 0 || !cg__ascii_begins(range, "bytes="))
        return CG__HTTP_WHOLE;
    range += 6;
    from = cg__ascii_number(&range, first);
    if (*range++ != '-')
        return CG__HTTP_WHOLE;
    if (!from) { /* "-500": the last bytes */
        if (!cg__ascii_number(&range, &last) || *range != '\0')
            return CG__HTTP_WHOLE;
        *length = last < size ? last : size;
        *first = size - *length;
        return *length > 0 ? CG__HTTP_PART : CG__HTTP_NO_PART;
    }
    if (*range == '\0')
        last = UINT64_MAX;
    else if (!cg__ascii_number(&range, &last) || *range != '\0' || last < *first)
        return CG__HTTP_WHOLE;
    if (*first >= size)
        return CG__HTTP_NO_PART;
    *length = (last < size - 1 ? last : size - 1) - *first + 1;
    return CG__HTTP_PART;
}
