/* SPDX-License-Identifier: MIT */
/* One HTTP/1 message, parsed from bytes as they come, without I/O: llhttp in strict mode,
 * and the refusals that it leaves to us. The result never depends on how the bytes were
 * cut. */
#ifndef COGEN_HTTP_HTTP1_PARSER_H
#define COGEN_HTTP_HTTP1_PARSER_H

#include <llhttp.h>

#include "http/http1/repeat.h"

enum cg__http_kind {
    CG__HTTP_REQUEST,
    CG__HTTP_RESPONSE,
};

enum cg__http_event {
    CG__HTTP_MORE, /* all bytes were consumed, more are needed */
    CG__HTTP_HEAD, /* the head is complete: the fields below and `headers` are valid */
    CG__HTTP_BODY, /* a piece of the body: body, body_len, a view of the given bytes */
    CG__HTTP_DONE, /* the message is complete, also its `trailers` */
    CG__HTTP_BAD,  /* the message is refused: status, why */
};

struct cg__http_limits {
    uint32_t target;  /* bytes */
    uint32_t headers; /* bytes of fields and trailers; also of chunk extensions */
    uint32_t count;   /* number of fields and trailers */
};

extern const struct cg__http_limits cg__http_parser_default_limits;

struct cg__http_parser {
    const struct cg__http_limits *limits; /* borrowed */
    struct cg_http_headers *headers;      /* borrowed: gets the texts of the head */
    struct cg_http_headers *trailers;     /* borrowed; NULL: trailers are dropped */
    /* May be set before the head. */
    struct cg_http_headers *line;   /* borrowed: for the first line; default: headers */
    struct cg__http_repeat *repeat; /* borrowed; for requests, which then need a `line` of their
                                     * own, or for responses, which must have none; NULL: none */

    /* Everything from here to `in_trailers` is zero at first. */
    bool skip_body; /* may be set before the head, too: a response to HEAD */

    /* What the head says. */
    bool keep_alive;          /* as the message says */
    bool upgrade;             /* CONNECT, Upgrade with Connection: upgrade, or 101 */
    bool has_body;            /* a body follows, perhaps an empty one */
    bool chunked;
    bool has_length;
    bool until_close;         /* a response's body lasts to the end of the connection */
    uint8_t minor;            /* of the version 1.x */
    uint8_t code;             /* the same as llhttp_method_t; valid where method is */
    uint16_t status;          /* of a response; after BAD: to respond with */
    uint32_t text, text_len; /* place in `line`: a request's target, a response's reason */
    const char *method;       /* of a request, static */
    uint64_t length;          /* Content-Length, or 0 */
    uint64_t left;            /* bytes of a body with a length that have not come yet */
    const char *why;          /* the reason of a refusal; static */

    /* The parser's own. */
    bool begun, complete;
    bool repeated;          /* the fields are those of a message before */
    bool started;           /* llhttp has been given bytes: what follows is valid */
    uint8_t line_at;        /* counted bytes of a response's first line */
    uint8_t kind;           /* enum cg__http_kind */

    /* Everything from here to `host` is zero when llhttp starts. */
    bool in_trailers, paused;
    bool looking, keeping;  /* within lines that are checked; within stored fields */
    char before[3];         /* the last bytes of the previous calls */
    uint8_t token;          /* which part of a field is open */
    uint8_t hosts, codings, lengths; /* fields of these names; 2: or more */
    uint8_t options;        /* enum cg__http_option: what Connection and Upgrade say */
    uint8_t chunk;          /* enum cg__http_chunk: where in the line of a chunk's size */
    uint8_t digits;         /* of that size */
    uint32_t counted;       /* bytes of lines */
    uint32_t ready;         /* fields whose texts are stored and end with NULs */
    uint32_t seen;          /* bytes of fields */
    uint32_t fields;
    uint32_t extensions;    /* bytes of chunk extensions */

    uint32_t host, coding, size; /* places of these values; size: Content-Length */
    struct cg__http_entry entry; /* of the field that is being read */
    enum cg__http_event event;   /* why llhttp was paused */
    uint32_t base;          /* the place of `from` in the list of fields */
    const char *from;       /* fields are stored from here on; NULL: none are */
    const char *data, *end; /* the bytes of this call; the other pointers point into them */
    const char *since;      /* lines are counted from here on; NULL: none are */
    const char *seen_to;    /* the ends of lines have been checked up to here */
    const char *target_at;  /* where a request's target began */
    const char *refused;    /* the byte because of which we refuse; NULL: none */
    const char *body;       /* of a CG__HTTP_BODY */
    size_t body_len;
    llhttp_t llhttp;
};

/* Begins a message. The lists are reset by the caller. */
void cg__http_parser_init(struct cg__http_parser *parser, enum cg__http_kind kind,
                          struct cg_http_headers *headers,
                          struct cg_http_headers *trailers,
                          const struct cg__http_limits *limits);

/* Parses bytes up to the next event and stores in *used how many were consumed. Give the
 * rest again with the next call, even if there is none: after HEAD and BODY an event may
 * need no bytes. After DONE and BAD the parser has ended; the rest does not belong to
 * this message. */
enum cg__http_event cg__http_parser_parse(struct cg__http_parser *parser,
                                          const char *data, size_t size, size_t *used);

/* To be called at the end of the stream: DONE if the message may end here, otherwise
 * BAD. */
enum cg__http_event cg__http_parser_end(struct cg__http_parser *parser);

/* Whether nothing of the message has come yet, except blank lines. */
bool cg__http_parser_untouched(const struct cg__http_parser *parser);

#endif
