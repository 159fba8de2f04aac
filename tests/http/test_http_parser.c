/* SPDX-License-Identifier: MIT */
/* The HTTP parser: which messages it accepts and what it makes of them, and which it
 * refuses, with which status. Neither depends on how the bytes are cut. */
#include "config.h"

#include "http/http1/framing.h"
#include "http/http1/parser.h"
#include "tests/support/support.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct cg__http_limits small = {.target = 40, .headers = 120, .count = 5};

struct message {
    const char *bytes;
    const char *want; /* what tell() writes for it */
};

/* The result of a message as text: "GET /path 1.1 keep|A=b|body|C=d|rest"; "400" if it is
 * refused; "more" or "end" if it is not complete at the end of the bytes or of the
 * stream. */
struct told {
    char text[4096];
    size_t size;
};

static void say(struct told *told, const char *text, size_t size)
{
    ck_assert_uint_lt(told->size + size, sizeof told->text);
    memcpy(told->text + told->size, text, size);
    told->size += size;
    told->text[told->size] = '\0';
}

static void say_text(struct told *told, const char *text)
{
    say(told, text, strlen(text));
}

static void say_fields(struct told *told, const struct cg_http_headers *headers)
{
    struct cg_http_field field;
    size_t at = 0;

    say_text(told, "|");
    while (cg_http_headers_next(headers, &at, &field)) {
        say_text(told, at > 1 ? "," : "");
        say_text(told, field.name);
        say_text(told, "=");
        say_text(told, field.value);
    }
}

static void say_head(struct told *told, const struct cg__http_parser *parser)
{
    const char *text = cg__http_message_at(parser->headers, parser->text);
    char line[256];

    if (parser->method)
        snprintf(line, sizeof line, "%s %s 1.%d", parser->method, text, parser->minor);
    else
        snprintf(line, sizeof line, "%d %s 1.%d", parser->status, text, parser->minor);
    ck_assert_uint_eq(strlen(text), parser->text_len);
    say_text(told, line);
    say_text(told, parser->keep_alive ? " keep" : "");
    say_text(told, parser->upgrade ? " upgrade" : "");
    say_fields(told, parser->headers);
    say_text(told, "|");
}

static void say_bad(struct told *told, const struct cg__http_parser *parser)
{
    snprintf(told->text, sizeof told->text, "%d", parser->status);
    ck_assert_ptr_nonnull(parser->why);
}

/* Whatever the result, each field that can be read is complete. */
static void check_texts(const struct cg_http_headers *headers)
{
    struct cg_http_field field;
    size_t at = 0;

    while (cg_http_headers_next(headers, &at, &field)) {
        const struct cg__http_entry *entry = cg__http_entry(headers, (uint32_t)at - 1);

        ck_assert_uint_lt(entry->name + entry->name_len, headers->used);
        ck_assert_uint_lt(entry->value + entry->value_len, headers->used);
        ck_assert_uint_eq(strlen(field.name), entry->name_len);
        ck_assert_uint_eq(strlen(field.value), entry->value_len);
    }
}

/* Parses bytes in pieces that end at the positions in cuts, the last of which is `size`.
 * Each piece is a copy, so that ASan finds every read beyond it. */
static void tell(struct told *told, enum cg__http_kind kind, bool skip, const char *bytes,
                 const size_t *cuts, size_t size)
{
    struct cg_http_headers headers = {.data = NULL}, trailers = {.data = NULL};
    struct cg__http_parser parser;
    enum cg__http_event event = CG__HTTP_MORE;
    size_t at = 0;

    told->size = 0;
    told->text[0] = '\0';
    cg__http_parser_init(&parser, kind, &headers, &trailers, &small);
    parser.skip_body = skip;
    while (event != CG__HTTP_DONE && event != CG__HTTP_BAD && at < size) {
        size_t length = *cuts++ - at, done = 0, used;
        char *piece = malloc(length);

        memcpy(piece, bytes + at, length);
        do {
            event = cg__http_parser_parse(&parser, piece + done, length - done, &used);
            done += used;
            if (event == CG__HTTP_HEAD)
                say_head(told, &parser);
            if (event == CG__HTTP_BODY)
                say(told, parser.body, parser.body_len);
        } while (event == CG__HTTP_HEAD || event == CG__HTTP_BODY);
        at += done;
        free(piece);
        if (event == CG__HTTP_MORE)
            ck_assert_uint_eq(done, length);
    }
    if (event == CG__HTTP_MORE) {
        bool untouched = cg__http_parser_untouched(&parser);

        event = cg__http_parser_end(&parser);
        say_text(told, event == CG__HTTP_DONE ? "|end" : untouched ? "nothing" : "|more");
    } else if (event == CG__HTTP_BAD) {
        say_bad(told, &parser);
    } else {
        say_fields(told, &trailers);
        say_text(told, "|");
        say(told, bytes + at, size - at);
    }
    check_texts(&headers);
    check_texts(&trailers);
    cg__http_message_clear(&headers);
    cg__http_message_clear(&trailers);
}

