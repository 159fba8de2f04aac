/* SPDX-License-Identifier: MIT */
/* An HTTP server whose client sends any bytes: it responds to what is a request, ends the
 * session in time, and then serves another client. The first byte of the input says how the rest
 * is cut, and with FUZZ_CUTS (4) added that it is the frames of a session of HTTP/2. */
#include "config.h"

#include <cogen/http_server.h>

#include "tests/fuzz/peer.h"

struct session {
    struct peer_input input;
    bool h2;
    struct cg_http_server *server;
};

/* Reads the body, and responds with as many bytes. */
static ssize_t echo(struct cg_http_request *req, void *arg)
{
    char buf[512];
    size_t len = 0;
    ssize_t n;

    (void)arg;
    while ((n = cg_yield(cg_http_read(req, buf, sizeof buf))) > 0)
        len += (size_t)n;
    if (n < 0)
        return n;
    memset(buf, 'x', sizeof buf);
    return cg_yield(cg_http_respond(req, 200, buf, len < sizeof buf ? len : sizeof buf));
}

static void keep_silent(void *arg, const char *line)
{
    (void)arg;
    (void)line;
}

static ssize_t serve(void *arg)
{
    struct session *session = arg;
    struct cg_sock *listener;
    ssize_t n;

    MUST(cg_sock_listen(cg_sched_self(), PEER_ADDR, &listener) == 0);
    n = cg_yield(cg_http_serve(session->server, listener));
    cg_sock_close(listener);
    return n;
}

/* Whether the bytes are frames of HTTP/2; the last one may be cut off. */
static bool are_frames(const char *bytes, size_t len)
{
    const uint8_t *at = (const uint8_t *)bytes, *end = at + len;

    while (end - at >= 9) {
        size_t size = (size_t)at[0] << 16 | (size_t)at[1] << 8 | at[2];

        if (size > 16384 || at[3] > 9)
            return false;
        if (size > (size_t)(end - at) - 9)
            return true;
        at += 9 + size;
    }
    return true;
}

static void talk(const struct session *session)
{
    static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0";
    static char said[64 * 1024];
    struct cg_sock *sock;
    size_t len;

    MUST(cg_yield(cg_connect(PEER_ADDR, &sock)) == 0);
    if (session->h2)
        MUST(cg_yield(cg_writeall(sock, preface, sizeof preface - 1)) > 0);
    peer_send(sock, &session->input);
    len = peer_read(sock, said, sizeof said);
    MUST(len == 0 || strncmp(said, "HTTP/1.", 7) == 0 || are_frames(said, len));
    cg_sock_close(sock);
}

/* Another client must be served. */
static void ask(void)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    const struct peer_input input = {(const uint8_t *)request, sizeof request - 1, FUZZ_WHOLE};
    struct cg_sock *sock;
    char said[1024];

    MUST(cg_yield(cg_connect(PEER_ADDR, &sock)) == 0);
    peer_send(sock, &input);
    peer_read(sock, said, sizeof said);
    MUST(strncmp(said, "HTTP/1.1 200 ", 13) == 0);
    cg_sock_close(sock);
}

static ssize_t run(void *arg)
{
    struct session *session = arg;

    session->server = cg_http_server_new(.log = keep_silent, .access_log = NULL,
                                         .protocols = CG_HTTP_H1 | CG_HTTP_H2C);
    MUST(session->server != NULL);
    MUST(cg_http_server_mount(session->server, "*", echo, NULL) == 0);
    MUST(cg_sched_start(cg_sched_self(), serve, session, .stack_size = 256 * 1024) == 0);
    cg_yield(cg_sleep(CG_MILLISECOND)); /* until it listens */
    talk(session);
    ask();
    MUST(cg_yield(cg_http_shutdown(session->server, .timeout = 10 * CG_SECOND)) == 0);
    cg_yield(cg_sleep(CG_SECOND));
    cg_http_server_free(session->server);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct session session;

    if (size == 0)
        return 0;
    session = (struct session){
        .input = {data + 1, size - 1, (enum fuzz_cuts)(data[0] % FUZZ_CUTS)},
        .h2 = data[0] & FUZZ_CUTS,
    };
    peer_world(run, &session);
    return 0;
}
