/* SPDX-License-Identifier: MIT */
/* Layers around handlers. */
#ifndef COGEN_HTTP_SERVER_LAYER_H
#define COGEN_HTTP_SERVER_LAYER_H

#include "http/server/server.h"

/* Calls the server's layers and the handler of the request, or responds to a path that is
 * not mounted. Returns what they return. Yields. */
ssize_t cg__http_layer_handle(struct cg_http_request *req);

#endif
