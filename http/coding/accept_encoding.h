/* SPDX-License-Identifier: MIT */
/* Which content coding a client prefers. */
#ifndef COGEN_HTTP_CODING_ACCEPT_ENCODING_H
#define COGEN_HTTP_CODING_ACCEPT_ENCODING_H

#include "http/coding/compress.h"
#include "http/message/message.h"

/* Returns the coding that the client prefers, by the Accept-Encoding in its header fields,
 * among identity and the available codings. */
enum cg__http_coding cg__http_accept_encoding(const struct cg_http_headers *fields,
                                              bool gzip, bool br);

#endif
