/* SPDX-License-Identifier: MIT */
/* The answer to a key is the SHA-1 of it and a fixed text. It protects no secret, and the HTTP
 * library does not link OpenSSL, so SHA-1 stands here, for this short input only. */
#include "config.h"

#include "http/message/base64.h"
#include "http/message/ws_key.h"
#include "lib/base/ascii.h"
#include "lib/base/random.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#define GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

enum { BLOCK = 64, DIGEST = 20, NONCE = 16 };

static uint32_t rotate(uint32_t word, unsigned by)
{
    return word << by | word >> (32 - by);
}

static void expand(const uint8_t *block, uint32_t *words)
{
    for (int i = 0; i < 16; i++)
        words[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 |
                   (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
    for (int i = 16; i < 80; i++)
        words[i] = rotate(words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16], 1);
}

static void sha1_block(uint32_t *state, const uint8_t *block)
{
    uint32_t words[80], a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];

    expand(block, words);
    for (int i = 0; i < 80; i++) {
        uint32_t f = i < 20   ? ((b & c) | (~b & d)) + 0x5a827999
                     : i < 40 ? (b ^ c ^ d) + 0x6ed9eba1
                     : i < 60 ? ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc
                              : (b ^ c ^ d) + 0xca62c1d6;
        uint32_t next = rotate(a, 5) + f + e + words[i];

        e = d, d = c, c = rotate(b, 30), b = a, a = next;
    }
    state[0] += a, state[1] += b, state[2] += c, state[3] += d, state[4] += e;
}

/* Of at most two blocks with the padding. */
static void sha1(const char *data, size_t len, uint8_t digest[DIGEST])
{
    uint32_t state[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
    uint8_t blocks[2 * BLOCK] = {0};
    size_t size = len + 9 > BLOCK ? 2 * BLOCK : BLOCK;

    memcpy(blocks, data, len);
    blocks[len] = 0x80;
    blocks[size - 2] = (uint8_t)(len * 8 >> 8);
    blocks[size - 1] = (uint8_t)(len * 8);
    for (size_t at = 0; at < size; at += BLOCK)
        sha1_block(state, blocks + at);
    for (int i = 0; i < DIGEST; i++)
        digest[i] = (uint8_t)(state[i / 4] >> (24 - i % 4 * 8));
}

int cg__http_ws_key_new(char key[CG__WS_KEY])
{
    uint8_t nonce[NONCE];

    if (getentropy(nonce, sizeof nonce) < 0)
        return -errno;
    cg__http_base64_encode(key, nonce, sizeof nonce);
    return 0;
}

/* Sixteen bytes are 22 digits and two signs. The last digit has four bits that no byte needs; a
 * server may ignore them (RFC 4648, 3.5), and does, as others do: they change nothing but the text
 * that is hashed. */
bool cg__http_ws_key_is_valid(const char *key)
{
    if (strlen(key) != CG__WS_KEY - 1 || strcmp(key + 22, "==") != 0)
        return false;
    for (int i = 0; i < 22; i++)
        if (!cg__ascii_is_letter(key[i]) && !cg__ascii_is_digit(key[i]) && key[i] != '+' &&
            key[i] != '/')
            return false;
    return true;
}

void cg__http_ws_key_accept(const char *key, char answer[CG__WS_ACCEPT])
{
    char text[sizeof GUID + CG__WS_KEY];
    uint8_t digest[DIGEST];

    strcpy(stpcpy(text, key), GUID);
    sha1(text, strlen(text), digest);
    cg__http_base64_encode(answer, digest, sizeof digest);
}
