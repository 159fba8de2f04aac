/* SPDX-License-Identifier: MIT */
/* Messages of failed requests. */
#ifndef COGEN_HTTP_CLIENT_CLIENT_WHY_H
#define COGEN_HTTP_CLIENT_CLIENT_WHY_H

#include <sys/types.h>

/* Formats the message of a failure into why, as printable ASCII, and returns the code.
 * why has CG_HTTP_WHY_SIZE bytes; it may be NULL, or one of the arguments. */
__attribute__((format(printf, 3, 4))) ssize_t
cg__http_client_because(char *why, ssize_t code, const char *format, ...);

#endif
