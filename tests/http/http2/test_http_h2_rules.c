/* SPDX-License-Identifier: MIT */
/* What RFC 9113 and RFC 7541 forbid, frame by frame: a violation ends its stream or the
 * connection with the right error, and what they allow is answered. The numbers are those of the
 * sections. */
#include "config.h"

#include "http/server/metrics.h"
#include "tests/http/http2/h2_raw.h"
#include "tests/http/http_serve.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum {
    NONE, /* nothing is wrong */
    PROTOCOL = 1, FLOW = 3, CLOSED = 5, SIZE = 6, COMPRESSION = 9,
    MAX_FRAME = 16 * 1024,
};

#define G "\202\206\204\001\001x" /* GET, http, "/", the authority */
#define P "\203\206\204\001\001x" /* POST */
#define TO_ECHO "\203\206\001\001x\004\005/echo"
#define TO_HELD "\202\206\001\001x\004\005/held"

/* A frame of a case. `len` 0 with a payload: that of the text. */
struct frame {
    unsigned type, flags;
    uint32_t id;
    const char *payload;
    size_t len;
};

/* False: the one behind the last. */
static bool is_frame(const struct frame *frame)
{
    return frame->payload != NULL || frame->len > 0;
}

#define F(type, flags, id, payload) {type, flags, id, payload, sizeof payload - 1}
#define LARGE(type, flags, id) {type, flags, id, NULL, MAX_FRAME}
#define BIG(type, flags, id) {type, flags, id, NULL, MAX_FRAME + 1}
#define HEAD(id, block) F(HEADERS, END_HEADERS | END_STREAM, id, block)
#define OPEN(id, block) F(HEADERS, END_HEADERS, id, block)

struct rule {
    const char *section, *what;
    struct frame frames[5];
    int connection, stream; /* the error of GOAWAY, or of RST_STREAM on stream 1; NONE */
    bool either; /* the error of a stream may also be one of the connection */
};

#define BREAKS(section, what, error, ...) \
    {section, what, {__VA_ARGS__}, .connection = error}
#define RESETS(section, what, error, ...) \
    {section, what, {__VA_ARGS__}, .stream = error}
#define EITHER(section, what, error, ...) \
    {section, what, {__VA_ARGS__}, .stream = error, .either = true}
#define ALLOWED(section, what, ...) {section, what, {__VA_ARGS__}, .connection = NONE}

static const struct rule frames_and_streams[] = {
    ALLOWED("4.1", "a frame of an unknown type", F(0x42, 0, 0, "x"), HEAD(1, G)),
    ALLOWED("4.1", "undefined flags", F(PING, 0x16, 0, "12345678"), HEAD(1, G)),
    ALLOWED("4.1", "the reserved bit", F(PING, 0, 0x80000000, "12345678"), HEAD(1, G)),
    ALLOWED("4.2", "a frame of 16384 bytes", OPEN(1, TO_ECHO), LARGE(DATA, END_STREAM, 1)),
    EITHER("4.2", "DATA that is too large", SIZE, OPEN(1, TO_ECHO), BIG(DATA, END_STREAM, 1)),
    BREAKS("4.2", "HEADERS that are too large", SIZE, BIG(HEADERS, END_HEADERS | END_STREAM, 1)),
    BREAKS("4.3", "an invalid block", COMPRESSION, HEAD(1, "\x40")),
    BREAKS("4.3", "PRIORITY within a block", PROTOCOL, F(HEADERS, 0, 1, G),
           F(PRIORITY, 0, 1, "\0\0\0\0\1")),
    BREAKS("4.3", "HEADERS of another stream within a block", PROTOCOL, F(HEADERS, 0, 1, G),
           HEAD(3, G)),
    BREAKS("5.1", "DATA on an idle stream", PROTOCOL, F(DATA, END_STREAM, 1, "x")),
    BREAKS("5.1", "RST_STREAM on an idle stream", PROTOCOL, F(RST_STREAM, 0, 1, "\0\0\0\10")),
    BREAKS("5.1", "WINDOW_UPDATE on an idle stream", PROTOCOL,
           F(WINDOW_UPDATE, 0, 1, "\0\0\0\1")),
    BREAKS("5.1", "CONTINUATION on an idle stream", PROTOCOL, F(CONTINUATION, END_HEADERS, 1, G)),
    EITHER("5.1", "DATA behind the end of the request", CLOSED, HEAD(1, TO_HELD),
           F(DATA, END_STREAM, 1, "x")),
    BREAKS("5.1", "HEADERS behind the end of the request", CLOSED, HEAD(1, TO_HELD), HEAD(1, G)),
    BREAKS("5.1", "CONTINUATION behind the end of the request", PROTOCOL, HEAD(1, TO_HELD),
           F(CONTINUATION, END_HEADERS, 1, G)),
    BREAKS("5.1.1", "an even number", PROTOCOL, HEAD(2, G)),
    BREAKS("5.1.1", "a number that was left out", PROTOCOL, HEAD(5, G), HEAD(3, G)),
    ALLOWED("5.1.1", "trailers below the highest number", OPEN(1, TO_ECHO), HEAD(7, G),
            HEAD(1, "")),
    BREAKS("RFC 7540, 5.3.1", "PRIORITY that depends on itself", PROTOCOL,
           F(PRIORITY, 0, 1, "\200\0\0\1\377")),
    BREAKS("5.3.1", "HEADERS that depend on themselves", PROTOCOL,
           F(HEADERS, END_HEADERS | END_STREAM | PRIORITIZED, 1, "\0\0\0\1\377" G)),
    ALLOWED("5.5", "an unknown frame after another", F(0x16, 0, 0, "x"), F(0xff, 255, 7, ""),
            HEAD(1, G)),
    BREAKS("5.5", "an unknown frame within a block", PROTOCOL, F(HEADERS, END_STREAM, 1, G),
           F(0x16, 0, 0, "x"), F(CONTINUATION, END_HEADERS, 1, "")),
};

