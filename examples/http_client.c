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
#include "http_client_fetch.h"
#include "http_client_talk.h"
#include "http_client_targets.h"
#include "http_client_tls.h"
#include "http_client_upload.h"

static const char *out_name, *own_names, *method, *data, *cacert, *pins, *insecure, *verbose,
    *parallel = "8", *resume, *header, *speed, *http1, *http2, *prior, *cookie, *cookie_file,
    *resolve, *connect_to, *unix_socket, *proxy, *no_proxy, *upload, *retry = "0", *stored;
static struct fetching fetching = {.piece = FETCH_PIECE};
static struct cg_http_cache *cache; /* NULL: nothing is stored */
static struct transfer *transfers;
static int count; /* of the URLs */
static struct example ex;

/* Adds a field, whose name and value lie in one block of memory. */
static void add_field(char *name, const char *value)
{
    if (fetching.field_count == FETCH_FIELDS)
        example_usage(&ex, "too many header fields");
    fetching.fields[fetching.field_count++] = (struct cg_http_field){name, value};
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
    if (rate / 10 < fetching.piece)
        fetching.piece = rate >= 10 ? (size_t)(rate / 10) : 1;
    if (cg_bucket_new(&fetching.bucket, .rate = rate, .burst = fetching.piece) < 0)
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

static void open_client(const char *url, unsigned at_once)
{
    char why[CG_HTTP_WHY_SIZE] = "";
    const struct cg_http_tls *tls = download_tls(cacert, pins, insecure != NULL, why);

    if (*why)
        example_usage(&ex, why);
    if (speed != NULL)
        limit();
    if (stored != NULL)
        open_cache();
    if (unix_socket)
        targets_unix(unix_socket);
    fetching.client = cg_http_client_new(
        .tls = tls, .per_origin = at_once, .targets = targets_list(), .http_proxy = proxy,
        .https_proxy = proxy, .no_proxy = no_proxy, .protocols = (uint8_t)protocols(url),
        .jar = cookies_jar, .cache = cache, .idle_timeout = upload != NULL ? CG_NEVER : 0);
    if (!fetching.client)
        example_fail("memory", -ENOMEM);
}

/* Opens what the command line asks for, and starts the transfers. */
static void begin(const char *const *urls)
{
    unsigned at_once =
        (unsigned)example_number(&ex, parallel, 1, 1000, "N must be a number from 1 to 1000");

    fetching.retries =
        (unsigned)example_number(&ex, retry, 0, 100, "--retry takes a number from 0 to 100");
    if (resume && !own_names && (!out_name || count > 1))
        example_usage(&ex, "-C continues a file: use -O, or -o with one URL");
    open_client(urls[0], at_once);
    transfers = calloc((size_t)count, sizeof *transfers);
    if (!transfers)
        example_fail("memory", -ENOMEM);
    if (!fetching.client || !transfers)
        count = 0;
    for (int i = 0; i < count; i++)
        transfer_init(&transfers[i], i, urls[i], out_name, own_names != NULL, count == 1);
    fetching.method = method;
    fetching.data = data;
    fetching.own_names = own_names != NULL;
    fetching.resumes = resume != NULL;
    fetching.uploads = upload != NULL;
    fetching.verbose = verbose != NULL;
    fetching.http1 = http1 != NULL;
    fetching.prior = prior != NULL;
    fetch_start(ex.sched, &fetching, transfers, count, (int)at_once);
}

static void open_upload(void)
{
    int rc;

    if (data != NULL || resume != NULL)
        example_usage(&ex, "-T excludes -d and -C");
    if ((rc = upload_open(upload)) < 0) {
        example_fail(upload, rc);
        exit(FETCH_FAILED);
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
    int code, status;

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
    check_talks((const char *const *)ex.argv);
    if (upload != NULL)
        open_upload();
    begin((const char *const *)ex.argv);
    code = example_run(&ex);
    status = fetch_end();
    for (size_t i = 0; i < fetching.field_count; i++)
        free((char *)fetching.fields[i].name);
    transfers_free(transfers, count);
    upload_close();
    cg_bucket_unref(fetching.bucket);
    download_tls_end();
    cg_http_cache_free(cache);
    targets_free();
    if (cookies_end(cookie_file) < 0 && status < FETCH_NOT_WRITTEN)
        status = FETCH_NOT_WRITTEN;
    return status > code ? status : code;
}
