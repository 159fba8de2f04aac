/* SPDX-License-Identifier: MIT */
/* Sec-WebSocket-Key and Sec-WebSocket-Accept, by which both sides of a handshake show that
 * they mean WebSocket. */
#ifndef COGEN_HTTP_MESSAGE_WS_KEY_H
#define COGEN_HTTP_MESSAGE_WS_KEY_H

#include <stdbool.h>

enum {
    CG__WS_KEY = 24 + 1,    /* size of a key, with its NUL */
    CG__WS_ACCEPT = 28 + 1, /* size of the answer */
};

/* Makes a random key. 0 or -errno: no entropy. */
int cg__http_ws_key_new(char key[CG__WS_KEY]);

/* Whether a text is the base64 of 16 bytes. */
bool cg__http_ws_key_is_valid(const char *key);

/* The answer to a valid key. */
void cg__http_ws_key_accept(const char *key, char answer[CG__WS_ACCEPT]);

#endif
