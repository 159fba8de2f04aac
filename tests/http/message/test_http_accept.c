/* SPDX-License-Identifier: MIT */
/* Which content coding a client prefers. */
#include "config.h"

#include "http/coding/accept_encoding.h"
#include "http/coding/compress.h"
#include "tests/support/support.h"

/* The preferred coding for these lines of Accept-Encoding, among brotli and gzip. */
static const char *preferred(const char *const *lines)
{
    static const enum cg__http_coding among[] = {CG__HTTP_BR, CG__HTTP_GZIP, CG__HTTP_IDENTITY};
    static struct cg_http_headers fields;
    enum cg__http_coding coding;

    for (; *lines != NULL; lines++)
        IS(cg_http_headers_add(&fields, "accept-encoding", *lines), 0);
    coding = cg__http_accept_encoding(&fields, among);
    cg__http_message_clear(&fields);
    return cg__http_coding_name(coding);
}

#define PREFERS(coding, ...)                                                                   \
    ck_assert_str_eq(preferred((const char *const[]){__VA_ARGS__, NULL}), coding)

/* The highest weight wins, and the best coding among equals. identity wins only with a
 * higher weight. */
static void weights(void)
{
    PREFERS("identity", NULL);
    PREFERS("identity", "");
    PREFERS("gzip", "gzip");
    PREFERS("br", "gzip, br");
    PREFERS("gzip", "gzip;q=0.8, br;q=0.799");
    PREFERS("br", "br;q=0.001");
    PREFERS("gzip", "gzip, br;q=0");
    PREFERS("identity", "gzip;q=0, br;q=0.000");
    PREFERS("identity", "gzip;q=0.1, identity;q=1");
    PREFERS("gzip", "gzip, identity");
    PREFERS("gzip", "identity;q=0, gzip;q=0.1");
    PREFERS("br", "*");
    PREFERS("gzip", "br;q=0, *");
    PREFERS("identity", "*;q=0.5, gzip;q=0.1, br;q=0.1");
    PREFERS("identity", "*;q=0");
    PREFERS("gzip", "*;q=0, gzip");
    PREFERS("identity", "gzip;q=0, gzip"); /* the first element with its name counts */
    PREFERS("gzip", "gzip", "x-gzip;q=0");
    PREFERS("gzip", "zstd, gzip;q=0.1"); /* which is not among those that there are */
}

/* The lines are one list. Names and parameters are not case-sensitive; blanks and quotes
 * change nothing. */
static void forms(void)
{
    PREFERS("gzip", "identity", "gzip");
    PREFERS("br", "gzip;q=0.5", "", "br");
    PREFERS("gzip", "GZip");
    PREFERS("gzip", "x-gzip");
    PREFERS("identity", "gzip;Q=0");
    PREFERS("identity", "gzip ; q=0");
    PREFERS("identity", "gzip;\tq=0 ,");
    PREFERS("identity", "gzip; q = 0");
    PREFERS("identity", "gzip;x=1;q=0");
    PREFERS("identity", "gzip;x=\"a,br\\\";q=1\";q=0");
    PREFERS("gzip", ",, ,gzip;x");
    PREFERS("identity", "gzipped, brot, xgzip");
    PREFERS("identity", "x=\"gzip, br");
}

/* An element with an invalid weight is ignored. No number is too large. */
static void invalid(void)
{
    static const char *const numbers[] = {"2",    "1.001", "2147483", "2147484", "14467440.0",
                                          "3e9",  "-1",    "0x1",     "00.5",    "10",
                                          "",     ".5",    "01",      "nan",
                                          "1.5"};
    char line[64];

    for (size_t i = 0; i < COUNT(numbers); i++) {
        snprintf(line, sizeof line, "br;q=%s, gzip;q=0.1", numbers[i]);
        ck_assert_msg(preferred((const char *const[]){line, NULL})[0] == 'g', "%s", line);
    }
    PREFERS("br", "br;q=0.99999999999999999999999999, gzip;q=0.5");
    PREFERS("br", "br;q=1.000000");
    PREFERS("br", "br;q=1., gzip;q=0.999");
}

int main(void)
{
    static const struct test_case cases[] = {
        PLAIN(weights, .where = ON_SIM),
        PLAIN(forms, .where = ON_SIM),
        PLAIN(invalid, .where = ON_SIM),
    };

    return test_main("http accept", cases, COUNT(cases));
}
