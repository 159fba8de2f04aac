/* SPDX-License-Identifier: MIT */
/* The DNS messages of simulated worlds: one question about the addresses of a host, and its
 * answer (RFC 1035). */
#ifndef COGEN_SOCKETS_NAMES_NAMES_MESSAGE_H
#define COGEN_SOCKETS_NAMES_NAMES_MESSAGE_H

#include <cogen/resolve.h>

enum {
    CG__NAMES_SIZE = 1232, /* of the longest message */
    CG__NAMES_A = 1,       /* types of records */
    CG__NAMES_AAAA = 28,
};

enum cg__names_code { CG__NAMES_FINE, CG__NAMES_FAILED = 2, CG__NAMES_UNKNOWN = 3 };

struct cg__names_question {
    uint16_t id;
    uint16_t type;
    char host[CG_HOST_SIZE];
};

struct cg__names_answer {
    enum cg__names_code code;
    uint32_t ttl; /* seconds */
    struct cg_addr_list addrs; /* of the question's type, with port 0 */
};

/* Each writes a message and returns its length. 0: the host is no name of DNS. */
size_t cg__names_message_ask(unsigned char buf[static CG__NAMES_SIZE],
                             const struct cg__names_question *question);
size_t cg__names_message_answer(unsigned char buf[static CG__NAMES_SIZE],
                                const struct cg__names_question *question,
                                const struct cg__names_answer *answer);

/* Each returns whether the message is one. The answer must have the same question. Records of
 * other types are passed over. */
bool cg__names_message_read(const unsigned char *buf, size_t len,
                            struct cg__names_question *question);
bool cg__names_message_read_answer(const unsigned char *buf, size_t len,
                                   const struct cg__names_question *question,
                                   struct cg__names_answer *answer);

#endif
