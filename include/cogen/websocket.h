/* SPDX-License-Identifier: MIT */
/* WebSocket (RFC 6455) with permessage-deflate (RFC 7692), for servers and clients. See
 * cg_websocket(3).
 *
 *     static ssize_t echo(struct cg_http_request *req, void *arg)
 *     {
 *         struct cg_ws_message message;
 *         struct cg_ws *ws;
 *         ssize_t n = cg_yield(cg_ws_accept(req, &ws, .deflate = true));
 *
 *         if (n != 0)
 *             return n;
 *         while ((n = cg_yield(cg_ws_read(ws, &message))) > 0)
 *             cg_yield(cg_ws_write(ws, n, message.data, message.len));
 *         cg_ws_free(ws);
 *         return 0;
 *     } */
#ifndef COGEN_WEBSOCKET_H
#define COGEN_WEBSOCKET_H

#include <cogen/http_client.h>
#include <cogen/http_server.h>

/* One end of a WebSocket. It belongs to one scheduler. One coroutine at a time may read,
 * any number may write: messages do not mix. */
struct cg_ws;

enum {
    CG_WS_LIMIT = 1024 * 1024,  /* bytes of a received message, inflated */
    CG_WS_COMPRESS_ABOVE = 128, /* longer messages are compressed; bytes */
    CG_WS_REASON_SIZE = 124,    /* the reason of a Close, with its NUL */
};

/* Kinds of messages. A text is valid UTF-8. */
enum cg_ws_kind {
    CG_WS_TEXT = 1,
    CG_WS_BINARY = 2,
};

/* Codes of a Close. 3000 to 4999 are free for libraries and programs. */
enum cg_ws_code {
    CG_WS_NORMAL = 1000,
    CG_WS_GOING_AWAY = 1001, /* a server ends, or a page is left */
    CG_WS_PROTOCOL = 1002,   /* an invalid frame */
    CG_WS_UNSUPPORTED = 1003, /* a kind of message that is not accepted */
    CG_WS_NO_CODE = 1005,    /* never sent: the Close has no code */
    CG_WS_ABNORMAL = 1006,   /* never sent: the connection ended without a Close */
    CG_WS_INVALID = 1007,    /* a message that is not what its kind says */
    CG_WS_POLICY = 1008,
    CG_WS_TOO_LONG = 1009,   /* a message exceeds a limit */
    CG_WS_INTERNAL = 1011,   /* a failure of the sender */
};

/* A received message, or a piece of it. */
struct cg_ws_message {
    const char *data; /* not NUL-terminated; valid until the next cg_ws_read */
    size_t len;
    bool more; /* with .pieces: further pieces of this message follow */
};

/* Options of cg_ws_accept, cg_ws_connect (as keywords of the operation) and cg_ws_new. Zero
 * means the default, which stands in parentheses. Times are in ns; CG_NEVER: no limit. */
#define CG__WS_OPTIONS                                                                     \
    const char *protocol; /* subprotocols with commas, in the order of preference; borrowed \
                             until the WebSocket is open (none) */                         \
    uint64_t limit;       /* bytes of a whole received message, inflated; more ends the    \
                             connection with 1009 (CG_WS_LIMIT; CG_HTTP_UNLIMITED) */      \
    uint64_t compress_above; /* messages that are longer are compressed                    \
                                (CG_WS_COMPRESS_ABOVE) */                                  \
    int64_t ping_interval; /* after so long without a byte from the peer, cg_ws_read sends \
                              a ping (30 s) */                                             \
    int64_t idle_timeout;  /* after so long without a byte, the connection is considered   \
                              dead: -ETIMEDOUT (75 s) */                                   \
    int64_t write_timeout; /* while the peer receives nothing of what is written; then the \
                              connection is reset: -ETIMEDOUT (30 s) */                    \
    int64_t close_timeout; /* for the peer's Close after ours (2 s) */                     \
    unsigned window_bits;  /* the most for windows of both compressors, 9 to 15: 2^n bytes \
                              (15) */                                                      \
    bool deflate;          /* compress by permessage-deflate if the peer agrees. Takes     \
                              about 300 KiB, 2^window_bits * 9 of it for windows */        \
    bool no_takeover;      /* each message is compressed by itself: less memory between    \
                              messages, longer messages */

struct cg_ws_options {
    CG__WS_OPTIONS
    bool client; /* for cg_ws_new: mask what is sent, expect what comes to be unmasked */
    void *reserved;
};

#ifndef __cplusplus

struct cg_ws_accept_op {
    CG_OP_HEAD;
    struct cg_http_request *req;
    struct cg_ws **ws;
    const char *origins;
    bool made;
    union {
        struct cg_ws_options options;
        struct {
            CG__WS_OPTIONS
        };
    };
};

struct cg_ws_connect_op {
    CG_OP_HEAD;
    struct cg_http_client *client;
    const char *url;
    struct cg_ws **ws;
    const struct cg_http_field *fields;
    char *why;
    bool made;
    union {
        struct cg_ws_options options;
        struct {
            CG__WS_OPTIONS
        };
    };
};

