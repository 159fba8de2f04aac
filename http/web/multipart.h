/* SPDX-License-Identifier: MIT */
/* Parses multipart/form-data (RFC 7578): bytes in, events out, wherever the bytes are cut.
 * No I/O. */
#ifndef COGEN_HTTP_WEB_MULTIPART_H
#define COGEN_HTTP_WEB_MULTIPART_H

#include <stdbool.h>
#include <stddef.h>

enum { CG__HTTP_BOUNDARY = 70 }; /* bytes of a boundary, at most (RFC 2046) */

enum cg__http_multipart_event {
    CG__HTTP_MULTIPART_MORE, /* all bytes are used */
    CG__HTTP_MULTIPART_PART, /* a part begins: name, filename, mime */
    CG__HTTP_MULTIPART_DATA, /* a piece of the part: data, len */
    CG__HTTP_MULTIPART_END,  /* the part ends */
    CG__HTTP_MULTIPART_DONE, /* the form ends; further bytes are ignored */
    CG__HTTP_MULTIPART_BAD,  /* invalid */
    CG__HTTP_MULTIPART_LONG, /* a part's header exceeds the limit */
};

struct cg__http_multipart {
    char delimiter[4 + CG__HTTP_BOUNDARY + 1]; /* "\r\n--boundary" */
    size_t delimiter_len;
    size_t matched; /* how much of it has come .. */
    size_t lent;    /* .. of which so many bytes are not the part's in any case */
    int state;
    bool in_part;
    char *head; /* limit bytes for the header of a part, and as many for its texts */
    size_t head_len, limit;
    const char *data;
    size_t len;
    const char *name, *filename, *mime; /* filename NULL: a field; mime: "" if none */
};

/* Begins with the boundary of the field Content-Type. 0; -EBADMSG: it is invalid; -ENOMEM.
 * cg__http_multipart_free frees the memory. */
int cg__http_multipart_init(struct cg__http_multipart *form, const char *boundary,
                            size_t limit);
void cg__http_multipart_free(struct cg__http_multipart *form);

/* Parses bytes up to the next event, and stores in *used how many. What an event refers to
 * is valid until the next call. */
enum cg__http_multipart_event cg__http_multipart_parse(struct cg__http_multipart *form,
                                                       const char *bytes, size_t size,
                                                       size_t *used);

#endif
