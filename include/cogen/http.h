/* SPDX-License-Identifier: MIT */
/* What the HTTP server and client share: header fields, dates, status texts, default
 * limits. See cg_http(3), cogen/http_server.h and cogen/http_client.h. */
#ifndef COGEN_HTTP_H
#define COGEN_HTTP_H

#include <cogen/base.h>

enum {
    CG_HTTP_TARGET_LIMIT = 8 * 1024,   /* most bytes of a request's target; beyond: 414 */
    CG_HTTP_HEADERS_LIMIT = 32 * 1024, /* most bytes of header fields and trailers: 431 */
    CG_HTTP_HEADERS_COUNT = 100,       /* most header fields and trailers; beyond: 431 */
    CG_HTTP_STREAMS = 100,             /* requests in progress on a connection of HTTP/2 */
    CG_HTTP_DATE_SIZE = 30,            /* size of a date with its NUL */
};

/* A list of header fields in their order in the message. A name may occur several times.
 * Names are compared case-insensitively. */
struct cg_http_headers;

/* One header field. An array of fields ends with an empty one ({NULL, NULL}). */
struct cg_http_field {
    const char *name, *value;
};

/* Protocols, to be combined: HTTP/1.1 (and 1.0), HTTP/2 within TLS, agreed on by ALPN, and
 * HTTP/2 in the clear, with prior knowledge. */
enum cg_http_protocol { CG_HTTP_H1 = 1, CG_HTTP_H2 = 2, CG_HTTP_H2C = 4 };

CG_EXTERN_C_BEGIN

/* Makes an empty list, to be freed with cg_http_headers_free; NULL: no memory. (The lists
 * of a request or a reply belong to it.) */
CG_API struct cg_http_headers *cg_http_headers_new(void);
CG_API void cg_http_headers_free(struct cg_http_headers *headers);

/* The value of the first field with this name; NULL: there is none. The text is valid until
 * the list is changed. */
CG_API const char *cg_http_headers_get(const struct cg_http_headers *headers,
                                       const char *name);

/* Iterates over the fields: set *at to 0 before the first call. Returns false if there are no
 * more fields. */
CG_API bool cg_http_headers_next(const struct cg_http_headers *headers, size_t *at,
                                 struct cg_http_field *field);

/* cg_http_headers_add appends a field; cg_http_headers_set also removes all others with
 * this name. The texts are copied, and may be texts of this list. Return 0; -EINVAL: the name
 * is not a token, or the value has control characters (which could inject further fields);
 * -ENOMEM. */
CG_API int cg_http_headers_add(struct cg_http_headers *headers, const char *name,
                               const char *value);
CG_API int cg_http_headers_set(struct cg_http_headers *headers, const char *name,
                               const char *value);

/* Removes all fields with this name; returns how many. */
CG_API size_t cg_http_headers_remove(struct cg_http_headers *headers, const char *name);

/* Whether a field with this name has the word in its comma-separated list: ("Connection",
 * "close"). Words are compared case-insensitively and without what follows a ";". */
CG_API bool cg_http_headers_has(const struct cg_http_headers *headers, const char *name,
                                const char *word);

/* Writes a date in the form of Date and Last-Modified, "Sun, 06 Nov 1994 08:49:37 GMT",
 * into buf, which has CG_HTTP_DATE_SIZE bytes. The moment is in seconds since 1970, UTC.
 * A moment outside the years 1 to 9999 is replaced by the nearest one inside. */
CG_API void cg_http_date_print(int64_t moment, char *buf);

/* Parses such a date, or one of the obsolete forms "Sunday, 06-Nov-94 08:49:37 GMT" and
 * "Sun Nov  6 08:49:37 1994". Returns false if the date is invalid; *moment is unchanged then. */
CG_API bool cg_http_date_parse(const char *text, int64_t *moment);

/* The reason phrase of a status code: "Not Found" for 404, "Unknown" for a code without
 * one. The text is static. */
CG_API const char *cg_http_status_text(int status);

CG_EXTERN_C_END
#endif
