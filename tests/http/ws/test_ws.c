/* SPDX-License-Identifier: MIT */
/* What a server's WebSocket makes of bytes: echoes, pongs, the codes of its Closes. Each case is
 * sent whole, and in pieces that end at every position; in memory, and over HTTP/2. */
#include "config.h"

#include "tests/http/carried.h"
#include "tests/http/ws/ws_told.h"
#include "tests/support/must.h"

#include <cogen/websocket.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

struct ws_case {
    const char *says, *want; /* as in ws_told.h */
};

/* Options of the server's WebSocket. */
static unsigned limit;
static bool deflates;

static bool by_h2;

struct talk {
    struct cg_sock *sock;
    ssize_t ended; /* what the last read completed with */
    int code;
};

static ssize_t echo(void *arg)
{
    struct talk *talk = arg;
    struct cg_ws_message message;
    struct cg_ws *ws;
    ssize_t n;

    OK(cg_ws_new(talk->sock, &ws, .limit = limit, .deflate = deflates,
                 .compress_above = UINT64_MAX));
    while ((n = cg_yield(cg_ws_read(ws, &message))) > 0) {
        ssize_t rc = cg_yield(cg_ws_write(ws, n, message.data, message.len,
                                          .more = cg_ws_has_input(ws)));

        IS(rc, (ssize_t)message.len);
    }
    talk->ended = n;
    talk->code = cg_ws_code(ws);
    IS(cg_yield(cg_ws_read(ws, &message)), n); /* it stays so */
    cg_ws_free(ws);
    return 0;
}

static uint8_t bytes[WS_BYTES], got[WS_BYTES];

/* Sends the bytes in pieces of `piece` bytes, the first of which has `first`, and the end of the
 * stream; then reads to its end. */
static size_t converse(struct cg_sock *sock, size_t len, size_t first, size_t piece)
{
    size_t done = 0, n = 0;
    ssize_t rc;

    while (done < len) {
        size_t next = done == 0 ? first : piece;

        next = next < len - done ? next : len - done;
        if (next > 0 && cg_yield(cg_writeall(sock, bytes + done, next)) < 0)
            break; /* it has closed */
        done += next;
        cg_yield(cg_sleep(0));
    }
    cg_yield(cg_shutdown(sock, SHUT_WR));
    while ((rc = cg_yield(cg_read(sock, got + n, sizeof got - n))) > 0)
        n += (size_t)rc;
    return n;
}

/* What a server answers to the first `len` of the bytes. */
static const char *told(size_t len, size_t first, size_t piece)
{
    struct talk talk = {.ended = 1};
    struct cg_coro *echoing;
    struct cg_sock *sock;
    size_t n;

    if (by_h2)
        carried_pair(&talk.sock, &sock);
    else
        OK(cg_sock_pair(cg_sched_self(), &talk.sock, &sock));
    echoing = test_start(echo, &talk);
    n = converse(sock, len, first, piece);
    cg_sock_close(sock);
    IS(test_end(echoing), 0);
    return ws_told(got, n);
}

static void try(const struct ws_case *each, size_t first, size_t piece)
{
    const char *is = told(ws_frames(each->says, true, bytes), first, piece);

    MUST(strcmp(is, each->want) == 0, "%s in pieces of %zu, %zu:\n%s\nnot %s", each->says,
         first, piece, is, each->want);
}

/* Whole, byte by byte, and in two pieces, cut at every position (of long ones, at some). */
static void try_all(const struct ws_case *each)
{
    size_t len = ws_frames(each->says, true, bytes);

    try(each, len, len);
    if (len < 2000)
        try(each, 1, 1);
    for (size_t cut = 1; cut < len; cut += len < 300 ? 1 : len / 20)
        try(each, cut, len);
}

static ssize_t run_all(const struct ws_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++)
        try_all(&cases[i]);
    return 0;
}

#define RUN(cases) run_all(cases, COUNT(cases))

