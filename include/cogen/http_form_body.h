/* SPDX-License-Identifier: MIT */
/* Forms that an HTTP client sends: multipart/form-data, with files that are read while they
 * are sent. See cg_http_form_body(3).
 *
 *     const struct cg_http_form_item items[] = {
 *         {.name = "title", .value = "cat"},
 *         {.name = "picture", .filename = "cat.png", .mime = "image/png", .file = &fd},
 *         {.name = NULL}};
 *     struct cg_http_form_body *body;
 *     int rc = cg_http_form_body_new(items, &body);
 *     ...
 *     fetch.source = cg_http_form_body_source(body);
 *     fetch.fields = (struct cg_http_field[]){
 *         {"Content-Type", cg_http_form_body_type(body)}, {NULL, NULL}}; */
#ifndef COGEN_HTTP_FORM_BODY_H
#define COGEN_HTTP_FORM_BODY_H

#include <cogen/http_client.h>

/* A field or a file. */
struct cg_http_form_item {
    const char *name;
    const char *value;    /* in memory; borrowed until the body is freed */
    size_t len;           /* of the value (0: it is a string), or of the part of the file (0:
                             from .offset to its end) */
    const char *filename; /* makes it a file; NULL: a field */
    const char *mime;     /* NULL: no Content-Type */
    const int *file;      /* the bytes come from this open file; its descriptor is borrowed
                             until the body is freed. NULL: from .value */
    int64_t offset;       /* of the part of the file */
};

/* The body of one request at a time. */
struct cg_http_form_body;

CG_EXTERN_C_BEGIN

/* Makes a body of items, the last of which has the name NULL; to be freed with
 * cg_http_form_body_free (NULL is ignored). Returns 0; -EINVAL: a Content-Type has control
 * characters, or the length of a file is unknown; -ENOMEM; -errno of fstat. */
CG_API int cg_http_form_body_new(const struct cg_http_form_item *items,
                                 struct cg_http_form_body **body);
CG_API void cg_http_form_body_free(struct cg_http_form_body *body);

/* The source for a request, of known length, which can be sent again; the value of its
 * Content-Type. Both belong to the body. A file that is shorter than it was ends the request
 * with CG_EOF. */
CG_API const struct cg_http_source *
cg_http_form_body_source(const struct cg_http_form_body *body);
CG_API const char *cg_http_form_body_type(const struct cg_http_form_body *body);

CG_EXTERN_C_END
#endif
