/* SPDX-License-Identifier: MIT */
/* The parser of multipart forms, and of parameters in fields. */
#include "config.h"

#include "http/web/multipart.h"
#include "http/web/params.h"
#include "tests/http/told.h"
#include "tests/support/must.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct seen {
    char text[2048];
    size_t len;
};

static void see(struct seen *seen, const char *bytes, size_t len)
{
    MUST(seen->len + len < sizeof seen->text, "too long");
    memcpy(seen->text + seen->len, bytes, len);
    seen->len += len;
    seen->text[seen->len] = '\0';
}

static void see_text(struct seen *seen, const char *text)
{
    see(seen, text, strlen(text));
}

/* Gives the parser a copy of the bytes, so that ASan finds every read beyond them. False: the
 * form is invalid. */
static bool give(struct cg__http_multipart *parser, struct seen *seen, const char *bytes,
                 size_t size)
{
    char *copy = malloc(size + 1);
    size_t at = 0, used;
    bool good = true;

    memcpy(copy, bytes, size);
    while (good && at < size) {
        switch (cg__http_multipart_parse(parser, copy + at, size - at, &used)) {
        case CG__HTTP_MULTIPART_PART:
            see_text(seen, "[");
            see_text(seen, parser->name);
            if (parser->filename != NULL) {
                see_text(seen, "|");
                see_text(seen, parser->filename);
            }
            if (parser->mime[0] != '\0') {
                see_text(seen, "|");
                see_text(seen, parser->mime);
            }
            see_text(seen, "=");
            break;
        case CG__HTTP_MULTIPART_DATA:
            MUST(parser->len > 0, "an empty piece");
            see(seen, parser->data, parser->len);
            break;
        case CG__HTTP_MULTIPART_END:
            see_text(seen, "]");
            break;
        case CG__HTTP_MULTIPART_DONE:
            if (strchr(seen->text, '~') == NULL)
                see_text(seen, "~");
            break;
        case CG__HTTP_MULTIPART_LONG:
            see_text(seen, "LONG");
            good = false;
            break;
        case CG__HTTP_MULTIPART_BAD:
            see_text(seen, "BAD");
            good = false;
            break;
        case CG__HTTP_MULTIPART_MORE:
            MUST(at + used == size, "bytes are left");
            break;
        }
        at += used;
    }
    free(copy);
    return good;
}

/* What the parser makes of bytes that are cut at two places. A piece may be empty. */
static void parse(struct seen *seen, const char *bytes, size_t one, size_t two, size_t size)
{
    struct cg__http_multipart parser;

    seen->len = 0;
    seen->text[0] = '\0';
    OK(cg__http_multipart_init(&parser, "B-b", 100));
    if (give(&parser, seen, bytes, one) && give(&parser, seen, bytes + one, two - one))
        give(&parser, seen, bytes + two, size - two);
    cg__http_multipart_free(&parser);
}

#define F(name) "Content-Disposition: form-data; name=" name "\r\n"
#define ONE "--B-b\r\n" F("a") "\r\n"
#define LAST "\r\n--B-b--\r\n"
#define LONG_LINE "0123456789012345678901234567890123456789012345678901234567890123456789"

