/* SPDX-License-Identifier: MIT */
/* The cookies of http_client: the options -b and -c, as curl has them. */
#ifndef EXAMPLES_HTTP_CLIENT_COOKIES_H
#define EXAMPLES_HTTP_CLIENT_COOKIES_H

#include <cogen/http_jar.h>

/* The jar; NULL: neither option was given. */
extern struct cg_http_jar *cookies_jar;

/* Makes the jar, unless it is there. Ends the program if there is no memory. */
void cookies_use(void);

/* Reads the cookies of a file, and warns of lines that are not a cookie. A file that does not
 * exist is empty. */
void cookies_load(const char *path);

/* Writes the jar to a file ("-": stdout; NULL: none), and frees it. Returns 0 or a negative
 * code. */
int cookies_end(const char *path);

#endif
