/* SPDX-License-Identifier: MIT */
/* See h2_raw.h. */
#include "config.h"

#include "tests/http/http2/h2_raw.h"

#include <string.h>

static uint32_t word(const unsigned char *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void note_on_stream(struct raw *raw, const unsigned char *frame, size_t len)
{
    uint32_t id = word(frame + 5);
    bool end = frame[4] & END_STREAM;

    if (id >= RAW_STREAMS)
        return;
    switch (frame[3]) {
    case HEADERS:
        if (!raw->at[id].head) /* else trailers */
            raw->at[id].first = frame[9];
        raw->at[id].head = true;
        raw->at[id].end |= end;
        break;
    case DATA:
        raw->at[id].len += len;
        raw->at[id].end |= end;
        if (raw->count < sizeof raw->order)
            raw->order[raw->count] = (unsigned char)id;
        raw->count++;
        break;
    case RST_STREAM:
        raw->at[id].reset = word(frame + 9);
        break;
    default:
        break;
    }
}

static void note(struct raw *raw, const unsigned char *frame, size_t len)
{
    if (frame[3] == GOAWAY)
        raw->goaway = word(frame + 13);
    else if (frame[3] == PING || frame[3] == SETTINGS)
        raw->acked += frame[4] & ACK;
    else if (frame[3] == WINDOW_UPDATE && word(frame + 5) == 0)
        raw->opened += word(frame + 9);
    else
        note_on_stream(raw, frame, len);
}

void raw_connect(struct raw *raw, const char *addr)
{
    memset(raw, 0, sizeof *raw);
    raw->goaway = RAW_NONE;
    for (int i = 0; i < RAW_STREAMS; i++)
        raw->at[i].reset = RAW_NONE;
    OK(cg_yield(cg_connect(addr, &raw->sock)));
}

void raw_open(struct raw *raw, const char *addr, const void *settings, size_t len)
{
    raw_connect(raw, addr);
    raw_bytes(raw, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24);
    raw_send(raw, SETTINGS, 0, 0, settings, len);
}

void raw_close(struct raw *raw)
{
    cg_sock_close(raw->sock);
}

void raw_bytes(struct raw *raw, const void *data, size_t len)
{
    if (!raw->ended && cg_yield(cg_writeall(raw->sock, data, len)) < 0)
        raw->ended = true;
}

void raw_send(struct raw *raw, unsigned type, unsigned flags, uint32_t id, const void *payload,
              size_t len)
{
    static unsigned char frame[9 + RAW_FRAME];
    const unsigned char head[9] = {
        (unsigned char)(len >> 16), (unsigned char)(len >> 8), (unsigned char)len,
        (unsigned char)type,        (unsigned char)flags,      (unsigned char)(id >> 24),
        (unsigned char)(id >> 16),  (unsigned char)(id >> 8),  (unsigned char)id};

    if (len > RAW_FRAME) /* checks of Check allocate, which some tests make fail */
        ck_abort_msg("%zu bytes are too many", len);
    memcpy(frame, head, sizeof head);
    if (len > 0)
        memcpy(frame + 9, payload, len);
    raw_bytes(raw, frame, 9 + len);
}

/* GET, http, authority "x", the path without indexing. */
void raw_get(struct raw *raw, unsigned flags, uint32_t id, const char *path, const void *fields,
             size_t len)
{
    unsigned char head[1024] = "\202\206\001\001x\004";
    size_t path_len = strlen(path);

    head[6] = (unsigned char)path_len;
    memcpy(head + 7, path, path_len);
    if (len > 0)
        memcpy(head + 7 + path_len, fields, len);
    raw_send(raw, HEADERS, flags | END_HEADERS, id, head, 7 + path_len + len);
}

bool raw_once(struct raw *raw)
{
    ssize_t n = raw->ended ? 0
                           : cg_yield(cg_read(raw->sock, raw->in + raw->len,
                                              sizeof raw->in - raw->len,
                                              .timeout = 100 * CG_SECOND));
    size_t from = 0, len;

    if (n <= 0) {
        raw->ended = true;
        return false;
    }
    raw->len += (size_t)n;
    while (raw->len - from >= 9 &&
           (len = word(raw->in + from) >> 8) <= raw->len - from - 9) {
        note(raw, raw->in + from, len);
        from += 9 + len;
    }
    memmove(raw->in, raw->in + from, raw->len -= from);
    return true;
}

static void sync_once(struct raw *raw)
{
    unsigned acked = raw->acked;

    raw_send(raw, PING, 0, 0, "12345678", 8);
    while (raw->acked == acked && raw_once(raw))
        ;
}

/* Three times: the acknowledgement of SETTINGS may have been on its way, and that of a PING
 * overtakes other frames. */
void raw_sync(struct raw *raw)
{
    for (int i = 0; i < 3; i++)
        sync_once(raw);
}

int64_t raw_to_end(struct raw *raw)
{
    while (raw_once(raw))
        ;
    return raw->goaway;
}
