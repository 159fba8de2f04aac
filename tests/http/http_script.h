/* SPDX-License-Identifier: MIT */
/* Servers for tests of the HTTP client: they send fixed bytes, and store the requests that
 * they receive. */
#ifndef COGEN_TESTS_HTTP_HTTP_SCRIPT_H
#define COGEN_TESTS_HTTP_HTTP_SCRIPT_H

#include <cogen/http_client.h>

#include "tests/support/support.h"

/* One request and its response. A list ends with an entry that sets no member. */
struct turn {
    const char *says;  /* the response; NULL: none */
    size_t size;       /* of the response; 0: it is a string */
    size_t body;       /* bytes to read after the head of the request */
    bool fresh;        /* the request comes on a new connection */
    bool deaf;         /* responds without reading a request */
    bool close, reset; /* after the response */
    bool half;         /* shuts down writing after the response, and goes on reading */
    int64_t pause;     /* before the response */
    int64_t drip;      /* after each byte */
    unsigned again;    /* how often the response is repeated */
};

struct script {
    const struct turn *turns;
    struct cg_sock *listener;
    struct cg_coro *coro;
    char addr[CG_ADDR_SIZE];
    char url[CG_ADDR_SIZE + 16]; /* "http://127.0.0.1:1234" */
    unsigned connections;        /* how many were accepted */
    size_t used;
    size_t from;           /* for the test: where to search in seen */
    char seen[128 * 1024]; /* all requests */
};

/* script_start starts a server that goes through the turns. script_end stops it, and checks
 * that it has gone through all of them. */
void script_start(struct script *script, const struct turn *turns);
void script_end(struct script *script);

/* The last request that the server has received. */
const char *script_last(const struct script *script);

/* The server's URL with path appended, in a buffer that the fourth call after this one
 * overwrites. */
const char *script_url(const struct script *script, const char *path);

/* A client that does not read the environment. */
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
