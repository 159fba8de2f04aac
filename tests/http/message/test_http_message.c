/* SPDX-License-Identifier: MIT */
/* Lists of header fields, and what frames a message. */
#include "config.h"

#include "http/http1/framing.h"
#include "http/message/message.h"
#include "tests/support/support.h"

#include <errno.h>
#include <stdio.h>

static const char *get(const struct cg_http_headers *headers, const char *name)
{
    const char *value = cg_http_headers_get(headers, name);

    return value ? value : "(none)";
}

/* Names are not case-sensitive. Fields of one name stay in order. set and remove apply to
 * all of them. */
START_TEST(fields)
{
    struct cg_http_headers *headers = cg_http_headers_new();
    struct cg_http_field field;
    char name[16], value[64];
    size_t at = 0;

    ck_assert_str_eq(get(headers, "A"), "(none)");
    IS(cg_http_headers_add(headers, "A", "1"), 0);
    IS(cg_http_headers_add(headers, "b", "2, Close ; q=1"), 0);
    IS(cg_http_headers_add(headers, "a", "3"), 0);
    ck_assert_str_eq(get(headers, "a"), "1");
    ck_assert(cg_http_headers_has(headers, "B", "close"));
    ck_assert(cg_http_headers_has(headers, "a", "3"));
    ck_assert(!cg_http_headers_has(headers, "B", "clos"));
    ck_assert(!cg_http_headers_has(headers, "B", "q=1"));
    IS(cg_http_headers_set(headers, "A", "4"), 0);
    ck_assert_str_eq(get(headers, "a"), "4");
    ck_assert(cg_http_headers_next(headers, &at, &field));
    ck_assert_str_eq(field.name, "b");
    ck_assert(cg_http_headers_next(headers, &at, &field));
    ck_assert_str_eq(field.value, "4");
    ck_assert(!cg_http_headers_next(headers, &at, &field));
    ck_assert_uint_eq(cg_http_headers_remove(headers, "a"), 1);
    ck_assert_uint_eq(cg_http_headers_remove(headers, "a"), 0);
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "N%d", i);
        snprintf(value, sizeof value, "value number %d", i);
        IS(cg_http_headers_add(headers, name, value), 0);
    }
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "n%d", i);
        snprintf(value, sizeof value, "value number %d", i);
        ck_assert_str_eq(get(headers, name), value);
    }
    cg_http_headers_free(headers);
}
END_TEST

/* A field may be made of texts of its own list, whose memory moves when it grows. */
START_TEST(own_texts)
{
    struct cg_http_headers *headers = cg_http_headers_new();
    struct cg_http_field field;
    size_t at = 0;

    IS(cg_http_headers_add(headers, "Name", "value"), 0);
    ck_assert(cg_http_headers_next(headers, &at, &field));
    for (int i = 0; i < 100; i++) {
        IS(cg_http_headers_add(headers, "b", field.value), 0);
        IS(cg_http_headers_set(headers, field.name, cg_http_headers_get(headers, "B")), 0);
        IS(cg_http_headers_set(headers, "B", cg_http_headers_get(headers, "name")), 0);
        at = 0;
        ck_assert(cg_http_headers_next(headers, &at, &field));
        ck_assert_str_eq(field.name, "Name");
        ck_assert_str_eq(field.value, "value");
        ck_assert(cg_http_headers_next(headers, &at, &field));
        ck_assert_str_eq(field.name, "B");
        ck_assert_str_eq(field.value, "value");
        ck_assert(!cg_http_headers_next(headers, &at, &field));
        at = 0;
        ck_assert(cg_http_headers_next(headers, &at, &field));
    }
    cg_http_headers_free(headers);
}
END_TEST

/* Checks that a list has these names and values, one after the other. */
static void check_fields(const struct cg_http_headers *headers, const char *const *texts)
{
    struct cg_http_field field;
    size_t at = 0;

    for (; *texts != NULL; texts += 2) {
        ck_assert(cg_http_headers_next(headers, &at, &field));
        ck_assert_str_eq(field.name, texts[0]);
        ck_assert_str_eq(field.value, texts[1]);
    }
    ck_assert(!cg_http_headers_next(headers, &at, &field));
}