struct cg_ws_read_op {
    CG_OP_HEAD;
    struct cg_ws *ws;
    struct cg_ws_message *message;
    bool pieces;
};

struct cg_ws_write_op { /* cg_ws_write, cg_ws_send_text, cg_ws_ping */
    CG_OP_HEAD;
    struct cg_ws *ws;
    const void *data;
    size_t len;
    int kind;
    bool more;
};

struct cg_ws_end_op {
    CG_OP_HEAD;
    struct cg_ws *ws;
    const char *why;
    int code;
};

/* cg_ws_accept(req, &ws): accepts a WebSocket in a handler. Completes with 0 and the
 * WebSocket, which the caller frees before or after its handler returns; or with the
 * status, if the request is not a valid WebSocket handshake: the response has been sent,
 * and the handler should return the result. 400: an invalid field; 403: another origin;
 * 426: not a WebSocket request, or another version than 13. Negative: a failure, nothing
 * has been sent. Header fields that the handler has set are sent with the response. The
 * keywords are those of CG__WS_OPTIONS, and
 *   .origins      web pages that may connect: origins such as "https://example.org", with
 *                 commas; "*": all of them. NULL: those of the same host (and port) as the
 *                 field Host of the request. Requests without the field Origin do not come
 *                 from a web page, and are allowed. Borrowed
 * Partial: if it is cancelled, the response may have been sent, and the connection is
 * closed. */
#define cg_ws_accept(...) cg__ws_accept(__VA_ARGS__, )
#define cg__ws_accept(r, w, ...) CG_OP(cg_ws_accept, .req = (r), .ws = (w), __VA_ARGS__)

/* cg_ws_connect(client, "wss://example.org/chat", &ws): opens a WebSocket. Completes with 0;
 * the caller frees *ws. The client's options for connecting, TLS, proxies and timeouts apply;
 * the connection does not count against the client's limits once it is open. The client may
 * be freed before the WebSocket. Redirects are not followed. Errors:
 *   CG_EWS         the server does not accept, or its response is invalid
 *   CG_EHTTP_URL   the URL is invalid, or neither ws nor wss (nor http nor https)
 * and those of cg_http_fetch. .why = buf (CG_HTTP_WHY_SIZE bytes) gets a message. Further
 * keywords: those of CG__WS_OPTIONS, and .fields = header fields, as in struct
 * cg_http_fetch. The default timeout does not apply. Partial: the server may have seen the
 * handshake. */
#define cg_ws_connect(...) cg__ws_connect(__VA_ARGS__, )
#define cg__ws_connect(c, u, w, ...)                                                       \
    CG_OP(cg_ws_connect, .client = (c), .url = (u), .ws = (w), __VA_ARGS__)

/* cg_ws_read(ws, &message): waits for a message. Completes with its kind, CG_WS_TEXT or
 * CG_WS_BINARY; 0: the WebSocket has ended by a Close (see cg_ws_code). Meanwhile it answers
 * pings and the peer's Close, and sends pings of its own. If the HTTP server that has
 * accepted the WebSocket is shut down, it sends a Close with 1001, discards what still
 * comes, and completes with 0. Errors, all permanent:
 *   CG_EOF      the connection ended without a Close
 *   CG_EWS      the peer violates the protocol; it has been told by a Close, and
 *               cg_ws_reason has a message
 *   -EMSGSIZE   a message exceeds the limit; the peer has been told
 *   -ETIMEDOUT  nothing came for .idle_timeout, or the operation's own timeout, which is
 *               not permanent
 *   -EBUSY      another coroutine reads (not permanent)
 *   -EBADF      the WebSocket was freed
 * Keyword .pieces: completes with each piece of a message as it comes, which may be empty;
 * message.more is false at its end. The limit does not apply. Traceless. */
#define cg_ws_read(...) cg__ws_read(__VA_ARGS__, )
#define cg__ws_read(w, m, ...) CG_OP(cg_ws_read, .ws = (w), .message = (m), __VA_ARGS__)

/* cg_ws_write(ws, kind, data, len): sends a message of this kind. Completes with len. Errors:
 *   -EPIPE     a Close has been sent
 *   -EILSEQ    a text that is not valid UTF-8
 *   -EINVAL    another kind
 *   -ETIMEDOUT the peer stopped reading: permanent; or the operation's own timeout
 *   -EBADF     the WebSocket was freed
 * Keyword .more: another write or read follows at once. A short message is then gathered,
 * and sent with the next write, or when a read has to wait. An echo passes
 * .more = cg_ws_has_input(ws). Partial: if it is cancelled, the message has been sent not at
 * all or wholly; a part that is left goes first with the next operation. */
#define cg_ws_write(...) cg__ws_write(__VA_ARGS__, )
#define cg__ws_write(w, k, d, n, ...)                                                      \
    CG_OP(cg_ws_write, .ws = (w), .kind = (int)(k), .data = (d), .len = (n), __VA_ARGS__)