static const struct rule frame_types[] = {
    BREAKS("6.1", "DATA without a stream", PROTOCOL, F(DATA, END_STREAM, 0, "x")),
    BREAKS("6.1", "padding as long as DATA", PROTOCOL, OPEN(1, TO_ECHO),
           F(DATA, END_STREAM | PADDED, 1, "\6test")),
    ALLOWED("6.1", "padded DATA", OPEN(1, TO_ECHO), F(DATA, END_STREAM | PADDED, 1, "\2test\0\0")),
    BREAKS("6.2", "HEADERS without a stream", PROTOCOL, HEAD(0, G)),
    BREAKS("6.2", "padding as long as HEADERS", PROTOCOL,
           F(HEADERS, END_HEADERS | END_STREAM | PADDED, 1, "\7" G)),
    ALLOWED("6.2", "padded HEADERS with a priority",
            F(HEADERS, END_HEADERS | END_STREAM | PADDED | PRIORITIZED, 1,
              "\2\0\0\0\0\1" G "\0\0")),
    BREAKS("6.3", "PRIORITY without a stream", PROTOCOL, F(PRIORITY, 0, 0, "\0\0\0\0\1")),
    EITHER("6.3", "PRIORITY of another size", SIZE, OPEN(1, TO_ECHO),
           F(PRIORITY, 0, 1, "\0\0\0\0")),
    ALLOWED("6.3", "PRIORITY of an idle stream", F(PRIORITY, 0, 7, "\0\0\0\0\1"), HEAD(1, G)),
    BREAKS("6.4", "RST_STREAM without a stream", PROTOCOL, F(RST_STREAM, 0, 0, "\0\0\0\10")),
    BREAKS("6.4", "RST_STREAM of another size", SIZE, OPEN(1, TO_ECHO),
           F(RST_STREAM, 0, 1, "\0\0\10")),
    BREAKS("6.5", "an acknowledgement with entries", SIZE, F(SETTINGS, ACK, 0, "\0\0\0\0\0\0")),
    BREAKS("6.5", "SETTINGS of a stream", PROTOCOL, F(SETTINGS, 0, 1, "\0\3\0\0\0\144")),
    BREAKS("6.5", "SETTINGS of another size", SIZE, F(SETTINGS, 0, 0, "\0\3\0")),
    BREAKS("6.5.2", "ENABLE_PUSH of 2", PROTOCOL, F(SETTINGS, 0, 0, "\0\2\0\0\0\2")),
    BREAKS("6.5.2", "a window above 2^31-1", FLOW, F(SETTINGS, 0, 0, "\0\4\200\0\0\0")),
    BREAKS("6.5.2", "frames below 16384", PROTOCOL, F(SETTINGS, 0, 0, "\0\5\0\0\77\377")),
    BREAKS("6.5.2", "frames above 2^24-1", PROTOCOL, F(SETTINGS, 0, 0, "\0\5\1\0\0\0")),
    BREAKS("RFC 8441, 3", "ENABLE_CONNECT_PROTOCOL of 2", PROTOCOL,
           F(SETTINGS, 0, 0, "\0\10\0\0\0\2")),
    BREAKS("RFC 9218, 2.1", "NO_RFC7540_PRIORITIES of 2", PROTOCOL,
           F(SETTINGS, 0, 0, "\0\11\0\0\0\2")),
    ALLOWED("6.5.2", "an unknown setting", F(SETTINGS, 0, 0, "\0\377\0\0\0\1"), HEAD(1, G)),
    BREAKS("6.6", "PUSH_PROMISE from a client", PROTOCOL,
           F(PUSH_PROMISE, END_HEADERS, 1, "\0\0\0\2" G)),
    BREAKS("6.7", "PING of a stream", PROTOCOL, F(PING, 0, 1, "12345678")),
    BREAKS("6.7", "PING of another size", SIZE, F(PING, 0, 0, "123456")),
    ALLOWED("6.7", "an answer to no PING", F(PING, ACK, 0, "invalid!"), HEAD(1, G)),
    BREAKS("6.8", "GOAWAY of a stream", PROTOCOL, F(GOAWAY, 0, 1, "\0\0\0\0\0\0\0\0")),
    BREAKS("6.8", "GOAWAY that is too short", SIZE, F(GOAWAY, 0, 0, "\0\0\0\0")),
    BREAKS("6.9", "a window of 0", PROTOCOL, F(WINDOW_UPDATE, 0, 0, "\0\0\0\0")),
    EITHER("6.9", "a stream's window of 0", PROTOCOL, OPEN(1, TO_ECHO),
           F(WINDOW_UPDATE, 0, 1, "\0\0\0\0")),
    BREAKS("6.9", "WINDOW_UPDATE of another size", SIZE, F(WINDOW_UPDATE, 0, 0, "\0\0\1")),
    BREAKS("6.9.1", "a window that overflows", FLOW, F(WINDOW_UPDATE, 0, 0, "\177\377\377\377"),
           F(WINDOW_UPDATE, 0, 0, "\177\377\377\377")),
    RESETS("6.9.1", "a stream's window that overflows", FLOW, OPEN(1, TO_ECHO),
           F(WINDOW_UPDATE, 0, 1, "\177\377\377\377"), F(WINDOW_UPDATE, 0, 1, "\177\377\377\377")),
    /* nghttp2 ends the stream where the RFC asks for the end of the connection. */
    RESETS("6.9.2", "SETTINGS that make a window overflow", FLOW, OPEN(1, TO_ECHO),
           F(WINDOW_UPDATE, 0, 1, "\177\377\0\0"), F(SETTINGS, 0, 0, "\0\4\177\377\377\377")),
    BREAKS("6.10", "CONTINUATION without a stream", PROTOCOL, F(HEADERS, END_STREAM, 1, G),
           F(CONTINUATION, END_HEADERS, 0, "")),
    BREAKS("6.10", "CONTINUATION of another stream", PROTOCOL, F(HEADERS, END_STREAM, 1, G),
           F(CONTINUATION, END_HEADERS, 3, "")),
    BREAKS("6.10", "CONTINUATION behind a whole block", PROTOCOL, OPEN(1, TO_ECHO),
           F(CONTINUATION, END_HEADERS, 1, "")),
    BREAKS("6.10", "CONTINUATION behind DATA", PROTOCOL, OPEN(1, TO_ECHO), F(DATA, 0, 1, "x"),
           F(CONTINUATION, END_HEADERS, 1, "")),
    ALLOWED("6.10", "several CONTINUATION frames", F(HEADERS, END_STREAM, 1, "\202\206"),
            F(CONTINUATION, 0, 1, "\204"), F(CONTINUATION, END_HEADERS, 1, "\001\001x")),
    ALLOWED("7", "GOAWAY with an unknown error", F(GOAWAY, 0, 0, "\0\0\0\0\0\0\0\377"), HEAD(1, G)),
    ALLOWED("7", "RST_STREAM with an unknown error", HEAD(3, TO_HELD),
            F(RST_STREAM, 0, 3, "\0\0\0\377"), HEAD(5, G)),
};

