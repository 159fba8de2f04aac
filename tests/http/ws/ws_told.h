/* SPDX-License-Identifier: MIT */
/* Frames of WebSocket as text, for tests. A frame is a letter, and behind a colon its payload,
 * in which %xx is a byte:
 *
 *     T:hello B: C:rest    a text, a binary message, a continuation; each with FIN
 *     t:hel b: c:          the same without FIN
 *     P:x O:x              a ping, a pong
 *     X X:1000 X:1000:bye  a Close: empty, with a code, with a reason too
 *     T*65536              so many times the letter "a"
 *     Z:%f2%48             a compressed text (RSV1); z: without FIN
 *     #8180                plain bytes, in hexadecimal digits
 */
#ifndef COGEN_TESTS_HTTP_WS_WS_TOLD_H
#define COGEN_TESTS_HTTP_WS_WS_TOLD_H

#include "tests/support/support.h"

enum { WS_BYTES = 300 * 1024 };

/* Writes the frames of a text into bytes, masked or not; returns their length. */
size_t ws_frames(const char *text, bool masked, uint8_t *bytes);

/* Describes frames as text; "?" and the rest in digits if they are invalid. Reasons of a Close
 * are left out. */
const char *ws_told(const uint8_t *bytes, size_t len);

#endif
