/* SPDX-License-Identifier: MIT */
/* Hashes for tables whose entries may come from an attacker. Each table has a random key.
 * Who does not know it cannot tell which entries share a bucket, and so cannot fill one
 * bucket on purpose. The upper bits of a hash are the best ones: a table of 2^n buckets
 * uses hash >> (64 - n). */
#ifndef COGEN_LIB_BASE_HASH_H
#define COGEN_LIB_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

struct cg__hash_key {
    uint64_t word[3];
    uint64_t bytes[2];
};

/* Fills a key with random bits from the kernel. */
void cg__hash_key_init(struct cg__hash_key *key);

/* SipHash-1-3. */
uint64_t cg__hash_bytes(const struct cg__hash_key *key, const void *data, size_t size);

/* The product of two words: its upper half xor its lower half. */
#ifdef __SIZEOF_INT128__
static inline uint64_t cg__hash_fold(uint64_t a, uint64_t b)
{
    __extension__ unsigned __int128 product = (unsigned __int128)a * b;

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}
#else
static inline uint64_t cg__hash_fold(uint64_t a, uint64_t b)
{
    uint64_t a0 = (uint32_t)a, a1 = a >> 32, b0 = (uint32_t)b, b1 = b >> 32;
    uint64_t low = a0 * b0, middle = a1 * b0 + (low >> 32);
    uint64_t other = a0 * b1 + (uint32_t)middle;

    return a * b ^ (a1 * b1 + (middle >> 32) + (other >> 32));
}
#endif

/* Hashes an integer or a pointer that no stranger chooses: there is no key. */
static inline uint64_t cg__hash_own(uint64_t word)
{
    return cg__hash_fold(word, UINT64_C(0x9e3779b97f4a7c15));
}

/* Hashes an integer or a pointer. The last multiplication, by an odd random number,
 * spreads any set of different words evenly, on average over all odd numbers
 * (Dietzfelbinger et al., 1997). Alone it would be bad for arithmetic progressions (as
 * of pointers into an array) with one multiplier in ten, so the fold breaks these up
 * first. */
static inline uint64_t cg__hash_word(const struct cg__hash_key *key, uint64_t word)
{
    return cg__hash_fold(word ^ key->word[0], key->word[1]) * key->word[2];
}

#endif
