/* SPDX-License-Identifier: MIT */
/* Repeated heads: most clients send the same head with each request of a connection, except
 * for its target. This remembers the bytes of a head before and behind its target, and the
 * fields that llhttp and our checks made of them. If the next request has the same bytes
 * there, they are not parsed again. So it is with the responses of a server, whose heads are
 * compared as a whole.
 *
 * This is not a second parser. A target that begins with a slash and has only visible
 * characters of ASCII and no "#" is valid, whatever the method, and llhttp is in the same state
 * behind each such target. What it does next depends only on the bytes that follow, which are
 * compared. Other targets are left to llhttp.
 *
 * If the value of a field differs, and neither llhttp nor our checks look at fields of its name, then
 * every value that HTTP allows is valid there, and llhttp is in the same state behind it. The line
 * takes the place of the remembered one: what is remembered is always a valid head. A head with more
 * than a few such lines is parsed as a whole, because that is faster.
 *
 * What a response means depends on its bytes, and on
 * whether its request was HEAD. Only a valid, complete head without a coding or upgrade is
 * remembered; that of a request also has no body, that of a response none or one with a length.
 * Each connection of a server, and each origin of a client, has its own memory: bytes of one peer
 * are never compared with those of another. */
#ifndef COGEN_HTTP_HTTP1_REPEAT_H
#define COGEN_HTTP_HTTP1_REPEAT_H

#include "http/message/message.h"

enum { CG__HTTP_REPEAT_SIZE = 4 * 1024 }; /* longer heads are not remembered */

/* All zero remembers nothing. */
struct cg__http_repeat {
    const void *owner; /* the connection; NULL: none */
    char *memory;      /* the bytes, the texts made of them, the entries */
    uint32_t room;     /* of it */
    uint32_t before;   /* how many bytes there are before the target .. */
    uint32_t behind;   /* .. and behind it, or in the whole head of a response; 0: nothing is
                        * remembered */
    uint32_t used, count; /* as those of the list of fields */
    const char *method; /* static */
    uint8_t code, minor;
    bool keep_alive;
    /* Of a response: */
    bool skip_body, has_body, has_length;
    uint16_t status;
    uint32_t reason, reason_len; /* place in the list of fields */
    uint64_t length;
};

/* The line of a remembered field. */
struct cg__http_repeat_line {
    size_t from, len; /* of its bytes behind the target */
    uint32_t index, name_len;
};

/* Whether these bytes begin with those that are remembered before the target, and with a valid
 * target of at most `limit` bytes. If it is longer, it is cut there. Returns its length, or 0. */
size_t cg__http_repeat_target(const struct cg__http_repeat *repeat, const char *at, size_t size,
                              size_t limit);

/* Whether these bytes begin with those that are remembered behind the target. */
static inline bool cg__http_repeat_is_behind(const struct cg__http_repeat *repeat,
                                             const char *at, size_t size)
{
    return size >= repeat->behind &&
           memcmp(at, repeat->memory + repeat->before, repeat->behind) == 0;
}

/* Returns the first place from `place` on, among the bytes behind the target, where these bytes
 * differ from the remembered ones, or where either of them end. */
size_t cg__http_repeat_same(const struct cg__http_repeat *repeat, const char *bytes, size_t size,
                            size_t place);

/* Finds the line with this place behind the name of its field. False: there is none. */
bool cg__http_repeat_find(const struct cg__http_repeat *repeat, size_t place,
                          struct cg__http_repeat_line *line);

/* Replaces a line by one with the same name. The value's place is from the line's start. False: it
 * does not fit, and nothing is changed. */
bool cg__http_repeat_renew(struct cg__http_repeat *repeat, const struct cg__http_repeat_line *line,
                           const char *bytes, size_t len, uint32_t value, uint32_t value_len);

/* Whether these bytes begin with the remembered head of a response. */
static inline bool cg__http_repeat_is_whole(const struct cg__http_repeat *repeat,
                                            const char *at, size_t size)
{
    return repeat->behind != 0 && size >= repeat->behind &&
           memcmp(at, repeat->memory, repeat->behind) == 0;
}

/* Copies the remembered fields into an empty list. 0 or -ENOMEM. */
int cg__http_repeat_fields(const struct cg__http_repeat *repeat,
                           struct cg_http_headers *headers);

/* Remembers the bytes from `at` to `end`, which are a head with this target, and the fields made
 * of them. A response has an empty target at `at`. The caller sets what stands behind `count` in
 * the struct. False: nothing is remembered, because they are too long or there is no memory. */
bool cg__http_repeat_keep(struct cg__http_repeat *repeat, const char *at, const char *target,
                          size_t target_len, const char *end,
                          const struct cg_http_headers *headers);

/* Makes this connection the owner; forgets the head of another owner. */
static inline void cg__http_repeat_own(struct cg__http_repeat *repeat, const void *owner)
{
    if (repeat->owner != owner) {
        repeat->owner = owner;
        repeat->behind = 0;
    }
}

/* The owner ends: another connection may have the same address later. */
static inline void cg__http_repeat_disown(struct cg__http_repeat *repeat, const void *owner)
{
    if (repeat->owner == owner)
        repeat->owner = NULL;
}

/* Frees the memory. */
void cg__http_repeat_clear(struct cg__http_repeat *repeat);

#endif
