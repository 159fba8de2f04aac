/* SPDX-License-Identifier: MIT */
/* See cache_vary.h. */
#include "config.h"

#include "http/cache/cache_vary.h"
#include "lib/base/ascii.h"

static bool counts(const struct cg_http_headers *head, const char *name)
{
    static const char *const who[] = {"Authorization", "Cookie", NULL};

    return cg_http_headers_has(head, "Vary", name) ||
           (cg__http_message_is_one_of(name, who) &&
            !cg_http_headers_has(head, "Cache-Control", "public"));
}

static bool next_that_counts(const struct cg_http_headers *head,
                             const struct cg_http_headers *fields, size_t *at,
                             struct cg_http_field *field)
{
    while (cg_http_headers_next(fields, at, field))
        if (counts(head, field->name))
            return true;
    return false;
}

int cg__http_cache_vary_copy(struct cg_http_headers *to, const struct cg_http_headers *head,
                             const struct cg_http_headers *fields)
{
    struct cg_http_field field;
    int rc = 0;

    for (size_t at = 0; rc == 0 && next_that_counts(head, fields, &at, &field);)
        rc = cg_http_headers_add(to, field.name, field.value);
    return rc;
}

static bool same(const struct cg_http_field *a, const struct cg_http_field *b)
{
    return cg__ascii_equal(a->name, b->name) && strcmp(a->value, b->value) == 0;
}

bool cg__http_cache_vary_fits(const struct cg_http_headers *asked,
                              const struct cg_http_headers *head,
                              const struct cg_http_headers *fields)
{
    size_t at = 0, from = 0;
    struct cg_http_field one, other;

    while (next_that_counts(head, fields, &at, &one))
        if (!cg_http_headers_next(asked, &from, &other) || !same(&one, &other))
            return false;
    return !cg_http_headers_next(asked, &from, &other);
}

static bool next_vary(const struct cg_http_headers *head, size_t *at,
                      struct cg_http_field *field)
{
    while (cg_http_headers_next(head, at, field))
        if (cg__ascii_equal(field->name, "Vary"))
            return true;
    return false;
}

bool cg__http_cache_vary_same(const struct cg_http_headers *a, const struct cg_http_headers *b)
{
    size_t at = 0, from = 0;
    struct cg_http_field one, other;

    while (next_vary(a, &at, &one))
        if (!next_vary(b, &from, &other) || strcmp(one.value, other.value) != 0)
            return false;
    return !next_vary(b, &from, &other);
}
