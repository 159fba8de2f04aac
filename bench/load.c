/* SPDX-License-Identifier: MIT */
/* The load, the same for all servers: connections that each send a request when they have
 * the response to the last one. This is a closed loop: while a server stalls, it is not
 * sent more, so stalls weigh less in the percentiles than with users who do not wait.
 * Prints "name value unit"; times are measured here, CPU time is the server's.
 *     bench/load [OPTION...] ADDRESS:PORT
 *     --connections N   64
 *     --udp             datagrams instead of connections; none may be lost
 *     --http KIND       "plain" or "browser" requests
 *     --target PATH     of the requests: "/"
 *     --size BYTES      the length of an echo: 64
 *     --websocket       the echo of a WebSocket server
 *     --seconds S       how long to measure: 1
 *     --warmup S        how long to run before that: 0.2
 *     --pipeline N      requests in one write: 1
 *     --requests N      measure so many requests, not a time
 *     --pid PID         the server
 *     --spin            do not sleep while it waits for the server
 *     --differ WHAT     "target" or "fields": each request has another number in its target,
 *                       or in its target and fields (without this option all requests are
 *                       the same, which a server may notice)
 *     --flood           one more connection that sends and reads as much as it can
 * It assumes that every HTTP response is as long as the first one. */
#include "config.h"

#include "bench/load_common.h"
#include "bench/load_websocket.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CHUNK = 64 * 1024 };

/* The place for a number. */
#define NUMBER "######"

/* The arguments: the target, the fields of a browser, the field with the number. */
#define REQUEST "GET %s HTTP/1.1\r\nHost: 127.0.0.1:18080\r\n%s%s%s\r\n"
#define BROWSER                                                                            \
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:102.0) Gecko/20100101 Firefox/102.0"   \
    "\r\n"                                                                                 \
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n"          \
    "Accept-Language: en-GB,en;q=0.5\r\n"                                                  \
    "Accept-Encoding: gzip, deflate, br\r\n"                                               \
    "Connection: keep-alive\r\n"                                                           \
    "Upgrade-Insecure-Requests: 1\r\n"                                                     \
    "Cookie: theme=dark; session=0123456789abc"

_Static_assert(sizeof REQUEST - 1 - 8 + 1 == 41, "the size that is reported");
_Static_assert(sizeof REQUEST BROWSER NUMBER - 1 - 8 + 1 + 2 == 370,
               "the size that is reported");

struct conn {
    int fd;
    int owed;     /* answers to the last write */
    size_t got;   /* bytes of the present one */
    int64_t sent; /* when */
};

static struct load load = {.name = "load", .seconds = 1, .warmup = 0.2};
static int connections = 64, pipeline = 1;
static bool flooding;

static char *request; /* `pipeline` requests, one after the other */
static size_t numbers[2]; /* where in a request its numbers are; 0: none */
static size_t request_size = 64, answer_size;
static struct conn *conns;
static struct conn flood = {.fd = -1};
static char chunk[CHUNK];

static long sent, answered, flooded;

static _Noreturn void die(const char *what)
{
    load_die(&load, what);
}

static void tick(int64_t at)
{
    if (load.requests ? answered != load.requests : at < load.end)
        return;
    load_next(&load, at);
    if (load.phase == LOAD_OVER && flooding)
        printf("flood %.1f MB/s\n",
               (double)flooded / (double)(at - load.measured.begin) * 1e3);
    flooded = 0;
}

static bool udp, websocket;

static int open_conn(void)
{
    struct linger linger = {.l_onoff = 1}; /* leaves nothing in TIME_WAIT */
    int fd = socket(AF_INET, udp ? SOCK_DGRAM : SOCK_STREAM, 0), one = 1;

    if (fd < 0 || connect(fd, (struct sockaddr *)&load.address, sizeof load.address) < 0)
        die("connect");
    if (udp)
        return fd;
    if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger) < 0)
        die("setsockopt");
    if (websocket && !load_websocket_open(fd)) {
        errno = EPROTO;
        die("the handshake");
    }
    return fd;
}

