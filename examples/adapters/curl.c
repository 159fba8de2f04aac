/* SPDX-License-Identifier: MIT */
/* HTTP by libcurl's multi interface, whose descriptors come and go, with one timer.
 *     cc curl.c $(pkg-config --cflags --libs cogen libcurl)
 *     ./curl http://127.0.0.1:8080/ http://127.0.0.1:8080/other ...
 * All URLs are fetched at the same time; each may take $PATIENCE seconds (2). */
#include "patience.h"

#include <cogen.h>
#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    SOCKETS = 64
};

struct transfer {
    CURL *easy;
    CURLcode code; /* valid once it is done */
    bool started, unwanted;
    struct cg_event done; /* libcurl no longer uses this transfer */
    struct transfer *next;
};

struct curl {
    CURLM *multi;
    struct watched {
        curl_socket_t fd;
        unsigned events;
    } sockets[SOCKETS]; /* for which libcurl waits */
    size_t count;
    int64_t timer;           /* a moment */
    struct transfer *first;  /* the list of transfers that are not done */
    bool ending;             /* tells the driver to end */
    struct cg_event changed; /* `ending` was set, or a transfer was added or given up */
};

/* libcurl's callbacks: they only note what libcurl asks for, and never yield. */
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *unused)
{
    struct curl *curl = arg;
    struct watched *each = curl->sockets, *end = each + curl->count;

    (void)easy, (void)unused;
    while (each < end && each->fd != fd)
        each++;
    if (what == CURL_POLL_REMOVE && each < end)
        *each = curl->sockets[--curl->count];
    else if (what != CURL_POLL_REMOVE && each == curl->sockets + SOCKETS)
        return -1;
    else if (what != CURL_POLL_REMOVE) {
        curl->count += each == end;
        *each = (struct watched){fd, (what & CURL_POLL_IN ? CG_IN : 0) |
                                         (what & CURL_POLL_OUT ? CG_OUT : 0)};
    }
    return 0;
}

static int on_timer(CURLM *multi, long ms, void *arg)
{
    struct curl *curl = arg;

    (void)multi;
    curl->timer =
        ms < 0 ? CG_NEVER : cg_sched_now(cg_sched_self()) + ms * CG_MILLISECOND;
    return 0;
}

static void finish(struct curl *curl, struct transfer *transfer, CURLcode code)
{
    struct transfer **link = &curl->first;

    while (*link != transfer)
        link = &(*link)->next;
    *link = transfer->next;
    curl_multi_remove_handle(curl->multi, transfer->easy);
    transfer->code = code;
    cg_event_set(&transfer->done);
}

static void start_and_take_back(struct curl *curl)
{
    cg_event_clear(&curl->changed);
    for (struct transfer *each = curl->first, *next; each; each = next) {
        next = each->next;
        if (each->unwanted)
            finish(curl, each, CURLE_ABORTED_BY_CALLBACK);
        else if (!each->started && curl_multi_add_handle(curl->multi, each->easy))
            finish(curl, each, CURLE_FAILED_INIT);
        each->started = true;
    }
}

/* The only coroutine that calls the multi interface. libcurl may close descriptors
 * whenever it is called, so nothing may call it while this coroutine waits for them. The
 * coroutine is not cancelled, but told to end, after the last transfer. */
static ssize_t curl_drive(void *arg)
{
    struct curl *curl = arg;
    ssize_t rc;

    for (size_t first = 0; !curl->ending;
         first++) { /* the first ready socket wins, so rotate */
        struct cg_poll_op polls[SOCKETS];
        struct cg_op *ops[SOCKETS + 1];
        size_t n = curl->count;
        int number;
        CURLMsg *message;

        for (size_t i = 0; i < n; i++) {
            struct watched *each = &curl->sockets[(first + i) % n];

            polls[i] = *(struct cg_poll_op *)cg_poll(each->fd, each->events,
                                                     .timeout = CG_NEVER);
            ops[i] = &polls[i].op;
        }
        ops[n] = cg_wait_event(&curl->changed);
        rc = cg_yield(cg_any_of(ops, n + 1, .deadline = curl->timer, .shield = true));
        if (rc < 0 && rc != -ETIMEDOUT)
            return rc;
        if (rc == (ssize_t)n) {
            start_and_take_back(curl);
        } else if (rc >= 0) { /* 0: libcurl finds out what the socket is ready for */
            curl_multi_socket_action(curl->multi, polls[rc].fd, 0, &number);
        } else {
            curl->timer = CG_NEVER;
            curl_multi_socket_action(curl->multi, CURL_SOCKET_TIMEOUT, 0, &number);
        }
        while ((message = curl_multi_info_read(curl->multi, &number))) {
            struct transfer *transfer;

            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE,
                              (char **)&transfer);
            finish(curl, transfer, message->data.result);
        }
    }
    return 0;
}

