/* SPDX-License-Identifier: MIT */
/* Which content coding a client prefers. */
#ifndef COGEN_HTTP_CODING_ACCEPT_ENCODING_H
#define COGEN_HTTP_CODING_ACCEPT_ENCODING_H

#include "http/coding/coding.h"
#include "http/message/message.h"

/* Returns the coding that the client prefers, by the Accept-Encoding in its header fields: among
 * those of a list, the first one if it weighs several the same. The list ends with
 * CG__HTTP_IDENTITY, which is returned if none is accepted, or it is preferred to them. */
enum cg__http_coding cg__http_accept_encoding(const struct cg_http_headers *fields,
                                              const enum cg__http_coding *among);

#endif
