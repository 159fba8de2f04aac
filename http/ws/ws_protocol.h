/* SPDX-License-Identifier: MIT */
/* Subprotocols, and other lists with commas. */
#ifndef COGEN_HTTP_WS_WS_PROTOCOL_H
#define COGEN_HTTP_WS_WS_PROTOCOL_H

#include "http/ws/ws.h"

enum { CG__WS_PROTOCOL = 128 }; /* size of a subprotocol's name */

/* Whether a list has an element, which is compared as it stands. */
bool cg__http_ws_protocol_has(const char *list, const char *element, size_t len);

/* Whether the options are valid: window_bits, and a list of tokens in protocol. */
bool cg__http_ws_protocol_are_valid(const struct cg_ws_options *options);

/* The first of our subprotocols that the fields of a client offer. False: none. */
bool cg__http_ws_protocol_choose(const struct cg_http_headers *headers, const char *ours,
                                 char protocol[CG__WS_PROTOCOL]);

#endif
