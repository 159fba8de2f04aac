/* SPDX-License-Identifier: MIT */
/* See setup.h. */
#include "config.h"

#include "http/http2/setup.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

struct cg__http2_block {
    _Alignas(max_align_t) struct cg__http2_block *next, **at;
};

static void *add(struct cg__http2_memory *memory, struct cg__http2_block *block)
{
    if (block == NULL)
        return NULL;
    block->next = memory->first;
    block->at = &memory->first;
    if (block->next != NULL)
        block->next->at = &block->next;
    memory->first = block;
    return block + 1;
}

static void *mem_malloc(size_t size, void *memory)
{
    return add(memory, malloc(sizeof(struct cg__http2_block) + size));
}

static void *mem_calloc(size_t count, size_t size, void *memory)
{
    if (size > 0 && count > PTRDIFF_MAX / size)
        return NULL;
    return add(memory, calloc(1, sizeof(struct cg__http2_block) + count * size));
}

static void mem_free(void *data, void *memory)
{
    struct cg__http2_block *block = data;

    (void)memory;
    if (block == NULL)
        return;
    block--;
    *block->at = block->next;
    if (block->next != NULL)
        block->next->at = block->at;
    free(block);
}

static void *mem_realloc(void *data, size_t size, void *memory)
{
    struct cg__http2_block *block = data;

    if (block == NULL)
        return mem_malloc(size, memory);
    block = realloc(block - 1, sizeof *block + size);
    if (block == NULL)
        return NULL;
    *block->at = block;
    if (block->next != NULL)
        block->next->at = &block->next;
    return block + 1;
}

static int make(nghttp2_session **session, struct cg__http2_memory *memory,
                const struct cg__http2_setup *setup, void *user_data)
{
    nghttp2_mem mem = {memory, mem_malloc, mem_free, mem_calloc, mem_realloc};
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

void cg__http_setup_h2_end(struct cg__http2_memory *memory)
{
    while (memory->first != NULL)
        mem_free(memory->first + 1, memory);
}