/* All fields of a list are set at once: they replace those of their names, and no others. */
START_TEST(all_at_once)
{
    struct cg_http_headers *from = cg_http_headers_new(), *to = cg_http_headers_new();

    IS(cg__http_message_set_all(to, from), 0);
    check_fields(to, (const char *const[]){NULL});
    IS(cg_http_headers_add(from, "A", "new"), 0);
    IS(cg_http_headers_add(from, "Longer", "other"), 0);
    IS(cg__http_message_set_all(to, from), 0);
    check_fields(to, (const char *const[]){"A", "new", "Longer", "other", NULL});
    cg_http_headers_free(to);
    to = cg_http_headers_new();
    IS(cg_http_headers_add(to, "a", "1"), 0);
    IS(cg_http_headers_add(to, "B", "2"), 0);
    IS(cg_http_headers_add(to, "longer", "3"), 0);
    IS(cg_http_headers_add(to, "A", "4"), 0);
    IS(cg__http_message_set_all(to, from), 0);
    check_fields(to, (const char *const[]){"B", "2", "A", "new", "Longer", "other", NULL});
    check_fields(from, (const char *const[]){"A", "new", "Longer", "other", NULL});
    cg_http_headers_free(to);
    cg_http_headers_free(from);
}
END_TEST

/* Each byte, at each place of a value. */
START_TEST(bytes_of_values)
{
    char value[20];

    for (int c = 0; c < 256; c++)
        for (size_t at = 0; at < sizeof value; at++) {
            memset(value, at % 2 ? '\xff' : ' ', sizeof value);
            value[at] = (char)c;
            ck_assert_msg(cg__http_message_is_value(value, sizeof value) ==
                              ((c >= ' ' && c != 0x7f) || c == '\t'),
                          "%d at %zu", c, at);
        }
}
END_TEST

/* A name or a value that contains another field, or a whole message, is refused. */
START_TEST(injection)
{
    struct cg_http_headers *headers = cg_http_headers_new();

    IS(cg_http_headers_add(headers, "A", "b\r\nC: d"), -EINVAL);
    IS(cg_http_headers_add(headers, "A", "b\n"), -EINVAL);
    IS(cg_http_headers_add(headers, "A: b", ""), -EINVAL);
    IS(cg_http_headers_add(headers, "A\r\n", ""), -EINVAL);
    IS(cg_http_headers_set(headers, "", "b"), -EINVAL);
    IS(cg_http_headers_set(headers, "A", "\x7f"), -EINVAL);
    ck_assert_str_eq(get(headers, "A"), "(none)");
    IS(cg_http_headers_add(headers, "A", "\tb \xc3\xa4"), 0);
    cg_http_headers_free(headers);
}
END_TEST

START_TEST(framing)
{
    char buf[32] = "";
    uint64_t length;

    ck_assert_int_eq(cg__http_framing_choose(200, false, 1, true), CG__HTTP_LENGTH);
    ck_assert_int_eq(cg__http_framing_choose(200, false, 1, false), CG__HTTP_CHUNKED);
    ck_assert_int_eq(cg__http_framing_choose(200, false, 0, false), CG__HTTP_CLOSE);
    ck_assert_int_eq(cg__http_framing_choose(200, true, 1, true), CG__HTTP_NO_BODY);
    ck_assert_int_eq(cg__http_framing_choose(304, false, 1, true), CG__HTTP_NO_BODY);
    ck_assert_int_eq(cg__http_framing_choose(101, false, 1, false), CG__HTTP_NO_BODY);
    buf[cg__http_framing_chunk_head(buf, 0xfedcba9876543210)] = '\0';
    ck_assert_str_eq(buf, "fedcba9876543210\r\n");
    buf[cg__http_framing_chunk_head(buf, 1)] = '\0';
    ck_assert_str_eq(buf, "1\r\n");
    buf[cg__http_framing_decimal(buf, UINT64_MAX)] = '\0';
    ck_assert_str_eq(buf, "18446744073709551615");
    buf[cg__http_framing_decimal(buf, 0)] = '\0';
    ck_assert_str_eq(buf, "0");
    ck_assert(cg__http_framing_length("1234", &length) && length == 1234);
    ck_assert(!cg__http_framing_length("", &length));
    ck_assert(!cg__http_framing_length("+1", &length));
    ck_assert(!cg__http_framing_length("1 ", &length));
    ck_assert(!cg__http_framing_length("18446744073709551616", &length));
    ck_assert_str_eq(cg_http_status_text(404), "Not Found");
    ck_assert_str_eq(cg_http_status_text(999), "Unknown");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("http message");
    TCase *tc = tcase_create("http message");

    tcase_add_test(tc, fields);
    tcase_add_test(tc, own_texts);
    tcase_add_test(tc, all_at_once);
    tcase_add_test(tc, bytes_of_values);
    tcase_add_test(tc, injection);
    tcase_add_test(tc, framing);
    suite_add_tcase(suite, tc);
    return check_main(suite, NULL);
}
