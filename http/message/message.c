/* SPDX-License-Identifier: MIT */
/* Lists of header fields. See message.h. */
#include "config.h"

#include "http/message/message.h"
#include "lib/base/ascii.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_SIZE = 1024, LARGEST = 16 * 1024 * 1024 };

/* What a field takes: its texts, each with its NUL, and its entry. */
#define FIELD_SIZE(name_len, value_len)                                                    \
    ((name_len) + (value_len) + 2 + sizeof(struct cg__http_entry))

struct cg_http_headers *cg_http_headers_new(void)
{
    return calloc(1, sizeof(struct cg_http_headers));
}

void cg_http_headers_free(struct cg_http_headers *headers)
{
    if (headers == NULL)
        return;
    cg__http_message_clear(headers);
    free(headers);
}

void cg__http_message_clear(struct cg_http_headers *headers)
{
    free(headers->data);
    *headers = (struct cg_http_headers){.data = NULL};
}

void cg__http_message_reset(struct cg_http_headers *headers, size_t keep)
{
    headers->used = 0;
    headers->count = 0;
    if (headers->size > keep)
        cg__http_message_clear(headers);
}

static size_t entries_size(const struct cg_http_headers *headers)
{
    return headers->count * sizeof(struct cg__http_entry);
}

/* The room lies between the text and the entries. */
int cg__http_message_grow(struct cg_http_headers *headers, size_t more)
{
    size_t wanted = headers->used + entries_size(headers) + more;
    size_t size = headers->size ? headers->size : FIRST_SIZE;
    char *data;

    if (more > LARGEST || wanted > LARGEST)
        return -ENOMEM;
    while (size < wanted)
        size *= 2;
    data = realloc(headers->data, size);
    if (data == NULL)
        return -ENOMEM;
    if (headers->size != 0)
        memmove(data + size - entries_size(headers),
                data + headers->size - entries_size(headers), entries_size(headers));
    headers->data = data;
    headers->size = (uint32_t)size;
    return 0;
}

int cg__http_message_copy(struct cg_http_headers *to, const struct cg_http_headers *from)
{
    const size_t align = _Alignof(struct cg__http_entry);
    size_t text = (from->used + align - 1) / align * align, entries = entries_size(from);
    char *data;

    if (text + entries == 0)
        return 0;
    data = malloc(text + entries);
    if (data == NULL)
        return -ENOMEM;
    memcpy(data, from->data, from->used);
    memcpy(data + text, from->data + from->size - entries, entries);
    *to = (struct cg_http_headers){.data = data,
                                   .size = (uint32_t)(text + entries),
                                   .used = from->used,
                                   .count = from->count};
    return 0;
}

int cg__http_message_copy_texts(struct cg_http_headers *to, const struct cg_http_headers *from,
                                size_t more, uint32_t *shift)
{
    uint32_t begin = from->count > 0 ? cg__http_entry(from, 0)->name : from->used;
    size_t size = from->used - begin;

    if (cg__http_message_reserve(to, size + entries_size(from) + more) < 0)
        return -ENOMEM;
    *shift = to->used - begin; /* modulo 2^32 */
    return size > 0 ? cg__http_message_text(to, from->data + begin, size) : 0;
}

static bool has_name(const struct cg_http_headers *headers, const struct cg__http_entry *entry,
                     const char *name, size_t len)
{
    return entry->name_len == len &&
           cg__ascii_same(cg__http_message_at(headers, entry->name), name, len);
}

const struct cg__http_entry *
cg__http_message_find(const struct cg_http_headers *headers, const char *name,
                      size_t len, uint32_t *from)
{
    while (*from < headers->count) {
        const struct cg__http_entry *entry = cg__http_entry(headers, (*from)++);

        if (has_name(headers, entry, name, len))
            return entry;
    }
    return NULL;
}

const char *cg_http_headers_get(const struct cg_http_headers *headers, const char *name)
{
    uint32_t from = 0;
    const struct cg__http_entry *entry =
        cg__http_message_find(headers, name, strlen(name), &from);

    return entry ? cg__http_message_at(headers, entry->value) : NULL;
}

bool cg_http_headers_next(const struct cg_http_headers *headers, size_t *at,
                          struct cg_http_field *field)
{
    const struct cg__http_entry *entry;

    if (*at >= headers->count)
        return false;
    entry = cg__http_entry(headers, (uint32_t)(*at)++);
    field->name = cg__http_message_at(headers, entry->name);
    field->value = cg__http_message_at(headers, entry->value);
    return true;
}

/* Where a text is after the memory of the list has moved. */
static const char *moved(const struct cg_http_headers *headers, const char *text, size_t place)
{
    return place < headers->used ? headers->data + place : text;
}

/* The name and the value may be texts of the list itself. */
int cg_http_headers_add(struct cg_http_headers *headers, const char *name,
                        const char *value)
{
    size_t name_len = strlen(name), value_len = strlen(value);
    size_t name_at = (uintptr_t)name - (uintptr_t)headers->data,
           value_at = (uintptr_t)value - (uintptr_t)headers->data;

    if (!cg__http_message_is_token(name, name_len) ||
        !cg__http_message_is_value(value, value_len))
        return -EINVAL;
    if (cg__http_message_reserve(headers, FIELD_SIZE(name_len, value_len)) < 0)
        return -ENOMEM;
    return cg__http_message_put(headers, moved(headers, name, name_at), name_len,
                                moved(headers, value, value_at), value_len);
}

