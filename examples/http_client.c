/* SPDX-License-Identifier: MIT */
/* Downloads over HTTP, several at the same time, each by a coroutine.
 *
 *     ./http_client http://127.0.0.1:8080/
 *     ./http_client -O --parallel 4 http://localhost:8080/a http://localhost:8080/b
 *     ./http_client -C -o big.iso http://localhost:8080/big.iso    (continue a download)
 *     ./http_client ws://localhost:9001/     (talk over a WebSocket; Ctrl-D ends)
 *     ./http_client -T - http://localhost:8080/echo    (send what is typed; Ctrl-D ends)
 *
 * Bodies are printed in the order of the command line, or written to files. Exit status: 0
 * all were fetched; 1 at least one was not (no connection, no valid response, truncated);
 * 2 the command line was wrong; 3 a server responded with an error (400 or more), or with
 * a redirect that could not be followed; 4 the output could not be written. If several
 * apply, the largest. Errors are printed on stderr, with the URL. If stderr is a terminal,
 * each transfer has a line of progress there. */
#include <cogen.h>
#include <cogen/http_cache.h>
#include <cogen/http_client.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common.h"
#include "http_client_cookies.h"
#include "http_client_file.h"
#include "http_client_progress.h"
#include "http_client_talk.h"
#include "http_client_targets.h"
#include "http_client_tls.h"
#include "http_client_upload.h"

enum {
    FAILED = 1,
    REFUSED = 3,
    NOT_WRITTEN = 4,
    FIELDS_MOST = 50,
    PIECE = 32 * 1024
};

static const char *out_name, *own_names, *method, *data, *cacert, *pins, *insecure, *verbose,
    *parallel = "8", *resume, *header, *speed, *http1, *http2, *prior, *cookie, *cookie_file,
    *resolve, *connect_to, *unix_socket, *proxy, *no_proxy, *upload,
    *retry = "0", *stored;
static struct cg_http_field fields[FIELDS_MOST + 3];
static size_t field_count;
static struct cg_http_client *client;
static struct cg_http_cache *cache; /* NULL: nothing is stored */
static unsigned retries;
static struct cg_bucket *bucket; /* a token for each byte; NULL: there is no limit */
static size_t piece = PIECE;     /* read at a time */
static struct transfer *transfers;
static int status, count, begun, fetchers;
static int turn; /* the number of the transfer whose body is printed now */

static void failed(const struct transfer *transfer, int code, const char *why)
{
    progress_hide();
    example_complain(transfer->url, why);
    status = code > status ? code : status;
}

/* Reports, once, that the output cannot be written, and ends the run: it would fail for
 * the other transfers, too. */
static ssize_t output_failed(ssize_t error, const char *name)
{
    static bool reported;

    if (!reported) {
        progress_hide();
        example_fail(name, error);
        status = NOT_WRITTEN;
        cg_sched_stop(cg_sched_self());
    }
    reported = true;
    return -ECANCELED;
}

static void show(struct cg_http_reply *reply)
{
    static const char *const from[] = {"", " from the cache", " from the cache, validated",
                                       " from the cache, stale"};
    struct cg_http_field field;
    size_t at = 0;

    if (!verbose)
        return;
    progress_hide();
    fprintf(stderr, "< %s%s\n< %s %d ", cg_http_reply_url(reply), from[cg_http_reply_from(reply)],
            cg_http_reply_protocol(reply), cg_http_reply_status(reply));
    example_put_plain(cg_http_reply_reason(reply));
    while (cg_http_headers_next(cg_http_reply_headers(reply), &at, &field)) {
        fprintf(stderr, "\n< %s: ", field.name);
        example_put_plain(field.value);
    }
    fputc('\n', stderr);
}

/* Reports a response that has no page: an error, or a redirect. */
static ssize_t no_page(struct transfer *transfer, struct cg_http_reply *reply)
{
    char why[512];
    const char *to = cg_http_reply_header(reply, "Location");
    int code = cg_http_reply_status(reply);

    snprintf(why, sizeof why, "%d %s%s%.300s", code, cg_http_status_text(code),
             to ? ": it has moved to " : "", to ? to : "");
    failed(transfer, REFUSED, why);
    return 0;
}

