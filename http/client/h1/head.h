/* SPDX-License-Identifier: MIT */
/* The head of a response. */
#ifndef COGEN_HTTP_CLIENT_H1_HEAD_H
#define COGEN_HTTP_CLIENT_H1_HEAD_H

#include "http/client/client.h"

/* Reads the next head of HTTP/1.1: see struct cg__carrier. */
ssize_t cg__http_client_h1_head_read(struct cg_http_reply *reply, const char *method,
                                     int64_t timeout, char *why);

/* The error for a head or body that the parser has refused, with a message. */
ssize_t cg__http_client_h1_head_refused(const struct cg__http_parser *parser, char *why);

#endif