/* Parses the message whole, cut once at every position, cut twice at some, and byte by
 * byte: the result is always the same. */
static void check_kind(enum cg__http_kind kind, bool skip, const struct message *message)
{
    size_t size = strlen(message->bytes), cuts[512];
    struct told told;

    ck_assert_uint_lt(size, COUNT(cuts));
    tell(&told, kind, skip, message->bytes, &size, size);
    ck_assert_msg(strcmp(told.text, message->want) == 0, "%s\nwanted: %s\ngot:    %s",
                  message->bytes, message->want, told.text);
    for (size_t i = 1; i < size; i++) {
        for (size_t j = i + 1; j <= size; j += j < i + 3 ? 1 : 7) {
            tell(&told, kind, skip, message->bytes, (size_t[]){i, j, size}, size);
            ck_assert_msg(strcmp(told.text, message->want) == 0,
                          "cut at %zu and %zu: %s\nwanted: %s\ngot:    %s", i, j,
                          message->bytes, message->want, told.text);
        }
        cuts[i - 1] = i;
    }
    if (size > 0)
        cuts[size - 1] = size;
    tell(&told, kind, skip, message->bytes, cuts, size);
    ck_assert_str_eq(told.text, message->want);
}

static void check(enum cg__http_kind kind, const struct message *messages, size_t n)
{
    for (size_t i = 0; i < n; i++)
        check_kind(kind, false, &messages[i]);
}

#define H "Host: x\r\n"
#define GET "GET / HTTP/1.1\r\n" H