static ssize_t wait_for_turn(const struct transfer *transfer)
{
    ssize_t n = 0;

    while (n >= 0 && turn < transfer->number)
        n = cg_yield(cg_wait_signal(&turn, NULL));
    return n;
}

/* Called after n bytes have been read: waits until the limit allows the next ones. Meanwhile
 * nothing is read, so that flow control stops the server. */
static ssize_t slow_down(ssize_t n)
{
    return bucket != NULL && n > 0 ? cg_yield(cg_take(bucket, (size_t)n)) : n;
}

/* Copies the body to the output. Transfers that share the output wait for their turn
 * before they read: flow control then stops the server. */
static ssize_t take_body(struct transfer *transfer, struct cg_http_reply *reply)
{
    char *buf = malloc(PIECE);
    ssize_t n = own_names ? 0 : wait_for_turn(transfer), closed;

    if (buf == NULL)
        n = -ENOMEM;
    if (n >= 0 && (n = file_open(transfer, reply)) < 0)
        n = output_failed(n, transfer->name);
    while (n >= 0 && (n = cg_yield(cg_http_read_reply(reply, buf, piece))) > 0) {
        ssize_t error = file_write(transfer, buf, (size_t)n);

        transfer->received = cg_http_reply_received(reply);
        if (error < 0)
            n = output_failed(error, transfer->name);
        progress_show();
        if (upload != NULL)
            fflush(transfer->file); /* somebody may wait for it before they type on */
        n = slow_down(n);
    }
    if (n < 0 && n != -ECANCELED)
        failed(transfer, FAILED,
               *cg_http_reply_why(reply) ? cg_http_reply_why(reply) : cg_strerror(n));
    closed = file_close(transfer, reply, n >= 0);
    if (closed < 0 && n >= 0)
        n = output_failed(closed, transfer->name);
    free(buf);
    return n;
}

static ssize_t take_answer(struct transfer *transfer, struct cg_http_reply *reply)
{
    int code = cg_http_reply_status(reply);
    const char *wrong;

    show(reply);
    if (code == 416 && file_is_complete(transfer, reply))
        return 0;
    if (code >= 300)
        return no_page(transfer, reply);
    wrong = file_position(transfer, reply);
    if (wrong) {
        failed(transfer, FAILED, wrong);
        return 0;
    }
    transfer->length = cg_http_reply_length(reply);
    transfer->active = true;
    return take_body(transfer, reply);
}

/* Takes the response while the body of the request is being sent. -EALREADY: its failure was
 * reported. */
static ssize_t receive(void *transfer, struct cg_http_reply *reply)
{
    ssize_t n = take_answer(transfer, reply);

    return n < 0 && n != -ECANCELED ? -EALREADY : n;
}

static ssize_t ask(struct transfer *transfer, bool part, struct cg_http_reply **reply, char *why)
{
    struct cg_http_field mine[FIELDS_MOST + 3];
    struct cg_http_fetch fetch = {
        .url = transfer->url,
        .method = method,
        .fields = mine,
        .body = data,
        .len = data ? strlen(data) : 0,
        .stream = true,
        .raw = resume != NULL,
        .retries = retries,
    };

    if (upload != NULL) {
        upload_add(&fetch);
        fetch.receive = receive;
        fetch.receive_arg = transfer;
    }
    memcpy(mine, fields, sizeof mine);
    transfer->from = 0;
    if (part)
        file_resume(transfer, mine + field_count);
    return cg_yield(cg_http_fetch(client, &fetch, reply, .why = why));
}

/* A WebSocket takes its turn at the output like a body. */
static ssize_t talk(const struct transfer *transfer)
{
    char why[CG_HTTP_WHY_SIZE] = "";
    ssize_t n = wait_for_turn(transfer);

    progress_hide();
    if (n >= 0)
        n = talk_to(client, transfer->url, fields, verbose != NULL, why);
    if (n < 0 && n != -ECANCELED)
        failed(transfer, FAILED, why);
    return n == -ECANCELED ? n : 0;
}