/* Does the transfer that `easy` describes; CURLOPT_PRIVATE is ours. Returns 0, and *code
 * is libcurl's result; -ETIMEDOUT or -ECANCELED: the transfer was aborted. */
static ssize_t curl_perform(struct curl *curl, CURL *easy, CURLcode *code,
                            int64_t timeout)
{
    struct transfer transfer = {.easy = easy, .next = curl->first};
    ssize_t rc;

    curl_easy_setopt(easy, CURLOPT_PRIVATE, &transfer);
    curl->first = &transfer;
    cg_event_set(&curl->changed);
    rc = cg_yield(cg_wait_event(&transfer.done, .timeout = timeout));
    if (!transfer.done.set) {
        transfer.unwanted = true;
        cg_event_set(&curl->changed);
        cg_yield(cg_wait_event(&transfer.done, .shield = true));
    }
    *code = transfer.code;
    return rc;
}

static struct curl curl = {.timer = CG_NEVER};

static int64_t patience = 2 * CG_SECOND; /* ns, for each URL */
static int status; /* of the program */

static void complain(const char *what, const char *why)
{
    fprintf(stderr, "curl: %s: %s\n", what, why);
    status = 1;
}

static ssize_t fetch(void *url)
{
    char *body = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&body, &size);
    CURL *easy = curl_easy_init();
    CURLcode code;
    long answer = 0;
    ssize_t rc;

    if (!out || !easy) {
        complain(url, cg_strerror(-ENOMEM));
        curl_easy_cleanup(easy);
        if (out)
            fclose(out);
        free(body);
        return 0;
    }
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, out); /* in memory, so it cannot block */
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    rc = curl_perform(&curl, easy, &code, patience);
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &answer);
    curl_easy_cleanup(easy);
    if ((fclose(out) != 0 || !body) && code == CURLE_OK) /* fclose gives the body */
        code = CURLE_OUT_OF_MEMORY;
    if (rc < 0 || code != CURLE_OK)
        complain(url, rc < 0 ? cg_strerror(rc) : curl_easy_strerror(code));
    else
        printf("%s: %ld, %zu bytes\n", (char *)url, answer, size);
    free(body);
    return 0;
}

static ssize_t program(void *urls)
{
    struct cg_coro *driver;
    struct cg_group group;
    ssize_t rc;

    curl.multi = curl_multi_init();
    if (!curl.multi) {
        complain("libcurl", cg_strerror(-ENOMEM));
        return 0;
    }
    curl_multi_setopt(curl.multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(curl.multi, CURLMOPT_SOCKETDATA, &curl);
    curl_multi_setopt(curl.multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(curl.multi, CURLMOPT_TIMERDATA, &curl);
    curl_multi_setopt(curl.multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, SOCKETS / 2L);
    rc = cg_yield(cg_add(curl_drive, &curl, .name = "curl", .coro = &driver));
    if (rc < 0) {
        complain("libcurl", cg_strerror(rc));
        curl_multi_cleanup(curl.multi);
        return 0;
    }
    cg_group_open(&group, .keep_going = true);
    for (char **url = urls; *url; url++)
        if ((rc = cg_yield(cg_add_to_group(&group, fetch, *url, .name = *url))) < 0)
            complain(*url, cg_strerror(rc));
    rc = cg_yield(cg_wait_group(&group));
    curl.ending = true;
    cg_event_set(&curl.changed);
    cg_yield(cg_join(driver, .shield = true)); /* before the descriptors are closed */
    cg_coro_unref(driver);
    curl_multi_cleanup(curl.multi);
    return rc;
}

int main(int argc, char **argv)
{
    if (argc < 2 || !patience_read(&patience)) {
        fprintf(stderr, "usage: [PATIENCE=SECONDS] %s URL...\n", argv[0]);
        return 2;
    }
    return cg_main(NULL, program, argv + 1) < 0 || status;
}
