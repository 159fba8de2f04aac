/* SPDX-License-Identifier: MIT */
/* A list of header fields: texts and entries in one block of memory, which is reused for
 * the next message. Texts grow from its start, the entries of fields from its end. */
#ifndef COGEN_HTTP_MESSAGE_MESSAGE_H
#define COGEN_HTTP_MESSAGE_MESSAGE_H

#include <cogen/http.h>
#include <string.h>

/* All zero is an empty list without memory. */
struct cg_http_headers {
    char *data;
    uint32_t size;  /* of data; a multiple of the alignment of entries, which end there */
    uint32_t used;  /* length of the text */
    uint32_t count; /* number of entries */
};

struct cg__http_entry {
    uint32_t name, name_len, value, value_len; /* places in data */
};

/* Empties the list; its memory is freed if it is larger than `keep` bytes. */
void cg__http_message_reset(struct cg_http_headers *headers, size_t keep);

/* Empties the list and frees its memory. */
void cg__http_message_clear(struct cg_http_headers *headers);

/* Copies a list into one that is all zero, in as little memory as it needs. 0 or -ENOMEM. */
int cg__http_message_copy(struct cg_http_headers *to, const struct cg_http_headers *from);

/* Appends the texts of a list's fields to another list, but no fields: those that are wanted are
 * added by their entries, whose places are *shift higher there. Makes room for all of them and for
 * `more` bytes. 0 or -ENOMEM. */
int cg__http_message_copy_texts(struct cg_http_headers *to, const struct cg_http_headers *from,
                                size_t more, uint32_t *shift);

/* Makes room for that many further bytes. 0 or -ENOMEM. */
int cg__http_message_grow(struct cg_http_headers *headers, size_t size);

/* Makes sure that that many bytes can be appended without moving the memory. 0 or
 * -ENOMEM. */
static inline int cg__http_message_reserve(struct cg_http_headers *headers, size_t size)
{
    size_t entries = headers->count * sizeof(struct cg__http_entry);

    return headers->size - headers->used - entries >= size
               ? 0
               : cg__http_message_grow(headers, size);
}

/* Appends bytes to the text; 0 or -ENOMEM. Their place is where `used` was. */
static inline int cg__http_message_text(struct cg_http_headers *headers,
                                        const char *data, size_t size)
{
    int rc = cg__http_message_reserve(headers, size);

    if (rc == 0 && size > 0) {
        memcpy(headers->data + headers->used, data, size);
        headers->used += (uint32_t)size;
    }
    return rc;
}

/* The text at a place; valid until something is appended. */
static inline char *cg__http_message_at(const struct cg_http_headers *headers,
                                        uint32_t place)
{
    return headers->data + place;
}

/* Makes a field of two texts that have been appended, each with its NUL. 0 or -ENOMEM. */
static inline int cg__http_message_entry_push(struct cg_http_headers *headers,
                                              struct cg__http_entry entry)
{
    int rc = cg__http_message_reserve(headers, sizeof entry);

    if (rc == 0)
        memcpy(headers->data + headers->size - ++headers->count * sizeof entry, &entry,
               sizeof entry);
    return rc;
}

/* Adds a field whose name and value are known to be valid: every field of a list is. 0 or
 * -ENOMEM. */
int cg__http_message_put(struct cg_http_headers *headers, const char *name, size_t name_len,
                         const char *value, size_t value_len);

/* The same for texts that end with a NUL. */
static inline int cg__http_message_put_text(struct cg_http_headers *headers, const char *name,
                                            const char *value)
{
    return cg__http_message_put(headers, name, strlen(name), value, strlen(value));
}

/* Sets the fields of `from`, whose names differ: those of the same names in `to` are removed. 0 or
 * -ENOMEM. */
int cg__http_message_set_all(struct cg_http_headers *to, const struct cg_http_headers *from);

/* The entry of an index below `count`. */
static inline struct cg__http_entry *
cg__http_entry(const struct cg_http_headers *headers, uint32_t index)
{
    return (struct cg__http_entry *)(void *)(headers->data + headers->size) - 1 - index;
}

/* The entry of that name after the index *from, which moves past it; NULL: none. */
const struct cg__http_entry *
cg__http_message_find(const struct cg_http_headers *headers, const char *name,
                      size_t len, uint32_t *from);

/* Whether these bytes are a token of HTTP; whether they may stand in a field's value. */
bool cg__http_message_is_token(const char *text, size_t len);
bool cg__http_message_is_value(const char *text, size_t len);

/* Whether a field of this name says where the body ends. */
bool cg__http_message_is_framing(const char *name, size_t len);

/* Whether HTTP defines the field of this name for one connection only. */
bool cg__http_message_is_of_connection(const char *name, size_t len);

/* Whether a name is one of a list that NULL ends; letters of either case are equal. */
bool cg__http_message_is_one_of(const char *name, const char *const *names);

/* Whether a request of this method may be sent twice. */
bool cg__http_message_is_idempotent(const char *method);

/* Whether a comma-separated list has a word. Parameters of its elements are ignored. */
bool cg__http_message_has_word(const char *list, const char *word);

#endif
