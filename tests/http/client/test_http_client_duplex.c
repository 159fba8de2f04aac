/* SPDX-License-Identifier: MIT */
/* Requests whose body goes on being sent while the response is read, over both carriers:
 * directly, and through a gateway with each carrier on either side. */
#include "config.h"

#include "tests/http/http_serve.h"

#include <cogen/http_client.h>
#include <cogen/http_gateway.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { ROUNDS = 20, PIECE = 10, BIG = 300 * 1000 };

#define CLIENT(...) cg_http_client_new(.no_environment = true, __VA_ARGS__)
#define FETCH(...) FETCH_(__VA_ARGS__, )
#define FETCH_(f, ...) cg_yield(cg_http_fetch(client, f, &reply, .why = why, __VA_ARGS__))

/* The origin, and the gateway before it. */
static struct cg_http_server *origin, *gateway;
static struct cg_sock *doors[2];
static struct cg_coro *open_doors[2];
static struct cg_http_upstreams *upstreams;
static struct cg_http_client *client, *middle;
static struct cg_http_reply *reply;
static char why[CG_HTTP_WHY_SIZE], origin_url[CG_ADDR_SIZE + 16], url[CG_ADDR_SIZE + 32];
static size_t taken; /* bytes of the body, by the last handler that has counted them */
static unsigned counted;

/* Handlers of the origin. */

static ssize_t echo(struct cg_http_request *req, void *arg)
{
    char buf[1000];
    ssize_t n = arg != NULL ? cg_yield(cg_http_write(req, "", 0)) : 0; /* the head at once */

    while (n >= 0 && (n = cg_yield(cg_http_read(req, buf, sizeof buf))) > 0)
        n = cg_yield(cg_http_write(req, buf, (size_t)n));
    return n;
}

/* The whole response first, then the body of the request. */
static ssize_t first(struct cg_http_request *req, void *arg)
{
    char buf[1000];
    ssize_t n = cg_yield(cg_http_send_text(req, arg != NULL ? 404 : 200, "first\n"));

    taken = 0;
    while (n >= 0 && (n = cg_yield(cg_http_read(req, buf, sizeof buf))) > 0)
        taken += (size_t)n;
    counted++;
    return n;
}

/* A response and the end: nobody reads the body. */
static ssize_t turn(struct cg_http_request *req, void *arg)
{
    (void)arg;
    return cg_yield(cg_http_send_text(req, 200, "turn\n"));
}

/* A refusal that ends when no more of the body comes. */
static ssize_t grumble(struct cg_http_request *req, void *arg)
{
    char buf[1000];
    ssize_t n;

    (void)arg;
    cg_http_response_set_status(req, 404);
    n = cg_yield(cg_http_write(req, "no, ", 4));
    if (n >= 0)
        n = cg_yield(cg_sleep(CG_SECOND));
    while (n >= 0)
        n = cg_yield(cg_http_read(req, buf, sizeof buf, .timeout = CG_SECOND));
    return n == -ETIMEDOUT ? cg_yield(cg_http_write(req, "never", 5)) : n;
}

static ssize_t die(struct cg_http_request *req, void *arg)
{
    char buf[PIECE];

    (void)arg;
    OK(cg_yield(cg_http_write(req, "abc", 3)));
    OK(cg_yield(cg_http_read(req, buf, sizeof buf)));
    return -EIO;
}

static ssize_t serve_one(void *arg)
{
    return cg_yield(cg_http_serve(arg == doors ? origin : gateway, arg == doors ? doors[0]
                                                                             : doors[1]));
}

static struct cg_http_server *begin(struct cg_http_server **to, int which, char *addr)
{
    *to = cg_http_server_new(.log = log_line, .compress_above = CG_HTTP_UNLIMITED,
                             .protocols = h2_text_can() ? CG_HTTP_H1 | CG_HTTP_H2C : CG_HTTP_H1);
    doors[which] = test_listen(addr);
    open_doors[which] = test_start(serve_one, which == 0 ? (void *)doors : &gateway);
    return *to;
}

