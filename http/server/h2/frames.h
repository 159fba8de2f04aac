/* SPDX-License-Identifier: MIT */
/* The frames that come, as bytes: nghttp2 passes over some without a word. */
#ifndef COGEN_HTTP_SERVER_H2_FRAMES_H
#define COGEN_HTTP_SERVER_H2_FRAMES_H

#include "http/server/h2/h2.h"

/* To be called before a connection's first bytes. */
void cg__http_h2_frames_begin(struct cg__http_h2 *h2);

/* To be called with all bytes, before nghttp2 gets them: a client that goes on with a stream that
 * it has ended loses the connection (RFC 9113, 5.1). */
void cg__http_h2_frames_come(struct cg__http_h2 *h2, const char *data, size_t len);

/* nghttp2 tells of a frame; and it has seen all bytes: frames of which it has told nothing, such
 * as DATA of a closed stream, are charged. */
void cg__http_h2_frames_told(struct cg__http_h2 *h2, const nghttp2_frame_hd *hd);
void cg__http_h2_frames_seen(struct cg__http_h2 *h2);

/* Both ends have ended the stream, or the client has reset it. */
void cg__http_h2_frames_over(struct cg__http_h2 *h2, int32_t id);

#endif
