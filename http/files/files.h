/* SPDX-License-Identifier: MIT */
/* Static files: what their sources share. */
#ifndef COGEN_HTTP_FILES_FILES_H
#define COGEN_HTTP_FILES_FILES_H

#include <sys/stat.h>

#include "http/server/server.h"

struct cg_http_files {
    struct cg_http_files_options options;
    int root;
    uint64_t tree; /* the number of this object; an address may come again */
};

/* Opens a path beneath a directory. Links may stay inside; -EXDEV: the path leads out of
 * the directory. Never waits for a FIFO. Returns a descriptor or -errno. files_open.c */
int cg__http_files_open_beneath(int root, const char *path);

/* Like cg__http_files_open_beneath, without openat2: no link is followed. */
int cg__http_files_open_steps(int root, const char *path);

/* The status of the response to an error of opening. */
int cg__http_files_status_of(int error);

/* The Content-Type for a file name. mime.c */
const char *cg__http_mime(const char *path);

/* Responds with a page that lists an open directory. files_list.c */
ssize_t cg__http_files_list(struct cg_http_request *req,
                            const struct cg_http_files *files, const char *path,
                            int directory);

enum cg__http_range { CG__HTTP_WHOLE, CG__HTTP_PART, CG__HTTP_NO_PART };

/* Applies a Range field to a file of this size; a part is stored in *first and *length.
 * Several ranges or an invalid field mean the whole file. conditions.c */
enum cg__http_range cg__http_conditions_range(const char *range, uint64_t size,
                                              uint64_t *first, uint64_t *length);

/* The value of a field that a request may have once; NULL: it has none, or several lines of it. No
 * two recipients would agree on one of those, so they are ignored like an invalid value. */
const char *cg__http_conditions_only(const struct cg_http_request *req, const char *field);

/* Evaluates the conditions of a request: 0, 304 or 412. *range: whether If-Range allows a
 * range. */
int cg__http_conditions(const struct cg_http_request *req, const char *etag, time_t modified,
                        bool *range);

#endif