static void end(struct cg_http_server *which, int index)
{
    OK(cg_yield(cg_http_shutdown(which, .idle = CG_NOWAIT, .timeout = 5 * CG_SECOND)));
    OK(test_end(open_doors[index]));
    cg_http_server_free(which);
    cg_sock_close(doors[index]);
}

/* The protocols of the client, and of the gateway's client; 0: there is no gateway. */
struct way {
    const char *name;
    unsigned ours, theirs;
};

static const struct way ways[] = {
    {"h1", CG_HTTP_H1, 0},
    {"h1 by a gateway", CG_HTTP_H1, CG_HTTP_H1},
    {"h2", CG_HTTP_H2C, 0},
    {"h2 by a gateway", CG_HTTP_H2C, CG_HTTP_H2C},
    {"h1 to h2", CG_HTTP_H1, CG_HTTP_H2C},
    {"h2 to h1", CG_HTTP_H2C, CG_HTTP_H1},
};

static void start(const struct way *way)
{
    char at[CG_ADDR_SIZE];

    test_label(way->name);
    begin(&origin, 0, at);
    OK(cg_http_server_mount(origin, "/echo", echo, NULL));
    OK(cg_http_server_mount(origin, "/head", echo, &origin));
    OK(cg_http_server_mount(origin, "/first", first, NULL));
    OK(cg_http_server_mount(origin, "/none", first, &origin));
    OK(cg_http_server_mount(origin, "/turn", turn, NULL));
    OK(cg_http_server_mount(origin, "/die", die, NULL));
    OK(cg_http_server_mount(origin, "/grumble", grumble, NULL));
    snprintf(origin_url, sizeof origin_url, "http://%s", at);
    client = CLIENT(.protocols = way->ours);
    if (way->theirs == 0)
        return;
    middle = CLIENT(.protocols = way->theirs);
    upstreams = cg_http_upstreams_new(middle, .log = log_line);
    OK(cg_http_upstreams_add(upstreams, origin_url));
    begin(&gateway, 1, at);
    OK(cg_http_server_mount(gateway, "/", cg_http_forward_handler, upstreams));
    snprintf(origin_url, sizeof origin_url, "http://%s", at);
}

static void finish(const struct way *way)
{
    cg_http_client_free(client);
    if (way->theirs != 0) {
        end(gateway, 1);
        cg_http_upstreams_free(upstreams);
        cg_http_client_free(middle);
    }
    end(origin, 0);
    test_label(NULL);
}

static const char *at(const char *path)
{
    snprintf(url, sizeof url, "%s%s", origin_url, path);
    return url;
}

/* A conversation: a piece is sent when the echo of the one before has come. */
struct talk {
    unsigned rounds, said, heard, fail_at;
    bool endless;   /* says nothing after the last piece, and does not end */
    bool cancelled; /* the source was */
    bool masks;     /* it says then that it has failed */
    ssize_t read;   /* result of the last read of the reply */
    ssize_t breaks; /* what receive returns after the last piece; 0: it reads on */
    size_t got;
    struct cg_event came;
};

static ssize_t say(void *arg, void *buf, size_t size)
{
    struct talk *talk = arg;
    char piece[PIECE + 1];
    ssize_t n = 0;

    ck_assert_uint_ge(size, PIECE);
    while (n == 0 && (talk->heard < talk->said || (talk->endless && talk->said == talk->rounds)))
        n = cg_yield(cg_wait_event(&talk->came, .timeout = CG_NEVER)),
        cg_event_clear(&talk->came);
    talk->cancelled |= n == -ECANCELED;
    if (n < 0 || talk->said == talk->rounds)
        return n < 0 ? talk->masks ? -EIO : n : 0;
    if (talk->fail_at > 0 && talk->said == talk->fail_at)
        return -EIO;
    snprintf(piece, sizeof piece, "piece %03u;", talk->said++ % 1000);
    memcpy(buf, piece, PIECE);
    return PIECE;
}