/* Whether a transfer waits for its turn before it asks. By HTTP/2 transfers share a
 * connection, on which the server allows so many streams at a time: a transfer that has one
 * and waits to be printed could keep it from the one whose turn it is. */
static bool asks_in_turn(const struct transfer *transfer)
{
    return !own_names && !http1 && (prior || strncmp(transfer->url, "https:", 6) == 0);
}

static ssize_t fetch_one(struct transfer *transfer)
{
    char why[CG_HTTP_WHY_SIZE];
    struct cg_http_reply *reply;
    ssize_t n = asks_in_turn(transfer) ? wait_for_turn(transfer) : 0;

    if (n >= 0)
        n = ask(transfer, resume != NULL, &reply, why);
    if (n >= 0 && file_has_changed(transfer, reply)) {
        cg_http_reply_free(reply);
        n = ask(transfer, false, &reply, why);
    }
    if (n == -ECANCELED)
        return n;
    if (n < 0) {
        if (n != -EALREADY)
            failed(transfer, FAILED, why);
        transfer->active = false;
        return 0;
    }
    if (upload == NULL)
        n = take_answer(transfer, reply);
    cg_http_reply_free(reply);
    transfer->active = false;
    return n;
}

/* One of the coroutines that fetch: takes the next URL until none is left. A transfer that
 * has failed waits for its turn, too, since the turns are counted. */
static ssize_t fetch(void *arg)
{
    ssize_t n = 0;

    (void)arg;
    while (begun < count && n != -ECANCELED) {
        struct transfer *transfer = &transfers[begun++];

        n = talk_is_for(transfer->url) ? talk(transfer) : fetch_one(transfer);
        progress_done(transfer);
        if (n != -ECANCELED)
            n = own_names ? 0 : wait_for_turn(transfer);
        if (n >= 0) {
            turn++;
            n = cg_yield(cg_signal(&turn, NULL));
        }
    }
    if (--fetchers == 0)
        cg_http_client_free(client);
    return n;
}

static struct example ex;

/* Adds a field, whose name and value lie in one block of memory. */
static void add_field(char *name, const char *value)
{
    if (field_count == FIELDS_MOST)
        example_usage(&ex, "too many header fields");
    fields[field_count++] = (struct cg_http_field){name, value};
}

static void add_header(void)
{
    char *name = strdup(header), *colon = name ? strchr(name, ':') : NULL;

    if (!colon)
        example_usage(&ex, "HEADER is \"Name: value\"");
    *colon++ = '\0';
    add_field(name, colon + strspn(colon, " \t"));
}

/* A text with "=" is sent; another one is the name of a file. */
static void add_cookie(void)
{
    char *name;

    if (strchr(cookie, '=') == NULL) {
        cookies_load(cookie);
        return;
    }
    name = malloc(sizeof "Cookie" + strlen(cookie) + 1);
    if (name == NULL)
        example_usage(&ex, "no memory");
    add_field(name, strcpy(stpcpy(name, "Cookie") + 1, cookie));
}

/* These options may be given several times. */
static void each_option(const struct example_option *option)
{
    const char *wrong = NULL;

    if (option->value == &resolve)
        wrong = targets_resolve(resolve);
    if (option->value == &connect_to)
        wrong = targets_connect(connect_to);
    if (wrong != NULL)
        example_usage(&ex, wrong);
    if (option->letter == 'H')
        add_header();
    if (option->letter == 'b')
        add_cookie();
    if (option->letter == 'c')
        cookies_use();
}

/* The protocols of the command line; 0: the client's usual ones. */
static unsigned protocols(const char *url)
{
    if ((http1 != NULL) + (http2 != NULL) + (prior != NULL) > 1)
        example_usage(&ex, "--http1.1, --http2 and --http2-prior-knowledge exclude each other");
    if (http2 != NULL && strncasecmp(url, "wss:", 4) == 0)
        return CG_HTTP_H2; /* otherwise it would need a connection that is there already */
    return http1 ? CG_HTTP_H1 : prior ? CG_HTTP_H2 | CG_HTTP_H2C : 0;
}

