/* SPDX-License-Identifier: MIT */
/* Hosts, in the form in which certificates and SNI have them. */
#ifndef COGEN_TLS_HOST_H
#define COGEN_TLS_HOST_H

#include <stdbool.h>
#include <stddef.h>

enum { CG__TLS_HOST_SIZE = 254 }; /* the longest name of DNS, with its NUL */

struct cg__tls_host {
    char text[CG__TLS_HOST_SIZE];
    unsigned char address[16]; /* in network order */
    size_t address_size;       /* 0: it is a name */
};

/* Takes a name, without the dot at its end, or an address, without its zone. NULL: done;
 * otherwise what is wrong, in words. */
const char *cg__tls_host_parse(const char *text, struct cg__tls_host *host);

#endif
