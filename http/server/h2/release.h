/* SPDX-License-Identifier: MIT */
/* The end of what uses a stream: its handler, and the socket that the handler was given. */
#ifndef COGEN_HTTP_SERVER_H2_RELEASE_H
#define COGEN_HTTP_SERVER_H2_RELEASE_H

#include "http/server/h2/h2.h"

/* Its handler (`runs` is false) or its tunnel (`tunnel` is NULL) does not use the stream any
 * more. */
void cg__http_h2_release(struct cg__http_h2_stream *stream);

#endif
