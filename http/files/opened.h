/* SPDX-License-Identifier: MIT */
/* Open files, which the requests of one turn of the scheduler share. */
#ifndef COGEN_HTTP_FILES_OPENED_H
#define COGEN_HTTP_FILES_OPENED_H

#include "http/files/files.h"

enum {
    CG__HTTP_TAG_SIZE = 72,
    CG__HTTP_SMALL_FILE = 15 * 1024, /* a body up to this is read and sent together with its
                                      * head: one system call less than by sendfile, and
                                      * cheaper up to about this size */
};

struct cg__http_opened {
    struct cg__http_opened *next; /* in the table of this turn */
    uint64_t tree;                /* of the struct cg_http_files */
    unsigned users;               /* requests, and the table */
    int fd;                       /* negative: why it could not be opened */
    struct stat st;
    /* Of a regular file: */
    const char *mime;             /* its Content-Type; static */
    char etag[CG__HTTP_TAG_SIZE]; /* of its bytes as they are, with quotes */
    struct cg_http_headers fields; /* of its responses: ETag, Last-Modified and so on */
    bool is_text;
    bool was_read;
    char *bytes; /* of the whole file; NULL: not kept */
    char *head;  /* of a response, for others of this turn; NULL: not kept */
    size_t head_len;
    const struct cg_http_server *server; /* whose requests share it .. */
    uint64_t changes;                    /* .. as long as it has made no change since */
    size_t len;
    char name[]; /* beneath the root; `len` bytes */
};

/* Opens the file whose name is `path` followed by `ending`, or finds it among those that were
 * opened in this turn, and since the server's last request that may have changed one. It may be
 * used until cg__http_opened_put; its file position is shared, too. 0 or -errno. */
int cg__http_opened_get(struct cg_http_server *server, const struct cg_http_files *files,
                        const char *path, const char *ending, struct cg__http_opened **opened);

/* Reads a part of at most CG__HTTP_SMALL_FILE bytes, of which the first is at `first`. 0, or
 * -errno, or CG_EOF: the file has become shorter. */
int cg__http_opened_read(struct cg__http_opened *opened, char *to, size_t size, uint64_t first);

/* NULL is ignored. */
void cg__http_opened_put(struct cg__http_opened *opened);

#endif
