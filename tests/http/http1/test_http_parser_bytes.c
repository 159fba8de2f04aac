/* SPDX-License-Identifier: MIT */
/* The HTTP parser on requests with wrong bytes at any place: what it refuses, and with
 * which status, does not depend on how the bytes are cut. */
#include "config.h"

#include "tests/http/told.h"
#include "tests/support/must.h"

#include <stdio.h>
#include <string.h>

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
        MUST(told.text[0] == '4' || told.text[0] == '5', "at %zu: %s", i, told.text);
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
            MUST(strcmp(whole.text, cut.text) == 0, "round %d, cut at %zu: %s\n%s\n%s",
                 i, place, text, whole.text, cut.text);
            place = 1 + test_random(&seed) % (size - 1);
        }
    }
}

/* The first fault in the bytes, an exceeded limit or an invalid byte, decides the status,
 * however the bytes are cut. */
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
            MUST(strcmp(told.text, cases[i].want) == 0, "%zu, by %zu: %s", i,
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

int main(void)
{
    Suite *suite = suite_create("http parser bytes");
    TCase *tc = tcase_create("http parser bytes");

    tcase_add_test(tc, first_refusal);
    tcase_add_test(tc, nul);
    tcase_add_test(tc, any_bytes);
    tcase_add_test(tc, any_bytes_near_limits);
    suite_add_tcase(suite, tc);
    return check_main(suite, NULL);
}
