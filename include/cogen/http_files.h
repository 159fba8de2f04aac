/* SPDX-License-Identifier: MIT */
/* A handler that serves the files of a directory. See cg_http_files(3).
 *
 *     struct cg_http_files *files;
 *     ...
 *     cg_http_files_open("/srv/www", NULL, &files);
 *     cg_http_server_mount(server, "GET /", cg_http_files_handler, files); */
#ifndef COGEN_HTTP_FILES_H
#define COGEN_HTTP_FILES_H

#include <cogen/http_request.h>

struct cg_http_files;

struct cg_http_files_options {
    bool listing;        /* list directories that have no index.html; false: 403 */
    bool hidden;         /* serve and list names that begin with a dot; false: 404, except
                            what is in /.well-known/ */
    const char *cache;   /* value of Cache-Control; NULL: no such field. Borrowed */
    void *reserved;
};

CG_EXTERN_C_BEGIN

/* Opens a directory whose files cg_http_files_handler serves, with *files as its arg,
 * mounted on a pattern such as "GET /prefix/"; to be closed with cg_http_files_close when no
 * request uses it any more. Returns 0 or -errno. */
CG_API int cg_http_files_open(const char *root, const struct cg_http_files_options *options,
                              struct cg_http_files **files);
CG_API void cg_http_files_close(struct cg_http_files *files);

/* A handler whose arg is a struct cg_http_files: responds with the file that the rest of
 * the path names. It knows conditional requests, ranges, index.html, and compressed
 * siblings. No path leads out of the directory. Replace files by rename(2): a response that is
 * made while a file is written in place may have old and new bytes. Requests that are served in
 * one turn of the scheduler share the open file: one that was sent right behind a change may
 * get the file as it was. */
CG_API ssize_t cg_http_files_handler(struct cg_http_request *req, void *files);

CG_EXTERN_C_END
#endif
