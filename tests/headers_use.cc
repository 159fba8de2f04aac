/* SPDX-License-Identifier: MIT */
/* What C++ may do: include the headers, define coroutines and operation types, drive a
 * scheduler. tests/headers.sh compiles this; nobody runs it. */
#include <cogen.h>
#include <cogen/http_server.h>
#include <cogen/https.h>
#include <cogen/transport.h>

extern "C" {
static ssize_t body(void *arg)
{
    cg_coro_options options = cg_coro_options();
    options.name = "inner";
    return cg_sched_start_with(cg_sched_self(), body, arg, &options);
}

static cg_verdict my_process(cg_op *op, cg_sched *)
{
    op->result = 1;
    return CG_DONE;
}

static ssize_t answer(cg_http_request *req, void *)
{
    return cg_http_response_set_header(req, "A", cg_http_request_method(req));
}

static int my_print(const cg_op *, char *, size_t)
{
    return 0;
}
}

int http(cg_http_client **client, cg_http_server **server, cg_tls **tls);
int http(cg_http_client **client, cg_http_server **server, cg_tls **tls)
{
    cg_http_client_options how = cg_http_client_options();
    cg_http_server_options limits = cg_http_server_options();
    cg_tls_options whom = cg_tls_options();

    how.user_agent = "mine/1";
    limits.body_limit = CG_HTTP_UNLIMITED;
    *client = cg_http_client_new_with(&how);
    *server = cg_http_server_new_with(&limits);
    return cg_tls_new_with(&whom, tls) + cg_http_server_mount(*server, "*", answer, 0);
}

ssize_t drive(const char *name);
ssize_t drive(const char *name)
{
    cg_op_type type = cg_op_type();
    cg_op op = cg_op();
    cg_reactor *reactor;
    cg_sched *sched;
    ssize_t answer;

    type.name = "my";
    type.process = my_process;
    type.print = my_print;
    op.type = &type;
    if ((answer = cg_reactor_open(name, &reactor)) < 0)
        return answer;
    sched = cg_sched_new_with(reactor, 0);
    cg_sched_start_with(sched, body, &op, 0);
    answer = cg_sched_run(sched);
    cg_sched_free(sched);
    cg_reactor_close(reactor);
    return answer;
}
