/* SPDX-License-Identifier: MIT */
/* How much work a client may cause without progress: one token bucket for all kinds of it. */
#ifndef COGEN_HTTP_SERVER_H2_BUDGET_H
#define COGEN_HTTP_SERVER_H2_BUDGET_H

#include "http/server/h2/h2.h"

/* Charges for a frame that nghttp2 has not got yet: a token, or nothing if it opens a stream, or
 * brings bytes or the end of a request that is being served. A reset costs as many tokens as a
 * stream that was begun in vain (CG__HTTP_H2_RESET). If the bucket has too few, the connection
 * ends with ENHANCE_YOUR_CALM. */
void cg__http_h2_budget_frame(struct cg__http_h2 *h2, const nghttp2_frame_hd *hd);

/* Charges for other work. */
void cg__http_h2_budget_charge(struct cg__http_h2 *h2, unsigned cost);

/* Gives tokens back for a frame of a response that has been sent: enough for WINDOW_UPDATEs for
 * its bytes, and for a few frames beside each response. */
void cg__http_h2_budget_sent(struct cg__http_h2 *h2, const nghttp2_frame_hd *hd);

/* Ends the connection if too many frames wait to be written: resets are charged when they are
 * sent, which they are not to a client that does not read. */
void cg__http_h2_budget_waiting(struct cg__http_h2 *h2);

#endif
