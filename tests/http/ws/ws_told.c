/* SPDX-License-Identifier: MIT */
/* Writes and reads frames of WebSocket for tests, on its own, so that it shares no mistake with
 * the library. */
#include "tests/http/ws/ws_told.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint8_t payload[WS_BYTES];

static unsigned hex(const char *at)
{
    char digits[3] = {at[0], at[1], '\0'};

    return (unsigned)strtoul(digits, NULL, 16);
}

/* The payload of a word behind its letter. */
static size_t payload_of(const char *word, size_t size)
{
    size_t len = 0, i = 1;

    if (size > 1 && word[1] == '*') {
        len = strtoul(word + 2, NULL, 10);
        memset(payload, 'a', len);
        return len;
    }
    if (*word == 'X' && size > 1) {
        unsigned long code = strtoul(word + 2, NULL, 10);

        payload[len++] = (uint8_t)(code >> 8);
        payload[len++] = (uint8_t)code;
        i = 2 + strspn(word + 2, "0123456789");
    }
    for (i++; i < size; i++) {
        bool coded = word[i] == '%';

        payload[len++] = (uint8_t)(coded ? hex(word + i + 1) : (unsigned char)word[i]);
        i += coded ? 2 : 0;
    }
    return len;
}

static size_t frame(uint8_t *to, unsigned first, size_t len, bool masked)
{
    static const uint8_t mask[4] = {0x12, 0xfe, 0x00, 0x80};
    size_t n = 0;

    to[n++] = (uint8_t)first;
    to[n++] = (uint8_t)((masked ? 0x80 : 0) | (len < 126 ? len : len < 65536 ? 126 : 127));
    if (len >= 65536)
        for (int i = 7; i >= 0; i--)
            to[n++] = (uint8_t)((uint64_t)len >> 8 * i);
    else if (len >= 126)
        to[n++] = (uint8_t)(len >> 8), to[n++] = (uint8_t)len;
    for (int i = 0; i < 4 && masked; i++)
        to[n++] = mask[i];
    for (size_t i = 0; i < len; i++)
        to[n++] = (uint8_t)(payload[i] ^ (masked ? mask[i % 4] : 0));
    return n;
}

size_t ws_frames(const char *text, bool masked, uint8_t *bytes)
{
    static const char letters[] = "cCtTbBzZPOX";
    static const uint8_t firsts[] = {0x00, 0x80, 0x01, 0x81, 0x02, 0x82,
                                     0x41, 0xc1, 0x89, 0x8a, 0x88};
    size_t n = 0;

    while (*(text += strspn(text, " ")) != '\0') {
        size_t size = strcspn(text, " ");
        const char *letter = strchr(letters, *text);

        if (*text == '#')
            for (size_t i = 1; i < size; i += 2)
                bytes[n++] = (uint8_t)hex(text + i);
        else
            n += frame(bytes + n, firsts[letter - letters], payload_of(text, size), masked);
        text += size;
    }
    return n;
}

static char said[WS_BYTES];

static size_t say_payload(size_t at, const uint8_t *data, size_t len)
{
    size_t equal = 0;

    while (equal < len && data[equal] == 'a')
        equal++;
    if (len > 20 && equal == len)
        return at + (size_t)snprintf(said + at, sizeof said - at, "*%zu", len);
    said[at++] = ':';
    for (size_t i = 0; i < len && at + 4 < sizeof said; i++)
        at += (size_t)snprintf(said + at, 4, data[i] > ' ' && data[i] < 127 ? "%c" : "%%%02x",
                               data[i]);
    return at;
}

static char letter_of(uint8_t first)
{
    switch (first) {
    case 0x81: return 'T';
    case 0x82: return 'B';
    case 0x88: return 'X';
    case 0x89: return 'P';
    case 0x8a: return 'O';
    case 0xc1: return 'Z';
    default: return '?';
    }
}

const char *ws_told(const uint8_t *bytes, size_t len)
{
    size_t at = 0, i = 0;

    said[0] = '\0';
    while (i + 2 <= len) {
        uint64_t size = bytes[i + 1] & 0x7f;
        bool masked = bytes[i + 1] & 0x80;
        unsigned more = size == 126 ? 2 : size == 127 ? 8 : 0;
        const uint8_t *data = bytes + i + 2 + more + (masked ? 4 : 0);

        for (unsigned k = 0; k < more && k == 0; k++)
            size = 0;
        for (unsigned k = 0; k < more; k++)
            size = size << 8 | bytes[i + 2 + k];
        ck_assert_msg(size <= len - (size_t)(data - bytes), "a frame is cut off: %s", said);
        for (size_t k = 0; k < size; k++)
            payload[k] = (uint8_t)(data[k] ^ (masked ? data[(int)(k % 4) - 4] : 0));
        said[at++] = letter_of(bytes[i]);
        if (bytes[i] == 0x88 && size >= 2)
            at += (size_t)snprintf(said + at, 16, ":%u", payload[0] << 8 | payload[1]);
        else if (bytes[i] != 0x88)
            at = say_payload(at, payload, size);
        i = (size_t)(data - bytes) + size;
        said[at++] = ' ';
    }
    ck_assert_msg(i == len, "half a head at the end");
    said[at > 0 ? at - 1 : 0] = '\0';
    return said;
}
