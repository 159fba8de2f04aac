/* SPDX-License-Identifier: MIT */
/* Fetches pages over HTTP, all at once, and prints their bodies in the order of the
 * command line; a coroutine for each.
 *
 *     ./http_client http://127.0.0.1:8080/
 *     ./http_client -o both.html http://localhost:8080/ http://[::1]:8080/about.html
 *
 * Exit status: 0 all were fetched; 1 at least one was not (no connection, a status of
 * 300 or more, a body that is too short ...), or the output could not be written; 2 the
 * command line was wrong. Errors name the host or the URL on stderr.
 */
#include <cogen.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common.h"
#include "http_small.h"

static const int64_t patience = 30 * CG_SECOND; /* with a server that says nothing */

static const char *out_name; /* NULL: stdout */
static FILE *out;            /* NULL: not yet opened */
static int turn;             /* the number of the page whose body is printed now */

struct page {
    const char *text; /* of its URL */
    int number;
    struct http_url url;
    struct http_head head;
};

/* ---- The body ---------------------------------------------------------------------
 */

/* The output goes wrong for everybody: report it once, and end the run. */
static ssize_t output_failed(int error)
{
    static bool reported;

    if (!reported) {
        example_fail(out_name ? out_name : "stdout", error ? -error : -EIO);
        cg_stop(cg_sched_self());
    }
    reported = true;
    return -ECANCELED;
}

/* Opened when there is something for it: a refused connection leaves an old file alone.
 */
static ssize_t open_output(void)
{
    if (!out)
        out = out_name ? fopen(out_name, "wb") : stdout;
    return out ? 0 : output_failed(errno);
}

static ssize_t print_body(struct cg_sock *conn, const struct http_head *head)
{
    int64_t left = head->has_length ? head->length : INT64_MAX;
    ssize_t n = open_output();
    struct cg_view view;

    while (n >= 0 && left > 0) {
        size_t part;

        n = cg_yield(cg_borrow(conn, &view, .timeout = patience));
        if (n <= 0)
            break;
        part = (int64_t)view.size < left ? view.size : (size_t)left;
        if (fwrite(view.data, 1, part, out) < part)
            n = output_failed(errno);
        cg_giveback(&view, part);
        left -= part;
    }
    if (n == 0 && left > 0 && head->has_length)
        return CG_EOF;
    return n < 0 ? n : 0;
}

/* ---- The request and the head -----------------------------------------------------
 */

/* HTTP/1.0, for that is what a client without chunked bodies speaks. */
static ssize_t send_request(struct cg_sock *conn, const struct http_url *url)
{
    char text[HTTP_LINE_SIZE + 512];
    int length = snprintf(text, sizeof text,
                          "GET %s HTTP/1.0\r\nHost: %s\r\nUser-Agent: cogen/%s\r\n"
                          "Accept: */*\r\n\r\n",
                          url->target, url->host, cg_version());

    return cg_yield(cg_writeall(conn, text, length, .timeout = patience));
}

/* Why a head was refused: the status that a server would have answered says it. */
static const char *refusal(int status)
{
    switch (status) {
    case 431:
        return "the head of the answer is too long";
    case 501:
        return "the answer has a transfer encoding (such as chunked), which this small "
               "client does not know";
    case 505:
        return "the answer is not HTTP/1";
    default:
        return "the answer is not valid HTTP";
    }
}

/* 0, a positive refusal, or a negative code. */
static ssize_t read_head(struct cg_sock *conn, struct http_head *head)
{
    char line[HTTP_LINE_SIZE];
    int step = HTTP_MORE;

    while (step == HTTP_MORE) {
        ssize_t n = cg_yield(cg_readline(conn, line, sizeof line, .timeout = patience));

        if (n == -EMSGSIZE)
            return 431;
        if (n <= 0)
            return n < 0 ? n : CG_EOF;
        step = head->size == 0 ? http_status_line(head, line, n)
                               : http_field(head, line, n);
    }
    return step == HTTP_END ? 0 : step;
}

/* Whether the status promises the page; if not, says so. */
static bool is_page(const struct page *page)
{
    const struct http_head *head = &page->head;
    char why[HTTP_LINE_SIZE + 128];

    if (head->status >= 200 && head->status < 300)
        return true;
    if (head->location[0])
        snprintf(why, sizeof why, "%d %s: it has moved to %s", head->status,
                 http_reason(head->status), head->location);
    else
        snprintf(why, sizeof why, "%d %s", head->status, http_reason(head->status));
    example_complain(page->text, why);
    return false;
}

/* ---- A page -----------------------------------------------------------------------
 */

static ssize_t wait_for_turn(const struct page *page)
{
    ssize_t n = 0;

    while (n >= 0 && turn < page->number)
        n = cg_yield(cg_wait_signal(&turn, NULL));
    return n;
}

/* Answers 0 as well where it has already said what went wrong. */
static ssize_t fetch_from(struct cg_sock *conn, struct page *page)
{
    ssize_t n = send_request(conn, &page->url);

    if (n >= 0)
        n = read_head(conn, &page->head);
    if (n > 0) {
        example_complain(page->text, refusal((int)n));
        return 0;
    }
    if (n < 0 || !is_page(page))
        return n;
    n = wait_for_turn(page);
    if (n >= 0 && page->head.status != 204)
        n = print_body(conn, &page->head);
    return n;
}

static void fetch_page(struct page *page)
{
    const char *wrong = http_url(&page->url, page->text);
    struct cg_sock *conn;
    ssize_t n;

    if (wrong) {
        example_complain(page->text, wrong);
        return;
    }
    n = cg_yield(cg_connect(page->url.addr, &conn, .timeout = patience));
    if (n < 0) {
        example_fail(page->url.addr, n);
        return;
    }
    n = fetch_from(conn, page);
    if (n == CG_EOF)
        example_complain(page->text, "the connection ended before the page did");
    else if (n < 0)
        example_fail(page->text, n);
    cg_close(conn);
}

/* A page that fails early waits for its turn, too: nobody overtakes. */
static ssize_t fetch(void *arg)
{
    struct page *page = arg;
    ssize_t n;

    fetch_page(page);
    n = wait_for_turn(page);
    if (n >= 0) {
        turn++;
        n = cg_yield(cg_signal(&turn, NULL));
    }
    return n;
}

int main(int argc, char **argv)
{
    const struct example_option options[] = {
        {"output", "FILE", "write to FILE instead of stdout", &out_name, 'o'},
        {0},
    };
    struct example ex = {
        .name = "http_client",
        .about = "Fetches pages over HTTP and prints their bodies, one after the other",
        .operands = "URL...",
        .network = true,
        .options = options,
    };
    struct page *pages;
    int code, status;

    example_open(&ex, argc, argv);
    if (ex.argc == 0)
        example_usage(&ex, "which URL?");
    pages = calloc(ex.argc, sizeof *pages);
    if (!pages)
        example_fail("pages", -ENOMEM);
    for (int i = 0; pages && i < ex.argc; i++) {
        pages[i].text = ex.argv[i];
        pages[i].number = i;
        if ((code = cg_start(ex.sched, fetch, &pages[i], .name = ex.argv[i])) < 0) {
            example_fail(ex.argv[i], code);
            break; /* those after it would wait for its turn */
        }
    }
    status = example_run(&ex);
    if (out && out != stdout && fclose(out) != 0 && status == 0) {
        fprintf(stderr, "http_client: %s: %s\n", out_name, strerror(errno));
        status = 1;
    }
    free(pages);
    return status;
}
