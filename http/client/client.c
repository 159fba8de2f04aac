/* SPDX-License-Identifier: MIT */
/* The client: its options, and how long it exists. */
#include "config.h"

#include "http/client/client.h"
#include "http/client/h2/h2.h"
#include "http/client/pool/site.h"
#include "http/client/pool/target.h"
#include "http/client/refresh.h"
#include "http/client/reply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void fill(int64_t *timeout, int64_t usual)
{
    if (*timeout == 0)
        *timeout = usual;
}

static uint32_t chosen(uint32_t given, uint32_t usual, uint32_t least)
{
    uint32_t value = given != 0 ? given : usual;

    return value < least ? least : value > INT32_MAX ? INT32_MAX : value;
}

static struct cg_http_client_options
completed(const struct cg_http_client_options *given)
{
    struct cg_http_client_options options = {.reserved = NULL};

    if (given != NULL)
        options = *given;
    fill(&options.connect_timeout, 30 * CG_SECOND);
    fill(&options.tls_timeout, 30 * CG_SECOND);
    fill(&options.send_timeout, CG_MINUTE);
    fill(&options.response_timeout, CG_MINUTE);
    fill(&options.idle_timeout, CG_MINUTE);
    fill(&options.expect_timeout, CG_SECOND);
    fill(&options.keep_timeout, CG_MINUTE);
    options.h2_streams = chosen(options.h2_streams, CG_HTTP_STREAMS, 1);
    options.h2_window = chosen(options.h2_window, CG_HTTP_REPLY_WINDOW, 1);
    options.h2_all_windows = chosen(options.h2_all_windows, CG_HTTP_REPLY_WINDOWS, 65535);
    options.h2_useless = chosen(options.h2_useless, CG_HTTP_H2_USELESS, 1);
    return options;
}

static bool copy(char **to, const char *text)
{
    *to = text ? strdup(text) : NULL;
    return text == NULL || *to != NULL;
}

/* Proxies that the options do not name come from the environment, unless no_environment. */
static bool copy_proxies(struct cg__proxies *proxies, const struct cg_http_client_options *options)
{
    const char *texts[] = {
        [CG__PROXY_HTTP] = options->http_proxy,
        [CG__PROXY_HTTPS] = options->https_proxy,
        [CG__PROXY_EXCEPT] = options->no_proxy,
    };

    for (unsigned i = 0; i < sizeof texts / sizeof *texts && !options->no_environment; i++)
        if (texts[i] == NULL)
            texts[i] = cg__http_client_pool_proxy_variable((enum cg__proxy_text)i);
    return copy(&proxies->http, texts[CG__PROXY_HTTP]) &&
           copy(&proxies->https, texts[CG__PROXY_HTTPS]) &&
           copy(&proxies->except, texts[CG__PROXY_EXCEPT]);
}

static void free_spare_replies(struct cg_http_client *client)
{
    while (client->spare != NULL) {
        struct cg_http_reply *reply = client->spare;

        client->spare = reply->next;
        cg__http_client_reply_forget(reply);
    }
}

static void destroy(struct cg_http_client *client)
{
    cg__http_cache_unref(client->options.cache);
    free(client->user_agent);
    free(client->proxies.http);
    free(client->proxies.https);
    free(client->proxies.except);
    free(client->targets);
    cg__http_client_pool_site_free(client);
    free_spare_replies(client);
    cg__http_client_h2_free_spare(client);
    free(client);
}

static bool copy_texts(struct cg_http_client *client)
{
    const struct cg_http_client_options *options = &client->options;
    char usual[64];

    snprintf(usual, sizeof usual, "cogen/%s", cg_version());
    if (options->targets != NULL &&
        (client->targets = cg__http_client_pool_target_copy(options->targets)) == NULL)
        return false;
    return copy(&client->user_agent, options->user_agent ? options->user_agent : usual) &&
           copy_proxies(&client->proxies, options);
}

struct cg_http_client *
cg_http_client_new_with(const struct cg_http_client_options *given)
{
    struct cg_http_client *client = malloc(sizeof *client);
    struct cg_http_client_options *options;

    if (client == NULL)
        return NULL;
    *client = (struct cg_http_client){.options = completed(given), .refs = 1};
    options = &client->options;
    cg__http_cache_ref(options->cache);
    if (options->tls != NULL) {
        client->tls = *options->tls;
        options->tls = &client->tls;
    }
    client->limits = (struct cg__http_limits){
        .target = CG_HTTP_TARGET_LIMIT,
        .headers = options->headers_limit ? options->headers_limit
                                          : CG_HTTP_REPLY_HEADERS_LIMIT,
        .count = options->headers_count ? options->headers_count
                                        : CG_HTTP_REPLY_HEADERS_COUNT,
    };
    client->protocols = options->protocols ? options->protocols : CG_HTTP_H1 | CG_HTTP_H2;
    if (!cg__http_client_h2_known)
        client->protocols &= CG_HTTP_H1;
    client->pool.per_origin =
        options->per_origin ? options->per_origin : CG_HTTP_PER_ORIGIN;
    client->pool.connections =
        options->connections ? options->connections : CG_HTTP_CONNECTIONS;
    client->pool.keep = options->no_keep ? 0
                        : options->keep  ? options->keep
                                         : client->pool.connections;
    client->pool.keep_timeout = options->keep_timeout;
    if (copy_texts(client))
        return client;
    destroy(client);
    return NULL;
}

void cg__http_client_unref(struct cg_http_client *client)
{
    if (--client->refs == 0)
        destroy(client);
}

void cg_http_client_free(struct cg_http_client *client)
{
    if (client == NULL)
        return;
    client->freed = true;
    cg__http_client_refresh_cancel(client);
    cg__http_client_pool_close(&client->pool);
    cg__http_client_unref(client);
}

void cg_http_client_tidy(struct cg_http_client *client)
{
    if (client->sched != NULL)
        cg__http_client_pool_tidy(&client->pool, cg_sched_now(client->sched));
}

size_t cg_http_client_connections(const struct cg_http_client *client)
{
    return client->pool.active + client->pool.kept;
}
