/* SPDX-License-Identifier: MIT */
/* Cache-Control and the other fields that say how long a response is fresh. The first line of the
 * input and the rest are two fields, which together must mean the stricter of both. The rest is
 * also the value of each other field. A stale response must not become fresh as time passes. */
#include "config.h"

#include "http/cache/cache_fresh.h"
#include "http/message/message.h"
#include "tests/fuzz/fuzz.h"

enum { NOW = 1700000000 };

static struct cg__cache_says says_of(const char *one, const char *other)
{
    struct cg_http_headers fields = {.data = NULL};
    struct cg__cache_says says;

    cg_http_headers_add(&fields, "Cache-Control", one);
    if (other != NULL)
        cg_http_headers_add(&fields, "cache-control", other);
    cg__http_cache_control_read(&says, &fields);
    cg__http_message_clear(&fields);
    return says;
}

static void check_number(int64_t number)
{
    MUST(number >= -1 && number <= CG__CACHE_LONGEST);
}

static int64_t lower(int64_t a, int64_t b)
{
    return a < 0 || (b >= 0 && b < a) ? b : a;
}

static void check_both(const char *one, const char *other)
{
    struct cg__cache_says a = says_of(one, NULL), b = says_of(other, NULL),
                          both = says_of(one, other);

    check_number(both.max_age);
    check_number(both.min_fresh);
    check_number(both.max_stale);
    check_number(both.if_error);
    MUST(both.max_age == lower(a.max_age, b.max_age));
    MUST(both.max_stale == lower(a.max_stale, b.max_stale));
    MUST(both.if_error == lower(a.if_error, b.if_error));
    MUST(both.no_store == (a.no_store || b.no_store));
    MUST(both.no_cache == (a.no_cache || b.no_cache));
    MUST(both.must_revalidate == (a.must_revalidate || b.must_revalidate));
}

static void check_life(const char *one, const char *other, const struct cg__cache_says *request)
{
    static const char *const names[] = {"Cache-Control", "Expires", "Date", "Age", "Last-Modified"};
    struct cg_http_headers head = {.data = NULL};
    struct cg__cache_now now = {.steady = 5, .wall = NOW};
    struct cg__cache_life life;
    int64_t age = -1;
    bool stale = false;

    cg_http_headers_add(&head, names[0], one);
    for (size_t i = 0; i < COUNT(names); i++)
        cg_http_headers_add(&head, names[i], other);
    cg__http_cache_fresh_read(&life, 200, &head, now, now);
    cg__http_cache_fresh_is_storable(&life, 200, &head);
    check_number(life.age);
    MUST(life.lifetime >= 0 && life.lifetime <= CG__CACHE_LONGEST);
    for (int64_t step = 1; step < CG__CACHE_LONGEST; step *= 4) {
        enum cg__cache_use use = cg__http_cache_fresh_use(&life, request, now);

        MUST(cg__http_cache_fresh_age(&life, now) >= age);
        MUST(!stale || use != CG__CACHE_FRESH);
        stale |= use != CG__CACHE_FRESH;
        age = cg__http_cache_fresh_age(&life, now);
        now.wall += step;
    }
    cg__http_message_clear(&head);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size), *other = text;
    const char *one = strsep(&other, "\n");
    struct cg__cache_says request = says_of(one, NULL);

    if (other == NULL)
        other = "";
    check_both(one, other);
    check_life(one, other, &request);
    request = says_of("", NULL);
    check_life(one, other, &request);
    free(text);
    return 0;
}