static const struct message forms[] = {
    {"--B-b--\r\n", "~"},
    {"--B-b--", "~"},
    {"\r\n--B-b--\r\n", "~"},
    {"preamble\r\n--B-b" "x\r\n", "BAD"},
    {"preamble\r\n--B-\r\r\n--B-b--and more\r\n--B-b\r\n", "~"},
    {ONE "x" LAST, "[a=x]~"},
    {ONE LAST, "[a=]~"},
    {ONE "--B-b--", "[a=]~"}, /* the empty line is the delimiter's */
    {ONE "\r\n" LAST, "[a=\r\n]~"},
    {ONE "\r\n--B-" LAST, "[a=\r\n--B-]~"},
    {ONE "\r\r\n-\r\n--\r\n--B\r\n--B-\n" LAST, "[a=\r\r\n-\r\n--\r\n--B\r\n--B-\n]~"},
    {ONE "x--B-b--" LAST, "[a=x--B-b--]~"},
    {ONE "\n--B-b--" LAST, "[a=\n--B-b--]~"},
    {ONE "-" LAST, "[a=-]~"},
    {ONE "--B-c" LAST, "[a=--B-c]~"},
    {ONE "x\r\n--B-b \t \r\n" F("b") "\r\ny" LAST, "[a=x][b=y]~"},
    {ONE "x\r\n--B-b\r\n" F("\"b c\"; filename=\"C:\\dir\\x.txt\"")
         "content-type:  text/plain\r\n\r\ny" LAST, "[a=x][b c|x.txt|text/plain=y]~"},
    {"--B-b\r\n" F("\"a%22b\\\"c\\\\d\"") "\r\n" LAST, "[a\"b\"c\\d=]~"},
    {"--B-b\r\n" F("a; filename=\"/etc/../..\"") "\r\n" LAST, "[a|=]~"},
    {"--B-b\r\n" F("a; filename=\"\"") "\r\n" LAST, "[a|=]~"},
    {"--B-b\r\n" F("a; filename=\"x;y=z\"") "\r\n" LAST, "[a|x;y=z=]~"},
    {"--B-b\r\n" F("a; filename*=UTF-8''x; filename=y") "\r\n" LAST, "[a|y=]~"},
    {"--B-b\r\nX: y\r\n" F("a") "\r\n" LAST, "[a=]~"},
    {"--B-b\r\n\r\nx" LAST, "BAD"},
    {"--B-b\r\nContent-Type: a/b\r\n\r\nx" LAST, "BAD"},
    {"--B-b\r\n" F("a") F("b") "\r\nx" LAST, "BAD"},
    {"--B-b\r\n" F("a; name=b") "\r\nx" LAST, "BAD"},
    {"--B-b\r\n" F("\"a") "\r\nx" LAST, "BAD"},
    {"--B-b\r\n" F("a b") "\r\nx" LAST, "BAD"},
    {"--B-b\r\n" F("") "\r\nx" LAST, "BAD"},
    {"--B-b\r\n" F("\"\"") "\r\nx" LAST, "[=x]~"},
    {"--B-b\r\nContent-Disposition: attachment; name=a\r\n\r\nx" LAST, "BAD"},
    {"--B-b\r\nContent-Disposition: form-dataX; name=a\r\n\r\nx" LAST, "BAD"},
    {"--B-b\r\n folded: x\r\n" F("a") "\r\nx" LAST, "BAD"},
    {"--B-b\r\nno colon\r\n" F("a") "\r\nx" LAST, "BAD"},
    {"--B-b\r\nX: a\nb\r\n" F("a") "\r\nx" LAST, "BAD"},
    {"--B-b\r\nX: a\rb\r\n" F("a") "\r\nx" LAST, "BAD"},
    {"--B-b\r\nX: a\x01\r\n" F("a") "\r\nx" LAST, "BAD"},
    {"--B-b\r\nX: " LONG_LINE "\r\n" F("a") "\r\nx" LAST, "LONG"},
    {"--B-b\r\n" F("a; filename=\"" LONG_LINE "\"") "\r\nx" LAST, "LONG"},
    {ONE "x\r\n--B-bX", "[a=x]BAD"},
    {ONE "x\r\n--B-b-x", "[a=x]BAD"},
    {ONE "x\r\n--B-b\rx", "[a=x]BAD"},
    {ONE "x\r\n--B-b\n", "[a=x]BAD"},
    {ONE "x\r\n--B-", "[a=x"},
    {ONE, "[a="},
};