#define FIELD(name, value) "\0" name value /* with their lengths before them */
#define RESETS_HEAD(section, what, block) RESETS(section, what, PROTOCOL, HEAD(1, block))

static const struct rule messages[] = {
    RESETS("8.1", "trailers without the end", PROTOCOL, OPEN(1, TO_ECHO),
           F(DATA, 0, 1, "x"), OPEN(1, FIELD("\1t", "\1v"))),
    RESETS_HEAD("8.2", "a name in upper case", G FIELD("\1T", "\1v")),
    RESETS_HEAD("8.2.1", "a name with a colon", G FIELD("\3a:b", "\1v")),
    RESETS_HEAD("8.2.1", "a name with a space", G FIELD("\3a b", "\1v")),
    RESETS_HEAD("8.2.1", "an empty name", G "\0\0\1v"),
    RESETS_HEAD("8.2.1", "a value with CR", G FIELD("\1a", "\3b\rc")),
    RESETS_HEAD("8.2.1", "a value with LF", G FIELD("\1a", "\3b\nc")),
    RESETS_HEAD("8.2.1", "a value with NUL", G FIELD("\1a", "\3b\0c")),
    RESETS_HEAD("8.2.2", "Connection", G FIELD("\12connection", "\12keep-alive")),
    RESETS_HEAD("8.2.2", "Proxy-Connection", G FIELD("\20proxy-connection", "\12keep-alive")),
    RESETS_HEAD("8.2.2", "Keep-Alive", G FIELD("\12keep-alive", "\1a")),
    RESETS_HEAD("8.2.2", "Transfer-Encoding", G FIELD("\21transfer-encoding", "\7chunked")),
    RESETS_HEAD("8.2.2", "Upgrade", G FIELD("\7upgrade", "\3foo")),
    RESETS_HEAD("8.2.2", "TE that is not trailers", G FIELD("\2te", "\13trailers, x")),
    ALLOWED("8.2.2", "TE: trailers", HEAD(1, G FIELD("\2te", "\10trailers"))),
    RESETS_HEAD("8.3", "an unknown pseudo-header field", G FIELD("\5:test", "\1v")),
    RESETS_HEAD("8.3", ":status in a request", "\202\206\204\210\001\001x"),
    RESETS_HEAD("8.3", "a pseudo-header field behind others",
                "\202\206\001\001x" FIELD("\1a", "\1b") "\204"),
    RESETS("8.3", "a pseudo-header field in trailers", PROTOCOL, OPEN(1, TO_ECHO),
           F(DATA, 0, 1, "x"), HEAD(1, "\202")),
    RESETS_HEAD("8.3.1", "no :method", "\206\204\001\001x"),
    RESETS_HEAD("8.3.1", "no :scheme", "\202\204\001\001x"),
    RESETS_HEAD("8.3.1", "no :path", "\202\206\001\001x"),
    RESETS_HEAD("8.3.1", "an empty :path", "\202\206\004\0\001\001x"),
    RESETS_HEAD("8.3.1", ":method twice", "\202\202\206\204\001\001x"),
    RESETS_HEAD("8.3.1", ":scheme twice", "\202\206\206\204\001\001x"),
    RESETS_HEAD("8.3.1", ":path twice", "\202\206\204\204\001\001x"),
    RESETS_HEAD("8.3.1", ":authority twice", "\202\206\204\001\001x\001\001x"),
    RESETS_HEAD("8.5", "CONNECT with a path", "\002\7CONNECT\206\204\001\001x"),
    RESETS_HEAD("RFC 8441, 4", ":protocol without CONNECT",
                G FIELD("\11:protocol", "\11websocket")),
    RESETS_HEAD("8.1.1", "Content-Length, and no body", P FIELD("\16content-length", "\1" "1")),
    RESETS("8.1.1", "Content-Length of less than the body", PROTOCOL,
           OPEN(1, TO_ECHO FIELD("\16content-length", "\1" "1")), F(DATA, END_STREAM, 1, "test")),
    RESETS("8.1.1", "Content-Length of less than two frames", PROTOCOL,
           OPEN(1, TO_ECHO FIELD("\16content-length", "\1" "1")), F(DATA, 0, 1, "te"),
           F(DATA, END_STREAM, 1, "st")),
    RESETS("8.1.1", "Content-Length of more than the body", PROTOCOL,
           OPEN(1, TO_ECHO FIELD("\16content-length", "\1" "9")), F(DATA, END_STREAM, 1, "test")),
    RESETS_HEAD("8.1.1", "two Content-Lengths",
                P FIELD("\16content-length", "\1" "0") FIELD("\16content-length", "\1" "1")),
    ALLOWED("8.1", "trailers", OPEN(1, TO_ECHO), F(DATA, 0, 1, "x"),
            HEAD(1, FIELD("\1t", "\1v"))),
    ALLOWED("8.1", "OPTIONS of the server", HEAD(1, "\002\7OPTIONS\206\004\1*\001\001x")),
};

