/* SPDX-License-Identifier: MIT */
/* Parameters in the value of a header field. See params.h. */
#include "config.h"

#include "http/message/message.h"
#include "http/web/params.h"
#include "lib/base/ascii.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* Where a value is written, with a NUL. buf NULL: it is only checked. */
struct room {
    char *buf;
    size_t size, len;
};

static bool put(struct room *room, char c)
{
    if (room->buf == NULL)
        return true;
    if (room->len == room->size)
        return false;
    room->buf[room->len++] = c;
    return true;
}

/* Reads a quoted string at *at, and moves *at behind it. Only a quote and a backslash are
 * escaped by a backslash: some clients send paths of Windows as they are. 0, or why not. */
static int quoted(const char **at, struct room *room)
{
    const char *from = *at + 1;

    for (; *from != '"'; from++) {
        if (*from == '\\' && (from[1] == '"' || from[1] == '\\'))
            from++;
        if (*from == '\0')
            return -EBADMSG;
        if (!put(room, *from))
            return -EMSGSIZE;
    }
    *at = from + 1;
    return put(room, '\0') ? 0 : -EMSGSIZE;
}

static int unquoted(const char **at, struct room *room)
{
    const char *start = *at;

    for (; strchr("; \t\"", **at) == NULL; (*at)++)
        if (!put(room, **at))
            return -EMSGSIZE;
    if (*at == start || **at == '"')
        return -EBADMSG;
    return put(room, '\0') ? 0 : -EMSGSIZE;
}

/* Reads the parameter at *at. 0, or why not. */
static int parameter(const char **at, const char *name, struct room *room, bool *found)
{
    size_t len = strcspn(*at, "=; \t\"");
    bool it = len == strlen(name) && cg__ascii_same(*at, name, len);
    struct room none = {.buf = NULL};

    if ((*at)[len] != '=' || !cg__http_message_is_token(*at, len) || (it && *found))
        return -EBADMSG;
    *found = *found || it;
    *at += len + 1;
    return **at == '"' ? quoted(at, it ? room : &none) : unquoted(at, it ? room : &none);
}

ssize_t cg__http_params_read(const char *at, const char *name, char *buf, size_t size)
{
    struct room room = {.buf = buf, .size = size};
    bool found = false;
    int rc = 0;

    for (;; at++) {
        at += strspn(at, " \t");
        if (*at != ';' && *at != '\0')
            rc = parameter(&at, name, &room, &found);
        at += strspn(at, " \t");
        if (rc < 0 || *at != ';')
            break;
    }
    if (rc < 0)
        return rc;
    if (*at != '\0')
        return -EBADMSG;
    return found ? (ssize_t)room.len - 1 : -ENOENT;
}

ssize_t cg__http_params_get(const char *value, const char *name, char *buf, size_t size)
{
    const char *at = strchr(value, ';');

    return at != NULL ? cg__http_params_read(at + 1, name, buf, size) : -ENOENT;
}
