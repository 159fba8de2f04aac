/* SPDX-License-Identifier: MIT */
/* See gateway_on.h. */
#include "config.h"

#include "tests/http/gateway/gateway_on.h"

#include <stdio.h>
#include <string.h>

struct script up[3];
struct cg_http_client *client;
struct cg_http_upstreams *upstreams;
char said[8192];

static void note(void *arg, const char *line)
{
    (void)arg;
    snprintf(said + strlen(said), sizeof said - strlen(said), "%s\n", line);
}

void gateway_on(unsigned count, struct cg_http_upstreams_options options)
{
    options.log = note;
    said[0] = '\0';
    client = CLIENT(.connect_timeout = 3 * CG_SECOND, .response_timeout = 20 * CG_SECOND,
                    .idle_timeout = 20 * CG_SECOND);
    upstreams = cg_http_upstreams_new_with(client, &options);
    for (unsigned i = 0; i < count; i++)
        OK(cg_http_upstreams_add(upstreams, up[i].url));
    serve_begin(&(struct cg_http_server_options){.compress_above = CG_HTTP_UNLIMITED});
    OK(cg_http_server_mount(server, "/up/", cg_http_forward_handler, upstreams));
}

void gateway_off(void)
{
    serve_end();
    cg_http_upstreams_free(upstreams);
    cg_http_client_free(client);
}

void saw(const struct script *script, const char *piece)
{
    ck_assert_msg(strstr(script->seen, piece) != NULL, "\"%s\" is not in \"%s\"", piece,
                  script->seen);
}

void saw_not(const struct script *script, const char *piece)
{
    ck_assert_msg(strstr(script->seen, piece) == NULL, "\"%s\" is in \"%s\"", piece,
                  script->seen);
}

void has(const char *text, const char *piece)
{
    ck_assert_msg(strstr(text, piece) != NULL, "\"%s\" is not in \"%s\"", piece, text);
}

unsigned times(const char *text, const char *piece)
{
    unsigned count = 0;

    while ((text = strstr(text, piece)) != NULL)
        count++, text++;
    return count;
}
