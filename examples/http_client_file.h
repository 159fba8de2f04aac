/* SPDX-License-Identifier: MIT */
/* The output of http_client: standard output, one file for all URLs, or a file for each;
 * and how to continue a file that an earlier run has left incomplete. */
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
    bool shared;      /* all transfers write to this output */
    bool keeps_tag;   /* NAME.etag has the page's strong tag while the file is partial */
    FILE *file;       /* while it is open */
    int64_t from;     /* bytes that the file had before */
    int64_t modified; /* when it was changed last, in seconds since 1970 */
    char date[CG_HTTP_DATE_SIZE]; /* the same, in HTTP's format */
    char range[32];
    char tag[TAG_SIZE]; /* of the page of which the file has a part; "": unknown */
    /* For the progress line. */
    bool active;
    int64_t length, received; /* length -1: unknown */
};

/* out_name: one file for all; NULL: standard output. own_names: a file for each, named as
 * in its URL. alone: no other transfer writes to out_name. */
void transfer_init(struct transfer *transfer, int number, const char *url,
                   const char *out_name, bool own_names, bool alone);
void transfers_free(struct transfer *transfers, int count);

/* Asks for the missing part, if the file exists: fills in at most two header fields. The
 * server should send that part only if the page has not changed. If an earlier run has
 * kept a strong entity tag in NAME.etag, If-Range asks for that; otherwise the date of the
 * file is compared, which file_close has set to that of the page. */
void file_resume(struct transfer *transfer, struct cg_http_field *fields);

/* Whether the response says that the page has changed, so that all of it must be
 * fetched. */
bool file_has_changed(const struct transfer *transfer, struct cg_http_reply *reply);

/* Whether a 416 means that nothing is missing. */
bool file_is_complete(const struct transfer *transfer, struct cg_http_reply *reply);

/* Finds where in the file the response belongs. Returns NULL, or what is wrong with it. */
const char *file_position(struct transfer *transfer, struct cg_http_reply *reply);

/* Opens the file, when there is something to write: if the connection is refused, an old
 * file stays as it is. This and the functions below return 0 or -errno. */
ssize_t file_open(struct transfer *transfer, struct cg_http_reply *reply);
ssize_t file_write(struct transfer *transfer, const void *data, size_t size);
/* whole: the body was read to its end. */
ssize_t file_close(struct transfer *transfer, struct cg_http_reply *reply, bool whole);

#endif
