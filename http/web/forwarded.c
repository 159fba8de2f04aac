/* SPDX-License-Identifier: MIT */
/* The client's address behind proxies: X-Forwarded-For and Forwarded. Each proxy appends the
 * address that it has seen, so the list is read from its end, as far as addresses are
 * trusted: what stands before them may come from anybody. */
#include "config.h"

#include "lib/base/network.h"
#include "http/web/client_address.h"
#include "http/web/params.h"

#include <arpa/inet.h>
#include <cogen/http_clients.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HOPS = 32 }; /* proxies that are looked behind, at most */

/* Reduces "192.0.2.1:80", "[2001:db8::1]:80" or an address alone to the address. False: it is
 * none ("unknown", "_hidden"). */
static bool to_address(char *text)
{
    struct cg__network_address address;
    char *colon = strchr(text, ':');

    if (*text == '[') {
        memmove(text, text + 1, strlen(text));
        text[strcspn(text, "]")] = '\0';
    } else if (colon != NULL && strchr(colon + 1, ':') == NULL) {
        *colon = '\0';
    }
    return cg__network_address(&address, text, strlen(text));
}

/* Whether an odd number of backslashes stands before a character of a list. */
static bool is_escaped(const char *list, const char *at)
{
    const char *first = at;

    while (first > list && first[-1] == '\\')
        first--;
    return (at - first) % 2 != 0;
}

/* The start of the last element of a list. A comma within quotes separates nothing: a proxy may
 * quote the host that its client has chosen. The list is searched from its end, since a stranger
 * may have sent its start, with a quote that does not end. */
static char *last_element(char *list)
{
    char *at = list + strlen(list);
    bool quoted = false;

    for (; at > list && (quoted || at[-1] != ','); at--)
        if (at[-1] == '"' && !(quoted && is_escaped(list, at - 1)))
            quoted = !quoted;
    return at;
}

/* The address in the last element of a list, which is cut off. False: there is none. */
static bool last_address(char *list, bool standard, char buf[static CG_ADDR_SIZE])
{
    char *element = last_element(list), *at = element + strspn(element, " \t");
    ssize_t n;

    if (standard) /* "for=192.0.2.1;by=..." */
        n = cg__http_params_read(at, "for", buf, CG_ADDR_SIZE);
    else
        n = snprintf(buf, CG_ADDR_SIZE, "%.*s", (int)strcspn(at, " \t"), at);
    element[element > list ? -1 : 0] = '\0'; /* with its comma */
    return n > 0 && n < CG_ADDR_SIZE && to_address(buf);
}

ssize_t cg_http_forwarded_layer(struct cg_http_request *req, const struct cg_http_layer *next,
                                void *arg)
{
    const struct cg_http_forwarded *forwarded = arg;
    char client[CG_ADDR_SIZE], before[CG_ADDR_SIZE], *list;
    const char *known;
    int rc = cg_http_request_client(req, &known), trusted;

    if (rc < 0)
        return rc;
    strcpy(client, known);
    trusted = cg__network_trusts(forwarded->trusted, client);
    if (trusted > 0) {
        list = cg__http_client_address_list(cg_http_request_headers(req),
                          forwarded->standard ? "Forwarded" : "X-Forwarded-For");
        if (list == NULL)
            return -ENOMEM;
        for (int i = 0; i < HOPS && trusted > 0 &&
                        last_address(list, forwarded->standard, before); i++) {
            strcpy(client, before);
            trusted = cg__network_trusts(forwarded->trusted, client);
        }
        free(list);
    }
    if (trusted < 0)
        return trusted;
    rc = cg_http_request_set_param(req, "client-address", client);
    return rc < 0 ? rc : cg_http_layer_run(next, req);
}
