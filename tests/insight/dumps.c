/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/insight/dumps.h"
#include "tests/support/support.h"

#include <ctype.h>
#include <string.h>

/* Lets no time have passed: on a busy machine some tenths of a second may have. */
static void forget_times(char *text)
{
    static const char *const before[] = {"since ", "age "};

    for (size_t i = 0; i < COUNT(before); i++)
        for (char *at = text; (at = strstr(at, before[i])) != NULL;) {
            at += strlen(before[i]);
            if (isdigit((unsigned char)at[0]) && at[1] == '.' && isdigit((unsigned char)at[2]))
                at[0] = at[2] = '0';
        }
}

char *dump_of(const struct cg_dump_options *options)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    OK(cg_sched_dump_with(cg_sched_self(), out, options));
    ck_assert_int_eq(fclose(out), 0);
    forget_times(text);
    return text;
}

void dump_says(const char *text, const char *what)
{
    ck_assert_msg(strstr(text, what) != NULL, "no \"%s\" in:\n%s", what, text);
}

void dump_says_not(const char *text, const char *what)
{
    ck_assert_msg(strstr(text, what) == NULL, "\"%s\" in:\n%s", what, text);
}
