/* SPDX-License-Identifier: MIT */
/* See check.h. */
#include "config.h"

#include "http/client/check.h"
#include "http/client/why.h"

#include <errno.h>
#include <string.h>

static bool is_value(const char *text)
{
    return text == NULL || cg__http_message_is_value(text, strlen(text));
}

static ssize_t invalid_field(const struct cg__asking *ask, const char *name)
{
    return cg__http_client_because(ask->why, -EINVAL, "the field %s is invalid", name);
}

/* The fields of a list are valid, but it may have those that frame a body. */
static ssize_t check_list(const struct cg__asking *ask, const struct cg_http_headers *list)
{
    for (uint32_t i = 0; list != NULL && i < list->count; i++) {
        const struct cg__http_entry *entry = cg__http_entry(list, i);
        const char *name = cg__http_message_at(list, entry->name);

        if (cg__http_message_is_framing(name, entry->name_len))
            return invalid_field(ask, name);
    }
    return 0;
}

ssize_t cg__http_client_check(const struct cg__asking *ask)
{
    const struct cg_http_fetch *fetch = ask->fetch;
    const struct cg_http_field *field = fetch->fields;

    if (!cg__http_message_is_token(ask->method, strlen(ask->method)) ||
        strcmp(ask->method, "CONNECT") == 0)
        return cg__http_client_because(ask->why, -EINVAL, "the method is invalid");
    for (; field != NULL && field->name != NULL; field++)
        if (!cg__http_message_is_token(field->name, strlen(field->name)) ||
            field->value == NULL || !is_value(field->value) ||
            cg__http_message_is_framing(field->name, strlen(field->name)))
            return invalid_field(ask, field->name);
    if (!is_value(fetch->bearer))
        return cg__http_client_because(ask->why, -EINVAL, "the bearer token is invalid");
    if (!is_value(fetch->priority))
        return invalid_field(ask, "Priority");
    if (!fetch->bare && !is_value(ask->client->user_agent))
        return invalid_field(ask, "User-Agent");
    return check_list(ask, fetch->headers);
}