static const struct rule hpack[] = {
    ALLOWED("RFC 7541, 2.3.3", "an index of the dynamic table", HEAD(1, G "\x40\1a\1b"),
            HEAD(3, G "\xbe")),
    BREAKS("RFC 7541, 2.3.3", "an index that is not there", COMPRESSION, HEAD(1, G "\xfe")),
    BREAKS("RFC 7541, 2.3.3", "a name's index that is not there", COMPRESSION,
           HEAD(1, G "\x7e\1v")),
    BREAKS("RFC 7541, 4.2", "a change of the table's size behind a field", COMPRESSION,
           HEAD(1, G "\x20")),
    BREAKS("RFC 7541, 5.1", "an integer without an end", COMPRESSION,
           HEAD(1, G "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f")),
    BREAKS("RFC 7541, 5.2", "padding of Huffman of more than 7 bits", COMPRESSION,
           HEAD(1, G "\0\1a\x84\x1f\xff\xff\xff")),
    BREAKS("RFC 7541, 5.2", "padding of Huffman by zeros", COMPRESSION, HEAD(1, G "\0\1a\x81\x18")),
    BREAKS("RFC 7541, 5.2", "the end of a text in Huffman", COMPRESSION,
           HEAD(1, G "\0\1a\x84\x3f\xff\xff\xff")),
    BREAKS("RFC 7541, 6.1", "index 0", COMPRESSION, HEAD(1, G "\x80")),
    BREAKS("RFC 7541, 6.3", "a table that is larger than allowed", COMPRESSION,
           HEAD(1, "\x3f\xe2\x1f" G)),
    ALLOWED("RFC 7541, 6.3", "a table that is as large as allowed", HEAD(1, "\x3f\xe1\x1f" G)),
    BREAKS("RFC 7541, 3", "a block that ends within a field", COMPRESSION, HEAD(1, G "\0\1a\5v")),
};

