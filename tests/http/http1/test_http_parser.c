/* SPDX-License-Identifier: MIT */
/* The HTTP parser: which messages it accepts and what it makes of them, and which it
 * refuses, with which status. Neither depends on how the bytes are cut. */
#include "config.h"

#include "tests/http/told.h"

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
        {"GET /\r\n" H "\r\n", "400"},
        {"GET /\n" H "\r\n", "400"},
        {"GET / RTSP/1.1\r\n" H "\r\n", "400"},
        {"SOURCE / ICE/1.0\r\n" H "\r\n", "400"},
        {"GET /HTTP/1.1\r\n" H "\r\n", "400"},
        {"GET http://x/\r\n" H "\r\n", "400"},
        {"GET * \r\n" H "\r\n", "400"},
        {"CONNECT x:1\r\n" H "\r\n", "400"},
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

int main(void)
{
    Suite *suite = suite_create("http parser");
    TCase *tc = tcase_create("http parser");

    tcase_add_test(tc, requests);
    tcase_add_test(tc, extensions);
    tcase_add_test(tc, refused);
    tcase_add_test(tc, limits);
    tcase_add_test(tc, answers);
    suite_add_tcase(suite, tc);
    return check_main(suite, NULL);
}