/* Messages come back as they are, of all lengths where the head changes, in fragments too. */
static ssize_t messages_come_back(void *arg)
{
    static const struct ws_case cases[] = {
        {"T: X:1000", "T: X:1000"},
        {"T:hello X:1000:bye", "T:hello X:1000"},
        {"B:%00%ff X:1000", "B:%00%ff X:1000"},
        {"T*125 X:1000", "T*125 X:1000"},
        {"T*126 X:1000", "T*126 X:1000"},
        {"T*65535 X:1000", "T*65535 X:1000"},
        {"B*65536 X:1000", "B*65536 X:1000"},
        {"B*65537 X:1000", "B*65537 X:1000"},
        {"t:a C:b X:1000", "T:ab X:1000"},
        {"b:a c:b c: C: X:1000", "B:ab X:1000"},
        {"t: c: C: X:1000", "T: X:1000"},
        {"t*70000 C*70000 X:1000", "T*140000 X:1000"},
        {"T:1 T:2 T:3 X:1000", "T:1 T:2 T:3 X:1000"},
    };

    (void)arg;
    return RUN(cases);
}

/* Pings get pongs, in order, also within a message; pongs get nothing. */
static ssize_t pings_are_answered(void *arg)
{
    static const struct ws_case cases[] = {
        {"P: X:1000", "O: X:1000"},
        {"P:x X:1000", "O:x X:1000"},
        {"P:%00%ff%fe X:1000", "O:%00%ff%fe X:1000"},
        {"P*125 X:1000", "O*125 X:1000"},
        {"P:1 P:2 P:3 P:4 P:5 P:6 P:7 P:8 P:9 P:10 X:1000",
         "O:1 O:2 O:3 O:4 O:5 O:6 O:7 O:8 O:9 O:10 X:1000"},
        {"O: O:unsolicited T:x X:1000", "T:x X:1000"},
        {"t:a P:p C:b X:1000", "O:p T:ab X:1000"},
        {"t:a O:p c: P: C:b X:1000", "O: T:ab X:1000"},
    };

    (void)arg;
    return RUN(cases);
}

/* Invalid frames: 1002. */
static ssize_t invalid_frames_are_refused(void *arg)
{
    static const struct ws_case cases[] = {
        {"#8100", "X:1002"},                 /* unmasked */
        {"#c18000000000", "X:1002"},         /* RSV1 */
        {"#a18000000000", "X:1002"},         /* RSV2 */
        {"#918000000000", "X:1002"},         /* RSV3 */
        {"T:x #f18000000000 P:x", "T:x X:1002"},
        {"#c98000000000", "X:1002"},         /* in a ping */
        {"#c88000000000", "X:1002"},         /* in a Close */
        {"#838000000000", "X:1002"},         /* opcodes 3 to 7, 11 to 15 */
        {"#848000000000", "X:1002"},
        {"#858000000000", "X:1002"},
        {"#868000000000", "X:1002"},
        {"#878000000000", "X:1002"},
        {"T:x #8b8000000000", "T:x X:1002"},
        {"#8c8000000000", "X:1002"},
        {"#8d8000000000", "X:1002"},
        {"#8e8000000000", "X:1002"},
        {"#8f8000000000", "X:1002"},
        {"P*126", "X:1002"},                 /* long control frames */
        {"O*126", "X:1002"},
        {"X*126", "X:1002"},
        {"#098000000000", "X:1002"},         /* fragmented ones */
        {"#0a8000000000", "X:1002"},
        {"#088000000000", "X:1002"},
        {"C:x", "X:1002"},                   /* nothing to continue */
        {"c:x", "X:1002"},
        {"T:x C:y", "T:x X:1002"},
        {"t:a T:b", "X:1002"},               /* a message within a message */
        {"t:a b:b", "X:1002"},
        {"t:a C:b c:d", "T:ab X:1002"},
        {"#81fe000500000000", "X:1002"},     /* lengths that are too long for what they say */
        {"#81fe007d00000000", "X:1002"},
        {"#81ff000000000000ffff00000000", "X:1002"},
        {"#81ff800000000000000000000000", "X:1002"}, /* 64 bits */
        {"#81ffffffffffffffffff00000000", "X:1002"},
    };

    (void)arg;
    return RUN(cases);
}

