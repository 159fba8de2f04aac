/* SPDX-License-Identifier: MIT */
/* A bounded cache of responses. */
#ifndef EXAMPLES_DNS_CACHE_H
#define EXAMPLES_DNS_CACHE_H

#include "dns_message.h"

enum {
    DNS_CACHE_MOST = 4096,     /* responses */
    DNS_CACHE_RESPONSE = 4096, /* bytes of a response that is remembered */
};

struct dns_cache;

/* Returns NULL if there is no memory. */
struct dns_cache *dns_cache_new(void);
void dns_cache_free(struct dns_cache *cache);

/* Copies a response, with its remaining times to live, into a buffer of DNS_CACHE_RESPONSE.
 * Returns its length; 0: none is known. now: ns. */
size_t dns_cache_find(const struct dns_cache *cache, const struct dns_query *query,
                      int64_t now, unsigned char *response);

/* Remembers a response, if its times to live allow that. */
void dns_cache_put(struct dns_cache *cache, const struct dns_query *query,
                   const unsigned char *response, size_t len, int64_t now);

#endif
