/* SPDX-License-Identifier: MIT */
/* The files of a site: opened beneath its directory and nowhere else. */
#ifndef EXAMPLES_SITE_H
#define EXAMPLES_SITE_H

#include <stdint.h>

struct site {
    char *path; /* without links; "" for the directory "/" */
    int fd;
};

struct site_file {
    int fd; /* the caller closes it */
    int64_t size;
    const char *type; /* by its extension: "text/html; charset=utf-8" */
};

/* Opens a site, to be closed. 0 or -errno. */
int site_open(struct site *site, const char *directory);
void site_close(struct site *site);

/* Opens the file of a decoded path ("/" is "/index.html") that begins with a slash. 0,
 * or the HTTP status that says why not: 301 (a directory: the path lacks a slash), 403,
 * 404, 500, 503. */
int site_find(const struct site *site, const char *path, struct site_file *file);

#endif
