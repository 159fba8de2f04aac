/* SPDX-License-Identifier: MIT */
/* Strings of JSON: what is UTF-8 stays, and no byte can end the string, make it invalid, or reach
 * a terminal as a command. */
#include "config.h"

#include "lib/insight/json.h"
#include "tests/support/support.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *text, *json;
} strings[] = {
    {"", "\"\""},
    {"plain ~", "\"plain ~\""},
    {"a\"b\\c", "\"a\\\"b\\\\c\""},
    {"\n\x1b\x7f", "\"\\u000a\\u001b\\u007f\""},
    {"\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80", "\"\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80\""},
    /* The last control character and the first one after them. */
    {"\xc2\x80\xc2\x9f\xc2\xa0", "\"\\u0080\\u009f\xc2\xa0\""},
    /* A continuation alone, a beginning alone, and characters that are cut. */
    {"\x80", "\"\\ufffd\""},
    {"\xc3(", "\"\\ufffd(\""},
    {"\xe2\x82", "\"\\ufffd\\ufffd\""},
    {"\xf0\x9f\x98", "\"\\ufffd\\ufffd\\ufffd\""},
    /* Overlong forms, a surrogate, what is above U+10FFFF, and the limits beside them. */
    {"\xc1\xbf\xc2\xa2", "\"\\ufffd\\ufffd\xc2\xa2\""},
    {"\xe0\x9f\xbf\xe0\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\xe0\xa0\x80\""},
    {"\xf0\x8f\xbf\xbf\xf0\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\xf0\x90\x80\x80\""},
    {"\xed\xa0\x80\xed\x9f\xbf", "\"\\ufffd\\ufffd\\ufffd\xed\x9f\xbf\""},
    {"\xf4\x90\x80\x80\xf4\x8f\xbf\xbf", "\"\\ufffd\\ufffd\\ufffd\\ufffd\xf4\x8f\xbf\xbf\""},
    {"\xf5\xff", "\"\\ufffd\\ufffd\""},
};

static void escapes(void)
{
    for (size_t i = 0; i < COUNT(strings); i++) {
        char *text = NULL;
        size_t len;
        FILE *out = open_memstream(&text, &len);

        cg__json_print(out, strings[i].text);
        ck_assert_int_eq(fclose(out), 0);
        ck_assert_str_eq(text, strings[i].json);
        free(text);
    }
}

static const struct test_case cases[] = {
    PLAIN(escapes, .where = ON_SIM),
};

int main(void)
{
    return test_main("json", cases, COUNT(cases));
}
