/* SPDX-License-Identifier: MIT */
/* A server of static files, and requests for them, by HTTP/1.1 or HTTP/2. */
#ifndef COGEN_TESTS_HTTP_FILES_FILES_ASK_H
#define COGEN_TESTS_HTTP_FILES_FILES_ASK_H

#include <cogen/http_server.h>

#include "tests/support/support.h"

/* Makes a folder with files, links and a secret that lies beside what is served: `path` gets the
 * latter's. */
void files_make_root(char *path, size_t size);
void files_remove_root(void);

/* Puts a file or a folder into the folder; what is served is in "www". */
void files_put(const char *name, const char *text);
void files_put_folder(const char *name);

/* Sets when one of its files was changed, in seconds since 1970. */
void files_date(const char *name, time_t moment);

/* Serves a path while check runs. */
void files_serve(cg_fn *check, const char *path, const struct cg_http_files_options *options);

/* Serves such a folder while check runs. Returns 0. */
ssize_t files_with(cg_fn *check, const struct cg_http_files_options *options);

/* The response to the last request. */
extern char got[256 * 1024];

/* Requests a path with further fields. Returns the status. */
int ask(const char *method, const char *path, const char *fields);
int get(const char *path);

/* The body of the response; one of its fields, of which each call has a buffer of its own. */
const char *body(void);
const char *field(const char *name);

#endif
