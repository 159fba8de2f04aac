/* SPDX-License-Identifier: MIT */
/* Which content coding a client prefers. */
#ifndef COGEN_HTTP_CODING_ACCEPT_ENCODING_H
#define COGEN_HTTP_CODING_ACCEPT_ENCODING_H

#include "http/coding/compress.h"
#include "http/message/message.h"

/* The coding that the Accept-Encoding among these fields of a request prefers, of identity
 * and those that are available. */
enum cg__http_coding cg__http_accept_encoding(const struct cg_http_headers *fields,
                                              bool gzip, bool br);

#endif
