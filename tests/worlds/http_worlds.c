/* SPDX-License-Identifier: MIT */
/* The HTTP client and server: pools of connections, bodies in both directions, a gateway. A
 * response with status 200 has the right body; a POST takes effect once at most; after the
 * storm of faults every request succeeds. */
#include "config.h"

#include "tests/worlds/http_worlds.h"

#include <cogen/http_gateway.h>

enum { BODY_MOST = 30000 };

static unsigned posted[IDS]; /* how often each POST took effect */

static unsigned id_of(struct cg_http_request *req)
{
    unsigned id = (unsigned)atoi(cg_http_request_param(req, "id"));

    MUST(id < IDS);
    return id;
}

/* Responds with a body that the number decides, in one piece or in many. */
static ssize_t get(struct cg_http_request *req, void *arg)
{
    unsigned id = id_of(req);
    size_t len = id * 977 % BODY_MOST;
    char buf[4096];
    ssize_t n;

    (void)arg;
    if (chance(8) == 0)
        cg_yield(cg_sleep(chance(3000) * CG_MILLISECOND));
    if (len == 0 || (len < sizeof buf && chance(2))) {
        fill(buf, len, id, 0);
        return cg_yield(cg_http_respond(req, 200, buf, len));
    }
    for (size_t at = 0, part; at < len; at += part) {
        part = 1 + chance(sizeof buf);
        part = part < len - at ? part : len - at;
        fill(buf, part, id, at);
        if ((n = cg_yield(cg_http_write(req, buf, part))) < 0)
            return n;
    }
    return 0;
}

/* Takes a body, and says how long it was. */
static ssize_t post(struct cg_http_request *req, void *arg)
{
    unsigned id = id_of(req);
    char buf[2048];
    size_t len = 0;
    ssize_t n;

    (void)arg;
    if (chance(8) == 0)
        return cg_yield(cg_http_send_text(req, 413, "not today\n")); /* with the body unread */
    while ((n = cg_yield(cg_http_read(req, buf, 1 + chance(sizeof buf)))) > 0) {
        verify(buf, (size_t)n, id, len);
        len += (size_t)n;
    }
    if (n < 0)
        return n;
    MUST(len == id * 977 % BODY_MOST);
    posted[id]++;
    snprintf(buf, sizeof buf, "%zu\n", len);
    return cg_yield(cg_http_send_text(req, 200, buf));
}

void worlds_mount(struct cg_http_server *server)
{
    MUST(server && cg_http_server_mount(server, "GET /:id", get, NULL) == 0 &&
         cg_http_server_mount(server, "POST /:id", post, NULL) == 0);
}

ssize_t worlds_serve(struct cg_http_server *server, const char *addr)
{
    struct cg_sock *listener;
    ssize_t n = listen_at(addr, &listener);

    worlds_mount(server);
    if (n == 0) {
        n = cg_yield(cg_http_serve(server, listener));
        cg_sock_close(listener);
    }
    cg_http_server_free(server);
    return n;
}

static ssize_t http_server(void *addr)
{
    return worlds_serve(cg_http_server_new(.protocols = CG_HTTP_H1 | CG_HTTP_H2C), addr);
}

struct talker {
    struct cg_http_client *client;
    const char *base;
    unsigned number;
};

static void check_body(const char *body, size_t len, unsigned id)
{
    MUST(len == id * 977 % BODY_MOST);
    verify(body, len, id, 0);
}

/* Reads a body in pieces; may give up in its middle. */
static ssize_t read_pieces(struct cg_http_reply *reply, unsigned id)
{
    unsigned patience = chance(2) ? chance(8) : 1000;
    char buf[3000];
    size_t at = 0;
    ssize_t n;

    while ((n = cg_yield(cg_http_read_reply(reply, buf, 1 + chance(sizeof buf),
                                            .timeout = 10 * CG_SECOND))) > 0) {
        verify(buf, (size_t)n, id, at);
        at += (size_t)n;
        if (patience-- == 0)
            return 0;
    }
    if (n == 0)
        MUST(at == id * 977 % BODY_MOST);
    return n;
}

