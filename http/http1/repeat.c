/* SPDX-License-Identifier: MIT */
/* The head of a previous request. See repeat.h. */
#include "config.h"

#include "http/http1/repeat.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { STEP = 64 };

int cg__http_repeat_fields(const struct cg__http_repeat *repeat,
                           struct cg_http_headers *headers)
{
    size_t entries = repeat->count * sizeof(struct cg__http_entry);
    const char *texts = repeat->memory + repeat->line + repeat->len;

    if (cg__http_message_reserve(headers, repeat->used + entries) < 0)
        return -ENOMEM;
    if (repeat->count == 0)
        return 0;
    memcpy(headers->data, texts, repeat->used);
    memcpy(headers->data + headers->size - entries, texts + repeat->used, entries);
    headers->used = repeat->used;
    headers->count = repeat->count;
    return 0;
}

bool cg__http_repeat_keep(struct cg__http_repeat *repeat, const char *line, const char *at,
                          const char *end, const struct cg_http_headers *headers)
{
    size_t size = (size_t)(end - line);
    size_t entries = headers->count * sizeof(struct cg__http_entry);
    size_t wanted = size + headers->used + entries;
    char *to;

    repeat->len = 0;
    if (wanted > CG__HTTP_REPEAT_SIZE)
        return false;
    if (wanted > repeat->room) {
        cg__http_repeat_clear(repeat);
        wanted = (wanted + STEP - 1) / STEP * STEP;
        repeat->memory = malloc(wanted);
        if (repeat->memory == NULL)
            return false;
        repeat->room = (uint32_t)wanted;
    }
    to = repeat->memory;
    memcpy(to, line, size);
    if (headers->count > 0) {
        memcpy(to + size, headers->data, headers->used);
        memcpy(to + size + headers->used, headers->data + headers->size - entries, entries);
    }
    repeat->line = (uint32_t)(at - line);
    repeat->len = (uint32_t)(end - at);
    repeat->used = headers->count > 0 ? headers->used : 0;
    repeat->count = headers->count;
    return true;
}

void cg__http_repeat_clear(struct cg__http_repeat *repeat)
{
    free(repeat->memory);
    repeat->memory = NULL;
    repeat->room = 0;
    repeat->len = 0;
}
