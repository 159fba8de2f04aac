/* SPDX-License-Identifier: MIT */
/* The body that http_client -T sends: a file, or what is typed while the response is printed. */
#ifndef EXAMPLES_HTTP_CLIENT_UPLOAD_H
#define EXAMPLES_HTTP_CLIENT_UPLOAD_H

#include <cogen/http_client.h>

/* Opens a file; "-": standard input. 0 or -errno. */
int upload_open(const char *name);
void upload_close(void);

/* Whether it is standard input, or another file without a length: each request would take a part
 * of it. */
bool upload_is_stream(void);

/* Adds the file, if one is open, to a request as its body. */
void upload_add(struct cg_http_fetch *fetch);

#endif
