/* SPDX-License-Identifier: MIT */
/* See cache_fresh.h. */
#include "config.h"

#include "http/cache/cache_fresh.h"
#include "http/message/date.h"
#include "lib/base/ascii.h"

#include <cogen/http_cache.h>
#include <string.h>

/* Statuses that may be stored although nothing says for how long (RFC 9110, 15.1). */
static bool is_cacheable(unsigned status)
{
    static const unsigned short list[] = {200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501};
    size_t i = 0;

    while (i < sizeof list / sizeof *list && list[i] != status)
        i++;
    return i < sizeof list / sizeof *list;
}

static int64_t bounded(int64_t seconds)
{
    return seconds < 0 ? 0 : cg__http_cache_control_seconds((uint64_t)seconds);
}

/* The date in a field; false: there is none, or an invalid one. */
static bool date_of(const struct cg_http_headers *head, const char *name, int64_t now,
                    int64_t *moment)
{
    const char *text = cg_http_headers_get(head, name);

    return text != NULL && cg__http_date_parse(text, now, moment);
}

/* Whether a field is there twice, with different values. */
static bool differs(const struct cg_http_headers *head, const char *name)
{
    const char *first = cg_http_headers_get(head, name);
    struct cg_http_field field;

    for (size_t at = 0; first != NULL && cg_http_headers_next(head, &at, &field);)
        if (cg__ascii_equal(field.name, name) && strcmp(field.value, first) != 0)
            return true;
    return false;
}

/* What max-age or Expires say; otherwise a tenth of the time since the last change. An invalid
 * Expires, "0" for one, lies in the past. */
static int64_t lifetime(const struct cg__cache_says *says, unsigned status,
                        const struct cg_http_headers *head, int64_t date, int64_t now)
{
    int64_t moment;

    if (says->max_age >= 0)
        return says->max_age;
    if (cg_http_headers_get(head, "Expires") != NULL)
        return date_of(head, "Expires", now, &moment) && !differs(head, "Expires")
                   ? bounded(moment - date)
                   : 0;
    if (!(is_cacheable(status) || says->is_public) ||
        !date_of(head, "Last-Modified", now, &moment))
        return 0;
    moment = bounded(date - moment) / 10;
    return moment < CG_HTTP_CACHE_GUESS ? moment : CG_HTTP_CACHE_GUESS;
}

/* The first member of the first field Age counts; an invalid one is ignored (RFC 9111, 5.1). */
static int64_t age_of(const struct cg_http_headers *head)
{
    const char *at = cg_http_headers_get(head, "Age");
    uint64_t age;

    if (at == NULL || !cg__ascii_number(&at, &age))
        return 0;
    at += strspn(at, " \t");
    return *at == '\0' || *at == ',' ? cg__http_cache_control_seconds(age) : 0;
}

void cg__http_cache_fresh_read(struct cg__cache_life *life, unsigned status,
                               const struct cg_http_headers *head,
                               struct cg__cache_now asked, struct cg__cache_now now)
{
    int64_t date = now.wall, age = age_of(head) + (now.steady - asked.steady);

    cg__http_cache_control_read(&life->says, head);
    date_of(head, "Date", now.wall, &date);
    life->lifetime = lifetime(&life->says, status, head, date, now.wall);
    life->age = bounded(age > now.wall - date ? age : now.wall - date);
    life->came = now;
}

/* must-understand overrides no-store for statuses that we understand (RFC 9111, 5.2.2.3). */
static bool may_store(const struct cg__cache_says *says, unsigned status,
                      const struct cg_http_headers *head)
{
    if (status < 200 || status == 206 || status == 304 ||
        cg_http_headers_has(head, "Vary", "*"))
        return false;
    if (says->must_understand ? !is_cacheable(status) : says->no_store)
        return false;
    return is_cacheable(status) || says->is_public || says->max_age >= 0 ||
           cg_http_headers_get(head, "Expires") != NULL;
}

bool cg__http_cache_fresh_is_storable(const struct cg__cache_life *life, unsigned status,
                                      const struct cg_http_headers *head)
{
    return may_store(&life->says, status, head) &&
           (life->says.if_error > 0 || life->says.while_revalidate > 0 ||
            (life->lifetime > life->age && !life->says.no_cache) ||
            cg_http_headers_get(head, "ETag") != NULL ||
            cg_http_headers_get(head, "Last-Modified") != NULL);
}

int64_t cg__http_cache_fresh_age(const struct cg__cache_life *life, struct cg__cache_now now)
{
    int64_t steady = now.steady - life->came.steady, wall = now.wall - life->came.wall;

    return bounded(life->age + (steady > wall ? steady : wall));
}

enum cg__cache_use cg__http_cache_fresh_use(const struct cg__cache_life *life,
                                            const struct cg__cache_says *request,
                                            struct cg__cache_now now)
{
    int64_t age = cg__http_cache_fresh_age(life, now), left = life->lifetime - age;

    if (life->says.no_cache || request->no_cache || request->max_age == 0 ||
        (request->max_age > 0 && age > request->max_age) ||
        (request->min_fresh >= 0 && left < request->min_fresh))
        return CG__CACHE_VALIDATE;
    if (left > 0)
        return CG__CACHE_FRESH;
    if (life->says.must_revalidate)
        return CG__CACHE_VALIDATE;
    if (-left <= life->says.while_revalidate)
        return CG__CACHE_REFRESH;
    return -left <= request->max_stale ? CG__CACHE_STALE : CG__CACHE_VALIDATE;
}

bool cg__http_cache_fresh_bridges(const struct cg__cache_life *life,
                                  const struct cg__cache_says *request,
                                  struct cg__cache_now now)
{
    int64_t stale = cg__http_cache_fresh_age(life, now) - life->lifetime;

    if (life->says.no_cache || life->says.must_revalidate || request->no_cache)
        return false;
    return (life->says.if_error >= 0 && stale <= life->says.if_error) ||
           (request->if_error >= 0 && stale <= request->if_error);
}