int cg__http_message_put(struct cg_http_headers *headers, const char *name, size_t name_len,
                         const char *value, size_t value_len)
{
    uint32_t at = headers->used, value_at = at + (uint32_t)name_len + 1;
    char *to;

    if (cg__http_message_reserve(headers, FIELD_SIZE(name_len, value_len)) < 0)
        return -ENOMEM;
    to = headers->data + at;
    memcpy(to, name, name_len);
    to[name_len] = '\0';
    to += name_len + 1;
    memcpy(to, value, value_len);
    to[value_len] = '\0';
    headers->used = value_at + (uint32_t)value_len + 1;
    *cg__http_entry(headers, headers->count++) = (struct cg__http_entry){
        at, (uint32_t)name_len, value_at, (uint32_t)value_len};
    return 0;
}

/* Removes the fields with a name before an index; returns how many. */
static uint32_t remove_below(struct cg_http_headers *headers, const char *name, size_t len,
                             uint32_t below)
{
    uint32_t i = 0, kept;

    while (i < below && !has_name(headers, cg__http_entry(headers, i), name, len))
        i++;
    if (i == below)
        return 0;
    for (kept = i; i < headers->count; i++) {
        struct cg__http_entry entry = *cg__http_entry(headers, i);

        if (i < below && has_name(headers, &entry, name, len))
            continue;
        memcpy(cg__http_entry(headers, kept++), &entry, sizeof entry);
    }
    below = headers->count - kept;
    headers->count = kept;
    return below;
}

size_t cg_http_headers_remove(struct cg_http_headers *headers, const char *name)
{
    return remove_below(headers, name, strlen(name), headers->count);
}

int cg_http_headers_set(struct cg_http_headers *headers, const char *name,
                        const char *value)
{
    uint32_t before = headers->count;
    int rc = cg_http_headers_add(headers, name, value);

    if (rc == 0) { /* the list may have moved, and the name with it */
        const struct cg__http_entry *entry = cg__http_entry(headers, before);

        remove_below(headers, cg__http_message_at(headers, entry->name), entry->name_len, before);
    }
    return rc;
}

int cg__http_message_set_all(struct cg_http_headers *to, const struct cg_http_headers *from)
{
    uint32_t base = to->used, before = to->count;

    if (from->count == 0)
        return 0;
    if (cg__http_message_reserve(to, from->used + entries_size(from)) < 0)
        return -ENOMEM;
    memcpy(to->data + base, from->data, from->used);
    to->used += from->used;
    for (uint32_t i = 0; i < from->count; i++) {
        struct cg__http_entry entry = *cg__http_entry(from, i);

        before -= remove_below(to, cg__http_message_at(from, entry.name), entry.name_len, before);
        entry.name += base;
        entry.value += base;
        cg__http_message_entry_push(to, entry); /* the room is reserved */
    }
    return 0;
}

bool cg_http_headers_has(const struct cg_http_headers *headers, const char *name,
                         const char *word)
{
    size_t len = strlen(name);
    const struct cg__http_entry *entry;
    uint32_t from = 0;

    while ((entry = cg__http_message_find(headers, name, len, &from)) != NULL)
        if (cg__http_message_has_word(cg__http_message_at(headers, entry->value), word))
            return true;
    return false;
}

bool cg__http_message_is_token(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        char c = text[i];

        if (!(cg__ascii_is_letter(c) || c == '-' || cg__ascii_is_digit(c) ||
              (c != 0 && strchr("!#$%&'*+-.^_`|~", c) != NULL)))
            return false;
    }
    return len > 0;
}

/* Whether none of eight bytes is a control character. A tab is one, though values may have it. */
static bool is_printable(const char *text)
{
    uint64_t eight = cg__ascii_eight(text);

    return (cg__ascii_eight_below(eight, ' ') | cg__ascii_eight_has(eight, 0x7f)) == 0;
}

bool cg__http_message_is_value(const char *text, size_t len)
{
    size_t i = 0;

    while (len - i >= 8 && is_printable(text + i))
        i += 8;
    if (i > 0 && len - i < 8 && is_printable(text + len - 8)) /* overlaps */
        return true;
    for (; i < len; i++) {
        unsigned char c = (unsigned char)text[i];

        if ((c < ' ' && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

bool cg__http_message_is_framing(const char *name, size_t len)
{
    return (len == 14 && cg__ascii_same(name, "Content-Length", len)) ||
           (len == 17 && cg__ascii_same(name, "Transfer-Encoding", len));
}

bool cg__http_message_is_of_connection(const char *name, size_t len)
{
    switch (len) {
    case 7:
        return cg__ascii_same(name, "Upgrade", len);
    case 10:
        return cg__ascii_same(name, "Connection", len) ||
               cg__ascii_same(name, "Keep-Alive", len);
    case 16:
        return cg__ascii_same(name, "Proxy-Connection", len);
    default:
        return len == 17 && cg__ascii_same(name, "Transfer-Encoding", len);
    }
}

bool cg__http_message_is_one_of(const char *name, const char *const *names)
{
    while (*names != NULL && !cg__ascii_equal(*names, name))
        names++;
    return *names != NULL;
}

bool cg__http_message_is_idempotent(const char *method)
{
    static const char *const list[] = {"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"};

    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        if (strcmp(method, list[i]) == 0)
            return true;
    return false;
}

bool cg__http_message_has_word(const char *list, const char *word)
{
    size_t len = strlen(word);

    for (;;) {
        size_t size;

        list += strspn(list, ", \t");
        if (*list == '\0')
            return false;
        size = strcspn(list, ",; \t");
        if (size == len && cg__ascii_same(list, word, len))
            return true;
        list += strcspn(list, ",");
    }
}