static ssize_t hear(void *arg, struct cg_http_reply *of)
{
    struct talk *talk = arg;
    char buf[PIECE], want[PIECE + 1];

    do {
        size_t done = talk->got % PIECE;

        talk->read = cg_yield(cg_http_read_reply(of, buf, PIECE - done));
        if (talk->read <= 0)
            break;
        snprintf(want, sizeof want, "piece %03u;", talk->heard % 1000);
        ck_assert_mem_eq(buf, want + done, (size_t)talk->read);
        talk->got += (size_t)talk->read;
        talk->heard = (unsigned)(talk->got / PIECE);
        cg_event_set(&talk->came);
    } while (talk->breaks == 0 || talk->heard < talk->rounds);
    return talk->read < 0 ? talk->read : talk->breaks;
}

static void reset(struct talk *talk)
{
    *talk = (struct talk){.rounds = ROUNDS};
}

/* Both ways, with the head first or with the first piece; and then as many as one likes on a
 * connection, which is used again after HTTP/2. */
static void converse(const struct way *way)
{
    struct talk talk;
    const struct cg_http_source source = {.read = say, .arg = &talk, .len = -1};
    struct cg_http_fetch fetch = {.source = &source, .receive = hear, .receive_arg = &talk};

    for (int i = 0; i < 4; i++) {
        reset(&talk);
        fetch.url = at(i % 2 == 0 ? "/echo" : "/head");
        IS(FETCH(&fetch), 200);
        IS(talk.heard, ROUNDS);
        IS(talk.read, 0);
        IS(cg_http_reply_received(reply), ROUNDS * PIECE);
        cg_http_reply_free(reply);
    }
    IS(cg_http_client_connections(client), way->ours == CG_HTTP_H1 ? 0 : 1);
}

/* A large echo is received as a whole while its request is sent. */
static void echo_large(void)
{
    static char big[BIG];
    size_t len;
    int file = test_file(BIG);

    test_fill(big, sizeof big, 0);
    IS(FETCH((&(struct cg_http_fetch){.url = at("/head"), .body = big, .len = BIG})), 200);
    test_verify(cg_http_reply_body(reply, &len), BIG, 0);
    IS(len, BIG);
    cg_http_reply_free(reply);
    IS(FETCH((&(struct cg_http_fetch){.url = at("/echo"), .file = &file, .len = BIG})), 200);
    test_verify(cg_http_reply_body(reply, &len), BIG, 0);
    IS(len, BIG);
    cg_http_reply_free(reply);
    close(file);
}

/* After a complete response the rest is still sent. */
static void goes_on(void)
{
    static char big[BIG];
    unsigned before = counted;

    IS(FETCH((&(struct cg_http_fetch){.url = at("/first"), .body = big, .len = BIG})), 200);
    ck_assert_str_eq(cg_http_reply_body(reply, NULL), "first\n");
    cg_http_reply_free(reply);
    while (counted == before)
        OK(cg_yield(cg_sleep(CG_MILLISECOND)));
    IS((ssize_t)taken, BIG);
}

/* A failing source ends the reading, and the operation with what has failed. */
static void source_fails(const struct way *way)
{
    struct talk talk = {.rounds = ROUNDS, .fail_at = 3};
    const struct cg_http_source source = {.read = say, .arg = &talk, .len = -1};
    struct cg_http_fetch fetch = {
        .url = at("/echo"), .source = &source, .receive = hear, .receive_arg = &talk};

    IS(FETCH(&fetch), -EIO);
    ck_assert_str_eq(why, "the source of the body: Input/output error");
    ck_assert_ptr_null(reply);
    IS(talk.read, -ECANCELED);
    IS(talk.heard, 3);
    IS(cg_http_client_connections(client), way->ours == CG_HTTP_H1 ? 0 : 1);
}

