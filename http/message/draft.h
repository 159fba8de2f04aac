/* SPDX-License-Identifier: MIT */
/* A field that is composed where it is stored, piece by piece. Nothing else is added to its list
 * meanwhile. */
#ifndef COGEN_HTTP_MESSAGE_DRAFT_H
#define COGEN_HTTP_MESSAGE_DRAFT_H

#include "http/message/message.h"

#include <errno.h>

struct cg__http_draft {
    struct cg_http_headers *list;
    struct cg__http_entry entry;
    char *at;
};

/* Adds a piece of the value, which is known to be valid. */
static inline void cg__http_draft_add(struct cg__http_draft *draft, const char *text, size_t len)
{
    memcpy(draft->at, text, len);
    draft->at += len;
}

#define CG__HTTP_DRAFT_ADD(draft, literal) cg__http_draft_add(draft, literal, sizeof(literal) - 1)

/* Begins a field whose value has at most `room` bytes. 0 or -ENOMEM. */
static inline int cg__http_draft_begin(struct cg__http_draft *draft,
                                       struct cg_http_headers *list, const char *name,
                                       size_t len, size_t room)
{
    if (cg__http_message_reserve(list, len + room + 2 + sizeof draft->entry) < 0)
        return -ENOMEM;
    draft->list = list;
    draft->at = list->data + list->used;
    draft->entry.name = list->used;
    draft->entry.name_len = (uint32_t)len;
    draft->entry.value = list->used + (uint32_t)len + 1;
    cg__http_draft_add(draft, name, len + 1);
    return 0;
}

#define CG__HTTP_DRAFT_BEGIN(draft, list, literal, room)                                   \
    cg__http_draft_begin(draft, list, literal, sizeof(literal) - 1, room)

/* Adds the field to the list. 0: the room for that is there. */
static inline int cg__http_draft_end(struct cg__http_draft *draft)
{
    struct cg_http_headers *list = draft->list;
    uint32_t end = (uint32_t)(draft->at - list->data);

    draft->entry.value_len = end - draft->entry.value;
    *draft->at = '\0';
    list->used = end + 1;
    return cg__http_message_entry_push(list, draft->entry);
}

#endif
