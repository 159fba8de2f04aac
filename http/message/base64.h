/* SPDX-License-Identifier: MIT */
/* Base64 (RFC 4648, 4). */
#ifndef COGEN_HTTP_MESSAGE_BASE64_H
#define COGEN_HTTP_MESSAGE_BASE64_H

#include <stddef.h>

/* The length of so many bytes when they are encoded, without a NUL. */
#define CG__BASE64_LEN(len) (((len) + 2) / 3 * 4)

/* Encodes bytes and appends a NUL; returns the end of the text. */
char *cg__http_base64_encode(char *to, const void *data, size_t len);

#endif
