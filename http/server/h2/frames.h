/* SPDX-License-Identifier: MIT */
/* Finds the frames in the bytes that come, and charges for them: nghttp2 ignores some of them
 * without a callback. */
#ifndef COGEN_HTTP_SERVER_H2_FRAMES_H
#define COGEN_HTTP_SERVER_H2_FRAMES_H

#include "http/server/h2/h2.h"

/* Call this before a connection's first bytes. */
void cg__http_h2_frames_begin(struct cg__http_h2 *h2);

/* Call this with all bytes, before nghttp2 gets them. Takes at most CG__HTTP_H2_SLICE frames, and
 * returns how many bytes nghttp2 is to get now. If the client sends on a stream that it has ended,
 * the connection ends (RFC 9113, 5.1). */
size_t cg__http_h2_frames_come(struct cg__http_h2 *h2, const char *data, size_t len);

/* Both ends have ended the stream, or the client has reset it. */
void cg__http_h2_frames_over(struct cg__http_h2 *h2, int32_t id);

#endif
