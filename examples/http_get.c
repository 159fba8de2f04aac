/* SPDX-License-Identifier: MIT */
/* The smallest HTTP client: gets pages at the same time and prints them in the order of the
 * command line. This file needs no other:
 *
 *     cc http_get.c -o http_get $(pkg-config --cflags --libs cogen-http)
 *     ./http_get http://127.0.0.1:8080/ http://127.0.0.1:8080/other
 *
 * http_client does more: files, ranges, TLS, progress. */
#include <cogen.h>
#include <cogen/http_client.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static struct cg_http_client *client;

struct page {
    const char *url;
    struct cg_http_reply *reply; /* NULL: there is none */
    ssize_t status;              /* a negative code if there is no reply; .why explains it */
    char why[CG_HTTP_WHY_SIZE];
};

static ssize_t get(void *arg)
{
    struct page *page = arg;

    page->status = cg_yield(cg_http_get(client, page->url, &page->reply, .why = page->why,
                                        .timeout = CG_MINUTE));
    return 0; /* a page that fails does not cancel the others */
}

/* Prints a page, or why there is none. False: it is not what was wanted. */
static bool show(const struct page *page)
{
    const char *body;
    size_t len;

    if (page->status < 0) {
        fprintf(stderr, "http_get: %s: %s\n", page->url, page->why);
        return false;
    }
    body = cg_http_reply_body(page->reply, &len);
    fwrite(body, 1, len, stdout);
    if (page->status >= 400)
        fprintf(stderr, "http_get: %s: %zd %s\n", page->url, page->status,
                cg_http_reply_reason(page->reply));
    return page->status < 400;
}

static ssize_t run(void *arg)
{
    char **urls = arg;
    struct page pages[16] = {{.url = NULL}};
    struct cg_group group;
    bool good = true;
    int n = 0;

    if ((client = cg_http_client_new()) == NULL) {
        fprintf(stderr, "http_get: %s\n", cg_strerror(-ENOMEM));
        return -ENOMEM;
    }
    cg_group_open(&group);
    for (; n < 16 && urls[n] != NULL; n++) {
        ssize_t added;

        pages[n].url = urls[n];
        added = cg_yield(cg_add_to_group(&group, get, &pages[n]));
        if (added == 0)
            continue; /* it may have failed already */
        pages[n].status = added;
        snprintf(pages[n].why, sizeof pages[n].why, "%s", cg_strerror(added));
    }
    cg_yield(cg_wait_group(&group));
    for (int i = 0; i < n; i++) {
        good = show(&pages[i]) && good;
        if (pages[i].reply != NULL)
            cg_http_reply_free(pages[i].reply);
    }
    cg_http_client_free(client);
    return good ? 0 : -EIO;
}

int main(int argc, char **argv)
{
    ssize_t rc;

    if (argc < 2 || argc > 17)
        return fprintf(stderr, "usage: http_get URL... (at most 16)\n"), 2;
    if (fcntl(STDOUT_FILENO, F_GETFD) < 0) /* the first socket would get its number */
        return perror("http_get: stdout"), 1;
    rc = cg_main(NULL, run, argv + 1);
    if (fflush(stdout) != 0 || ferror(stdout))
        return perror("http_get: stdout"), 1;
    return rc < 0;
}