/* The same bytes mean the same, wherever they are cut. */
static void splits(void)
{
    struct seen seen;

    for (size_t i = 0; i < COUNT(forms); i++) {
        size_t size = strlen(forms[i].bytes);

        for (size_t one = 0; one <= size; one++)
            for (size_t two = one; two <= size; two += one % 7 == 0 ? 1 : 5) {
                parse(&seen, forms[i].bytes, one, two, size);
                MUST(strcmp(seen.text, forms[i].want) == 0, "%zu: %s at %zu, %zu: %s", i,
                     forms[i].bytes, one, two, seen.text);
            }
    }
}

/* Boundaries that RFC 2046 does not allow are refused. */
static void boundaries(void)
{
    static const char *const bad[] = {"", "a ", "a\r", "a\"b", "a;b", "\xc3\xa4",
                                      ("a" LONG_LINE)};
    struct cg__http_multipart parser;

    for (size_t i = 0; i < COUNT(bad); i++)
        IS(cg__http_multipart_init(&parser, bad[i], 100), -EBADMSG);
    IS(cg__http_multipart_init(&parser, LONG_LINE, 100), 0);
    cg__http_multipart_free(&parser);
}

/* Random bytes of the alphabet that matters end in some event, whatever they are. */
static void noise(void)
{
    static const char *const pieces[] = {"\r",   "\n",   "-",   "--", "B-b", "\r\n--B-b", ONE,
                                         "\r\n", F("a"), "x",   "=",  ";",   "\"",        "\\",
                                         ":",    " ",    LAST};
    struct seen seen;
    uint64_t seed = 1;

    for (int round = 0; round < 20000; round++) {
        char text[600] = "";

        for (unsigned i = test_random(&seed) % 16; i > 0; i--)
            strcat(text, pieces[test_random(&seed) % COUNT(pieces)]);
        parse(&seen, text, strlen(text) / 3, strlen(text) / 2, strlen(text));
        MUST(seen.len < sizeof seen.text, "seen");
    }
}

/* A parameter is found among others, quoted or not. */
static void parameters(void)
{
    char buf[8];

    IS(cg__http_params_get("a/b", "x", buf, sizeof buf), -ENOENT);
    IS(cg__http_params_get("a/b;", "x", buf, sizeof buf), -ENOENT);
    IS(cg__http_params_get("a/b ; ; X=y ", "x", buf, sizeof buf), 1);
    IS(cg__http_params_get("a/b;z=\"1;x=2\";x=\"\"; y=1234567890", "x", buf, sizeof buf), 0);
    IS(cg__http_params_get("a/b;x=1234567", "x", buf, sizeof buf), 7);
    ck_assert_str_eq(buf, "1234567");
    IS(cg__http_params_get("a/b;x=12345678", "x", buf, sizeof buf), -EMSGSIZE);
    IS(cg__http_params_get("a/b;x=\"12345678\"", "x", buf, sizeof buf), -EMSGSIZE);
    IS(cg__http_params_get("a/b;x=1 y=2", "x", buf, sizeof buf), -EBADMSG);
    IS(cg__http_params_get("a/b;x=1;x=1", "x", buf, sizeof buf), -EBADMSG);
    IS(cg__http_params_get("a/b;x=\"1\\", "x", buf, sizeof buf), -EBADMSG);
    IS(cg__http_params_get("a/b;x=1\"2\"", "x", buf, sizeof buf), -EBADMSG);
    IS(cg__http_params_get("a/b;x =1", "x", buf, sizeof buf), -EBADMSG);
    IS(cg__http_params_get("a/b;=1", "x", buf, sizeof buf), -EBADMSG);
}

static const struct test_case cases[] = {
    PLAIN(splits, .where = ON_SIM),
    PLAIN(boundaries, .where = ON_SIM),
    PLAIN(noise, .where = ON_SIM),
    PLAIN(parameters, .where = ON_SIM),
};

int main(void)
{
    return test_main("http multipart", cases, COUNT(cases));
}
