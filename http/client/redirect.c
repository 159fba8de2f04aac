/* SPDX-License-Identifier: MIT */
/* See redirect.h. */
#include "config.h"

#include "http/client/body.h"
#include "http/client/redirect.h"
#include "http/client/source.h"
#include "http/client/why.h"
#include "lib/base/plural.h"

#include <errno.h>
#include <string.h>

static bool is_redirect(unsigned status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 ||
           status == 308;
}

/* The method of the redirected request. POST becomes GET after 301 and 302, as in all
 * clients; after 303 all methods but HEAD do. */
static void change_method(struct cg__asking *ask, unsigned status)
{
    bool drops = status == 303 ? strcmp(ask->method, "HEAD") != 0
                               : status <= 302 && strcmp(ask->method, "POST") == 0;

    if (drops) {
        ask->method = "GET";
        ask->with_body = false;
        ask->expect = false;
    }
}

ssize_t cg__http_client_redirect(struct cg__asking *ask)
{
    const struct cg_http_fetch *fetch = ask->fetch;
    const char *to = NULL, *wrong;
    unsigned most = fetch->redirects ? fetch->redirects : CG_HTTP_REDIRECTS;
    unsigned status = ask->reply->head.status;
    struct cg__url url;
    ssize_t n;

    if (!fetch->stay && is_redirect(status))
        to = cg_http_reply_header(ask->reply, "Location");
    if (to == NULL)
        return 0;
    if (ask->redirects == most)
        return cg__http_client_because(ask->why, CG_EHTTP_REDIRECT,
                                       "more than %u redirect%s", most, cg__plural(most));
    n = cg__http_url_resolve(&url, &ask->url, to, &wrong);
    if (n == CG_EHTTP_URL)
        return cg__http_client_because(ask->why, CG_EHTTP_REDIRECT,
                                       "redirected to %.100s: %s", to, wrong);
    if (n < 0)
        return n;
    if (ask->url.https && !url.https && !fetch->downgrade) {
        n = cg__http_client_because(
            ask->why, CG_EHTTP_REDIRECT,
            "redirected from https to %.100s, which is not secure", url.text);
        cg__http_url_free(&url);
        return n;
    }
    change_method(ask, status);
    if (ask->with_body && !cg__http_client_source_rewind(ask)) {
        cg__http_url_free(&url);
        return 0; /* return the redirect: the caller may be able to send the body again */
    }
    ask->redirects++;
    if (!cg__http_url_same_origin(&ask->url, &url)) {
        ask->foreign = true;
        ask->plain = false; /* the wish of the other server */
    }
    url.user = ask->foreign ? NULL : url.user;
    cg__http_url_free(&ask->url);
    ask->url = url;
    ask->site = NULL;
    cg__http_client_body_skip(ask->reply);
    return 1;
}
