/* SPDX-License-Identifier: MIT */
/* DNS messages, as far as a forwarder must understand them. The C library parses them
 * (arpa/nameser.h). */
#ifndef EXAMPLES_DNS_MESSAGE_H
#define EXAMPLES_DNS_MESSAGE_H

#include <arpa/nameser.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    DNS_HEADER = 12,
    DNS_UDP_SIZE = 1232,   /* of a response that we ask for by UDP: no network fragments it */
    DNS_QUESTION_SIZE = 260,
    DNS_QUERY_SIZE = DNS_HEADER + DNS_QUESTION_SIZE + 11, /* of a query that we make */
    DNS_LONGEST = 65535,
    DNS_TTL_MOST = 24 * 60 * 60, /* seconds that a response is remembered at most */
};

/* What a client asks. */
struct dns_query {
    uint16_t id;
    uint16_t type;
    size_t udp_size; /* of the longest response that the client accepts by UDP */
    unsigned char flags; /* RD and CD of the header, and whether it has EDNS and DO: all that
                          * a response depends on, besides the question */
    size_t question_len;
    unsigned char question[DNS_QUESTION_SIZE]; /* as it came: name, type, class */
    char name[NS_MAXDNAME];
};

/* Reads a query. Returns 0; an error for the response (ns_r_formerr, ns_r_notimpl); or -1
 * if the message is not a query and must be ignored. */
int dns_read_query(const unsigned char *message, size_t len, struct dns_query *query);

/* Makes the same query with another id, in a buffer of DNS_QUERY_SIZE. Returns its
 * length. */
size_t dns_make_query(const struct dns_query *query, uint16_t id, unsigned char *message);

/* Whether a message is the response to that query. */
bool dns_is_response(const unsigned char *message, size_t len, const struct dns_query *query,
                     uint16_t id);

bool dns_is_truncated(const unsigned char *message);

/* For how many seconds a response may be remembered; 0: not at all. */
unsigned dns_lifetime(const unsigned char *message, size_t len);

/* Reduces all times to live by the age of a remembered response. */
void dns_age(unsigned char *message, size_t len, unsigned seconds);

/* Gives a response the id of the client's query, and the question as the client has
 * spelled it. */
void dns_adopt(unsigned char *message, const struct dns_query *query);

/* Shortens a response to the length that a client accepts by UDP. The client then asks
 * again by TCP. Returns the length. */
size_t dns_fit(unsigned char *message, size_t len, const struct dns_query *query);

/* Makes a response with an error to a message of at least DNS_HEADER bytes, in a buffer of
 * DNS_QUERY_SIZE. query: what was read of the message, or NULL. Returns the length. */
size_t dns_make_error(const unsigned char *message, const struct dns_query *query, int error,
                      unsigned char *response);

#endif