static ssize_t fetch(const struct talker *talker, unsigned id, bool posts)
{
    char url[64], body[BODY_MOST];
    struct cg_http_fetch request = {
        .url = url, .stream = chance(2), .expect = posts && chance(4) == 0,
        .retries = chance(3)};
    struct cg_http_reply *reply;
    size_t len;
    ssize_t status, n = 0;

    snprintf(url, sizeof url, "%s/%u", talker->base, id);
    if (posts) {
        request.method = "POST";
        request.body = body;
        request.len = id * 977 % BODY_MOST;
        fill(body, request.len, id, 0);
    }
    status = cg_yield(cg_http_fetch(talker->client, &request, &reply,
                                    .timeout = 1 + (int64_t)chance(10000) * CG_MILLISECOND));
    if (status < 0) {
        MUST(reply == NULL);
        return status;
    }
    if (status == 200 && posts)
        MUST(posted[id] > 0);
    else if (status == 200 && request.stream)
        n = read_pieces(reply, id);
    else if (status == 200)
        check_body(cg_http_reply_body(reply, &len), (cg_http_reply_body(reply, &len), len), id);
    cg_http_reply_free(reply);
    return n < 0 ? n : status;
}

static ssize_t talk(void *arg)
{
    const struct talker *talker = arg;
    unsigned first = talker->number * IDS / TALKERS, id = first, tries = 0;

    for (int i = 0; i < 5; i++) {
        bool posts = chance(3) == 0;

        dawdle();
        fetch(talker, id, posts);
        MUST(posted[id] <= 1);
        id++; /* numbers are not used again, so that each POST can be counted */
    }
    while (stormy())
        cg_yield(cg_sleep(CG_SECOND));
    while (fetch(talker, first, false) != 200) {
        MUST(++tries < 50);
        cg_yield(cg_sleep(CG_SECOND));
    }
    return 0;
}

ssize_t worlds_talk(struct cg_http_client *client, const char *base)
{
    struct talker talkers[TALKERS];
    struct cg_group group;
    ssize_t n;

    MUST(client);
    memset(posted, 0, sizeof posted);
    cg_group_open(&group);
    for (unsigned i = 0; i < TALKERS; i++) {
        talkers[i] = (struct talker){client, base, i};
        cg_group_start(&group, talk, &talkers[i], NULL, .name = "talker",
                       .stack_size = 128 * 1024);
    }
    n = cg_yield(cg_wait_group(&group));
    cg_http_client_free(client);
    return n;
}

static ssize_t http(void *arg)
{
    (void)arg;
    return worlds_talk(cg_http_client_new(.per_origin = 1 + chance(3), .no_environment = true,
                                          .keep_timeout = (1 + chance(10)) * CG_SECOND),
                       "http://10.0.0.1");
}

static ssize_t h2(void *arg)
{
    (void)arg;
    return worlds_talk(cg_http_client_new(.protocols = CG_HTTP_H2C, .no_environment = true),
                       "http://10.0.0.1");
}

/* Two servers behind a gateway, which tries the other one where that is allowed. */
static void keep_silent(void *arg, const char *line)
{
    (void)arg;
    (void)line;
}

static ssize_t gateway(void *arg)
{
    struct cg_http_client *client = cg_http_client_new(.no_environment = true);
    struct cg_http_upstreams *upstreams =
        cg_http_upstreams_new(client, .out_time = CG_SECOND, .log = keep_silent);
    struct cg_http_server *server = cg_http_server_new();
    struct cg_sock *listener;
    ssize_t n = listen_at(arg, &listener);

    MUST(upstreams && cg_http_upstreams_add(upstreams, "http://10.0.0.2") == 0 &&
         cg_http_upstreams_add(upstreams, "http://10.0.0.3") == 0);
    MUST(server && cg_http_server_mount(server, "*", cg_http_forward_handler, upstreams) == 0);
    if (n == 0) {
        n = cg_yield(cg_http_serve(server, listener));
        cg_sock_close(listener);
    }
    cg_http_server_free(server);
    cg_http_upstreams_free(upstreams);
    cg_http_client_free(client);
    return n;
}

static const struct cg_sim_program servers[] = {{"server", http_server, (void *)"10.0.0.1:80"},
                                                {NULL, NULL, NULL}};
static const struct cg_sim_program chain[] = {
    {"gateway", gateway, (void *)"10.0.0.1:80"},
    {"second", http_server, (void *)"10.0.0.2:80"},
    {"third", http_server, (void *)"10.0.0.3:80"},
    {NULL, NULL, NULL},
};

const struct subject http_subject = {
    .name = "http",
    .fn = http,
    .programs = servers,
    .faults = CG_SIM_ALL_FAULTS,
    .share = 20,
};
const struct subject h2_subject = {
    .name = "h2",
    .fn = h2,
    .programs = servers,
    .faults = CG_SIM_ALL_FAULTS,
    .share = 20,
};
const struct subject gateway_subject = {
    .name = "gateway",
    .fn = http,
    .programs = chain,
    .faults = CG_SIM_ALL_FAULTS,
    .share = 10,
};
