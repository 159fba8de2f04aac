/* SPDX-License-Identifier: MIT */
/* A form: its parts, and where their bytes go. */
#ifndef COGEN_HTTP_WEB_FORM_H
#define COGEN_HTTP_WEB_FORM_H

#include <cogen.h>
#include <cogen/http_form.h>

enum { CG__HTTP_FORM_BLOCK = 64 * 1024 }; /* bytes that one call writes to disk */

struct cg__http_form_part {
    struct cg_http_part it;
    char *texts;     /* name, filename, mime */
    char *value;
    size_t room;     /* of value */
    char *temporary; /* the stored file's name; NULL: it has none */
};

struct cg_http_form {
    struct cg__http_form_part *parts;
    size_t count;
    size_t files;
    size_t memory; /* bytes of names and values */
    char *block;   /* bytes of the last part that are not on disk yet; NULL: none */
    size_t block_len;
};

/* Adds a part to the form. The last part is the one that grows. 0 or -ENOMEM. */
int cg__http_form_add(struct cg_http_form *form, const char *name, const char *filename,
                      const char *mime);

/* Appends to the value of the last part. 0 or -ENOMEM. */
int cg__http_form_grow(struct cg_http_form *form, const char *data, size_t len);

/* Removes the last part. */
void cg__http_form_remove(struct cg_http_form *form);

/* Stores a piece of the last part in a file, which is made if need be; writes what is still
 * in memory, and frees that. Yield. 0 or a negative code. */
ssize_t cg__http_form_store(struct cg_http_form *form, const char *folder, const char *data,
                            size_t len);
ssize_t cg__http_form_store_end(struct cg_http_form *form, const char *folder);

#endif