/* Codes and reasons of a Close. */
static ssize_t closes_are_checked(void *arg)
{
    static const unsigned valid[] = {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011,
                                     1012, 1013, 1014, 3000, 3999, 4000, 4999};
    static const unsigned invalid[] = {0,    1,    999,  1004, 1005, 1006,  1015, 1016,
                                       1100, 2000, 2999, 5000, 9999, 65535};
    static const struct ws_case cases[] = {
        {"X", "X"},
        {"X:1000:goodbye", "X:1000"},
        {"X:1000:%ce%ba%e1%bd%b9", "X:1000"},
        {"#888100000000ff", "X:1002"},     /* half a code */
        {"X:1000:%ce", "X:1007"},          /* a reason that is not UTF-8 */
        {"X:1000:%ff", "X:1007"},
        {"X:1000 T:x P:x", "X:1000"},      /* nothing is answered behind it */
        {"t:x X:1000", "X:1000"},
    };
    char says[32], want[32];
    struct ws_case each = {says, want};

    (void)arg;
    for (size_t i = 0; i < COUNT(valid); i++) {
        snprintf(says, sizeof says, "X:%u", valid[i]);
        snprintf(want, sizeof want, "X:%u", valid[i]);
        try_all(&each);
    }
    for (size_t i = 0; i < COUNT(invalid); i++) {
        snprintf(says, sizeof says, "X:%u:x", invalid[i]);
        snprintf(want, sizeof want, "X:1002");
        try_all(&each);
    }
    return RUN(cases);
}

/* Texts are UTF-8, across fragments; what is wrong is refused as soon as it has come. */
static ssize_t texts_are_utf8(void *arg)
{
    static const struct ws_case cases[] = {
        {"T:%ce%ba%e1%bd%b9%cf%83%ce%bc%ce%b5 X:1000",
         "T:%ce%ba%e1%bd%b9%cf%83%ce%bc%ce%b5 X:1000"},
        {"t:%f0 c:%9f%98 C:%80 X:1000", "T:%f0%9f%98%80 X:1000"},
        {"T:%ef%bf%bf%f4%8f%bf%bf X:1000", "T:%ef%bf%bf%f4%8f%bf%bf X:1000"},
        {"T:%ce%ba%ed%a0%80edited", "X:1007"},
        {"t:%ce C:x", "X:1007"},
        {"t:%ce%ba%f4%90", "X:1007"}, /* before the message ends */
        {"#818a000000000" "0ff", "X:1007"}, /* before the frame ends */
        {"T:abcdefgh%80", "X:1007"},
        {"T:%f0%9f%98", "X:1007"},
        {"T:%c0%af", "X:1007"},
        {"T:%e0%80%80", "X:1007"},
        {"T:%f0%80%80%80", "X:1007"},
        {"T:%f5%80%80%80", "X:1007"},
        {"B:%ff%fe X:1000", "B:%ff%fe X:1000"},
    };

    (void)arg;
    return RUN(cases);
}

/* A message beyond the limit is refused when its length is known, before its bytes come. */
static ssize_t long_messages_are_refused(void *arg)
{
    static const struct ws_case cases[] = {
        {"T*1000 X:1000", "T*1000 X:1000"},
        {"T*1001 X:1000", "X:1009"},
        {"#81ff7fffffffffffffff00000000", "X:1009"},
        {"t*600 C*400 X:1000", "T*1000 X:1000"},
        {"t*600 C*401 X:1000", "X:1009"},
        {"t*600 #80fe019100000000", "X:1009"},
    };

    (void)arg;
    limit = 1000;
    RUN(cases);
    limit = 0;
    return 0;
}

#ifdef HAVE_ZLIB
#define HELLO "Z:%f2%48%cd%c9%c9%07%00 X:1000"

