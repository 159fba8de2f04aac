/* SPDX-License-Identifier: MIT */
/* The words that tell why a request failed. */
#ifndef COGEN_HTTP_CLIENT_CLIENT_WHY_H
#define COGEN_HTTP_CLIENT_CLIENT_WHY_H

#include <sys/types.h>

/* Puts a failure into words, which are printable ASCII, and answers its code. why may be
 * NULL, or among the arguments. */
__attribute__((format(printf, 3, 4))) ssize_t
cg__http_client_because(char *why, ssize_t code, const char *format, ...);

#endif
