/* SPDX-License-Identifier: MIT */
/* See cache_origin.h. */
#include "config.h"

#include "tests/http/cache/cache_origin.h"

#include <cogen/clock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct origin origin;

bool origin_heard(const char *piece)
{
    return strstr(origin.request, piece) != NULL;
}

static int64_t wall(void)
{
    return cg_clock_now(cg_sched_self(), CG_CLOCK_WALL) / CG_SECOND;
}

/* Copies fields, with dates for "@-10". Returns the end. */
static char *expand(char *to, const char *from)
{
    while (*from != '\0') {
        char *end;

        if (*from != '@') {
            *to++ = *from++;
            continue;
        }
        cg_http_date_print(origin.began + strtol(from + 1, &end, 10), to);
        to += strlen(to);
        from = end;
    }
    *to = '\0';
    return to;
}

/* Whether the request has the value of a field of the response in one of its own. */
static bool has_value_of(const char *fields, const char *name, const char *condition)
{
    const char *at = strstr(fields, name);
    char want[256];

    if (at == NULL)
        return false;
    at += strlen(name);
    snprintf(want, sizeof want, "%s%.*s\r\n", condition, (int)strcspn(at, "\r"), at);
    return origin_heard(want);
}

static void respond(char *out)
{
    char fields[4096], number[16], date[CG_HTTP_DATE_SIZE];
    const char *body = origin.body;
    bool same;
    char *at = out;

    expand(fields, origin.fields);
    snprintf(number, sizeof number, "%u", origin.asked);
    body = body != NULL ? body : number;
    same = has_value_of(fields, "ETag: ", "If-None-Match: ") ||
           has_value_of(fields, "Last-Modified: ", "If-Modified-Since: ");
    at += sprintf(at, "HTTP/1.1 %s\r\n", same ? "304 Not Modified" : origin.line);
    cg_http_date_print(wall(), date);
    if (!origin.undated)
        at += sprintf(at, "Date: %s\r\n", date);
    if (same)
        at = expand(at, origin.again != NULL ? origin.again : origin.fields);
    else
        at += sprintf(at, "%sContent-Length: %zu\r\n", fields, strlen(body));
    at = stpcpy(at, "\r\n");
    if (!same && strncmp(origin.request, "HEAD", 4) != 0)
        stpcpy(at, body);
}

/* Reads the head of a request; false: there is none. */
static bool hear(struct cg_sock *conn)
{
    struct cg_view view;
    size_t len = 0;
    ssize_t n;

    do {
        n = cg_yield(cg_borrow(conn, &view));
        if (n <= 0)
            return false;
        ck_assert_uint_lt(len + view.len, sizeof origin.request);
        memcpy(origin.request + len, view.data, view.len);
        len += view.len;
        origin.request[len] = '\0';
        cg_view_release(&view, view.len);
    } while (strstr(origin.request, "\r\n\r\n") == NULL);
    return true;
}

static ssize_t converse(void *arg)
{
    struct cg_sock *conn = arg;
    char *out = malloc(64 * 1024);

    ck_assert_ptr_nonnull(out);
    while (hear(conn)) {
        origin.asked++;
        if (origin.breaks)
            break;
        if (origin.raw != NULL)
            strcpy(out, origin.raw);
        else
            respond(out);
        if (origin.pause > 0)
            cg_yield(cg_sleep(origin.pause));
        cg_yield(cg_writeall(conn, out, strlen(out)));
        if (origin.raw != NULL)
            break;
    }
    cg_sock_close(conn);
    free(out);
    return 0;
}

static ssize_t serve(void *arg)
{
    struct cg_sock *conn;

    (void)arg;
    while (cg_yield(cg_accept(origin.listener, &conn)) >= 0)
        OK(cg_sched_start(cg_sched_self(), converse, conn));
    return 0;
}

void origin_start(void)
{
    char addr[CG_ADDR_SIZE];

    origin = (struct origin){.line = "200 OK", .fields = ""};
    origin.began = wall();
    origin.listener = test_listen(addr);
    snprintf(origin.url, sizeof origin.url, "http://%s", addr);
    origin.coro = test_start(serve, NULL);
}

void origin_end(void)
{
    cg_sock_close(origin.listener);
    IS(test_end(origin.coro), 0);
}
