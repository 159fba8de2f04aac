/* SPDX-License-Identifier: MIT */
/* How much work a client may cause without progress: one token bucket for all kinds of it. */
#ifndef COGEN_HTTP_SERVER_H2_BUDGET_H
#define COGEN_HTTP_SERVER_H2_BUDGET_H

#include "http/server/h2/h2.h"

/* A frame has begun. It costs a token, unless it is part of a request that is being served:
 * what opens a stream, or brings bytes or the end of one. A reset costs as many as a stream
 * that was begun in vain (CG__HTTP_H2_RESET). A client that overdraws the bucket is told to
 * calm down, and the connection ends. */
void cg__http_h2_budget_frame(struct cg__http_h2 *h2, const nghttp2_frame_hd *hd);

/* Work that no frame has announced. */
void cg__http_h2_budget_charge(struct cg__http_h2 *h2, unsigned cost);

/* A frame of a response has been sent: the client may send windows for its bytes, and a few
 * frames beside each response. */
void cg__http_h2_budget_sent(struct cg__http_h2 *h2, const nghttp2_frame_hd *hd);

#endif
