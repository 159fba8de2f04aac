/* SPDX-License-Identifier: MIT */
/* Reads what c-ares has received. */
#ifndef COGEN_SOCKETS_RESOLVE_CARES_ANSWER_H
#define COGEN_SOCKETS_RESOLVE_CARES_ANSWER_H

#include "sockets/resolve/records.h"

struct ares_addrinfo;

/* What was found. */
struct cg__cares_answer {
    int result;       /* the number of records, or an error */
    int64_t lifetime; /* for how long that may be cached, ns */
    union cg__records records;
};

/* The code of a status of c-ares. */
int cg__cares_code(int status);

/* Each fills in an answer: from what ares_getaddrinfo has found, from a DNS message with
 * the records of a kind, and with the names that the hosts file has for an address. */
void cg__cares_answer_addrs(struct cg__cares_answer *answer, int status,
                            const struct ares_addrinfo *info);
void cg__cares_answer_message(struct cg__cares_answer *answer, enum cg_resolve_kind kind,
                              int status, const unsigned char *message, int len);
void cg__cares_answer_hosts(struct cg__cares_answer *answer, const struct cg_addr *addr);

/* The type that stands for the kind in a DNS message. */
int cg__cares_type(enum cg_resolve_kind kind);

#endif
