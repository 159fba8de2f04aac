/* SPDX-License-Identifier: MIT */
/* The negotiation of permessage-deflate, by the field Sec-WebSocket-Extensions. */
#ifndef COGEN_HTTP_WS_WS_OFFER_H
#define COGEN_HTTP_WS_WS_OFFER_H

#include <cogen/websocket.h>

#include "http/ws/ws_deflate.h"

enum { CG__WS_OFFER = 160 }; /* size of a field's value */

/* The offer of a client with these options; "": none. */
void cg__http_ws_offer_make(const struct cg_ws_options *options, char value[CG__WS_OFFER]);

/* A server chooses from a client's offers: sets params, and the value of its field; "": none
 * of them is acceptable. */
void cg__http_ws_offer_choose(const struct cg_http_headers *headers,
                              const struct cg_ws_options *options,
                              struct cg__ws_params *params, char value[CG__WS_OFFER]);

/* A client takes the server's choice. False: it is none that the client has offered. */
bool cg__http_ws_offer_take(const struct cg_http_headers *headers,
                            const struct cg_ws_options *options,
                            struct cg__ws_params *params);

#endif
