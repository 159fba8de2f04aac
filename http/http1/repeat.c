/* SPDX-License-Identifier: MIT */
/* The head of a previous message. See repeat.h. */
#include "config.h"

#include "http/http1/repeat.h"
#include "lib/base/ascii.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { STEP = 64 };

size_t cg__http_repeat_target(const struct cg__http_repeat *repeat, const char *at, size_t size,
                              size_t limit)
{
    const char *target = at + repeat->before;

    if (repeat->behind == 0 || size <= repeat->before || *target != '/' ||
        memcmp(at, repeat->memory, repeat->before) != 0)
        return 0;
    if (limit > size - repeat->before)
        limit = size - repeat->before;
    return cg__ascii_visible(target, limit, '#');
}

/* Compilers compare a constant number of bytes without a call. */
size_t cg__http_repeat_same(const struct cg__http_repeat *repeat, const char *bytes, size_t size,
                            size_t place)
{
    const char *memory = repeat->memory + repeat->before;
    size_t end = size < repeat->behind ? size : repeat->behind;

    while (end - place >= 32 && memcmp(bytes + place, memory + place, 32) == 0)
        place += 32;
    while (end - place >= 8 && memcmp(bytes + place, memory + place, 8) == 0)
        place += 8;
    while (place < end && bytes[place] == memory[place])
        place++;
    return place;
}

/* Where the remembered texts and entries begin. The entries are not aligned, and those of the
 * first fields are the last ones. */
static char *texts(const struct cg__http_repeat *repeat)
{
    return repeat->memory + repeat->before + repeat->behind;
}

static char *entry_at(const struct cg__http_repeat *repeat, uint32_t index)
{
    return texts(repeat) + repeat->used +
           (repeat->count - 1 - index) * sizeof(struct cg__http_entry);
}

static struct cg__http_entry entry_of(const struct cg__http_repeat *repeat, uint32_t index)
{
    struct cg__http_entry entry;

    memcpy(&entry, entry_at(repeat, index), sizeof entry);
    return entry;
}

/* The texts are the bytes of the fields and of the empty line, with NULs in them. */
bool cg__http_repeat_find(const struct cg__http_repeat *repeat, size_t place,
                          struct cg__http_repeat_line *line)
{
    size_t fields = repeat->behind - repeat->used, end = repeat->behind - 2;

    if (place < fields || place >= end)
        return false;
    for (uint32_t i = repeat->count; i-- > 0;) {
        struct cg__http_entry entry = entry_of(repeat, i);

        if (fields + entry.name <= place) {
            *line = (struct cg__http_repeat_line){.index = i,
                                                  .name_len = entry.name_len,
                                                  .from = fields + entry.name,
                                                  .len = end - fields - entry.name};
            return place > line->from + line->name_len;
        }
        end = fields + entry.name;
    }
    return false;
}

/* Makes the line of a field longer or shorter, in the bytes and in the texts. What follows it is
 * moved from its far end. */
static bool resize(struct cg__http_repeat *repeat, const struct cg__http_repeat_line *line,
                   size_t len)
{
    size_t text_end = line->from - (repeat->behind - repeat->used) + line->len;
    size_t entries = repeat->count * sizeof(struct cg__http_entry);
    char *after = repeat->memory + repeat->before + line->from + line->len;
    char *text_after = texts(repeat) + text_end;
    size_t rest = repeat->used - text_end + entries;
    size_t whole = repeat->before + repeat->behind + repeat->used + entries;
    ptrdiff_t more = (ptrdiff_t)(len - line->len);

    if (whole + 2 * (size_t)more > repeat->room)
        return false;
    if (more > 0)
        memmove(text_after + 2 * more, text_after, rest);
    memmove(after + more, after, (size_t)(text_after - after));
    if (more < 0)
        memmove(text_after + 2 * more, text_after, rest);
    repeat->behind += (uint32_t)more;
    repeat->used += (uint32_t)more;
    for (uint32_t i = line->index + 1; i < repeat->count; i++) {
        struct cg__http_entry entry = entry_of(repeat, i);

        entry.name += (uint32_t)more;
        entry.value += (uint32_t)more;
        memcpy(entry_at(repeat, i), &entry, sizeof entry);
    }
    return true;
}

bool cg__http_repeat_renew(struct cg__http_repeat *repeat, const struct cg__http_repeat_line *line,
                           const char *bytes, size_t len, uint32_t value, uint32_t value_len)
{
    struct cg__http_entry entry;
    char *text;

    if (len != line->len && !resize(repeat, line, len))
        return false;
    entry = entry_of(repeat, line->index);
    entry.value = entry.name + value;
    entry.value_len = value_len;
    memcpy(entry_at(repeat, line->index), &entry, sizeof entry);
    text = texts(repeat);
    memcpy(repeat->memory + repeat->before + line->from, bytes, len);
    memcpy(text + entry.name, bytes, len);
    text[entry.name + entry.name_len] = '\0';
    text[entry.value + value_len] = '\0';
    return true;
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
