/* SPDX-License-Identifier: MIT */
/* See refresh.h. */
#include "config.h"

#include "http/client/refresh.h"
#include "lib/base/ascii.h"

#include <stdlib.h>
#include <string.h>

/* Copies the fields of the request as they were sent. The client sets Host itself: a request with
 * another Host is none of the cache's. */
static int copy_fields(struct cg_http_headers *to, const struct cg_http_headers *fields)
{
    struct cg_http_field field;
    int rc = 0;

    for (size_t at = 0; rc == 0 && cg_http_headers_next(fields, &at, &field);)
        if (!cg__ascii_equal(field.name, "Host"))
            rc = cg_http_headers_add(to, field.name, field.value);
    return rc;
}

static void end(struct cg__refresh *refresh)
{
    struct cg_http_client *client = refresh->client;

    *refresh->link = refresh->next;
    if (refresh->next != NULL)
        refresh->next->link = refresh->link;
    client->refresh_count--;
    refresh->stored->refreshing = false;
    cg__http_cache_release(refresh->stored);
    cg__http_message_clear(&refresh->fields);
    cg_coro_unref(refresh->coro);
    free(refresh->url);
    free(refresh);
    cg__http_client_unref(client);
}

static ssize_t run(void *arg)
{
    struct cg__refresh *refresh = arg;
    const struct cg_http_fetch fetch = {
        .url = refresh->url,
        .headers = &refresh->fields,
        .proxied = refresh->proxied ? &refresh->nobody : NULL,
        .stream = true,
        .stay = true,
        .raw = true,
    };
    struct cg_scope scope;

    cg_scope_open(&scope, cg_sched_now(refresh->client->sched) + CG_HTTP_REFRESH_TIME, false);
    refresh->fn(refresh->client, &fetch);
    cg_scope_close(&scope);
    end(refresh);
    return 0;
}

static void list(struct cg__refresh *refresh)
{
    struct cg_http_client *client = refresh->client;

    refresh->next = client->refreshes;
    refresh->link = &client->refreshes;
    if (refresh->next != NULL)
        refresh->next->link = &refresh->next;
    client->refreshes = refresh;
    client->refresh_count++;
    client->refs++;
    refresh->stored->refs++;
    refresh->stored->refreshing = true;
}

void cg__http_client_refresh(struct cg__asking *ask, cg__refresh_fn *fn)
{
    struct cg_http_client *client = ask->client;
    struct cg__cached *stored = ask->reply->stored;
    struct cg__refresh *refresh;

    if (stored->refreshing || client->refresh_count == CG_HTTP_REFRESHES)
        return;
    refresh = malloc(sizeof *refresh);
    if (refresh == NULL)
        return;
    *refresh = (struct cg__refresh){
        .client = client, .fn = fn, .stored = stored, .url = strdup(ask->url.text)};
    refresh->proxied = ask->fetch->proxied != NULL;
    if (refresh->proxied)
        refresh->nobody.version = ask->fetch->proxied->version;
    list(refresh);
    if (refresh->url == NULL ||
        copy_fields(&refresh->fields, &ask->cached->fields) < 0 ||
        cg_sched_start(client->sched, run, refresh, .name = "http refresh",
                       .coro = &refresh->coro) < 0) {
        refresh->coro = NULL;
        end(refresh);
    }
}
