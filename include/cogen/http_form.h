/* SPDX-License-Identifier: MIT */
/* Forms that browsers send to an HTTP server: application/x-www-form-urlencoded and
 * multipart/form-data, whose files are stored on disk while they come. See cg_http_form(3).
 *
 *     struct cg_http_form *form;
 *     ssize_t n = cg_yield(cg_http_read_form(req, &form, .folder = "/var/tmp"));
 *
 *     if (n < 0)
 *         return n;
 *     ... cg_http_form_get(form, "title") ... cg_http_form_file(form, "picture") ...
 *     cg_http_form_free(form); */
#ifndef COGEN_HTTP_FORM_H
#define COGEN_HTTP_FORM_H

#include <cogen/http_server.h>

/* The fields and files of a form, in their order. */
struct cg_http_form;

/* A field or a file. The texts belong to the form. */
struct cg_http_part {
    const char *name;
    const char *value;    /* of a field, or of a file in memory: len bytes, and a NUL */
    size_t len;
    const char *filename; /* what the client calls the file, without folders; it may be
                             anything: do not open it. NULL: a field */
    const char *mime;     /* the Content-Type that the client gives; "": none */
    uint64_t size;        /* of the file in bytes */
    int file;             /* descriptor of the stored file, open for reading and writing; -1:
                             the file is not on disk */
};

enum {
    CG_HTTP_FORM_PARTS = 1000,              /* fields and files of a form */
    CG_HTTP_FORM_HEADER = 4 * 1024,         /* bytes of the header of a part */
    CG_HTTP_FORM_FIELD = 64 * 1024,         /* bytes of a value */
    CG_HTTP_FORM_MEMORY = 1024 * 1024,      /* bytes of all names and values */
    CG_HTTP_FORM_FILES = 20,                /* files of a form */
    CG_HTTP_FORM_FILE = 16 * 1024 * 1024,   /* bytes of a file */
};

/* Limits; more is -EMSGSIZE (413). Zero means the default. All of a form also counts for
 * the server's body_limit. */
struct cg_http_form_limits {
    size_t parts;  /* CG_HTTP_FORM_PARTS */
    size_t header; /* CG_HTTP_FORM_HEADER */
    size_t field;  /* CG_HTTP_FORM_FIELD */
    size_t memory; /* CG_HTTP_FORM_MEMORY */
    size_t files;  /* CG_HTTP_FORM_FILES */
    uint64_t file; /* CG_HTTP_FORM_FILE */
    void *reserved;
};

#ifndef __cplusplus

struct cg_http_read_form_op {
    CG_OP_HEAD;
    const struct cg_http_form_limits *limits;
    ssize_t (*piece)(void *arg, const struct cg_http_part *part, const void *data,
                     size_t len);
    void *arg;
    struct cg_http_form *made; /* the library's */
    struct cg_http_request *req;
    const char *folder;
    struct cg_http_form **form;
};

/* cg_http_read_form(req, &form): reads the body of a request as a form; completes with the
 * number of its parts and stores the form in *form, to be freed with cg_http_form_free. A
 * file input without a chosen file is left out. Keywords:
 *   .folder   files are stored in this folder while they come, without a name where the
 *             system can do that (O_TMPFILE): nothing is left of them when the form is freed,
 *             the request fails or the program dies. cg_http_form_keep gives one a name
 *   .piece, .arg   instead, piece(arg, part, data, len) is called with each piece of a file,
 *             at its end with len 0. It may yield. A negative result ends the operation,
 *             which completes with it
 *             Without either, files are kept in memory, as fields are
 *   .limits   struct cg_http_form_limits; borrowed
 * If it fails there is no form. The client then gets this status if the handler returns the
 * code:
 *   -EMSGSIZE    a limit is exceeded (413)
 *   -EBADMSG     the form is invalid (400)
 *   -EOPNOTSUPP  the body is not a form (415)
 * and the errors of cg_http_read, those of storing a file, and -ENOMEM. Partial: the body is
 * consumed. */
#define cg_http_read_form(...) cg__http_read_form(__VA_ARGS__, )
#define cg__http_read_form(r, f, ...)                                                      \
    CG_OP(cg_http_read_form, .req = (r), .form = (f), __VA_ARGS__)

#endif

CG_EXTERN_C_BEGIN

extern CG_API const struct cg_op_type cg_http_read_form_type;

/* Frees a form, and closes its files. NULL is ignored. */
CG_API void cg_http_form_free(struct cg_http_form *form);

/* The value of the first field with this name; the first file with this name. NULL: none. */
CG_API const char *cg_http_form_get(const struct cg_http_form *form, const char *name);
CG_API const struct cg_http_part *cg_http_form_file(const struct cg_http_form *form,
                                                    const char *name);

/* Iterates over the parts: set *at to 0 before the first call. Returns NULL behind the last
 * one. */
CG_API const struct cg_http_part *cg_http_form_next(const struct cg_http_form *form,
                                                    size_t *at);

/* Gives a stored file a name in the same file system, so that it outlives the form. Its
 * permissions are those of its owner only (0600; see fchmod(2)). Returns 0; -EEXIST: the name
 * is taken; -EINVAL: the part is not a stored file; -errno of linkat(2). */
CG_API int cg_http_form_keep(const struct cg_http_form *form,
                             const struct cg_http_part *part, const char *path);

CG_EXTERN_C_END
#endif
