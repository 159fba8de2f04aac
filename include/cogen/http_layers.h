/* SPDX-License-Identifier: MIT */
/* Layers that an HTTP server often needs: who the client is, and a name for each request.
 * Also redirects. See cg_http_layer(3) for layers, and cg_http_basic_layer(3).
 *
 *     static const struct cg_http_user users[] = {{"ann", "her password"}, {NULL}};
 *     static struct cg_http_auth auth = {.realm = "office", .users = users};
 *     static const struct cg_http_layer layers[] = {
 *         {.around = cg_http_basic_layer, .arg = &auth}, {.handler = office}};
 *     ...
 *     cg_http_server_mount(server, "/office/", cg_http_layers_handler, (void *)layers); */
#ifndef COGEN_HTTP_LAYERS_H
#define COGEN_HTTP_LAYERS_H

#include <cogen/construct.h>
#include <cogen/http_server.h>

enum {
    CG_HTTP_TIMING_LIMIT = 128, /* bytes of a name or description in Server-Timing */
};

/* A user and a password, or the user whom a token stands for. */
struct cg_http_user {
    const char *name, *secret;
};

/* Who may pass. Everything is borrowed. */
struct cg_http_auth {
    const char *realm;                /* a name of what is protected; NULL: "" */
    const struct cg_http_user *users; /* the last has the name NULL */
    /* Instead of users: returns 1: yes; 0: no; or a negative code, with which the layer
     * returns. Called in the coroutine of the request; may yield (to hash a password in a
     * thread, say). name is NULL if the client gives a token. */
    ssize_t (*check)(void *arg, struct cg_http_request *req, const char *name,
                     const char *secret);
    void *arg;
};

enum {
    CG_HTTP_SECRET_LIMIT = 4096, /* bytes of a user's name and password, or of a token */
    CG_HTTP_REQUEST_ID_LIMIT = 128, /* bytes of a request's id that a client gives */
};

struct cg_http_request_ids {
    bool trust;       /* take the id of the request, if it has one: it comes from a proxy */
    const char *name; /* of the field; NULL: "X-Request-Id" */
};

#ifndef __cplusplus

struct cg_http_send_redirect_op {
    CG_OP_HEAD;
    struct cg_http_request *req;
    const char *location;
    int status;
};

/* cg_http_send_redirect(req, status, location): responds with a redirect, 301, 302, 303
 * (after a form), 307 or 308 (with the same method). The location is a URL, or relative to
 * that of the request. Blanks and what is not ASCII are encoded. A location that a client has
 * chosen may lead anywhere: "//evil.example" is another host. Completes with 0; -EINVAL:
 * another status, or the location has control characters; or the errors of cg_http_respond. */
#define cg_http_send_redirect(...) cg__http_send_redirect(__VA_ARGS__, )
#define cg__http_send_redirect(r, s, l, ...)                                               \
    CG_OP(cg_http_send_redirect, .req = (r), .status = (s), .location = (l), __VA_ARGS__)

#endif

CG_EXTERN_C_BEGIN

extern CG_API const struct cg_op_type cg_http_send_redirect_type;

/* Layers whose arg is a struct cg_http_auth. They let a request pass that has the name and
 * password of a user (RFC 7617), or a token (RFC 6750), and set its parameter "auth-user". Others
 * get 401 with WWW-Authenticate. Secrets are compared in a time that does not depend on how
 * much of them is right. Passwords and tokens are readable on the way without TLS. */
CG_API ssize_t cg_http_basic_layer(struct cg_http_request *req,
                                   const struct cg_http_layer *next, void *auth);
CG_API ssize_t cg_http_bearer_layer(struct cg_http_request *req,
                                    const struct cg_http_layer *next, void *auth);

/* Adds a header field Server-Timing: how long a part of the response took, for the tools of
 * browsers. The name is a token; `length` is in ns, below 0: none; the description is printable
 * ASCII, or NULL. Returns 0; -EINVAL: a text is invalid or longer than CG_HTTP_TIMING_LIMIT; or
 * the errors of cg_http_response_add_header. */
CG_API int cg_http_response_add_timing(struct cg_http_request *req, const char *name,
                                       int64_t length, const char *description);

/* Whether both texts are equal. The time that this takes depends on the length of `given` only,
 * so that it reveals nothing of the secret. */
CG_API bool cg_http_secret_is(const char *given, const char *secret);

/* A layer that gives each request an id of 32 random hexadecimal digits, as the parameter
 * "request-id" and as a field of the response. arg: a struct cg_http_request_ids, or NULL. */
CG_API ssize_t cg_http_request_id_layer(struct cg_http_request *req,
                                        const struct cg_http_layer *next, void *options);

CG_EXTERN_C_END
#endif
