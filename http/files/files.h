/* SPDX-License-Identifier: MIT */
/* Static files: what the handler shares with the files that open, list and name them. */
#ifndef COGEN_HTTP_FILES_FILES_H
#define COGEN_HTTP_FILES_FILES_H

#include <sys/stat.h>

#include "http/server/server.h"

struct cg_http_files {
    struct cg_http_files_options options;
    int root;
};

/* Opens a path beneath a directory, whatever links there are; never waits for a FIFO. A
 * descriptor or -errno: -EXDEV if it would lead out. files_open.c */
int cg__http_files_open_beneath(int root, const char *path);

/* The same without the kernel's help: no link is followed. */
int cg__http_files_open_steps(int root, const char *path);

/* The status that fits an error of opening. */
int cg__http_files_status_of(int error);

/* The Content-Type of a file's name. mime.c */
const char *cg__http_mime(const char *path);

/* Answers with a list of a directory, which is open already. files_list.c */
ssize_t cg__http_files_list(struct cg_http_request *req,
                            const struct cg_http_files *files, const char *path,
                            int directory);

enum cg__http_range { CG__HTTP_WHOLE, CG__HTTP_PART, CG__HTTP_NO_PART };

/* A Range field against a size: a part is put into *first and *length. What is not one
 * plain range means the whole. conditions.c */
enum cg__http_range cg__http_conditions_range(const char *range, uint64_t size,
                                              uint64_t *first, uint64_t *length);

/* 0, or 304 or 412 as the request's conditions say; *range: whether If-Range lets a Range
 * be. */
int cg__http_conditions(const struct cg_http_request *req, const char *etag, time_t modified,
                        bool *range);

#endif
