/* SPDX-License-Identifier: MIT */
/* http_client as a terminal for WebSocket: http_client_talk.c. */
#ifndef EXAMPLES_HTTP_CLIENT_TALK_H
#define EXAMPLES_HTTP_CLIENT_TALK_H

#include <cogen/http_client.h>

/* Whether a URL is for a WebSocket. */
bool talk_is_for(const char *url);

/* Connects, sends each line of standard input as a text, and prints each message as a line,
 * until the input or the WebSocket ends. 0; negative, with a message in `why`
 * (CG_HTTP_WHY_SIZE bytes). */
ssize_t talk_to(struct cg_http_client *client, const char *url,
                const struct cg_http_field *fields, bool verbose, char *why);

#endif
