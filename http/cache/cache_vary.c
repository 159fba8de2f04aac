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

/* The value of the n-th field of this name, from 0 on; NULL: there are fewer. */
static const char *nth(const struct cg_http_headers *list, const char *name, size_t n)
{
    struct cg_http_field field;

    for (size_t at = 0; cg_http_headers_next(list, &at, &field);)
        if (cg__ascii_equal(field.name, name) && n-- == 0)
            return field.value;
    return NULL;
}

/* How many of the first `count` fields have this name. */
static size_t rank(const struct cg_http_headers *list, size_t count, const char *name)
{
    struct cg_http_field field;
    size_t found = 0, at = 0;

    while (count-- > 0 && cg_http_headers_next(list, &at, &field))
        found += cg__ascii_equal(field.name, name);
    return found;
}

bool cg__http_cache_vary_fits(const struct cg_http_headers *asked,
                              const struct cg_http_headers *head,
                              const struct cg_http_headers *fields)
{
    size_t at = 0, count = 0, before = 0;
    struct cg_http_field field;

    while (next_that_counts(head, fields, &at, &field))
        count++;
    for (at = 0; cg_http_headers_next(asked, &at, &field); before++) {
        const char *value = nth(fields, field.name, rank(asked, before, field.name));

        if (value == NULL || strcmp(value, field.value) != 0)
            return false;
    }
    return before == count;
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
