/* SPDX-License-Identifier: MIT */
/* Dates of HTTP: the three forms, and invalid dates. */
#include "config.h"

#include "http/message/date.h"
#include "tests/support/support.h"

enum { THEN = 784111777 }; /* Sun, 06 Nov 1994 08:49:37 GMT */

static int64_t parsed(const char *text)
{
    int64_t moment = -1;

    ck_assert_msg(cg_http_date_parse(text, &moment), "%s", text);
    return moment;
}

/* All three forms of a time are read as that time. It is written in the first form. */
static void forms(void)
{
    char text[CG_HTTP_DATE_SIZE], logged[CG__HTTP_LOG_DATE_SIZE];

    IS(parsed("Sun, 06 Nov 1994 08:49:37 GMT"), THEN);
    IS(parsed("Sunday, 06-Nov-94 08:49:37 GMT"), THEN);
    IS(parsed("Sun Nov  6 08:49:37 1994"), THEN);
    IS(parsed("Wed Nov 16 08:49:37 1994"), THEN + 10 * 86400);
    IS(parsed("Mon, 06 Nov 1994 08:49:37 GMT"), THEN); /* the name of the day is ignored */
    IS(parsed("Thu, 29 Feb 2024 23:59:60 GMT"), 1709251200);
    IS(parsed("Wed, 31 Dec 1969 23:59:59 GMT"), -1);
    IS(parsed("Tue, 19 Jan 2038 03:14:08 GMT"), 2147483648);
    cg_http_date_print(THEN, text);
    ck_assert_str_eq(text, "Sun, 06 Nov 1994 08:49:37 GMT");
    cg_http_date_print(INT64_MAX, text);
    ck_assert_str_eq(text, "Fri, 31 Dec 9999 23:59:59 GMT");
    cg_http_date_print(INT64_MIN, text);
    ck_assert_str_eq(text, "Mon, 01 Jan 0001 00:00:00 GMT");
    cg__http_date_for_log(THEN, logged);
    ck_assert_str_eq(logged, "06/Nov/1994:08:49:37 +0000");
}

/* Whatever the time, it is read as it was written. */
static void there_and_back(void)
{
    for (int64_t moment = -3000000000; moment < 9000000000; moment += 12345677) {
        char text[CG_HTTP_DATE_SIZE];

        cg_http_date_print(moment, text);
        IS(parsed(text), moment);
    }
}

/* A year of two digits is at most 50 years ahead (RFC 9110, 5.6.7). */
static void two_digits(void)
{
    const int64_t now = parsed("Sun, 29 Nov 2026 12:00:00 GMT");
    int64_t moment;

    ck_assert(cg__http_date_parse("Sunday, 06-Nov-94 08:49:37 GMT", now, &moment));
    IS(moment, THEN);
    ck_assert(cg__http_date_parse("Friday, 06-Nov-76 08:49:37 GMT", now, &moment));
    IS(moment, parsed("Fri, 06 Nov 2076 08:49:37 GMT"));
    ck_assert(cg__http_date_parse("Sunday, 06-Nov-77 08:49:37 GMT", now, &moment));
    IS(moment, parsed("Sun, 06 Nov 1977 08:49:37 GMT"));
}

static void none(void)
{
    static const char *const texts[] = {
        "", "yesterday", "0", "-1", "784111777", "Sun", "Sun, ", "Sun, 06 Nov 1994",
        "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 ", "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 94 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 08:49:37 GMT ", "Sun, 06 Nov 1994 08:49:37 GMT, x",
        " Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 nov 1994 08:49:37 GMT",
        "San, 06 Nov 1994 08:49:37 GMT", "Sun, 31 Nov 1994 08:49:37 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT", "Tue, 29 Feb 2023 08:49:37 GMT",
        "Thu, 29 Feb 1900 08:49:37 GMT", "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT", "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 06 Nov 0000 08:49:37 GMT", "Sun, 06 Nov 1994 8:49:37 GMT",
        "Sun, -6 Nov 1994 08:49:37 GMT", "Sun, +6 Nov 1994 08:49:37 GMT",
        "Sun, 06-Nov-94 08:49:37 GMT", "Sunday, 06-Nov-1994 08:49:37 GMT",
        "Sunday, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37",
        "Sun Nov 6 08:49:37 1994", "Sun Nov 06 08:49:37 94", "Sun Nov  6 08:49:37 1994 GMT",
        "Sun Nov   6 08:49:37 1994", "Sun Nov  6 08:49:37 19945",
    };

    for (size_t i = 0; i < COUNT(texts); i++) {
        int64_t moment = 7;

        ck_assert_msg(!cg_http_date_parse(texts[i], &moment), "%s", texts[i]);
        IS(moment, 7);
    }
}

int main(void)
{
    static const struct test_case cases[] = {
        PLAIN(forms, .where = ON_SIM),
        PLAIN(there_and_back, .where = ON_SIM),
        PLAIN(two_digits, .where = ON_SIM),
        PLAIN(none, .where = ON_SIM),
    };

    return test_main("http date", cases, COUNT(cases));
}
