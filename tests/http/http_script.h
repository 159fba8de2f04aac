/* SPDX-License-Identifier: MIT */
/* Servers for tests of the HTTP client: what they say is written down, byte for byte, and
 * what they hear is kept. */
#ifndef COGEN_TESTS_HTTP_HTTP_SCRIPT_H
#define COGEN_TESTS_HTTP_HTTP_SCRIPT_H

#include <cogen/http_client.h>

#include "tests/support/support.h"

/* One request and what is answered. A list ends with one that has neither `says` nor any
 * other member. */
struct turn {
    const char *says;  /* NULL: nothing */
    size_t size;       /* of what it says; 0: it is a string */
    size_t body;       /* bytes of the request after its head, to be read before */
    bool fresh;        /* comes on a new connection */
    bool deaf;         /* says it without hearing anything */
    bool close, reset; /* afterwards */
    bool half;         /* ends what it says, and goes on listening */
    int64_t pause;     /* before it says anything */
    int64_t drip;      /* between one byte and the next */
    unsigned again;    /* says it so often more */
};

struct script {
    const struct turn *turns;
    struct cg_sock *listener;
    struct cg_coro *coro;
    char addr[CG_ADDR_SIZE];
    char url[CG_ADDR_SIZE + 16]; /* "http://127.0.0.1:1234" */
    unsigned connections;        /* that were accepted */
    size_t used;
    size_t from;           /* for the test: where to look */
    char seen[128 * 1024]; /* all requests */
};

/* Starts a server that goes through the turns; ends it: it must have come to the end of
 * them. */
void script_start(struct script *script, const struct turn *turns);
void script_end(struct script *script);

/* The last request that the server has heard. */
const char *script_last(const struct script *script);

/* The same URL with something behind it; good until the fourth next call. */
const char *script_url(const struct script *script, const char *path);

/* A client that does not look at the environment. */
#define CLIENT(...) cg_http_client_new(.no_environment = true, __VA_ARGS__)

#define TURNS(...) ((const struct turn[]){__VA_ARGS__, {.says = NULL}})
#define SAYS(...) SAYS_(__VA_ARGS__, )
#define SAYS_(text, ...)                                                               \
    {                                                                                  \
        .says = (text), __VA_ARGS__                                                    \
    }
#define HEAD_200 "HTTP/1.1 200 OK\r\n"
#define OK_200(body_length, body)                                                      \
    HEAD_200 "Content-Length: " #body_length "\r\n\r\n" body

#endif