static void send_frame(struct raw *raw, const struct frame *frame)
{
    static char large[MAX_FRAME + 1];

    raw_send(raw, frame->type, frame->flags, frame->id,
             frame->payload != NULL ? frame->payload : large, frame->len);
}

/* What was seen; "" if it is as it must be. */
static const char *judge(const struct rule *rule, const struct raw *raw)
{
    static char seen[80];
    bool right;

    if (rule->connection != NONE)
        right = raw->ended && raw->goaway == rule->connection;
    else if (rule->stream != NONE)
        right = (!raw->ended && raw->at[1].reset == rule->stream) ||
                (rule->either && raw->ended && raw->goaway == rule->stream);
    else
        right = raw->goaway == RAW_NONE && raw->at[1].reset == RAW_NONE &&
                (raw->at[1].head || raw->at[5].head); /* after a GOAWAY it ends */
    snprintf(seen, sizeof seen, "GOAWAY %d, RST_STREAM %d, response %02x, %s", (int)raw->goaway,
             (int)raw->at[1].reset, raw->at[1].first, raw->ended ? "ended" : "open");
    return right ? "" : seen;
}

static void hold(const struct rule *rules, size_t count)
{
    static struct raw raw;
    unsigned wrong = 0;

    serve_begin(&(struct cg_http_server_options){.protocols = CG_HTTP_H2C});
    for (const struct rule *rule = rules; rule < rules + count; rule++) {
        const char *seen;

        raw_open(&raw, addr, NULL, 0);
        for (const struct frame *each = rule->frames; is_frame(each); each++)
            send_frame(&raw, each);
        raw_sync(&raw);
        seen = judge(rule, &raw);
        if (*seen != '\0')
            fprintf(stderr, "%s, %s: %s\n", rule->section, rule->what, seen);
        wrong += *seen != '\0';
        raw_close(&raw);
    }
    ck_assert_uint_eq(wrong, 0);
    serve_end();
}

