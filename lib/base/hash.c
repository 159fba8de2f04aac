/* SPDX-License-Identifier: MIT */
/* SipHash (Aumasson and Bernstein, 2012) with one round for each 8 bytes and three at the
 * end, as in Rust and Python; and random keys. */
#include "config.h"

#include "lib/base/hash.h"
#include "lib/base/random.h"

#include <string.h>
#include <time.h>

static inline uint64_t rotate(uint64_t x, int n)
{
    return x << n | x >> (64 - n);
}

static inline void sip_round(uint64_t v[static 4])
{
    v[0] += v[1];
    v[2] += v[3];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] = rotate(v[0], 32) + v[3];
    v[2] += v[1];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

/* 4 or 8 bytes, the least significant first. */
static inline uint64_t half_at(const unsigned char *at)
{
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static inline uint64_t word_at(const unsigned char *at)
{
    return half_at(at) | half_at(at + 4) << 32;
}

/* Less than 8 bytes, without a loop: the reads may overlap, but a byte that is read twice
 * goes to the same place of the result. */
static inline uint64_t rest_at(const unsigned char *at, size_t size)
{
    if (size >= 4)
        return half_at(at) | half_at(at + size - 4) << 8 * (size - 4);
    if (size == 0)
        return 0;
    return at[0] | (uint64_t)at[size / 2] << 8 * (size / 2) |
           (uint64_t)at[size - 1] << 8 * (size - 1);
}

static inline void absorb(uint64_t v[static 4], uint64_t word)
{
    v[3] ^= word;
    sip_round(v);
    v[0] ^= word;
}

uint64_t cg__hash_bytes(const struct cg__hash_key *key, const void *data, size_t size)
{
    const unsigned char *at = data;
    uint64_t v[4] = {
        key->bytes[0] ^ UINT64_C(0x736f6d6570736575),
        key->bytes[1] ^ UINT64_C(0x646f72616e646f6d),
        key->bytes[0] ^ UINT64_C(0x6c7967656e657261),
        key->bytes[1] ^ UINT64_C(0x7465646279746573),
    };

    for (size_t left = size; left >= 8; left -= 8, at += 8)
        absorb(v, word_at(at));
    absorb(v, rest_at(at, size & 7) | (uint64_t)size << 56);
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* Fills a key when the kernel gives no random bits (an old kernel, or a seccomp filter),
 * from what an attacker cannot read: addresses of this process, and its clock. */
static void improvise(struct cg__hash_key *key)
{
    struct cg__hash_key seed = {.bytes = {(uintptr_t)key, (uintptr_t)&seed}};
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    for (size_t i = 0; i < sizeof *key / 8; i++) {
        uint64_t text[] = {i, (uint64_t)now.tv_sec, (uint64_t)now.tv_nsec,
                           (uintptr_t)cg__hash_key_init};
        uint64_t word = cg__hash_bytes(&seed, text, sizeof text);

        memcpy((char *)key + 8 * i, &word, sizeof word);
    }
}

void cg__hash_key_init(struct cg__hash_key *key)
{
    if (getentropy(key, sizeof *key) < 0)
        improvise(key);
    key->word[1] |= 1;
    key->word[2] |= 1;
}
