/* SPDX-License-Identifier: MIT */
/* Conditional and range requests, as RFC 9110 has them, for what has an entity tag and a date
 * of change. */
#include "config.h"

#include "http/files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Of "Sun, 06 Nov 1994 08:49:37 GMT"; -1: it is no such date. */
static time_t parse_date(const char *text)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct tm tm = {.tm_isdst = 0};
    char month[4], back[30];
    const char *found;
    time_t moment;

    if (strlen(text) != 29 ||
        sscanf(text + 5, "%2d %3s %4d %2d:%2d:%2d", &tm.tm_mday, month, &tm.tm_year,
               &tm.tm_hour, &tm.tm_min, &tm.tm_sec) != 6 ||
        (found = strstr(months, month)) == NULL)
        return -1;
    tm.tm_mon = (int)(found - months) / 3;
    tm.tm_year -= 1900;
    moment = timegm(&tm);
    cg__http_print_date(back, moment);
    return strcmp(back, text) == 0 ? moment : -1;
}

/* Whether a list of tags has ours; "*" has all. `weak`: one that is marked as weak counts. */
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

static bool changed_since(const char *date, time_t modified)
{
    time_t moment = parse_date(date);

    return moment < 0 || modified > moment;
}

int cg__http_conditions(const struct cg_http_request *req, const char *etag, time_t modified,
                        bool *range)
{
    const char *match = cg_http_header(req, "If-Match");
    const char *none = cg_http_header(req, "If-None-Match");
    const char *since = cg_http_header(req, "If-Modified-Since");
    const char *unmodified = cg_http_header(req, "If-Unmodified-Since");
    const char *if_range = cg_http_header(req, "If-Range");

    if (if_range != NULL)
        *range = *if_range == '"' ? strcmp(if_range, etag) == 0
                                  : parse_date(if_range) == modified;
    if (match != NULL && !has_tag(match, etag, false))
        return 412;
    if (match == NULL && unmodified != NULL && parse_date(unmodified) >= 0 &&
        changed_since(unmodified, modified))
        return 412;
    if (none != NULL)
        return has_tag(none, etag, true) ? 304 : 0;
    return since != NULL && !changed_since(since, modified) ? 304 : 0;
}

/* A number, and where it ends; false: it is none. */
static bool number(const char **at, uint64_t *value)
{
    const char *start = *at;

    for (*value = 0; **at >= '0' && **at <= '9'; (*at)++) {
        if (*value > UINT64_MAX / 10 - 1)
            return false;
        *value = *value * 10 + (uint64_t)(**at - '0');
    }
    return *at > start;
}

enum cg__http_range cg__http_range(const char *range, uint64_t size, uint64_t *first,
                                   uint64_t *length)
{
    uint64_t last;
    bool from;

    if (strncmp(range, "bytes=", 6) != 0)
        return CG__HTTP_WHOLE;
    range += 6;
    from = number(&range, first);
    if (*range++ != '-')
        return CG__HTTP_WHOLE;
    if (!from) { /* the last so many */
        if (!number(&range, &last) || *range != '\0')
            return CG__HTTP_WHOLE;
        *length = last < size ? last : size;
        *first = size - *length;
        return *length > 0 ? CG__HTTP_PART : CG__HTTP_NO_PART;
    }
    if (*range == '\0')
        last = UINT64_MAX;
    else if (!number(&range, &last) || *range != '\0' || last < *first)
        return CG__HTTP_WHOLE;
    if (*first >= size)
        return CG__HTTP_NO_PART;
    *length = (last < size - 1 ? last : size - 1) - *first + 1;
    return CG__HTTP_PART;
}