#define RULES(name, table)                                                                 \
    static ssize_t name(void *arg)                                                         \
    {                                                                                      \
        (void)arg;                                                                         \
        hold(table, COUNT(table));                                                         \
        return 0;                                                                          \
    }

RULES(streams_hold, frames_and_streams)
RULES(types_hold, frame_types)
RULES(messages_hold, messages)
RULES(hpack_holds, hpack)

/* 3.4: what is no preface, and a preface without SETTINGS behind it. */
static ssize_t prefaces(void *arg)
{
    static struct raw raw;

    (void)arg;
    serve_begin(&(struct cg_http_server_options){.protocols = CG_HTTP_H2C});
    raw_connect(&raw, addr);
    raw_bytes(&raw, "INVALID CONNECTION PREFACE\r\n\r\n", 30);
    IS(raw_to_end(&raw), PROTOCOL);
    raw_close(&raw);
    raw_connect(&raw, addr);
    raw_bytes(&raw, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24);
    raw_send(&raw, PING, 0, 0, "12345678", 8);
    IS(raw_to_end(&raw), PROTOCOL);
    raw_close(&raw);
    serve_end();
    return 0;
}

/* 5.1: a client that goes on with a stream that it has ended, by its end or by a reset, loses the
 * connection; windows, resets and priorities may have been on their way. */
static ssize_t closed_streams(void *arg)
{
    static const struct frame behind[] = {
        F(DATA, END_STREAM, 1, "x"),           F(DATA, 0, 1, ""),
        HEAD(1, G),                            F(WINDOW_UPDATE, 0, 1, "\0\0\0\1"),
        F(RST_STREAM, 0, 1, "\0\0\0\10"),      F(PRIORITY, 0, 1, "\0\0\0\0\1"),
    };
    static const struct frame reset = F(RST_STREAM, 0, 1, "\0\0\0\10");
    static struct raw raw;

    (void)arg;
    serve_begin(&(struct cg_http_server_options){.protocols = CG_HTTP_H2C});
    for (size_t i = 0; i < 2 * COUNT(behind); i++) {
        raw_open(&raw, addr, NULL, 0);
        raw_get(&raw, END_STREAM, 1, i % 2 ? "/held" : "/", NULL, 0);
        if (i % 2)
            send_frame(&raw, &reset);
        else
            raw_sync(&raw);
        memset(&raw.at[1], 0, sizeof raw.at[1]);
        send_frame(&raw, &behind[i / 2]);
        raw_sync(&raw);
        ck_assert(!raw.at[1].head); /* not a second request */
        IS((ssize_t)raw.goaway, i / 2 < 3 ? CLOSED : RAW_NONE);
        raw_close(&raw);
    }
    serve_end();
    return 0;
}

/* 5.1: a stream that was reset here may still get what was on its way. */
static ssize_t reset_here(void *arg)
{
    static struct raw raw;

    (void)arg;
    serve_begin(&(struct cg_http_server_options){.protocols = CG_HTTP_H2C});
    raw_open(&raw, addr, NULL, 0);
    send_frame(&raw, &(struct frame)OPEN(1, TO_ECHO FIELD("\2te", "\1x")));
    raw_sync(&raw);
    IS((ssize_t)raw.at[1].reset, PROTOCOL);
    send_frame(&raw, &(struct frame)F(DATA, 0, 1, "x"));
    send_frame(&raw, &(struct frame)F(DATA, END_STREAM, 1, "x"));
    raw_get(&raw, END_STREAM, 3, "/", NULL, 0);
    raw_sync(&raw);
    ck_assert(raw.at[3].end);
    raw_close(&raw);
    serve_end();
    return 0;
}