/* Reads a number of bytes, with k, M or G for powers of 1024, as curl has it. 0: it is invalid, or
 * more than `most`. */
static unsigned long long bytes_of(const char *text, unsigned long long most)
{
    static const char units[] = "kMG";
    char *end;
    unsigned long long bytes = strtoull(text, &end, 10);
    const char *unit = *end != '\0' ? strchr(units, *end) : NULL;

    if (unit != NULL) {
        long shift = 10 * (unit - units + 1);

        bytes = bytes > most >> shift ? 0 : bytes << shift;
        end++;
    }
    return *text < '0' || *text > '9' || *end || bytes > most ? 0 : bytes;
}

/* SPEED is a number of bytes a second. */
static void limit(void)
{
    unsigned long long rate = bytes_of(speed, CG_BUCKET_RATE_MOST);

    if (rate < 1)
        example_usage(&ex, "SPEED must be a number of bytes a second, such as 500k");
    if (rate / 10 < piece)
        piece = rate >= 10 ? (size_t)(rate / 10) : 1;
    if (cg_bucket_new(&bucket, .rate = rate, .burst = piece) < 0)
        example_fail("memory", -ENOMEM);
}

static void open_cache(void)
{
    unsigned long long bytes = bytes_of(stored, SIZE_MAX / 2);

    if (bytes < 1)
        example_usage(&ex, "--cache takes a number of bytes, such as 16M");
    cache = cg_http_cache_new(.bytes = (size_t)bytes);
    if (cache == NULL)
        example_fail("memory", -ENOMEM);
}

static void open_client(const char **urls)
{
    char *end;
    unsigned long most = strtoul(parallel, &end, 10);
    char why[CG_HTTP_WHY_SIZE] = "";
    const struct cg_http_tls *tls = download_tls(cacert, pins, insecure != NULL, why);

    if (*end || most < 1 || most > 1000)
        example_usage(&ex, "N must be a number from 1 to 1000");
    retries = (unsigned)strtoul(retry, &end, 10);
    if (*end || *retry < '0' || *retry > '9' || retries > 100)
        example_usage(&ex, "--retry takes a number from 0 to 100");
    if (*why)
        example_usage(&ex, why);
    if (resume && !own_names && (!out_name || count > 1))
        example_usage(&ex, "-C continues a file: use -O, or -o with one URL");
    if (speed != NULL)
        limit();
    if (stored != NULL)
        open_cache();
    if (unix_socket)
        targets_unix(unix_socket);
    client = cg_http_client_new(.tls = tls, .per_origin = (unsigned)most,
                                .targets = targets_list(), .http_proxy = proxy,
                                .https_proxy = proxy, .no_proxy = no_proxy,
                                .protocols = (uint8_t)protocols(count > 0 ? urls[0] : ""),
                                .jar = cookies_jar, .cache = cache,
                                .idle_timeout = upload != NULL ? CG_NEVER : 0);
    transfers = calloc((size_t)count, sizeof *transfers);
    if (!client || !transfers) {
        example_fail("memory", -ENOMEM);
        count = 0;
    }
    for (int i = 0; i < count; i++)
        transfer_init(&transfers[i], i, urls[i], out_name, own_names != NULL, count == 1);
    progress_start(transfers, count);
    for (int i = 0; i < count && i < (int)most; i++)
        if (cg_sched_start(ex.sched, fetch, NULL, .name = "fetch") == 0)
            fetchers++;
    if (count > 0 && fetchers == 0)
        example_fail("fetch", -ENOMEM);
}

static void open_upload(void)
{
    int rc;

    if (data != NULL || resume != NULL)
        example_usage(&ex, "-T excludes -d and -C");
    if ((rc = upload_open(upload)) < 0) {
        example_fail(upload, rc);
        exit(FAILED);
    }
    if (upload_is_stream() && count > 1)
        example_usage(&ex, "-T of a stream takes one URL");
}

