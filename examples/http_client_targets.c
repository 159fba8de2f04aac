/* SPDX-License-Identifier: MIT */
/* See http_client_targets.h. */
#include "http_client_targets.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOST = 50
};

static struct cg_http_target list[MOST + 1];
static size_t count;

static const char *add(char *origin, char *addr)
{
    if (origin != NULL && addr != NULL && count < MOST) {
        list[count++] = (struct cg_http_target){origin, addr};
        return NULL;
    }
    free(origin);
    free(addr);
    return "too many addresses";
}

/* Takes a part that a colon ends; an IPv6 address is in brackets. NULL: there is no colon. */
static char *take(char **at)
{
    char *part = *at, *end = part[0] == '[' ? strchr(part, ']') : part;

    end = end != NULL ? strchr(end, ':') : NULL;
    if (end == NULL)
        return NULL;
    *end = '\0';
    *at = end + 1;
    return part;
}

/* "HOST:PORT" in memory of its own; an empty text stands for any. */
static char *pair(const char *host, const char *port)
{
    bool bare = strchr(host, ':') != NULL && host[0] != '[';
    size_t size = strlen(host) + strlen(port) + 8;
    char *text = malloc(size);

    if (text != NULL)
        snprintf(text, size, "%s%s%s:%s", bare ? "[" : "", *host ? host : "*",
                 bare ? "]" : "", *port ? port : "*");
    return text;
}

/* Whether a text is a number of a port. */
static bool is_port(const char *text)
{
    size_t digits = strspn(text, "0123456789");

    return digits > 0 && digits <= 5 && text[digits] == '\0' && atoi(text) <= UINT16_MAX;
}

const char *targets_resolve(const char *text)
{
    char *copy = strdup(text), *at = copy, *host = copy ? take(&at) : NULL,
         *port = host ? take(&at) : NULL;
    const char *why = "--resolve takes HOST:PORT:ADDR, with one address";

    if (port != NULL && *host != '\0' && is_port(port) && *at != '\0' &&
        strchr(at, ',') == NULL)
        why = add(pair(host, port), pair(at, ""));
    free(copy);
    return why;
}

const char *targets_connect(const char *text)
{
    char *copy = strdup(text), *at = copy, *host = copy ? take(&at) : NULL,
         *port = host ? take(&at) : NULL, *other = port ? take(&at) : NULL;
    const char *why = "--connect-to takes HOST1:PORT1:HOST2:PORT2";

    if (other != NULL && (*port == '\0' || is_port(port)) && (*at == '\0' || is_port(at)))
        why = add(pair(host, port), pair(other, at));
    free(copy);
    return why;
}

const char *targets_unix(const char *path)
{
    char *addr = malloc(sizeof "unix:" + strlen(path));

    if (addr != NULL)
        strcpy(stpcpy(addr, "unix:"), path);
    return add(strdup("*"), addr);
}

const struct cg_http_target *targets_list(void)
{
    return count > 0 ? list : NULL;
}

void targets_free(void)
{
    while (count > 0) {
        free((char *)list[--count].origin);
        free((char *)list[count].addr);
    }
}
