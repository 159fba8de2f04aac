/* SPDX-License-Identifier: MIT */
/* Parses URLs of http and https. */
#ifndef COGEN_HTTP_MESSAGE_URL_H
#define COGEN_HTTP_MESSAGE_URL_H

#include <cogen/http.h>

#include <stdbool.h>
#include <stddef.h>

/* Bytes of a URL: the longest target that a server takes fits behind a host, so that a gateway can
 * forward it. */
enum {
    CG__URL_LIMIT = CG_HTTP_TARGET_LIMIT + 1024
};

struct cg__url {
    char *memory; /* of all texts; or NULL */
    const char *text; /* the URL without user and fragment */
    const char *user; /* "name:password", decoded; NULL: none */
    const char *host; /* lower case, without brackets */
    const char
        *hostport;    /* for the field Host: in brackets if need be, no default port */
    const char *addr; /* for cg_connect: "host:80", "[::1]:80" */
    const char *target; /* "/path?query", never empty, as it was written */
    const char *scheme; /* static: "http", "https"; of a proxy also "socks5", "socks5h" */
    size_t name_len; /* of the name in user */
    unsigned port;
    bool https;
    bool no_path; /* it was written without path and query: "http://host" */
};

/* Parses an absolute URL, to be freed with cg__http_url_free. Without a scheme
 * ("localhost:8080/x") it is http. 0; CG_EHTTP_URL, with the reason in *why (static);
 * -ENOMEM. */
int cg__http_url_parse(struct cg__url *url, const char *text, const char **why);

/* Parses a URL of which the part up to the host and port has been parsed before, in `origin`. The
 * rest is what follows it. The URL has no memory of its own: text and target are in the caller's
 * buffer from malloc, which grows as needed, and all other texts remain those of the origin.
 * Results are those of cg__http_url_parse. */
int cg__http_url_parse_rest(struct cg__url *url, const struct cg__url *origin, const char *rest,
                            char **room, size_t *size, const char **why);

/* The same for the URL of a proxy: http, socks5 or socks5h. */
int cg__http_url_parse_proxy(struct cg__url *url, const char *text, const char **why);

/* Parses a reference relative to a base (RFC 3986, 5.2). Like browsers, it encodes blanks
 * and bytes above 126. */
int cg__http_url_resolve(struct cg__url *url, const struct cg__url *base,
                         const char *ref, const char **why);

/* Whether a text has none of the characters that begin or end a host in a URL, so that it can be
 * the field Host, or :authority, which have no user (RFC 9110, 4.2.4; RFC 9113, 8.3.1). */
bool cg__http_url_is_host(const char *text, size_t len);

/* Removes dot segments, in place (RFC 3986, 5.2.4): "/a/./b/../c" becomes "/a/c", and
 * nothing leads above the root. The path begins with a slash. Returns its length. */
size_t cg__http_url_remove_dots(char *path, size_t len);

/* Whether both have the same scheme, host and port. */
bool cg__http_url_same_origin(const struct cg__url *a, const struct cg__url *b);

void cg__http_url_free(struct cg__url *url);

/* Decodes percent-encoding in place; returns the length. */
size_t cg__http_url_decode(char *text);

#endif
