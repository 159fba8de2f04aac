/* SPDX-License-Identifier: MIT */
/* Repeated heads: most clients send the same fields with each request of a connection, and
 * many poll the same target. This remembers the bytes of a request from the version to the
 * blank line, and the fields that llhttp and our checks made of them, and the bytes before
 * them. If the next request has the same bytes there, they are not parsed again.
 *
 * This is not a second parser. A head that is the same from its first byte on has the same
 * result. Otherwise llhttp parses the request line. What it does next
 * depends only on its state, which is the same after each request line with this method
 * and version, and on the bytes that follow. All of these are compared. Only a valid,
 * complete head without a body, coding or upgrade is remembered. Each connection has its
 * own memory: bytes of one client are never compared with those of another. */
#ifndef COGEN_HTTP_HTTP1_REPEAT_H
#define COGEN_HTTP_HTTP1_REPEAT_H

#include "http/message/message.h"

enum { CG__HTTP_REPEAT_SIZE = 4 * 1024 }; /* longer heads are not remembered */

/* All zero remembers nothing. */
struct cg__http_repeat {
    const void *owner; /* the connection; NULL: none */
    char *memory;      /* the bytes, the texts made of them, the entries */
    uint32_t room;     /* of it */
    uint32_t line;     /* of the bytes before the version's end; 0: they are not remembered */
    uint32_t len;      /* of the bytes behind it; 0: nothing is remembered */
    uint32_t target, target_len; /* where in the line the target is */
    uint32_t used, count; /* as those of the list of fields */
    uint8_t method, minor;
    bool keep_alive;
};

/* Whether the bytes at `at`, after a request line with this method and version, begin
 * with the remembered ones. */
static inline bool cg__http_repeat_fits(const struct cg__http_repeat *repeat,
                                        uint8_t method, uint8_t major, uint8_t minor,
                                        const char *at, const char *end)
{
    return repeat->len != 0 && (size_t)(end - at) >= repeat->len &&
           method == repeat->method && major == 1 && minor == repeat->minor &&
           memcmp(at, repeat->memory + repeat->line, repeat->len) == 0;
}

/* Whether the bytes from the first one of a request on begin with the remembered head. */
static inline bool cg__http_repeat_is_whole(const struct cg__http_repeat *repeat,
                                            const char *at, size_t size)
{
    size_t whole = (size_t)repeat->line + repeat->len;

    return repeat->len != 0 && repeat->line != 0 && size >= whole &&
           memcmp(at, repeat->memory, whole) == 0;
}

/* Copies the remembered fields into an empty list. 0 or -ENOMEM. */
int cg__http_repeat_fields(const struct cg__http_repeat *repeat,
                           struct cg_http_headers *headers);

/* Remembers the bytes of a head and the fields made of them. line: its first byte, or, if that
 * is gone, `at`: the end of the version. The caller sets what stands in the line: target, method,
 * minor, and keep_alive. False: nothing is remembered, because they are too long or there is no
 * memory. */
bool cg__http_repeat_keep(struct cg__http_repeat *repeat, const char *line, const char *at,
                          const char *end, const struct cg_http_headers *headers);

/* Makes this connection the owner; forgets the head of another owner. */
static inline void cg__http_repeat_own(struct cg__http_repeat *repeat, const void *owner)
{
    if (repeat->owner != owner) {
        repeat->owner = owner;
        repeat->len = 0;
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