static void watch(struct conn *conn)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = conn};

    if (epoll_ctl(load.ep, EPOLL_CTL_ADD, conn->fd, &event) < 0)
        die("epoll_ctl");
}

/* Gives each request of the next write another number. */
static void number_requests(int n)
{
    static unsigned number;

    for (int i = 0; i < n && numbers[0] > 0; i++) {
        char *one = request + (size_t)i * request_size;

        number++;
        for (int j = 0; j < 2 && numbers[j] > 0; j++)
            for (unsigned left = number, k = sizeof NUMBER - 1; k-- > 0; left /= 10)
                one[numbers[j] + k] = (char)('0' + left % 10);
    }
}

static void send_requests(struct conn *conn, int64_t at)
{
    int n = pipeline;
    size_t size;

    if (load.requests && load.requests - sent < n)
        n = (int)(load.requests - sent);
    if (n == 0)
        return;
    size = request_size * (size_t)n;
    conn->sent = at;
    conn->owed = n;
    sent += n;
    number_requests(n);
    if (send(conn->fd, request, size, MSG_NOSIGNAL) != (ssize_t)size)
        die("send");
}

static void receive(struct conn *conn)
{
    ssize_t n = recv(conn->fd, chunk, sizeof chunk, MSG_DONTWAIT);
    int64_t at = measured_now();

    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0) {
        errno = n < 0 ? errno : ECONNRESET;
        die("recv");
    }
    conn->got += (size_t)n;
    while (conn->got >= answer_size && conn->owed > 0) {
        conn->got -= answer_size;
        conn->owed--;
        answered++;
        histogram_add(&load.measured.latencies, (uint64_t)(at - conn->sent));
    }
    if (conn->owed == 0) {
        if (conn->got > 0) {
            errno = EPROTO;
            die("received more than was asked for");
        }
        tick(at);
        send_requests(conn, at);
    }
}

/* Keeps the flood's connection full in both directions, a piece in each turn. */
static void flood_more(void)
{
    ssize_t n = send(flood.fd, chunk, sizeof chunk, MSG_DONTWAIT | MSG_NOSIGNAL);

    if (n < 0 && errno != EAGAIN)
        die("flood: send");
    n = recv(flood.fd, chunk, sizeof chunk, MSG_DONTWAIT);
    if (n < 0 && errno != EAGAIN)
        die("flood: recv");
    if (n > 0)
        flooded += n;
}

/* How long an answer is: asks once. */
static void learn(void)
{
    int fd = open_conn();
    char head[CHUNK + 1], *body, *length;
    size_t n = 0;
    ssize_t got;

    if (send(fd, request, request_size, MSG_NOSIGNAL) != (ssize_t)request_size)
        die("send");
    do {
        if ((got = recv(fd, head + n, CHUNK - n, 0)) <= 0)
            die("the first answer");
        n += (size_t)got;
        head[n] = '\0';
    } while ((body = strstr(head, "\r\n\r\n")) == NULL);
    body += 4;
    length = strcasestr(head, "\r\nContent-Length:");
    if (strncmp(head, "HTTP/1.1 200 ", 13) != 0 || length == NULL || length >= body) {
        fprintf(stderr, "load: not the answer that is wanted:\n%s\n", head);
        exit(1);
    }
    answer_size = (size_t)(body - head) + (size_t)atol(length + 17);
    close(fd);
}

static int usage(void)
{
    fprintf(stderr, "usage: load [OPTION...] ADDRESS:PORT (bench/load.c names them)\n");
    return 2;
}

static const char *http, *path = "/", *differ = "";