/* permessage-deflate: the examples of RFC 7692 (7.2.3), and what is wrong. */
static ssize_t messages_are_inflated(void *arg)
{
    static const struct ws_case cases[] = {
        {HELLO, "T:Hello X:1000"},
        {"z:%f2%48%cd C:%c9%c9%07%00 X:1000", "T:Hello X:1000"},
        {"z:%f2%48%cd P: C:%c9%c9%07%00 X:1000", "O: T:Hello X:1000"},
        {"Z:%f2%48%cd%c9%c9%07%00 Z:%f2%00%11%00%00 X:1000", "T:Hello T:Hello X:1000"},
        {"Z:%00%05%00%fa%ff%48%65%6c%6c%6f%00 X:1000", "T:Hello X:1000"},
        {"Z:%f3%48%cd%c9%c9%07%00%00 X:1000", "T:Hello X:1000"}, /* a final block */
        /* A final block, which the window outlives. */
        {"Z:%f3%48%cd%c9%c9%07%00%00 Z:%f2%00%11%00%00 X:1000", "T:Hello T:Hello X:1000"},
        {"Z:%f2%48%05%00%00%00%ff%ff%ca%c9%c9%07%00 X:1000", "T:Hello X:1000"},
        {"Z:%00 X:1000", "T: X:1000"}, /* empty */
        {"T:plain Z:%f2%48%cd%c9%c9%07%00 X:1000", "T:plain T:Hello X:1000"},
        {"Z:%ff%ff%ff", "X:1007"},
        {"Z:%f2%48%cd", "X:1007"}, /* truncated */
        {"Z:", "X:1007"},
        {"t:a #c08000000000", "X:1002"}, /* RSV1 in a continuation */
        {"#c98000000000", "X:1002"},
    };
    static const struct ws_case hello[] = {{HELLO, "T:Hello X:1000"}};
    static const struct ws_case longer[] = {{HELLO, "X:1009"}};

    (void)arg;
    deflates = true;
    RUN(cases);
    limit = 5; /* of what comes out */
    RUN(hello);
    limit = 4;
    RUN(longer);
    limit = 0;
    deflates = false;
    return 0;
}
#endif

/* Frames of which some bytes are changed at random mean the same however they are cut. */
static ssize_t cuts_do_not_matter(void *arg)
{
    static const char *const words[] = {"T:hello ", "t:a ", "C:b ", "c:%ce ", "P:x ", "B*300 ",
                                        "X:1000 ", "Z:%f2%48%cd%c9%c9%07%00 ", "T:%ce%ba "};
    uint64_t seed = 42;

    (void)arg;
    deflates = true;
    for (int round = 0; round < 300; round++) {
        char text[256] = "", whole[2048];
        size_t len;

        for (uint32_t n = 1 + test_random(&seed) % 6; n > 0; n--)
            strcat(text, words[test_random(&seed) % COUNT(words)]);
        len = ws_frames(text, true, bytes);
        for (uint32_t n = test_random(&seed) % 3; n > 0; n--)
            bytes[test_random(&seed) % len] ^= (uint8_t)(1u << test_random(&seed) % 8);
        snprintf(whole, sizeof whole, "%s", told(len, len, len));
        for (int i = 0; i < 3; i++) {
            size_t first = 1 + test_random(&seed) % len, piece = 1 + test_random(&seed) % 40;
            const char *cut = told(len, first, piece);

            MUST(strcmp(cut, whole) == 0, "round %d, %s in pieces of %zu, %zu:\n%s\nnot %s",
                 round, text, first, piece, cut, whole);
        }
    }
    deflates = false;
    return 0;
}

static cg_fn *const all[] = {
    messages_come_back,
    pings_are_answered,
    invalid_frames_are_refused,
    closes_are_checked,
    texts_are_utf8,
    long_messages_are_refused,
    cuts_do_not_matter,
#ifdef HAVE_ZLIB
    messages_are_inflated,
#endif
};

static ssize_t in_memory(void *arg)
{
    for (size_t i = 0; i < COUNT(all); i++)
        IS(all[i](arg), 0);
    return 0;
}

/* The streams of one connection. */
static ssize_t over_h2(void *arg)
{
    by_h2 = true;
    carried_begin(true);
    in_memory(arg);
    carried_end();
    by_h2 = false;
    return 0;
}

static const struct test_case cases[] = {
    CORO(in_memory),
#ifdef HAVE_NGHTTP2
    CORO(over_h2),
#endif
};

int main(void)
{
    return test_main("what WebSocket makes of bytes", cases, COUNT(cases));
}
