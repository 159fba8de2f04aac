/* SPDX-License-Identifier: MIT */
/* Fields that repeat: a client sends the same ones with each request of a connection. The
 * bytes behind the version of its last request, up to and with the blank line, are
 * remembered, and what llhttp and our checks have made of them. Where the next request has
 * the same bytes there they are not parsed again.
 *
 * This is no second parser. llhttp reads every request line; and what it does next depends
 * on nothing but its state, which is the same behind each request line of that method and
 * version, and the bytes that follow. Compared are all of these, and what is remembered is
 * only a head that was complete and in order, without a body, coding or upgrade. Each
 * connection has its own memory: what one client sends is never compared with what another
 * has sent. */
#ifndef COGEN_HTTP_HTTP1_REPEAT_H
#define COGEN_HTTP_HTTP1_REPEAT_H

#include "http/message/message.h"

enum { CG__HTTP_REPEAT_SIZE = 4 * 1024 }; /* bytes that are remembered: longer ones are not */

/* All zero remembers nothing. */
struct cg__http_repeat {
    const void *owner; /* the connection; NULL: none */
    char *memory;      /* the bytes, the texts made of them, the entries */
    uint32_t room;     /* of it */
    uint32_t size;     /* of the bytes; 0: nothing is remembered */
    uint32_t used, count; /* as those of the list of fields */
    uint8_t method, minor;
    bool keep_alive;
};

/* Whether the bytes at `at`, behind a request line with this method and version, begin with
 * those that are remembered. */
static inline bool cg__http_repeat_fits(const struct cg__http_repeat *repeat,
                                        uint8_t method, uint8_t major, uint8_t minor,
                                        const char *at, const char *end)
{
    return repeat->size != 0 && (size_t)(end - at) >= repeat->size &&
           method == repeat->method && major == 1 && minor == repeat->minor &&
           memcmp(at, repeat->memory, repeat->size) == 0;
}

/* Makes the empty list of fields what it was. 0 or -ENOMEM. */
int cg__http_repeat_fields(const struct cg__http_repeat *repeat,
                           struct cg_http_headers *headers);

/* Remembers bytes and the fields made of them; method, minor and keep_alive are the
 * caller's to set. False: not, for they are too long or there is no memory. */
bool cg__http_repeat_keep(struct cg__http_repeat *repeat, const char *at, size_t size,
                          const struct cg_http_headers *headers);

/* Forgets what another owner's requests were, unless it is this one. */
static inline void cg__http_repeat_own(struct cg__http_repeat *repeat, const void *owner)
{
    if (repeat->owner != owner) {
        repeat->owner = owner;
        repeat->size = 0;
    }
}

/* The owner goes; its address may be another's next. */
static inline void cg__http_repeat_disown(struct cg__http_repeat *repeat, const void *owner)
{
    if (repeat->owner == owner)
        repeat->owner = NULL;
}

/* Frees the memory. */
void cg__http_repeat_clear(struct cg__http_repeat *repeat);

#endif