/* Valid requests are accepted. The bytes after them are left alone. */
START_TEST(requests)
{
    static const struct message messages[] = {
        {GET "\r\n", "GET / 1.1 keep|Host=x|||"},
        {"GET /a?b=c HTTP/1.1\r\nhost:x \r\nB:\r\nC: \td e\t \r\n\r\n",
         "GET /a?b=c 1.1 keep|host=x,B=,C=d e|||"},
        {GET "\r\n" GET "\r\n", "GET / 1.1 keep|Host=x|||" GET "\r\n"},
        {"\r\n\r\n" GET "\r\n", "GET / 1.1 keep|Host=x|||"},
        {"GET / HTTP/1.0\r\n\r\n", "GET / 1.0||||"},
        {"GET  / HTTP/1.0\r\n\r\n", "GET / 1.0||||"},
        {"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n",
         "GET / 1.0 keep|Connection=Keep-Alive|||"},
        {GET "Connection: close\r\n\r\n", "GET / 1.1|Host=x,Connection=close|||"},
        {"HEAD http://x/a HTTP/1.1\r\n" H "\r\n", "HEAD http://x/a 1.1 keep|Host=x|||"},
        {"OPTIONS * HTTP/1.1\r\n" H "\r\n", "OPTIONS * 1.1 keep|Host=x|||"},
        {"CONNECT x:443 HTTP/1.1\r\n" H "\r\n\x16\x03",
         "CONNECT x:443 1.1 keep upgrade|Host=x|||\x16\x03"},
        {GET "Upgrade: a\r\nConnection: upgrade\r\n\r\nabc",
         "GET / 1.1 keep upgrade|Host=x,Upgrade=a,Connection=upgrade|||abc"},
        {"POST / HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nhello GET",
         "POST / 1.1 keep|Host=x,Content-Length=5|hello|| GET"},
        {"POST / HTTP/1.1\r\n" H "Content-Length: 0\r\n\r\n!",
         "POST / 1.1 keep|Host=x,Content-Length=0|||!"},
        {"PUT / HTTP/1.1\r\n" H "Transfer-Encoding: Chunked\r\n\r\n"
         "5;a=\"b\r\n c\"\r\nhello\r\n",
         "400"},
        {"PUT / HTTP/1.1\r\n" H "Transfer-Encoding: Chunked\r\n\r\n"
         "5;a=\"b c\"\r\nhe\n o\r\n6\r\n world\r\n000\r\nA: b\r\nC:\r\n\r\nrest",
         "PUT / 1.1 keep|Host=x,Transfer-Encoding=Chunked|he\n o world|A=b,C=|rest"},
        {"PUT / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
         "PUT / 1.1 keep|Host=x,Transfer-Encoding=chunked|||"},
        /* blanks around a value are not part of it */
        {GET "Connection:\tclose\t\r\n\r\n", "GET / 1.1|Host=x,Connection=close|||"},
        {GET "Connection: x ,\tClose\t;y\r\n\r\n",
         "GET / 1.1|Host=x,Connection=x ,\tClose\t;y|||"},
        {GET "Connection: \r\nConnection:close \t \r\n\r\n",
         "GET / 1.1|Host=x,Connection=,Connection=close|||"},
        {GET "Upgrade: a\t\r\nConnection: \tupgrade\t\r\n\r\n",
         "GET / 1.1 keep upgrade|Host=x,Upgrade=a,Connection=upgrade|||"},
        {GET "Upgrade: a\r\nConnection: keep-alive\r\nConnection: upgrade\r\n\r\n",
         "GET / 1.1 keep "
         "upgrade|Host=x,Upgrade=a,Connection=keep-alive,Connection=upgrade|||"},
        {GET "Connection: upgrade\r\n\r\n",
         "GET / 1.1 keep|Host=x,Connection=upgrade|||"},
        {"POST / HTTP/1.1\r\n" H "Content-Length:\t5 \r\n\r\nhello",
         "POST / 1.1 keep|Host=x,Content-Length=5|hello||"},
        {"POST / HTTP/1.1\r\n" H "Transfer-Encoding: \tchunked \r\n\r\n0\r\n\r\n",
         "POST / 1.1 keep|Host=x,Transfer-Encoding=chunked|||"},
        /* "close" wins, in both versions and at any position */
        {"GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n",
         "GET / 1.0|Connection=keep-alive, close|||"},
        {"GET / HTTP/1.0\r\nConnection: close\r\nConnection: keep-alive\r\n\r\n",
         "GET / 1.0|Connection=close,Connection=keep-alive|||"},
        {GET "Connection: close, keep-alive\r\n\r\n",
         "GET / 1.1|Host=x,Connection=close, keep-alive|||"},
        /* later minor versions are treated as the one that we know */
        {"GET / HTTP/1.2\r\n" H "\r\n", "GET / 1.1 keep|Host=x|||"},
        {"GET / HTTP/1.9\r\n" H "\r\n", "GET / 1.1 keep|Host=x|||"},
        {GET, "|more"},
        {"\r\n", "nothing"},
        {"POST / HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nhell",
         "POST / 1.1 keep|Host=x,Content-Length=5|hell|more"},
    };

    check(CG__HTTP_REQUEST, messages, COUNT(messages));
}
END_TEST