/* 5.1.2: more streams than allowed are refused. */
static ssize_t too_many_streams(void *arg)
{
    struct cg_http_metrics *metrics = cg_http_metrics_new();
    static struct raw raw;

    (void)arg;
    serve_begin(&(struct cg_http_server_options){
        .protocols = CG_HTTP_H2C, .h2_streams = 3, .metrics = metrics});
    raw_open(&raw, addr, NULL, 0);
    raw_send(&raw, SETTINGS, ACK, 0, NULL, 0);
    for (uint32_t id = 1; id <= 7; id += 2)
        raw_get(&raw, END_STREAM, id, "/held", NULL, 0);
    raw_sync(&raw);
    if (!raw.ended)
        IS(raw.at[7].reset, 7); /* REFUSED_STREAM */
    else
        IS(raw.goaway, PROTOCOL);
    raw_close(&raw);
    serve_end();
    IS(!raw.ended, (ssize_t)atomic_load(&metrics->refusals[CG__HTTP_REFUSED_STREAM]));
    cg_http_metrics_free(metrics);
    return 0;
}

/* 6.9: the windows hold back what is sent; one that becomes negative, too. */
static ssize_t windows(void *arg)
{
    static struct raw raw;

    (void)arg;
    serve_begin(&(struct cg_http_server_options){.protocols = CG_HTTP_H2C});
    raw_open(&raw, addr, "\0\4\0\0\0\3", 6);
    raw_get(&raw, END_STREAM, 1, "/text", NULL, 0);
    raw_sync(&raw);
    IS((ssize_t)raw.at[1].len, 3);
    raw_send(&raw, SETTINGS, 0, 0, "\0\4\0\0\0\2", 6); /* the window is -1 */
    raw_send(&raw, WINDOW_UPDATE, 0, 1, "\0\0\0\1", 4);
    raw_sync(&raw);
    IS((ssize_t)raw.at[1].len, 3);
    raw_send(&raw, WINDOW_UPDATE, 0, 1, "\0\0\0\5", 4);
    raw_sync(&raw);
    IS((ssize_t)raw.at[1].len, 8);
    raw_send(&raw, SETTINGS, 0, 0, "\0\4\0\0\100\0", 6);
    raw_sync(&raw);
    IS((ssize_t)raw.at[1].len, 2999);
    raw_close(&raw);
    serve_end();
    return 0;
}

/* Once a client has ended the connection nothing more is written, not even a RST_STREAM: a client
 * that takes no bytes would hold the connection. */
static ssize_t ended(void *arg)
{
    static const struct cg_http_server_options options = {.protocols = CG_HTTP_H2C};
    static struct raw raw;

    (void)arg;
    serve_begin(&options);
    raw_open(&raw, addr, NULL, 0);
    raw_get(&raw, END_STREAM, 1, "/held", NULL, 0);
    raw_sync(&raw);
    OK(cg_yield(cg_shutdown(raw.sock, SHUT_WR)));
    IS(raw_to_end(&raw), RAW_NONE);
    IS(raw.at[1].reset, RAW_NONE);
    raw_close(&raw);
    serve_end();
    return 0;
}

static const struct test_case cases[] = {
    CORO(streams_hold, .where = ON_SIM),     CORO(types_hold, .where = ON_SIM),
    CORO(messages_hold, .where = ON_SIM),    CORO(hpack_holds, .where = ON_SIM),
    CORO(prefaces, .where = ON_SIM),         CORO(closed_streams, .where = ON_SIM),
    CORO(reset_here, .where = ON_SIM),
    CORO(too_many_streams, .where = ON_SIM), CORO(windows, .where = ON_SIM),
    CORO(ended, .where = ON_SIM),
};

int main(void)
{
    return test_main("http_h2_rules", cases, COUNT(cases));
}
