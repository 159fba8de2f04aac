/* SPDX-License-Identifier: MIT */
/* Host names and addresses in the form that certificates and SNI use. */
#ifndef COGEN_TLS_HOST_H
#define COGEN_TLS_HOST_H

#include <stdbool.h>
#include <stddef.h>

enum { CG__TLS_HOST_SIZE = 254 }; /* the size for the longest DNS name and its NUL */

struct cg__tls_host {
    char text[CG__TLS_HOST_SIZE];
    unsigned char address[16]; /* in network byte order */
    size_t address_len;       /* 0: it is a name */
};

/* Parses a name, without a final dot, or an address, without its zone. Returns NULL, or
 * what is invalid, in words. */
const char *cg__tls_host_parse(const char *text, struct cg__tls_host *host);

#endif
