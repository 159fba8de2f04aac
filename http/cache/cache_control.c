/* SPDX-License-Identifier: MIT */
/* See cache_control.h. */
#include "config.h"

#include "http/cache/cache_control.h"
#include "lib/base/ascii.h"

#include <string.h>

/* An element of the list: its name, and its value without quotes; value NULL: none. */
struct element {
    const char *name, *value;
    size_t name_len, value_len;
};

static bool is_called(const struct element *element, const char *name)
{
    size_t len = strlen(name);

    return element->name_len == len && cg__ascii_same(element->name, name, len);
}

/* The closing quote of a quoted string; the end of the text if there is none. */
static const char *skip_quoted(const char *at)
{
    for (at++; *at != '\0' && *at != '"'; at++)
        at += *at == '\\' && at[1] != '\0';
    return at;
}

/* Takes the next element of a list; false: there is none. An invalid element gets a name that no
 * directive has. */
static bool next_element(const char **at, struct element *element)
{
    const char *text = *at + strspn(*at, ", \t"), *end;

    *element = (struct element){.name = text, .name_len = strcspn(text, "=, \t")};
    if (*text == '\0')
        return false;
    text += element->name_len;
    if (*text == '=' && text[1] == '"') {
        end = skip_quoted(text + 1);
        element->value = text + 2;
        element->value_len = (size_t)(end - element->value);
        text = end + (*end == '"');
    } else if (*text == '=') {
        element->value = text + 1;
        element->value_len = strcspn(text + 1, ", \t");
        text = element->value + element->value_len;
    }
    *at = text + strcspn(text, ",");
    return true;
}

/* A number of seconds: `bare` without a value, `invalid` if the value is not a number. */
static int64_t seconds(const struct element *element, int64_t bare, int64_t invalid)
{
    const char *at = element->value;
    uint64_t number;

    if (at == NULL)
        return bare;
    if (!cg__ascii_number(&at, &number) || at != element->value + element->value_len)
        return invalid;
    return cg__http_cache_control_seconds(number);
}

/* Both keep the stricter of two numbers: the one that lets the cache do less. */
static void lower(int64_t *said, int64_t value)
{
    if (*said < 0 || value < *said)
        *said = value;
}

static void raise_to(int64_t *said, int64_t value)
{
    if (value > *said)
        *said = value;
}

static void note(struct cg__cache_says *says, const struct element *element)
{
    const struct {
        const char *name;
        bool *flag;
    } flags[] = {
        {"no-store", &says->no_store},
        {"no-cache", &says->no_cache},
        {"must-revalidate", &says->must_revalidate},
        {"must-understand", &says->must_understand},
        {"public", &says->is_public},
        {"only-if-cached", &says->only_if_cached},
    };

    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        *flags[i].flag |= is_called(element, flags[i].name);
    if (is_called(element, "max-age"))
        lower(&says->max_age, seconds(element, 0, 0));
    else if (is_called(element, "min-fresh"))
        raise_to(&says->min_fresh, seconds(element, CG__CACHE_LONGEST, CG__CACHE_LONGEST));
    else if (is_called(element, "max-stale"))
        lower(&says->max_stale, seconds(element, CG__CACHE_LONGEST, 0));
    else if (is_called(element, "stale-if-error"))
        lower(&says->if_error, seconds(element, 0, 0));
    else if (is_called(element, "stale-while-revalidate"))
        lower(&says->while_revalidate, seconds(element, 0, 0));
}

void cg__http_cache_control_read(struct cg__cache_says *says,
                                 const struct cg_http_headers *fields)
{
    struct cg_http_field field;
    struct element element;
    bool any = false;

    *says = (struct cg__cache_says){
        .max_age = -1, .min_fresh = -1, .max_stale = -1, .if_error = -1, .while_revalidate = -1};
    for (size_t at = 0; cg_http_headers_next(fields, &at, &field);) {
        if (!cg__ascii_equal(field.name, "Cache-Control"))
            continue;
        any = true;
        while (next_element(&field.value, &element))
            note(says, &element);
    }
    if (!any)
        says->no_cache = cg_http_headers_has(fields, "Pragma", "no-cache");
}
