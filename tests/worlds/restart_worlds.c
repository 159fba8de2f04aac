/* SPDX-License-Identifier: MIT */
/* An HTTP server that is restarted again and again: two hosts take turns. The successor gets
 * the listening descriptor over a UNIX socket, serves, and says so; then the predecessor lets
 * its connections end. Without faults that break connections each request succeeds at the first
 * attempt (the subject restart). cg_restart itself starts processes, which a world cannot: see
 * tests/restarts.sh. */
#include "config.h"

#include <cogen/passing.h>

#include "tests/worlds/http_worlds.h"

enum { ASKERS = 3, REQUESTS = 10 };

static const char addr[] = "10.0.0.1:80", door[] = "unix:@handover";

static unsigned handovers;

/* Takes the listener from the server that runs. *predecessor is told when it may end. */
static ssize_t take_over(struct cg_sock **listener, struct cg_sock **predecessor)
{
    struct cg_fds fds = {.count = 0};
    char byte;
    ssize_t n = cg_yield(cg_connect(door, predecessor, .timeout = 10 * CG_SECOND));

    if (n < 0)
        return n;
    n = cg_yield(cg_receive_fds(*predecessor, &byte, 1, &fds, .timeout = 10 * CG_SECOND));
    if (n == 1 && fds.count == 1) {
        while (cg_sock_attach(cg_sched_self(), fds.fds[0], listener) < 0)
            cg_yield(cg_sleep(CG_MILLISECOND, .shield = true)); /* without memory */
        return 0;
    }
    cg_sock_close(*predecessor);
    return n < 0 ? n : -EPIPE;
}

static ssize_t obtain(struct cg_sock **listener, struct cg_sock **predecessor)
{
    ssize_t n;

    while (take_over(listener, predecessor) < 0) {
        *predecessor = NULL;
        if (cg_sock_listen(cg_sched_self(), addr, listener) == 0)
            return 0;
        if ((n = cg_yield(cg_sleep(CG_SECOND / 10))) < 0)
            return n;
    }
    return 0;
}

/* Waits for a successor. */
static ssize_t let_in(struct cg_sock **successor)
{
    struct cg_sock *gate;
    ssize_t n = listen_at(door, &gate);

    if (n < 0)
        return n;
    n = cg_yield(cg_accept(gate, successor));
    cg_sock_close(gate);
    return n;
}

/* Returns whether the successor serves. */
static bool let_have(const struct cg_sock *listener, struct cg_sock *successor)
{
    int fd = cg_sock_fd(listener);
    char byte;

    return cg_yield(cg_send_fds(successor, "l", 1, &fd, 1)) == 1 &&
           cg_yield(cg_read(successor, &byte, 1, .timeout = CG_MINUTE)) == 1;
}

/* Hands the listener over. Returns 0 when a successor serves, below 0 if it was cancelled. */
static ssize_t hand_over(const struct cg_sock *listener)
{
    struct cg_sock *successor;
    bool over = false;
    ssize_t n = 0;

    while (!over && n >= 0) {
        if (let_in(&successor) == 0) {
            over = let_have(listener, successor);
            cg_sock_close(successor);
        }
        if (!over)
            n = cg_yield(cg_sleep(CG_SECOND / 10));
    }
    return over ? 0 : n;
}

struct term {
    struct cg_http_server *server;
    struct cg_sock *listener;
};

static ssize_t serve(void *arg)
{
    struct term *term = arg;

    return cg_yield(cg_http_serve(term->server, term->listener));
}

/* Serves until somebody else does. */
static ssize_t rule(struct term *term, struct cg_sock *predecessor)
{
    struct cg_coro *serving;
    ssize_t n = cg_yield(cg_add(serve, term, .coro = &serving));

    if (n == 0 && predecessor)
        cg_yield(cg_write(predecessor, "r", 1));
    cg_sock_close(predecessor);
    if (n < 0)
        return 0; /* the predecessor goes on, or the next attempt succeeds */
    n = hand_over(term->listener);
    if (n == 0) {
        handovers++;
        cg_yield(cg_http_shutdown(term->server, .timeout = 5 * CG_MINUTE, .idle = CG_MINUTE));
    } else {
        cg_coro_cancel(serving);
    }
    cg_yield(cg_join(serving, .shield = true));
    cg_coro_unref(serving);
    return n;
}

static ssize_t service(void *arg)
{
    ssize_t n = 0;

    (void)arg;
    while (n >= 0) {
        struct cg_sock *predecessor;
        struct term term;

        if ((n = obtain(&term.listener, &predecessor)) < 0)
            break;
        term.server =
            cg_http_server_new(.header_timeout = CG_HOUR, .body_timeout = CG_HOUR,
                               .write_timeout = CG_HOUR, .idle_timeout = CG_HOUR);
        worlds_mount(term.server);
        n = rule(&term, predecessor);
        cg_sock_close(term.listener);
        cg_http_server_free(term.server);
        if (n == 0)
            n = cg_yield(cg_sleep((1 + chance(3000)) * CG_MILLISECOND));
    }
    return n;
}

/* Nothing but success is good enough, except where half a head was lost for 5 s: that is the
 * patience of every server. */
static ssize_t ask(void *arg)
{
    for (unsigned done = 0; done < REQUESTS;) {
        struct cg_http_fetch request = {.url = "http://10.0.0.1/7"};
        struct cg_http_reply *reply;
        ssize_t status = cg_yield(cg_http_fetch(arg, &request, &reply));
        const char *body;
        size_t len;

        MUST(status == 200 || (status == 408 && stormy()));
        body = cg_http_reply_body(reply, &len);
        if (status == 200) {
            MUST(len == 7 * 977);
            verify(body, len, 7, 0);
            done++;
        }
        cg_http_reply_free(reply);
        dawdle();
    }
    return 0;
}

static ssize_t askers(void *arg)
{
    struct cg_http_client *client =
        cg_http_client_new(.no_environment = true, .per_origin = 1 + chance(3),
                           .connect_timeout = CG_HOUR, .response_timeout = CG_HOUR,
                           .idle_timeout = CG_HOUR, .send_timeout = CG_HOUR);
    struct cg_group group;
    ssize_t n;

    (void)arg;
    MUST(client);
    handovers = 0;
    while (cg_yield(cg_sleep(CG_SECOND)) == 0 && handovers == 0) /* the first one listens */
        continue;
    cg_group_open(&group);
    for (unsigned i = 0; i < ASKERS; i++)
        cg_group_start(&group, ask, client, NULL, .name = "asker", .stack_size = 128 * 1024);
    n = cg_yield(cg_wait_group(&group));
    cg_http_client_free(client);
    return n;
}

static ssize_t talkers(void *arg)
{
    (void)arg;
    return worlds_talk(cg_http_client_new(.no_environment = true, .per_origin = 1 + chance(3)),
                       "http://10.0.0.1");
}

static const struct cg_sim_program programs[] = {
    {"one", service, NULL}, {"other", service, NULL}, {NULL, NULL, NULL}};

const struct subject restarts_subject = {
    .name = "restarts",
    .fn = talkers,
    .programs = programs,
    .faults = CG_SIM_ALL_FAULTS,
    .share = 10,
};
const struct subject restart_subject = {
    .name = "restart",
    .fn = askers,
    .programs = programs,
    .faults = CG_SIM_CUTS | CG_SIM_PAUSES | CG_SIM_SLOWNESS | CG_SIM_JUMPS,
    .share = 10,
};
