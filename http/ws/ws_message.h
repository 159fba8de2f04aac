/* SPDX-License-Identifier: MIT */
/* Messages, from the pieces that the parser finds. */
#ifndef COGEN_HTTP_WS_WS_MESSAGE_H
#define COGEN_HTTP_WS_WS_MESSAGE_H

#include "http/ws/ws.h"

/* Takes the parser's piece, or the rest of it (ws->pending). Returns 1: ws->message is ready,
 * whole or, with `pieces`, a piece of it; 0: it needs more input; -EMSGSIZE: the limit;
 * -EILSEQ: invalid, with the reason in the parser's why; -ENOMEM. */
int cg__http_ws_message_take(struct cg_ws *ws, bool pieces);

/* Forgets the message that was read last. `idle`: and frees its memory. */
void cg__http_ws_message_forget(struct cg_ws *ws, bool idle);

#endif
