/* SPDX-License-Identifier: MIT */
/* URLs: the text of a URL is read as the same URL again, and a reference is resolved to a URL
 * that is read as itself. The input is a base and a reference, with a newline between them. */
#include "config.h"

#include "http/message/percent.h"
#include "http/message/url.h"
#include "tests/fuzz/fuzz.h"

static void check_same(const struct cg__url *a, const struct cg__url *b)
{
    MUST(strcmp(a->text, b->text) == 0 && strcmp(a->host, b->host) == 0);
    MUST(strcmp(a->hostport, b->hostport) == 0 && strcmp(a->addr, b->addr) == 0);
    MUST(strcmp(a->target, b->target) == 0 && a->port == b->port && a->https == b->https);
    MUST(cg__http_url_same_origin(a, b));
}

static void check_again(const struct cg__url *url)
{
    struct cg__url again;
    const char *why = NULL;

    MUST(url->target[0] == '/');
    if (strlen(url->text) > CG__URL_LIMIT)
        return;
    MUST(cg__http_url_parse(&again, url->text, &why) == 0);
    check_same(url, &again);
    cg__http_url_free(&again);
}

static void check_proxy(const char *text)
{
    struct cg__url url;
    const char *why = NULL;

    if (cg__http_url_parse_proxy(&url, text, &why) == 0)
        cg__http_url_free(&url);
    else
        MUST(why != NULL);
}

/* Dot segments are gone after one time. */
static void check_dots(const char *target)
{
    char *path = strdup(target);
    size_t len = cg__http_url_remove_dots(path, strcspn(path, "?")), again;

    path[len] = '\0';
    again = cg__http_url_remove_dots(path, len);
    MUST(again == len && (len == 0 || path[0] == '/'));
    free(path);
}

static void check_percent(const char *text)
{
    for (int flags = 0; flags < 4; flags++) {
        char *copy = strdup(text);
        ssize_t len = cg__http_percent_decode(copy, copy, strlen(copy), flags & 1, flags & 2);

        MUST(len <= (ssize_t)strlen(text));
        free(copy);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size), *ref = strchr(text, '\n');
    struct cg__url url, to;
    const char *why = NULL;

    if (ref != NULL)
        *ref++ = '\0';
    check_proxy(text);
    check_percent(text);
    if (cg__http_url_parse(&url, text, &why) == 0) {
        check_again(&url);
        check_dots(url.target);
        if (ref != NULL && cg__http_url_resolve(&to, &url, ref, &why) == 0) {
            check_again(&to);
            cg__http_url_free(&to);
        }
        cg__http_url_free(&url);
    } else {
        MUST(why != NULL);
    }
    free(text);
    return 0;
}
