/* SPDX-License-Identifier: MIT */
/* Dates of HTTP and of cookies: what is printed is read as the same moment again, by both. */
#include "config.h"

#include "http/cookies/cookie_date.h"
#include "http/message/date.h"
#include "tests/fuzz/fuzz.h"

enum { NOW = 1700000000 };

static void check(int64_t moment, bool for_cookies)
{
    char text[CG_HTTP_DATE_SIZE], log[CG__HTTP_LOG_DATE_SIZE];
    int64_t again;

    cg_http_date_print(moment, text);
    MUST(strlen(text) == sizeof text - 1);
    MUST(cg__http_date_parse(text, NOW, &again) && again == moment);
    if (for_cookies)
        MUST(cg__http_cookie_date(text, strlen(text), &again) && again == moment);
    cg__http_date_for_log(moment, log);
    MUST(strlen(log) == sizeof log - 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size), *bytes = fuzz_copy(data, size);
    int64_t moment;

    if (cg__http_date_parse(text, NOW, &moment))
        check(moment, false);
    if (cg__http_cookie_date(bytes, size, &moment))
        check(moment, true);
    free(text);
    free(bytes);
    return 0;
}