/* A WebSocket has the input and the output to itself. */
static void check_talks(const char *const *urls)
{
    for (int i = 0; i < count; i++) {
        if (talk_is_for(urls[i]) && count > 1)
            example_usage(&ex, "a ws:// URL must be the only URL");
        if (talk_is_for(urls[i]) &&
            (out_name || own_names || resume || method || data || upload || speed))
            example_usage(&ex,
                          "a ws:// URL takes none of -o, -O, -C, -X, -d, -T and --limit-rate");
    }
}

static const struct example_option options[] = {
    {"output", "FILE", "write to FILE instead of stdout", &out_name, 'o'},
    {"own-names", NULL, "write each body to a file named as in its URL", &own_names,
     'O'},
    {"continue", NULL, "continue a partial file (FILE.etag: its entity tag)", &resume,
     'C'},
    {"request", "METHOD", "use METHOD, not GET (or POST with --data)", &method, 'X'},
    {"header", "HEADER", "send this header field (\"Name: value\")", &header, 'H'},
    {"cookie", "DATA|FILE", "send \"name=value; ...\", or the cookies of a file", &cookie, 'b'},
    {"cookie-jar", "FILE", "write all cookies to FILE at the end", &cookie_file, 'c'},
    {"cache", "BYTES", "keep so many bytes of responses, and use them again (k, M, G)",
     &stored, 0},
    {"data", "DATA", "send DATA as the body", &data, 'd'},
    {"upload-file", "FILE", "send FILE (-: what is typed) as the body, with PUT", &upload, 'T'},
    {"cacert", "FILE", "trust only these certificates (PEM)", &cacert, 0},
    {"pinnedpubkey", "PINS", "accept only servers with these public keys (sha256//BASE64;...)",
     &pins, 0},
    {"insecure", NULL, "do not check the server's certificate", &insecure, 'k'},
    {"proxy", "URL", "use this proxy (http, socks5 or socks5h)", &proxy, 'x'},
    {"noproxy", "LIST", "hosts that need no proxy", &no_proxy, 0},
    {"resolve", "HOST:PORT:ADDR", "connect to ADDR for HOST", &resolve, 0},
    {"connect-to", "HOST1:PORT1:HOST2:PORT2", "connect to HOST2 for HOST1", &connect_to, 0},
    {"unix-socket", "PATH", "connect to this socket for all hosts", &unix_socket, 0},
    {"verbose", NULL, "print the heads of the responses", &verbose, 'v'},
    {"http1.1", NULL, "use HTTP/1.1 only", &http1, 0},
    {"http2", NULL, "use HTTP/2 where a server of https offers it (usual); only HTTP/2 for wss",
     &http2, 0},
    {"http2-prior-knowledge", NULL, "use HTTP/2 only, also without TLS", &prior, 0},
    {"limit-rate", "SPEED", "receive at most SPEED bytes a second in all (k, M, G)", &speed,
     0},
    {"retry", "N", "try again so often after failures that may pass (0)", &retry, 0},
    {"parallel", "N", "the largest number of transfers at a time (8)", &parallel, 0},
    {0},
};

int main(int argc, char **argv)
{
    int code;

    ex = (struct example){
        .name = "http_client",
        .about = "Downloads over HTTP, several at the same time. Given a ws:// or wss:// URL, "
                 "sends\nthe lines of standard input as messages, and prints those that come",
        .operands = "URL...",
        .network = true,
        .options = options,
        .each = each_option,
    };
    example_open(&ex, argc, argv);
    if (ex.argc == 0)
        example_usage(&ex, "which URL?");
    count = ex.argc;
    check_talks((const char **)ex.argv);
    if (upload != NULL)
        open_upload();
    open_client((const char **)ex.argv);
    code = example_run(&ex);
    progress_end();
    if (turn < count && status == 0) /* stopped by a signal */
        status = FAILED;
    for (size_t i = 0; i < field_count; i++)
        free((char *)fields[i].name);
    transfers_free(transfers, count);
    upload_close();
    cg_bucket_unref(bucket);
    download_tls_end();
    cg_http_cache_free(cache);
    targets_free();
    if (cookies_end(cookie_file) < 0 && status < NOT_WRITTEN)
        status = NOT_WRITTEN;
    return status > code ? status : code;
}