/* cg_ws_send_text(ws, "text"): like cg_ws_write, for a string. */
#define cg_ws_send_text(...) cg__ws_send_text(__VA_ARGS__, )
#define cg__ws_send_text(w, text, ...)                                                     \
    CG_OP(cg_ws_write, .ws = (w), .kind = CG_WS_TEXT, .data = (text), .len = SIZE_MAX,     \
          __VA_ARGS__)

/* cg_ws_ping(ws, data, len): sends a ping of up to 125 bytes; the peer answers, which
 * cg_ws_read takes as a sign of life. Completes with 0; errors as cg_ws_write; -EINVAL: too
 * long. */
#define cg_ws_ping(...) cg__ws_ping(__VA_ARGS__, )
#define cg__ws_ping(w, d, n, ...)                                                          \
    CG__OP_OF(cg_ws_write, cg_ws_ping, .ws = (w), .data = (d), .len = (n), __VA_ARGS__)

/* cg_ws_end(ws, code): sends a Close and waits, at most .close_timeout, for the peer's; what
 * comes before that is discarded. If another coroutine reads, it only sends; that coroutine
 * gets the messages that still come, and then 0. Code: 1000 to 1003, 1007 to 1014, 3000 to 4999;
 * 0: none. Keyword .why: the reason, at most 123 bytes of UTF-8. Completes with 0, also if the
 * WebSocket has ended before; -EINVAL: the code or the reason is invalid; -ETIMEDOUT: no Close
 * came; the errors of cg_ws_read. Then the caller frees the WebSocket. */
#define cg_ws_end(...) cg__ws_end(__VA_ARGS__, )
#define cg__ws_end(w, c, ...) CG_OP(cg_ws_end, .ws = (w), .code = (c), __VA_ARGS__)

/* cg_ws_new(sock, &ws, .client = true, ...): cg_ws_new_with with its options as keywords. */
#define cg_ws_new(...) cg__ws_new(__VA_ARGS__, )
#define cg__ws_new(s, w, ...)                                                              \
    cg_ws_new_with(s, CG__OPTIONS(struct cg_ws_options, __VA_ARGS__), w)

#endif

CG_EXTERN_C_BEGIN

extern CG_API const struct cg_op_type cg_ws_accept_type, cg_ws_connect_type, cg_ws_read_type,
    cg_ws_write_type, cg_ws_ping_type, cg_ws_end_type;

/* Makes a WebSocket over a connected stream, for which a handshake has been made by other
 * means. Ownership of sock passes to it. .deflate: both sides have agreed on
 * permessage-deflate, with the same window_bits and no_takeover for both. Returns 0; -EINVAL:
 * window_bits; -ENOMEM; then sock stays the caller's. */
CG_API int cg_ws_new_with(struct cg_sock *sock, const struct cg_ws_options *options,
                          struct cg_ws **ws);

/* Closes the connection, without a Close if none was sent, and frees the WebSocket. Pending
 * operations complete with -EBADF. Never waits. NULL is ignored. */
CG_API void cg_ws_free(struct cg_ws *ws);

/* What cg_ws_serve calls: with each message and its kind; and once at the end, with what
 * cg_ws_read would have completed with (0, or a negative code) and no message. A negative
 * result ends the WebSocket, without a Close. */
typedef ssize_t cg_ws_handler(struct cg_ws *ws, ssize_t kind,
                              const struct cg_ws_message *message, void *arg);

/* Serves a WebSocket that cg_ws_accept has opened: call this in the handler of the request; the
 * server reads the WebSocket once the handler has returned. Ownership of ws passes to the
 * server, which frees it after the last call of `handler`. That runs in a coroutine, but an
 * idle WebSocket has none: so locals, scopes and cg_local do not last from one call to the
 * next. It and others may write, cg_ws_end and cg_ws_free the WebSocket as usual, and may not
 * read. The server's shutdown waits for it. Returns 0; -EINVAL: ws was not accepted by a
 * server; -EBUSY: somebody reads, or it is served already; -EALREADY: another WebSocket of this
 * request is served. Then ws stays the caller's. */
CG_API int cg_ws_serve(struct cg_ws *ws, struct cg_http_request *req, cg_ws_handler *handler,
                       void *arg);

/* The subprotocol that was agreed on; NULL: none. */
CG_API const char *cg_ws_protocol(const struct cg_ws *ws);

/* The code of the peer's Close, after cg_ws_read or cg_ws_end; CG_WS_NO_CODE: it had none;
 * CG_WS_ABNORMAL: there was none; 0: the WebSocket has not ended. */
CG_API int cg_ws_code(const struct cg_ws *ws);

/* The reason in the peer's Close, or how the peer has violated the protocol; "": none. */
CG_API const char *cg_ws_reason(const struct cg_ws *ws);

/* Whether bytes have been received that cg_ws_read has not looked at yet. */
CG_API bool cg_ws_has_input(const struct cg_ws *ws);

/* The connection's socket, borrowed, for its addresses and options. */
CG_API struct cg_sock *cg_ws_sock(const struct cg_ws *ws);

CG_EXTERN_C_END
#endif
