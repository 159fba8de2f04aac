/* SPDX-License-Identifier: MIT */
/* What both halves of HTTP share: header fields, status texts, the usual limits. The halves
 * are cogen/http_server.h and cogen/http_client.h. See cg_http(3). */
#ifndef COGEN_HTTP_H
#define COGEN_HTTP_H

#include <cogen/base.h>

enum {
    CG_HTTP_TARGET_LIMIT = 8 * 1024,   /* bytes of a request's target: 414 */
    CG_HTTP_HEADERS_LIMIT = 32 * 1024, /* bytes of all header fields, and trailers: 431 */
    CG_HTTP_HEADERS_COUNT = 100,       /* how many of them: 431 */
    CG_HTTP_DATE_SIZE = 30,            /* bytes of a date, with its NUL */
};

/* A list of header fields, in the order in which they came; a name may occur several times.
 * Names are compared without regard to case. */
struct cg_http_headers;

/* A field for whoever has some ready: arrays of these end with an empty one. */
struct cg_http_field {
    const char *name, *value;
};

CG_EXTERN_C_BEGIN

/* An empty list, which cg_http_headers_free frees; NULL: no memory. (Those of a request or
 * a response belong to it.) */
CG_API struct cg_http_headers *cg_http_headers_new(void);
CG_API void cg_http_headers_free(struct cg_http_headers *headers);

/* The value of the first field of that name; NULL: there is none. Texts end with a NUL and
 * stay where they are until the list is changed. */
CG_API const char *cg_http_headers_get(const struct cg_http_headers *headers,
                                       const char *name);

/* The fields one after the other: *at begins as 0. False: there are no more. */
CG_API bool cg_http_headers_next(const struct cg_http_headers *headers, size_t *at,
                                 struct cg_http_field *field);

/* Appends a field; or puts it in the place of all of that name. The texts are copied. 0;
 * -EINVAL: no name of a field, or a value with control characters (which would let its
 * writer add fields of his own); -ENOMEM. */
CG_API int cg_http_headers_add(struct cg_http_headers *headers, const char *name,
                               const char *value);
CG_API int cg_http_headers_set(struct cg_http_headers *headers, const char *name,
                               const char *value);

/* Removes all fields of a name; answers how many. */
CG_API size_t cg_http_headers_remove(struct cg_http_headers *headers, const char *name);

/* Whether a field of that name has this word in its list of words: ("Connection",
 * "close"), without regard to case; what follows a ";" in a word is not looked at. */
CG_API bool cg_http_headers_has(const struct cg_http_headers *headers, const char *name,
                                const char *word);

/* Writes a date as Date and Last-Modified have it, "Sun, 06 Nov 1994 08:49:37 GMT", into a
 * buf of CG_HTTP_DATE_SIZE bytes. The moment is in seconds since 1970, UTC; one outside the
 * years 1 to 9999 becomes the nearest that is inside. */
CG_API void cg_http_date_print(int64_t moment, char *buf);

/* Reads such a date, or one in a form of old, "Sunday, 06-Nov-94 08:49:37 GMT" or
 * "Sun Nov  6 08:49:37 1994". False: it is none, and *moment is as it was. */
CG_API bool cg_http_date_parse(const char *text, int64_t *moment);

/* "Not Found" for 404; "Unknown" for one that nobody has named. Static. */
CG_API const char *cg_http_status_text(int status);

CG_EXTERN_C_END
#endif