/* Valid chunk extensions are skipped. */
START_TEST(extensions)
{
    static const char *const valid[] = {
        ";a",
        ";a=b",
        ";a;b",
        ";a;b=c",
        ";a=b;c",
        ";a=b;c=d",
        ";a=\"x\"",
        ";a=\"x;y\"",
        ";a=\"x\\\"y\"",
        ";a=\"x\";b",
        " ;a",
        "; a",
        "\t;a",
        ";a =b",
        ";a= b",
        " \t ; a = \"\" ; b",
        ";a=\"\t\\\\\xe4\"",
    };
    static const char *const invalid[] = {
        ";",         ";;a",         ";a;",     ";=b",         ";a=",       ";a=;b",
        ";a b",      ";a=b c",      ";a=\"x",  ";a=\"x\"y",   ";a=\"\\\"", " ",
        "\t",        ";a ",         ";a=b\t",  ";a=\"x\" ",   " a",        ";a\n",
        ";a=\"\n\"", ";a=\"\r\n\"", ";a=\001", ";a=\"\x7f\"", ";(",        "\n",
        ";a\rb",     "x",
    };
    char bytes[256];

    for (size_t i = 0; i < COUNT(valid); i++) {
        const struct message message = {
            bytes, "POST / 1.1 keep|Host=x,Transfer-Encoding=chunked|hello|T=u|GET"};

        snprintf(bytes, sizeof bytes,
                 "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                 "2%s\r\nhe\r\n03%s\r\nllo\r\n00%s\r\nT: u\r\n\r\nGET",
                 valid[i], valid[i], valid[i]);
        check_kind(CG__HTTP_REQUEST, false, &message);
    }
    for (size_t i = 0; i < 2 * COUNT(invalid); i++) {
        const struct message message = {bytes, "400"};

        snprintf(bytes, sizeof bytes,
                 "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
                 "chunked\r\n\r\n%s%s\r\n\r\n",
                 i % 2 ? "1;x\r\na\r\n0" : "2", invalid[i / 2]);
        check_kind(CG__HTTP_REQUEST, false, &message);
    }
}
END_TEST

/* Messages that two parsers could read differently are refused, and so is what is not
 * HTTP. */
