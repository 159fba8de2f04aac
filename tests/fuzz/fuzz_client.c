/* SPDX-License-Identifier: MIT */
/* An HTTP client whose server sends any bytes: the request ends in time, and over HTTP/1 its
 * result does not depend on how the bytes are cut. The first byte of the input says who sends
 * them. */
#include "config.h"

#include <cogen/http_client.h>

#include "tests/fuzz/peer.h"

enum peer { HTTP1, HTTP2, SOCKS, SOCKS_WITH_USER, PEERS };

struct session {
    struct peer_input input;
    enum peer peer;
    struct cg_sock *listener;
    bool over; /* the client has gone */
    struct fuzz_told told;
};

/* Each connection gets the bytes after the first bytes of its request. */
static ssize_t respond(void *arg)
{
    struct session *session = arg;
    struct cg_sock *sock;
    char buf[1024];

    while (!session->over && cg_yield(cg_accept(session->listener, &sock)) >= 0) {
        if (cg_yield(cg_read(sock, buf, sizeof buf)) > 0) {
            peer_send(sock, &session->input);
            if (!session->over)
                peer_read(sock, buf, sizeof buf);
        }
        cg_sock_close(sock);
    }
    return 0;
}

static void tell(FILE *told, ssize_t status, struct cg_http_reply *reply)
{
    struct cg_http_field field;
    size_t at = 0, len;
    const char *body;

    fprintf(told, "%zd", status);
    if (reply == NULL)
        return;
    while (cg_http_headers_next(cg_http_reply_headers(reply), &at, &field))
        fprintf(told, "|%s=%s", field.name, field.value);
    body = cg_http_reply_body(reply, &len);
    fprintf(told, "|");
    fwrite(body, 1, len, told);
}

static ssize_t run(void *arg)
{
    static const char *const proxies[] = {"", "", "socks5h://" PEER_ADDR,
                                          "socks5://user:password@" PEER_ADDR};
    struct session *session = arg;
    struct cg_http_client *client = cg_http_client_new(
        .no_environment = true, .http_proxy = proxies[session->peer],
        .protocols = session->peer == HTTP2 ? CG_HTTP_H2C : CG_HTTP_H1);
    struct cg_http_fetch fetch = {.url = "http://" PEER_ADDR "/", .stay = true};
    struct cg_http_reply *reply;
    struct cg_group group;
    ssize_t status;

    MUST(client != NULL);
    MUST(cg_sock_listen(cg_sched_self(), PEER_ADDR, &session->listener) == 0);
    cg_group_open(&group);
    MUST(cg_group_start(&group, respond, session, NULL, .stack_size = 256 * 1024) == 0);
    status = cg_yield(cg_http_fetch(client, &fetch, &reply, .timeout = 10 * CG_MINUTE));
    MUST(status < 0 ? reply == NULL : status >= 200 && status <= 999);
    tell(fuzz_tell(&session->told), status, reply);
    fclose(session->told.file);
    cg_http_reply_free(reply);
    cg_http_client_free(client);
    session->over = true;
    cg_group_cancel(&group);
    cg_yield(cg_wait_group(&group));
    cg_sock_close(session->listener);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_told whole = {.text = NULL};

    for (int cuts = FUZZ_WHOLE; size > 0 && cuts < FUZZ_CUTS; cuts++) {
        struct session session = {.input = {data + 1, size - 1, (enum fuzz_cuts)cuts},
                                  .peer = (enum peer)(data[0] % PEERS)};

        peer_world(run, &session);
        if (cuts == FUZZ_WHOLE)
            whole = session.told;
        else if (session.peer != HTTP2)
            fuzz_compare(&whole, &session.told);
        else
            free(session.told.text);
    }
    free(whole.text);
    return 0;
}
