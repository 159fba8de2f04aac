/* SPDX-License-Identifier: MIT */
/* See h2_speak.h. */
#include "config.h"

#include "tests/http/http2/h2_speak.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct heard *heard_of(struct speaker *speaker, int32_t id)
{
    size_t at = (size_t)(id - 1) / 2;

    if (id <= 0 || at >= SPEAK_STREAMS)
        return NULL;
    if (speaker->heard[at] == NULL)
        speaker->heard[at] = calloc(1, sizeof **speaker->heard);
    return speaker->heard[at];
}

static int header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                  size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                  void *user_data)
{
    struct heard *heard = heard_of(user_data, frame->hd.stream_id);
    size_t used;

    (void)session, (void)flags, (void)name_len, (void)value_len;
    if (heard == NULL)
        return 0;
    used = strlen(heard->fields);
    if (strcmp((const char *)name, ":status") == 0)
        heard->status = atoi((const char *)value);
    snprintf(heard->fields + used, sizeof heard->fields - used, "%s: %s\n", name, value);
    return 0;
}

static int data_chunk(nghttp2_session *session, uint8_t flags, int32_t id,
                      const uint8_t *data, size_t len, void *user_data)
{
    struct heard *heard = heard_of(user_data, id);

    (void)session, (void)flags;
    if (heard != NULL && ((struct speaker *)user_data)->verifies)
        test_verify(data, len, heard->len);
    if (heard != NULL && heard->len + len < sizeof heard->body)
        memcpy(heard->body + heard->len, data, len);
    if (heard != NULL)
        heard->len += len;
    return 0;
}

static int stream_closed(nghttp2_session *session, int32_t id, uint32_t error, void *user_data)
{
    struct heard *heard = heard_of(user_data, id);

    (void)session;
    if (heard != NULL) {
        heard->closed = true;
        heard->error = error;
    }
    return 0;
}

static int frame_came(nghttp2_session *session, const nghttp2_frame *frame, void *user_data)
{
    struct speaker *speaker = user_data;

    (void)session;
    if (frame->hd.type == NGHTTP2_GOAWAY) {
        speaker->goaway = frame->goaway.error_code;
        speaker->goaways++;
    }
    return 0;
}

void speak_open(struct speaker *speaker, const char *addr, uint32_t window)
{
    nghttp2_settings_entry setting = {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, window};
    nghttp2_session_callbacks *callbacks;

    *speaker = (struct speaker){.sock = NULL};
    OK(cg_yield(cg_connect(addr, &speaker->sock)));
    IS(nghttp2_session_callbacks_new(&callbacks), 0);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, data_chunk);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, stream_closed);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, frame_came);
    IS(nghttp2_session_client_new(&speaker->session, callbacks, speaker), 0);
    nghttp2_session_callbacks_del(callbacks);
    IS(nghttp2_submit_settings(speaker->session, NGHTTP2_FLAG_NONE, &setting, window != 0), 0);
}

void speak_close(struct speaker *speaker)
{
    nghttp2_session_del(speaker->session);
    for (int i = 0; i < SPEAK_STREAMS; i++)
        free(speaker->heard[i]);
    cg_sock_close(speaker->sock);
}

static ssize_t give(nghttp2_session *session, int32_t id, uint8_t *buf, size_t size,
                    uint32_t *flags, nghttp2_data_source *source, void *user_data)
{
    struct speaker *speaker = user_data;
    bool open = source->fd != 0;

    (void)session, (void)id;
    if (size > speaker->left)
        size = speaker->left;
    if (size == 0 && open)
        return NGHTTP2_ERR_DEFERRED;
    memcpy(buf, speaker->body, size);
    speaker->body += size;
    speaker->left -= size;
    if (speaker->left == 0 && !open)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)size;
}

static nghttp2_nv pair(const char *name, size_t len, const char *value)
{
    return (nghttp2_nv){(uint8_t *)name, (uint8_t *)value, len, strlen(value), 0};
}

int32_t speak_send(struct speaker *speaker, const nghttp2_nv *fields, size_t count,
                   const char *body, size_t len, bool open)
{
    nghttp2_data_provider provider = {{.fd = open}, give};

    speaker->body = body;
    speaker->left = len;
    return nghttp2_submit_request(speaker->session, NULL, fields, count,
                                  body != NULL || open ? &provider : NULL, NULL);
}

int32_t speak_ask(struct speaker *speaker, const char *method, const char *path,
                  const char *const *fields, const char *body, size_t len, bool open)
{
    nghttp2_nv all[160] = {pair(":method", 7, method), pair(":scheme", 7, "http"),
                           pair(":authority", 10, "x"), pair(":path", 5, path)};
    size_t count = 4;

    for (; fields != NULL && *fields != NULL; fields++) {
        const char *colon = strstr(*fields, ": ");

        all[count++] = pair(*fields, (size_t)(colon - *fields), colon + 2);
    }
    return speak_send(speaker, all, count, body, len, open);
}

static void send_all(struct speaker *speaker)
{
    const uint8_t *data;
    ssize_t len;

    while (!speaker->ended && (len = nghttp2_session_mem_send(speaker->session, &data)) > 0)
        if (cg_yield(cg_writeall(speaker->sock, data, (size_t)len)) < 0)
            speaker->ended = true;
}

bool speak_once(struct speaker *speaker)
{
    uint8_t buf[16 * 1024];
    ssize_t n;

    send_all(speaker);
    n = cg_yield(cg_read(speaker->sock, buf, sizeof buf, .timeout = 100 * CG_SECOND));
    if (n <= 0) {
        speaker->ended = true;
        return false;
    }
    nghttp2_session_mem_recv(speaker->session, buf, (size_t)n);
    send_all(speaker);
    return true;
}

struct heard *speak_hear(struct speaker *speaker, int32_t id)
{
    struct heard *heard = heard_of(speaker, id);

    while (!heard->closed && speak_once(speaker))
        ;
    return heard;
}

void speak_raw(struct speaker *speaker, uint8_t type, uint8_t flags, uint32_t id,
               const void *payload, size_t len)
{
    uint8_t frame[9 + 1024] = {(uint8_t)(len >> 16), (uint8_t)(len >> 8), (uint8_t)len, type,
                               flags, (uint8_t)(id >> 24), (uint8_t)(id >> 16),
                               (uint8_t)(id >> 8), (uint8_t)id};

    send_all(speaker);
    memcpy(frame + 9, payload, len);
    if (!speaker->ended && cg_yield(cg_writeall(speaker->sock, frame, 9 + len)) < 0)
        speaker->ended = true;
}

uint32_t speak_to_end(struct speaker *speaker)
{
    while (speak_once(speaker))
        ;
    return speaker->goaway;
}
