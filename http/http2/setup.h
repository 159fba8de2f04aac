/* SPDX-License-Identifier: MIT */
/* How sessions of nghttp2 are made: what the server and the client have in common. */
#ifndef COGEN_HTTP_HTTP2_SETUP_H
#define COGEN_HTTP_HTTP2_SETUP_H

#include "http/http2/blocks.h"

#include <nghttp2/nghttp2.h>
#include <stdint.h>

/* The priorities of RFC 9218, which nghttp2 has since 1.50: with the setting, it reads the field
 * Priority and PRIORITY_UPDATE, and sends in their order. Earlier ones follow RFC 7540. */
#ifdef HAVE_NGHTTP2_SESSION_CHANGE_EXTPRI_STREAM_PRIORITY
#define CG__HTTP2_PRIORITIES {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
#else
#define CG__HTTP2_PRIORITIES
#endif

/* nghttp2_session_server_new3 or nghttp2_session_client_new3. */
typedef int cg__http2_new(nghttp2_session **session,
                          const nghttp2_session_callbacks *callbacks, void *user_data,
                          const nghttp2_option *option, nghttp2_mem *memory);

struct cg__http2_setup {
    cg__http2_new *make;
    void (*set_callbacks)(nghttp2_session_callbacks *callbacks);
    void (*set_option)(nghttp2_option *option, void *user_data);
    const nghttp2_settings_entry *settings;
    size_t count;         /* of settings */
    uint32_t all_windows; /* bytes of bodies that may be on their way here, on all streams */
};

/* Makes a session whose windows are opened by nghttp2_session_consume alone, and submits its
 * settings. 0 or -ENOMEM. In both cases cg__http_blocks_free_all ends the session, and not
 * nghttp2_session_del, which frees a block twice (1.52) after nghttp2 has run out of memory. */
int cg__http_setup_h2(nghttp2_session **session, struct cg__http2_memory *memory,
                      const struct cg__http2_setup *setup, void *user_data);

#endif
