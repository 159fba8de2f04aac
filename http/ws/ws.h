/* SPDX-License-Identifier: MIT */
/* The struct of a WebSocket. Received bytes pass ws_frame.c, ws_message.c and ws_read.c;
 * what is sent, ws_write.c and ws_output.c. ws_accept.c and ws_connect.c make handshakes. */
#ifndef COGEN_HTTP_WS_WS_H
#define COGEN_HTTP_WS_WS_H

#include <cogen.h>
#include <cogen/websocket.h>

#include "http/server/guest.h"
#include "http/ws/ws_deflate.h"
#include "http/ws/ws_frame.h"
#include "http/ws/ws_utf8.h"

enum {
    CG__WS_PIECE_SIZE = 16 * 1024, /* a piece of a message that is inflated in pieces */
    CG__WS_FIRST_ROOM = 1024,      /* of a message that has to be put together */
    CG__WS_SMALL = 4 * 1024,       /* a message up to this may be gathered */
    CG__WS_GATHERED = 16 * 1024,   /* so much gathered output is sent at once */
    CG__WS_PONGS = 4 * 1024,       /* so many bytes of pongs may wait for a writer */
    CG__WS_LINGER = 1024 * 1024,   /* bytes that are discarded after a failure */
    CG__WS_MASKS = 64,             /* random bytes that are fetched at a time */
};

/* Frames that wait to be sent, in memory from malloc. */
struct cg__ws_out {
    char *data;
    size_t len, size;
};

struct cg_ws {
    struct cg_object object;
    struct cg_sock *sock; /* NULL: freed */
    struct cg_ws_options options; /* with defaults */
    char *protocol;
    /* Input. The view stays lent while it has bytes that were not looked at, or the message
     * that was read last. */
    struct cg_view view;
    size_t at; /* bytes of the view that the parser has used */
    struct cg__ws_deflate *deflate; /* NULL: not agreed on */
    char *buf;                      /* of a message that is put together */
    size_t buf_len, buf_size;
    struct cg_ws_message message; /* the one that is to be delivered next .. */
    int ready;                    /* .. and its kind; 0: none */
    struct cg__utf8 utf8;
    bool delivered : 1; /* buf belongs to the message that was read last */
    bool pending : 1;   /* the parser's piece has not been wholly taken */
    bool reading : 1;   /* a coroutine reads */
    bool told : 1;      /* the server is being shut down */
    bool sent_close : 1;
    bool lingers : 1; /* after a failure: wait for the peer to close */
    bool ended : 1;   /* all further reads complete with .result */
    bool cut : 1;     /* cg_ws_serve: the server is not to wait for it any more */
    struct cg_scope *wait; /* around a wait for input; NULL: nobody waits */
    /* Moments of the last input, and of our last ping; moved on by the time in which nobody
     * has waited for input. .waited: when somebody did last. */
    int64_t heard, pinged, waited;
    /* Output. */
    struct cg_mutex lock; /* of who writes to the socket */
    struct cg__ws_out out;
    uint8_t *masks; /* CG__WS_MASKS bytes from malloc; NULL: none yet */
    int64_t close_until; /* when the wait for the peer's Close ends */
    /* The end. */
    int broken; /* result of all further writes; 0: none has failed */
    int result; /* of all further reads, once .ended */
    const char *reason;
    char *reason_came; /* from malloc: it has come from the peer; or NULL */
    int code;
    uint8_t masks_left;
    struct cg__http_guest guest; /* of the server that has accepted it */
    /* cg_ws_serve. */
    cg_ws_handler *handler; /* NULL: nobody has called it */
    void *handler_arg;
    struct cg_coro *coro;       /* that serves it; NULL: none, it is dormant */
    struct cg_starter *starter; /* starts another one */
    int64_t doze; /* when a wait for input goes on without a coroutine; 0: never */
    union {
        struct cg__ws_parser parser;     /* .control is from malloc, or NULL */
        struct cg_wait_input_op dormant; /* without a coroutine, between two messages */
    };
};

enum { CG__WS_DOZE = -1000001 }; /* what a read returns when it may go on without a coroutine */

/* Ends run slots: leaves the object, and frees it if it was closed meanwhile. Returns n, or
 * -EBADF. */
ssize_t cg__http_ws_leave(struct cg_ws *ws, struct cg_op *op, ssize_t n);

/* Of a WebSocket that a server has accepted; defined in ws_serve.c. */
extern const struct cg__http_guest_type cg__http_ws_guest;

/* Lets who waits for input look at what has changed. */
void cg__http_ws_rouse(struct cg_ws *ws);

/* Initialises the parser: what comes next is the head of a frame, between two messages. */
void cg__http_ws_begin(struct cg_ws *ws);

/* Frees a WebSocket that nobody uses any more; it is not dormant. */
void cg__http_ws_destroy(struct cg_ws *ws);

/* Makes a WebSocket; sock stays the caller's if that fails. params: of permessage-deflate.
 * protocol: copied; or NULL. 0; -ENOMEM. */
int cg__http_ws_make(struct cg_sock *sock, const struct cg_ws_options *options,
                     const struct cg__ws_params *params, const char *protocol,
                     struct cg_ws **ws);

#endif