/* The operation's timeout ends both directions, and so does the end of receive. */
static void is_ended(void)
{
    struct talk talk = {.rounds = 2, .endless = true};
    const struct cg_http_source source = {.read = say, .arg = &talk, .len = -1};
    struct cg_http_fetch fetch = {
        .url = at("/echo"), .source = &source, .receive = hear, .receive_arg = &talk};

    IS(FETCH(&fetch, .timeout = CG_SECOND / 5), -ETIMEDOUT);
    IS(talk.heard, 2);
    ck_assert(talk.cancelled);
    talk = (struct talk){.rounds = 2, .endless = true, .breaks = -EPERM};
    IS(FETCH(&fetch), -EPERM);
    ck_assert_str_ne(why, "");
    ck_assert(talk.cancelled);
    talk = (struct talk){.rounds = 2, .endless = true, .breaks = 1};
    IS(FETCH(&fetch), 200); /* the response was not read to its end */
    ck_assert(talk.cancelled);
    cg_http_reply_free(reply);
}

/* An error status ends the sending, and the response is read; a server that dies ends both. A
 * gateway may notice that before it has begun to respond. */
static void is_refused(const struct way *way)
{
    ssize_t n;
    struct talk talk = {.rounds = 1, .endless = true, .masks = true};
    const struct cg_http_source source = {.read = say, .arg = &talk, .len = -1};
    struct cg_http_fetch fetch = {.url = at("/none"), .source = &source};

    IS(FETCH(&fetch), 404);
    ck_assert_str_eq(cg_http_reply_body(reply, NULL), "first\n");
    ck_assert(talk.cancelled);
    cg_http_reply_free(reply);
    talk = (struct talk){.rounds = 1, .endless = true};
    fetch.url = at("/die");
    n = FETCH(&fetch);
    ck_assert(n == 502 ? way->theirs != 0 : n < 0 && why[0] != '\0');
    cg_http_reply_free(reply);
    ck_assert(talk.cancelled);
}

/* A server that has said all and takes nothing: it resets the stream without an error, or closes
 * the connection, and the request is complete. */
static void is_not_wanted(void)
{
    struct talk talk = {.rounds = 1, .endless = true};
    const struct cg_http_source source = {.read = say, .arg = &talk, .len = -1};
    struct cg_http_fetch fetch = {.url = at("/turn"), .source = &source};

    IS(FETCH(&fetch), 200);
    ck_assert_str_eq(cg_http_reply_body(reply, NULL), "turn\n");
    ck_assert(talk.cancelled);
    cg_http_reply_free(reply);
}

/* What is left of a body that is not wanted is not sent by HTTP/2, and its end is not, either: the
 * server would reset the stream, and the rest of the response would be lost. */
static void is_cut(void)
{
    static char big[BIG];

    IS(FETCH((&(struct cg_http_fetch){.url = at("/grumble"), .body = big, .len = BIG})), 404);
    ck_assert_str_eq(cg_http_reply_body(reply, NULL), "no, never");
    cg_http_reply_free(reply);
}

static size_t way_count(void)
{
    return h2_text_can() ? COUNT(ways) : 2;
}

static ssize_t converses(void *arg)
{
    (void)arg;
    for (size_t i = 0; i < way_count(); i++) {
        start(&ways[i]);
        converse(&ways[i]);
        echo_large();
        goes_on();
        finish(&ways[i]);
    }
    return 0;
}

static ssize_t ends(void *arg)
{
    (void)arg;
    for (size_t i = 0; i < way_count(); i++) {
        start(&ways[i]);
        source_fails(&ways[i]);
        is_ended();
        is_refused(&ways[i]);
        finish(&ways[i]);
    }
    return 0;
}

static ssize_t server_ends(void *arg)
{
    (void)arg;
    for (size_t i = 0; i < way_count(); i++) {
        start(&ways[i]);
        is_not_wanted();
        if (ways[i].ours == CG_HTTP_H2C && ways[i].theirs == 0)
            is_cut();
        finish(&ways[i]);
    }
    return 0;
}

int main(void)
{
    static const struct test_case cases[] = {
        CORO(converses),
        CORO(ends),
        CORO(server_ends, .where = ON_SIM),
    };

    return test_main("http client duplex", cases, COUNT(cases));
}
