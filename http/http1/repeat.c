/* SPDX-License-Identifier: MIT */
/* The head of a previous message. See repeat.h. */
#include "config.h"

#include "http/http1/repeat.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { STEP = 64 };

/* A request is as likely to have the remembered target as another one, so the bytes before and
 * behind it are compared. If the target is longer than `limit`, its own bytes stand where the
 * remembered ones would have to be. */
size_t cg__http_repeat_fits(const struct cg__http_repeat *repeat, const char *at, size_t size,
                            size_t limit)
{
    size_t around = (size_t)repeat->before + repeat->behind, len = 0;
    const char *target = at + repeat->before;

    if (repeat->behind == 0 || size <= around || *target != '/' ||
        memcmp(at, repeat->memory, repeat->before) != 0)
        return 0;
    if (limit > size - around)
        limit = size - around;
    while (len < limit && target[len] > ' ' && target[len] < 0x7f && target[len] != '#')
        len++;
    return memcmp(target + len, repeat->memory + repeat->before, repeat->behind) == 0 ? len : 0;
}

int cg__http_repeat_fields(const struct cg__http_repeat *repeat,
                           struct cg_http_headers *headers)
{
    size_t entries = repeat->count * sizeof(struct cg__http_entry);
    const char *texts = repeat->memory + repeat->before + repeat->behind;

    if (cg__http_message_reserve(headers, repeat->used + entries) < 0)
        return -ENOMEM;
    if (repeat->used == 0)
        return 0;
    memcpy(headers->data, texts, repeat->used);
    memcpy(headers->data + headers->size - entries, texts + repeat->used, entries);
    headers->used = repeat->used;
    headers->count = repeat->count;
    return 0;
}

bool cg__http_repeat_keep(struct cg__http_repeat *repeat, const char *at, const char *target,
                          size_t target_len, const char *end,
                          const struct cg_http_headers *headers)
{
    size_t before = (size_t)(target - at), behind = (size_t)(end - target) - target_len;
    size_t entries = headers->count * sizeof(struct cg__http_entry);
    size_t wanted = before + behind + headers->used + entries;
    char *to;

    repeat->behind = 0;
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
    memcpy(to, at, before);
    memcpy(to + before, target + target_len, behind);
    if (headers->used > 0) {
        to += before + behind;
        memcpy(to, headers->data, headers->used);
        memcpy(to + headers->used, headers->data + headers->size - entries, entries);
    }
    repeat->before = (uint32_t)before;
    repeat->behind = (uint32_t)behind;
    repeat->used = headers->used;
    repeat->count = headers->count;
    return true;
}

void cg__http_repeat_clear(struct cg__http_repeat *repeat)
{
    free(repeat->memory);
    repeat->memory = NULL;
    repeat->room = 0;
    repeat->behind = 0;
}
