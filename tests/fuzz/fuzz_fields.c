/* SPDX-License-Identifier: MIT */
/* Values of fields: Range, Accept-Encoding, Content-Length, parameters, Set-Cookie. A range lies
 * within the file, a coding is one of those that are there. */
#include "config.h"

#include "http/coding/accept_encoding.h"
#include "http/cookies/set_cookie.h"
#include "http/files/files.h"
#include "http/http1/framing.h"
#include "http/web/params.h"
#include "tests/fuzz/fuzz.h"

static void check_range(const char *text)
{
    static const uint64_t sizes[] = {0, 1, 10, 1000, INT64_MAX};

    for (size_t i = 0; i < COUNT(sizes); i++) {
        uint64_t first = 0, length = 0;

        if (cg__http_conditions_range(text, sizes[i], &first, &length) == CG__HTTP_PART)
            MUST(length > 0 && first < sizes[i] && length <= sizes[i] - first);
    }
}

static void check_coding(const char *text)
{
    struct cg_http_headers fields = {.data = NULL};

    cg_http_headers_add(&fields, "Accept-Encoding", text); /* refuses what is not a value */
    for (int have = 0; have < 8; have++) {
        enum cg__http_coding among[CG__HTTP_CODINGS], coding;
        int count = 0, found = 0;

        for (coding = CG__HTTP_GZIP; coding < CG__HTTP_CODINGS; coding++)
            if (have & 1 << (coding - 1))
                among[count++] = coding;
        among[count] = CG__HTTP_IDENTITY;
        coding = cg__http_accept_encoding(&fields, among);
        while (found < count && among[found] != coding)
            found++;
        MUST(among[found] == coding);
    }
    cg__http_message_clear(&fields);
}

static void check_length(const char *text)
{
    char again[24];
    uint64_t length;

    if (!cg__http_framing_length(text, &length))
        return;
    again[cg__http_framing_decimal(again, length)] = '\0';
    MUST(strcmp(text + strspn(text, "0"), again + strspn(again, "0")) == 0);
}

static void check_params(const char *text)
{
    char buf[32];

    for (size_t size = 1; size <= sizeof buf; size *= 2) {
        ssize_t n = cg__http_params_get(text, "name", buf, size);

        MUST(n < (ssize_t)size && (n < 0 || strlen(buf) == (size_t)n));
    }
}

static bool is_within(struct cg__set_cookie_part part, const char *text)
{
    return part.len == 0 || (part.at >= text && part.at + part.len <= text + strlen(text));
}

static void check_cookie(const char *text)
{
    struct cg__set_cookie cookie;

    if (cg__http_set_cookie_parse(&cookie, text, 1700000000) != NULL)
        return;
    MUST(is_within(cookie.name, text) && is_within(cookie.value, text));
    MUST(is_within(cookie.domain, text) && is_within(cookie.path, text));
    MUST(cookie.name.len + cookie.value.len > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);

    check_range(text);
    check_coding(text);
    check_length(text);
    check_params(text);
    check_cookie(text);
    free(text);
    return 0;
}