START_TEST(refused)
{
#define POST "POST / HTTP/1.1\r\n" H
#define CHUNKED POST "Transfer-Encoding: chunked\r\n"
    static const struct message messages[] = {
        /* both lengths, two lengths, invalid lengths */
        {CHUNKED "Content-Length: 5\r\n\r\n0\r\n\r\n", "400"},
        {POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
         "400"},
        {POST "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", "400"},
        {POST "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", "400"},
        {POST "Content-Length: 5, 5\r\n\r\nhello", "400"},
        {POST "Content-Length: +5\r\n\r\nhello", "400"},
        {POST "Content-Length: -5\r\n\r\nhello", "400"},
        {POST "Content-Length: 0x5\r\n\r\nhello", "400"},
        {POST "Content-Length: 5 5\r\n\r\nhello", "400"},
        {POST "Content-Length: 99999999999999999999\r\n\r\nhello", "400"},
        {POST "Content-Length:\r\n\r\n", "400"},
        /* codings */
        {POST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "501"},
        {POST "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", "501"},
        {POST "Transfer-Encoding: gzip\r\n\r\n", "501"},
        {POST "Transfer-Encoding: identity\r\n\r\n", "501"},
        {POST "Transfer-Encoding: xchunked\r\n\r\n", "501"},
        {POST "Transfer-Encoding:\r\n\r\n", "501"},
        /* blanks that llhttp takes for part of the coding */
        {POST "Transfer-Encoding: chunked\t\r\n\r\n0\r\n\r\n", "400"},
        {POST "Transfer-Encoding: chunked \t\r\n\r\n0\r\n\r\n", "400"},
        {POST "Transfer-Encoding: chunked\t \r\n\r\n0\r\n\r\n", "400"},
        {POST "Transfer-Encoding: chunked\t\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
         "400"},
        {POST "Content-Length: 5\t\r\n\r\nhello", "400"},
        {CHUNKED "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "501"},
        {CHUNKED "Transfer-Encoding: x\r\n\r\n0\r\n\r\n", "501"},
        {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400"},
        /* chunks */
        {CHUNKED "\r\nx\r\n", "400"},
        {CHUNKED "\r\n-1\r\n", "400"},
        {CHUNKED "\r\n0x1\r\n", "400"},
        {CHUNKED "\r\n 1\r\n", "400"},
        {CHUNKED "\r\n1 \r\na\r\n", "400"},
        {CHUNKED "\r\n11111111111111111\r\n", "400"},
        {CHUNKED "\r\n1\na\r\n", "400"},
        {CHUNKED "\r\n1\r\nab\r\n", "400"},
        {CHUNKED "\r\n1\r\na\n0\r\n\r\n", "400"},
        {CHUNKED "\r\n0\r\nA: b\r\n c\r\n\r\n", "400"},
        {CHUNKED "\r\n0\r\nA : b\r\n\r\n", "400"},
        {CHUNKED "\r\n0\r\n A: b\r\n\r\n", "400"},
        /* folded lines */
        {GET "A: b\r\n c\r\n\r\n", "400"},
        {GET "A: b\r\n\tc\r\n\r\n", "400"},
        {GET "A:\r\n b\r\n\r\n", "400"},
        {GET "A: \r\n b\r\n\r\n", "400"},
        {GET "A: b\r\n \r\n\r\n", "400"},
        {GET "A:\r\n \r\n\r\n", "400"},
        {GET " A: b\r\n\r\n", "400"},
        {"GET / HTTP/1.1\r\n " H "\r\n", "400"},
        {GET "Connection: close\r\n , x\r\n\r\n", "400"},
        {GET "Connection:\r\n close\r\n\r\n", "400"},
        {POST "Content-Length:\r\n 5\r\n\r\nhello", "400"},
        {POST "Content-Length: 5\r\n 5\r\n\r\nhello", "400"},
        {POST "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", "400"},
        {POST "Transfer-Encoding: chunked\r\n ,x\r\n\r\n0\r\n\r\n", "400"},
        {GET "Upgrade: a\r\n b\r\nConnection: upgrade\r\n\r\n", "400"},
        /* line ends and characters */
        {"GET / HTTP/1.1\n" H "\r\n", "400"},
        {"GET / HTTP/1.1\r\nHost: x\n\r\n", "400"},
        {GET "\n", "400"},
        {GET "A: b\rC: d\r\n\r\n", "400"},
        {GET "A: \001\r\n\r\n", "400"},
        {GET "A\001: b\r\n\r\n", "400"},
        {GET "A : b\r\n\r\n", "400"},
        {GET ": b\r\n\r\n", "400"},
        {GET "A\r\n\r\n", "400"},
        {GET "(A): b\r\n\r\n", "400"},
        {"GET /\001 HTTP/1.1\r\n" H "\r\n", "400"},
        {"GET /#a HTTP/1.1\r\n" H "\r\n", "400"},
        {"GET / HTTP/1.1 \r\n" H "\r\n", "505"},
        {"GET /a b HTTP/1.1\r\n" H "\r\n", "400"},
        {"GET\t/ HTTP/1.1\r\n" H "\r\n", "400"},
        {"GET a HTTP/1.1\r\n" H "\r\n", "400"},
        {"\001\002\003\r\n\r\n", "400"},
        {"GET /\r\n\r\n", "400"},
        /* hosts */
        {"GET / HTTP/1.1\r\n\r\n", "400"},
        {GET "host: y\r\n\r\n", "400"},
        {"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "400"},
        {"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "400"},
        /* methods and versions */
        {"FOO / HTTP/1.1\r\n" H "\r\n", "501"},
        {"get / HTTP/1.1\r\n" H "\r\n", "501"},
        {"GETX / HTTP/1.1\r\n" H "\r\n", "501"},
        {"GET / HTTP/2.0\r\n" H "\r\n", "505"},
        {"GET / HTTP/0.9\r\n\r\n", "400"},
        {"GET / HTTQ/1.1\r\n" H "\r\n", "400"},
        {"GET / HTTP/1\r\n" H "\r\n", "505"},
        {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505"},
    };

    check(CG__HTTP_REQUEST, messages, COUNT(messages));
}
END_TEST

/* Each limit has its status: the largest allowed message, and one that is larger by one. */
START_TEST(limits)
{
#define T39 "/23456789012345678901234567890123456789"
#define N100                                                                               \
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234" \
    "567890123456789"
    static const struct message messages[] = {
        {"GET " T39 "x HTTP/1.1\r\n" H "\r\n", "GET " T39 "x 1.1 keep|Host=x|||"},
        {"GET " T39 "xx HTTP/1.1\r\n" H "\r\n", "414"},
        {GET "A: b\r\nA: b\r\nA: b\r\nA: b\r\n\r\n",
         "GET / 1.1 keep|Host=x,A=b,A=b,A=b,A=b|||"},
        {GET "A: b\r\nA: b\r\nA: b\r\nA: b\r\nA: b\r\n\r\n", "431"},
        {GET "A: " N100 "12345678901234\r\n\r\n",
         "GET / 1.1 keep|Host=x,A=" N100 "12345678901234|||"},
        {GET "A: " N100 "123456789012345\r\n\r\n", "431"},
        {GET N100 "012345678901234: x\r\n\r\n", "431"},
        {CHUNKED "A: b\r\n\r\n0\r\nA: b\r\nA: b\r\n\r\n",
         "POST / 1.1 keep|Host=x,Transfer-Encoding=chunked,A=b||A=b,A=b|"},
        {CHUNKED "A: b\r\n\r\n0\r\nA: b\r\nA: b\r\nA: b\r\n\r\n", "431"},
        {CHUNKED "\r\n1;" N100 "0123456789012345678\r\na\r\n0\r\n\r\n",
         "POST / 1.1 keep|Host=x,Transfer-Encoding=chunked|a||"},
        {CHUNKED "\r\n1;" N100 "01234567890123456789\r\na\r\n0\r\n\r\n", "400"},
        {CHUNKED "\r\n0000000000000001\r\na\r\n0\r\n\r\n",
         "POST / 1.1 keep|Host=x,Transfer-Encoding=chunked|a||"},
        {CHUNKED "\r\n00000000000000001\r\na\r\n0\r\n\r\n", "400"},
    };

    check(CG__HTTP_REQUEST, messages, COUNT(messages));
}
END_TEST

START_TEST(answers)
{
    static const struct message messages[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabc",
         "200 OK 1.1 keep|Content-Length=2|ab||c"},
        {"HTTP/1.1 404\r\nContent-Length: 0\r\n\r\n",
         "404  1.1 keep|Content-Length=0|||"},
        {"HTTP/1.1 404 \r\nContent-Length: 0\r\n\r\n",
         "404  1.1 keep|Content-Length=0|||"},
        {"HTTP/1.1 200 Not at all\r\n\r\nto the end",
         "200 Not at all 1.1||to the end|end"},
        {"HTTP/1.0 200 OK\r\n\r\n", "200 OK 1.0|||end"},
        {"HTTP/1.8 200 OK\r\nContent-Length: 0\r\n\r\n",
         "200 OK 1.1 keep|Content-Length=0|||"},
        {"HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive, "
         "close\r\n\r\n",
         "200 OK 1.0|Content-Length=0,Connection=keep-alive, close|||"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\t\r\n\r\n0\r\n\r\n", "400"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1 ; "
         "a\r\na\r\n0;b\r\n\r\n",
         "200 OK 1.1 keep|Transfer-Encoding=chunked|a||"},
        {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n",
         "100 Continue 1.1 keep||||HTTP/1.1 200 OK\r\n"},
        {"HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\nhello",
         "204 No 1.1 keep|Content-Length=5|||hello"},
        {"HTTP/1.1 304 No\r\nTransfer-Encoding: chunked\r\n\r\n",
         "304 No 1.1 keep|Transfer-Encoding=chunked|||"},
        {"HTTP/1.1 101 S\r\nUpgrade: a\r\nConnection: upgrade\r\n\r\nabc",
         "101 S 1.1 keep upgrade|Upgrade=a,Connection=upgrade|||abc"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nB: "
         "c\r\n\r\n",
         "200 OK 1.1 keep|Transfer-Encoding=chunked|a|B=c|"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
         "200 OK 1.1 keep|Content-Length=5|hell|more"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r",
         "200 OK 1.1 keep|Transfer-Encoding=chunked||more"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
         "400"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na", "400"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "501"},
        {"HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 0\r\n\r\n",
         "200 OK 1.1 keep|A=b   c,Content-Length=0|||"},
        {"HTTP/1.1 200 OK\r\nA:\r\n b\r\n\td \r\nC:\r\n \r\nContent-Length: 0\r\n\r\n",
         "200 OK 1.1 keep|A=b  \td,C=,Content-Length=0|||"},
        {"HTTP/1.1 200 OK\r\nA: b\r\n \r\n \r\nContent-Length: 0\r\n\r\n",
         "200 OK 1.1 keep|A=b,Content-Length=0|||"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: b\r\n c\r\n\r\n",
         "200 OK 1.1 keep|Transfer-Encoding=chunked||A=b   c|"},
        {"HTTP/1.1 200 OK\r\n A: b\r\n\r\n", "400"},
        {"HTTP/1.1 200 OK\r\nA: b\n c\r\n\r\n", "400"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n 0\r\n\r\n", "400"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n \r\n\r\n", "400"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip,\r\n chunked\r\n\r\n", "501"},
        {"\r\nHTTP/1.1 999 \x80\tx\r\nContent-Length: 0\r\n\r\n",
         "999 \x80\tx 1.1 keep|Content-Length=0|||"},
        {"HTTP/1.1 099 OK\r\n\r\n", "400"},
        {"HTTP/1.1 20 OK\r\n\r\n", "400"},
        {"HTTP/1.1 0 OK\r\n\r\n", "400"},
        {"HTTP/1.1 0200 OK\r\n\r\n", "400"},
        {"HTTP/1.1 2000 OK\r\n\r\n", "400"},
        {"\r\n\r\nHTTP/1.1 0200 OK\r\n\r\n", "400"},
        {"HTTP/1.1 200 \033[31mOK\r\n\r\n", "400"},
        {"HTTP/1.1 200 OK\nA: b\n\n", "400"},
        {"HTTP/1.1 2x0 OK\r\n\r\n", "400"},
        {"HTTP/2.0 200 OK\r\n\r\n", "505"},
        {"SSH-2.0-x\r\n", "400"},
        {"ICY 200 OK\r\n\r\n", "400"},
    };
    static const struct message head = {
        "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nHTTP",
        "200 OK 1.1 keep|Content-Length=500|||HTTP"};
    static const struct message chunked = {
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nHTTP",
        "200 OK 1.1 keep|Transfer-Encoding=chunked|||HTTP"};

    check(CG__HTTP_RESPONSE, messages, COUNT(messages));
    check_kind(CG__HTTP_RESPONSE, true, &head);
    check_kind(CG__HTTP_RESPONSE, true, &chunked);
}
END_TEST

/* A NUL is refused at any position. */
START_TEST(nul)
{
    static const char request[] = "GET /abc HTTP/1.1\r\nHost: x\r\nAbc: def\r\n\r\n";
    size_t size = sizeof request - 1;
    char bytes[sizeof request];
    struct told told;

    for (size_t i = 0; i < size; i++) {
        memcpy(bytes, request, size);
        bytes[i] = '\0';
        tell(&told, CG__HTTP_REQUEST, false, bytes, &size, size);
        ck_assert_msg(told.text[0] == '4' || told.text[0] == '5', "at %zu: %s", i, told.text);
    }
}
END_TEST

/* A request with random bytes in it has the same result however it is cut. */
static void change(const char *request, uint64_t seed)
{
    static const char bytes[] = "\r\n \t:;,0aZ/?#%\x01\x7f\x80";
    size_t size = strlen(request);

    for (int i = 0; i < 3000; i++) {
        struct told whole, cut;
        char text[256];
        size_t place = 1 + test_random(&seed) % (size - 1);

        memcpy(text, request, size + 1);
        for (unsigned n = 1 + test_random(&seed) % 2; n > 0; n--)
            text[test_random(&seed) % size] = bytes[test_random(&seed) % sizeof bytes];
        tell(&whole, CG__HTTP_REQUEST, false, text, &size, size);
        for (int j = 0; j < 4; j++) {
            tell(&cut, CG__HTTP_REQUEST, false, text, (size_t[]){place, size}, size);
            ck_assert_msg(strcmp(whole.text, cut.text) == 0, "round %d, cut at %zu: %s\n%s\n%s",
                          i, place, text, whole.text, cut.text);
            place = 1 + test_random(&seed) % (size - 1);
        }
    }
}

/* The limit or the byte that is wrong first decides the status, however the bytes are
 * cut. */
START_TEST(first_refusal)
{
    static const struct {
        const char *before, *fill;
        unsigned times;
        const char *behind, *want;
    } cases[] = {
        {GET "A: ", "x", 114, "\001", "400"},
        {GET "A: ", "x", 125, "\001", "431"},
        {GET "A: ", " ", 4210, "\001", "400"},
        {GET "A: ", " ", 4250, "\001", "431"},
        {GET "A: ", " ", 4250, "\n", "431"},
        {GET "A: ", " ", 4210, "\n", "400"},
        {GET, "x", 125, "\001", "431"},
        {GET, "x", 100, "\001", "400"},
        {GET "A: ", " ", 4250, "\r\n b", "431"},
        {GET "A: ", " ", 4200, "\r\n b", "400"},
        {"GET /", "x", 45, "\001", "414"},
        {"GET /", "x", 35, "\001", "400"},
        {GET, "A:\r\n", 5, "(", "431"},
        {GET, "A:\r\n", 4, "(", "400"},
        {GET, "A:\r\n", 4, "B(", "431"},
    };
    static char bytes[8192];
    static size_t cuts[sizeof bytes];

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct told told;
        size_t size = (size_t)sprintf(bytes, "%s", cases[i].before);

        for (unsigned n = 0; n < cases[i].times; n++)
            size += (size_t)sprintf(bytes + size, "%s", cases[i].fill);
        size += (size_t)sprintf(bytes + size, "%s", cases[i].behind);
        for (size_t part = size; part > 0; part /= 3) {
            for (size_t j = 0; j * part < size; j++)
                cuts[j] = (j + 1) * part < size ? (j + 1) * part : size;
            tell(&told, CG__HTTP_REQUEST, false, bytes, cuts, size);
            ck_assert_msg(strcmp(told.text, cases[i].want) == 0, "%zu, by %zu: %s", i,
                          part, told.text);
        }
    }
}
END_TEST

START_TEST(any_bytes_near_limits)
{
    change("GET /1234567890123456789012345678901234567890 HTTP/1.1\r\nHost:x\r\n\r\n",
           11);
    change("GET / HTTP/1.1\r\nHost:x\r\nA: " N100 "123456789012\r\n\r\n", 12);
    change("GET / HTTP/1.1\r\nHost:x\r\nA:\r\nB:\r\nC:\r\nD:\r\nE:\r\n\r\n", 13);
    change("PUT / HTTP/1.1\r\nHost:x\r\nTransfer-Encoding: chunked\r\n\r\n"
           "1;a=\"b\"\r\na\r\n2 ; c\r\nbc\r\n0;d=e\r\n\r\n",
           14);
}
END_TEST

START_TEST(any_bytes)
{
    change("POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nA: b\r\n\r\n"
           "3\r\nabc\r\n0\r\nT: u\r\n\r\n",
           7);
    change("GET /a?b=%41 HTTP/1.1\r\nHost: x:1\r\nConnection: keep-alive\r\nA:\t b \r\n"
           "Accept: a/b;q=0.1\r\n\r\n",
           8);
    change("HEAD / HTTP/1.1\r\nConnection:close\r\nhost:x\r\nB:\r\n\r\nGET /c HTTP/1.1\r\n", 9);
    change("GET /12345678901234567890123456789012345678 HTTP/1.1\r\nHost:x\r\n"
           "Content-Length: 3\r\n\r\nabc",
           10);
}
END_TEST

/* Header fields */

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

/* Writing */

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
    Suite *suite = suite_create("http parser");
    TCase *tc = tcase_create("http parser");

    tcase_add_test(tc, requests);
    tcase_add_test(tc, extensions);
    tcase_add_test(tc, refused);
    tcase_add_test(tc, first_refusal);
    tcase_add_test(tc, limits);
    tcase_add_test(tc, answers);
    tcase_add_test(tc, nul);
    tcase_add_test(tc, any_bytes);
    tcase_add_test(tc, any_bytes_near_limits);
    tcase_add_test(tc, fields);
    tcase_add_test(tc, injection);
    tcase_add_test(tc, framing);
    suite_add_tcase(suite, tc);
    return check_main(suite, NULL);
}