/* Returns false if there is no such request. */
static bool use_request(void)
{
    bool browser = strcmp(http, "browser") == 0, fields = strcmp(differ, "fields") == 0;
    bool target = fields || strcmp(differ, "target") == 0;
    char text[1024], where[256], *place;
    int count = 0;

    if ((!browser && strcmp(http, "plain") != 0) || (!target && *differ != '\0'))
        return false;
    snprintf(where, sizeof where, "%s%s", path, target ? "?n=" NUMBER : "");
    request_size = (size_t)snprintf(text, sizeof text, REQUEST, where,
                                    browser ? BROWSER : fields ? "N: " : "",
                                    fields    ? NUMBER
                                    : browser ? "def012"
                                              : "",
                                    browser || fields ? "\r\n" : "");
    for (place = text; (place = strstr(place, NUMBER)) != NULL; place++)
        numbers[count++] = (size_t)(place - text);
    request = malloc(request_size * (size_t)pipeline);
    for (int i = 0; request != NULL && i < pipeline; i++)
        memcpy(request + (size_t)i * request_size, text, request_size);
    number_requests(pipeline);
    return true;
}

/* Returns false if the command line is wrong. */
static bool read_options(int argc, char **argv)
{
    static const struct option options[] = {
        LOAD_OPTIONS,
        {"connections", 1, NULL, 'c'}, {"pipeline", 1, NULL, 'p'}, {"size", 1, NULL, 'z'},
        {"http", 1, NULL, 'h'},        {"differ", 1, NULL, 'd'},   {"flood", 0, NULL, 'f'},
        {"udp", 0, NULL, 'u'},         {"target", 1, NULL, 't'},   {"websocket", 0, NULL, 'k'},
        {NULL, 0, NULL, 0}};
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
        switch (option) {
        case 'c':
            connections = atoi(optarg);
            break;
        case 'p':
            pipeline = atoi(optarg);
            break;
        case 'z':
            request_size = (size_t)atol(optarg);
            break;
        case 'h':
            http = optarg;
            break;
        case 'd':
            differ = optarg;
            break;
        case 't':
            path = optarg;
            break;
        case 'u':
            udp = true;
            break;
        case 'f':
            flooding = true;
            break;
        case 'k':
            websocket = true;
            break;
        default:
            if (!load_option(&load, option, optarg))
                return false;
        }
    return optind + 1 == argc && load_address(&load, argv[optind]) && connections >= 1 &&
           pipeline >= 1 && request_size >= 1 && strlen(path) <= 200;
}

/* Makes the request, and learns how long its answer is. Returns false if there is no such
 * request. */
static bool make_request(void)
{
    if (http != NULL) {
        if (!use_request())
            return false;
        if (request != NULL)
            learn();
    } else if (websocket) {
        if (request_size > LOAD_WEBSOCKET_LIMIT)
            return false;
        answer_size = request_size + 2;
        request = load_websocket_frames(request_size, pipeline, &request_size);
    } else {
        request = calloc((size_t)pipeline, request_size);
        answer_size = request_size;
    }
    return true;
}

static void open_all(void)
{
    conns = calloc((size_t)connections, sizeof *conns);
    load.ep = epoll_create1(0);
    if (request == NULL || conns == NULL || load.ep < 0)
        die("load");
    for (int i = 0; i < connections; i++) {
        conns[i].fd = open_conn();
        watch(&conns[i]);
    }
    if (flooding) {
        flood.fd = open_conn();
        watch(&flood);
    }
}

static void run(void)
{
    struct epoll_event events[LOAD_EVENTS];

    if (load.requests)
        load_next(&load, measured_now()); /* without a warm-up */
    else
        load_begin(&load);
    for (int i = 0; i < connections; i++)
        send_requests(&conns[i], measured_now());
    while (load.phase != LOAD_OVER) {
        int n;

        if (flooding)
            flood_more();
        n = load_wait(&load, events);
        for (int i = 0; i < n && load.phase != LOAD_OVER; i++)
            if (events[i].data.ptr != &flood)
                receive(events[i].data.ptr);
    }
}

int main(int argc, char **argv)
{
    if (!read_options(argc, argv) || !make_request())
        return usage();
    open_all();
    run();
    return 0;
}
