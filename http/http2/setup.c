/* SPDX-License-Identifier: MIT */
/* See setup.h. */
#include "config.h"

#include "http/http2/setup.h"

#include <errno.h>

static int make(nghttp2_session **session, struct cg__http2_memory *memory,
                const struct cg__http2_setup *setup, void *user_data)
{
    nghttp2_mem mem = {memory, cg__http_blocks_malloc, cg__http_blocks_free,
                       cg__http_blocks_calloc, cg__http_blocks_realloc};
    nghttp2_session_callbacks *callbacks = NULL;
    nghttp2_option *option = NULL;
    int rc = nghttp2_session_callbacks_new(&callbacks);

    if (rc == 0)
        rc = nghttp2_option_new(&option);
    if (rc == 0) {
        setup->set_callbacks(callbacks);
        nghttp2_option_set_no_auto_window_update(option, 1);
        setup->set_option(option, user_data);
        rc = setup->make(session, callbacks, user_data, option, &mem);
    }
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_option_del(option);
    return rc;
}

int cg__http_setup_h2(nghttp2_session **session, struct cg__http2_memory *memory,
                      const struct cg__http2_setup *setup, void *user_data)
{
    int rc = make(session, memory, setup, user_data);

    if (rc == 0)
        rc = nghttp2_submit_settings(*session, NGHTTP2_FLAG_NONE, setup->settings,
                                     setup->count);
    if (rc == 0)
        rc = nghttp2_session_set_local_window_size(*session, NGHTTP2_FLAG_NONE, 0,
                                                   (int32_t)setup->all_windows);
    return rc == 0 ? 0 : -ENOMEM;
}
