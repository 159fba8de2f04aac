/* SPDX-License-Identifier: MIT */
/* Where http_client writes: standard output, one file for all, or a file for each; and how
 * a file goes on where an earlier run has left it. */
#ifndef EXAMPLES_HTTP_CLIENT_FILE_H
#define EXAMPLES_HTTP_CLIENT_FILE_H

#include <cogen/http_client.h>

#include <stdio.h>

enum { TAG_SIZE = 256 };

struct transfer {
    const char *url;
    int number;       /* in the order of the command line */
    char *own_name;   /* malloc'd, if it has a file of its own */
    const char *name; /* of the output, for messages */
    bool shared;      /* the output is everybody's */
    bool keeps_tag;   /* NAME.etag has the page's strong tag while the file is partial */
    FILE *file;       /* while it is open */
    int64_t from;     /* bytes that the file had before */
    int64_t modified; /* when it was changed last, in seconds since 1970 */
    char date[CG_HTTP_DATE_SIZE]; /* the same, as HTTP writes it */
    char range[32];
    char tag[TAG_SIZE]; /* the tag of the page whose beginning the file has; "": unknown */
    /* For the line of progress. */
    bool active;
    int64_t length, received; /* length -1: unknown */
};

/* out_name: a file for all; NULL: standard output. own_names: a file each, named as in the
 * URL. alone: no other transfer writes to out_name. */
void transfer_init(struct transfer *transfer, int number, const char *url,
                   const char *out_name, bool own_names, bool alone);
void transfers_free(struct transfer *transfers, int count);

/* Asks for what the file lacks, if there is a file: fills at most two fields. The server
 * should send it only if the page is still the one whose beginning the file has. If-Range
 * says so if an earlier run has kept a strong entity tag in NAME.etag; otherwise the file's
 * date does, which file_close sets to that of the page. */
void file_resume(struct transfer *transfer, struct cg_http_field *fields);

/* Whether the answer says that it is another page by now: all of it is to be asked for. */
bool file_has_changed(const struct transfer *transfer, struct cg_http_reply *reply);

/* Whether a 416 means that nothing is missing. */
bool file_is_complete(const struct transfer *transfer, struct cg_http_reply *reply);

/* Where the answer belongs in the file. NULL, or what is wrong with it. */
const char *file_position(struct transfer *transfer, struct cg_http_reply *reply);

/* Opened when there is something for it: a refused connection leaves an old file alone. All
 * answer 0 or -errno. */
ssize_t file_open(struct transfer *transfer, struct cg_http_reply *reply);
ssize_t file_write(struct transfer *transfer, const void *data, size_t size);
/* whole: the body was read to its end. */
ssize_t file_close(struct transfer *transfer, struct cg_http_reply *reply, bool whole);

#endif
