/* SPDX-License-Identifier: MIT */
/* See site.h. Sites are never forgotten, since URLs in use have their texts; a client of
 * more hosts parses the URLs of the later ones whole. */
#include "config.h"

#include "http/client/pool/site.h"

#include <stdlib.h>
#include <string.h>

enum { MOST = 32 };

struct cg__site {
    struct cg__site *next;
    struct cg__url url; /* without a path */
    struct cg__origin *origin; /* in the pool, a reference; NULL: it is not known yet */
    size_t len;
    char begin[]; /* as it is written */
};

/* Whether a URL is one of a site. */
static bool begins(const char *text, const struct cg__site *site)
{
    return text != NULL && strncmp(text, site->begin, site->len) == 0 &&
           strchr("/?#", text[site->len]) != NULL;
}

/* The length of a URL up to its path; 0: it begins without a scheme. */
static size_t length_of(const char *text)
{
    size_t scheme = strcspn(text, ":/?#");

    if (scheme == 0 || strncmp(text + scheme, "://", 3) != 0)
        return 0;
    return scheme + 3 + strcspn(text + scheme + 3, "/?#");
}

/* One with a password is not kept. Without memory nothing is. */
static void keep(struct cg_http_client *client, const char *text, size_t len)
{
    struct cg__site *site;
    const char *why;

    if (len == 0 || client->nsites == MOST || memchr(text, '@', len) != NULL)
        return;
    site = malloc(sizeof *site + len + 1);
    if (site == NULL)
        return;
    *site = (struct cg__site){.next = client->sites, .len = len};
    memcpy(site->begin, text, len);
    site->begin[len] = '\0';
    if (cg__http_url_parse(&site->url, site->begin, &why) < 0) {
        free(site);
        return;
    }
    client->sites = site;
    client->nsites++;
}

int cg__http_client_pool_site_parse(struct cg__asking *ask, const char *text, const char **why)
{
    struct cg_http_client *client = ask->client;
    struct cg_http_reply *reply = ask->reply;
    struct cg__site *site = client->sites;
    int rc;

    while (site != NULL && !begins(text, site))
        site = site->next;
    ask->site = site;
    if (site != NULL)
        return cg__http_url_parse_rest(&ask->url, &site->url, text + site->len,
                                       &reply->url_room, &reply->url_size, why);
    rc = cg__http_url_parse(&ask->url, text, why);
    if (rc == 0)
        keep(client, text, length_of(text));
    return rc;
}

struct cg__origin **cg__http_client_pool_site_origin(struct cg__site *site)
{
    return &site->origin;
}

void cg__http_client_pool_site_free(struct cg_http_client *client)
{
    while (client->sites != NULL) {
        struct cg__site *site = client->sites;

        client->sites = site->next;
        if (site->origin != NULL)
            cg__http_client_pool_unuse(&client->pool, site->origin);
        cg__http_url_free(&site->url);
        free(site);
    }
}
