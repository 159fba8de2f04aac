/* SPDX-License-Identifier: MIT */
/* Every constructor, with and without keywords: tests/headers.sh compiles this as strict
 * C11 with all warnings; nobody runs it. */
#include <cogen.h>
#include <cogen/explore.h>
#include <cogen/http_clients.h>
#include <cogen/http_cookie.h>
#include <cogen/http_events.h>
#include <cogen/http_form.h>
#include <cogen/http_gateway.h>
#include <cogen/http_cache.h>
#include <cogen/http_jar.h>
#include <cogen/http_layers.h>
#include <cogen/http_server.h>
#include <cogen/https.h>
#include <cogen/websocket.h>

ssize_t use(struct cg_sock *sock, void *arg);
ssize_t plain(struct cg_sock *sock, void *arg);
ssize_t tls(struct cg_sock *sock, struct cg_http_client **client);
ssize_t http(struct cg_http_request *req, void *arg);
ssize_t websocket(struct cg_http_request *req, struct cg_http_client *client);
int outside(struct cg_reactor *reactor, struct cg_sched **sched, struct cg_sock **sock);

static ssize_t body(void *arg)
{
    (void)arg;
    return 0;
}

static ssize_t handler(struct cg_sock *conn, void *arg)
{
    cg_sock_close(conn);
    return body(arg);
}

ssize_t plain(struct cg_sock *sock, void *arg)
{
    struct iovec iov[1] = {{.iov_base = arg, .iov_len = 1}};
    struct cg_coro *coro = cg_coro_self();
    struct cg_sock *conn;
    struct cg_addr_list list;
    struct cg_srv_list srvs;
    struct cg_txt_list txts;
    struct cg_name_list names;
    struct cg_output output;
    struct cg_view view;
    void *value;
    struct cg_queue *queue = cg_queue_new();
    struct cg_subscriber subscriber = {.fetch = NULL};
    struct cg_mutex mutex = {.owner = NULL};
    struct cg_iterator it = cg_iterator(body, arg);
    struct cg_group group;
    struct cg_op *ops[] = {cg_sleep(1), cg_pass()};

    cg_yield(cg_call(body, arg));
    cg_yield(cg_spawn(arg, arg, .out = CG_STDIO_PIPE, .dir = "/"));
    cg_yield(cg_spawn(arg, arg, .terminal = true, .user = &(struct cg_spawn_user){.uid = 1},
                      .limits = &(struct cg_spawn_limit){.soft = 1}, .nlimits = 1));
    cg_yield(cg_add(body, arg));
    cg_yield(cg_join(coro));
    cg_yield(cg_cancel(coro));
    cg_yield(cg_pass());
    cg_yield(cg_sleep(CG_SECOND));
    cg_yield(cg_sleep_until(CG_SECOND));
    cg_yield(cg_suspend());
    cg_yield(cg_activate(coro));
    cg_yield(cg_signal("name", 0));
    cg_yield(cg_signal(arg, arg));
    cg_yield(cg_wait_signal(7, &value));
    cg_yield(cg_any((cg_sleep(1))));
    cg_yield(cg_all((cg_sleep(1), cg_pass())));
    cg_yield(cg_any_of(ops, 2));
    cg_yield(cg_all_of(ops, 2, .timeout = CG_SECOND));
    cg_yield(cg_put(queue, 1));
    cg_yield(cg_put(queue, "text"));
    cg_yield(cg_get(queue, &value));
    cg_yield(cg_join_queue(queue));
    cg_yield(cg_publish(arg, value));
    cg_yield(cg_fetch(&subscriber, &value, 1));
    cg_yield(cg_lock(&mutex));
    cg_yield(cg_call_locked(&mutex, body, arg));
    cg_yield(cg_acquire(arg));
    cg_yield(cg_wait_condition(arg, &mutex));
    cg_yield(cg_wait_event(arg));
    cg_yield(cg_wait_barrier(arg));
    cg_yield(cg_get_next(&it, &value));
    cg_yield(cg_produce(value));
    cg_yield(cg_stop_producer(&it));
    cg_group_open(&group);
    cg_yield(cg_add_to_group(&group, body, arg));
    cg_yield(cg_wait_group(&group));
    cg_yield(cg_serve(sock, handler));
    cg_yield(cg_poll(0, CG_IN));
    cg_yield(cg_poll_sock(sock, CG_IN));
    cg_yield(cg_accept(sock, &conn));
    cg_yield(cg_drain_listener(sock, &conn));
    cg_yield(cg_connect("127.0.0.1:80", &conn));
    cg_yield(cg_connect("127.0.0.1:80", &conn,
                        .options = cg_connect_options(.local = "127.0.0.2:0", .nagle = true)));
    cg_yield(cg_resolve("localhost", "80", &list));
    cg_yield(cg_resolve_srv("_http._tcp.localhost", &srvs));
    cg_yield(cg_resolve_txt("localhost", &txts, .timeout = 1));
    cg_yield(cg_resolve_ptr("127.0.0.1", &names));
    cg_yield(cg_read(sock, arg, 1));
    cg_yield(cg_readall(sock, arg, 1));
    cg_yield(cg_read_to_end(sock, arg, 1));
    cg_yield(cg_read_to_end(sock, arg, 1, .moved = &(size_t){0}, .weak_timeout = true));
    cg_yield(cg_readline(sock, arg, 1));
    cg_yield(cg_readlines(sock, arg, 1, &(struct cg_line){.len = 0}, 1, .timeout = 1));
    cg_yield(cg_borrow(sock, &view));
    cg_yield(cg_wait_gone(sock));
    cg_yield(cg_wait_input(sock));
    cg_yield(cg_send_fds(sock, "x", 1, &(int){0}, 1, .moved = &(size_t){0}));
    cg_yield(cg_receive_fds(sock, arg, 1, &(struct cg_fds){.count = 0}, .timeout = 1));
    cg_sock_attach(cg_sched_self(), 0, &conn);
    cg_sock_attach(cg_sched_self(), 0, &conn, .unread = arg, .len = 1);
    cg_yield(cg_close_gently(sock));
    cg_yield(cg_read_proxy_header(sock));
    cg_yield(cg_write_proxy_header(sock, "192.0.2.1:1", "192.0.2.2:2"));
    cg_yield(cg_write_proxy_header(sock, NULL, NULL, .version = 1, .timeout = CG_SECOND));
    cg_yield(cg_splice(sock, sock, SIZE_MAX));
    cg_yield(cg_flush(sock));
    cg_sock_buffer(sock, &conn);
    cg_sock_buffer(sock, &conn, .size = 1000);
    cg_sock_limit(sock, &conn);
    cg_sock_limit(sock, &conn, .read = NULL, .write = NULL);
    cg_bucket_new(&(struct cg_bucket *){NULL}, .rate = 1);
    cg_yield(cg_take(arg, 1));
    cg_yield(cg_take(arg, 1, .least = 1, .timeout = CG_NOWAIT));
    cg_yield(cg_relay(sock, sock, .a_to_b = &(uint64_t){0}));
    cg_yield(cg_write(sock, arg, 1));
    cg_yield(cg_writeall(sock, arg, 1));
    cg_yield(cg_writev(sock, iov, 1));
    cg_yield(cg_sendfile(sock, 0, 0, 1));
    cg_yield(cg_wait_clock(CG_CLOCK_WALL, 1, .timeout = 1));
    cg_yield(cg_receive_from(sock, arg, 1, NULL));
    cg_yield(cg_receive_from(sock, arg, 1, &list.addrs[0], .whole = NULL, .timeout = 1));
    cg_yield(cg_send_to(sock, arg, 1, NULL));
    cg_yield(cg_send_to(sock, "x", 1, "127.0.0.1:53"));
    cg_yield(cg_send_to(sock, "x", 1, &list.addrs[0], .timeout = 1));
    cg_yield(cg_receive_datagrams(sock, arg, 1));
    cg_yield(cg_send_datagrams(sock, arg, 1, .moved = NULL));
    cg_datagram_open(cg_sched_self(), ":53", &conn);
    cg_datagram_open(cg_sched_self(), NULL, &conn, .peer = "127.0.0.1:53", .ttl = 1);
    cg_datagram_join(sock, "239.1.2.3");
    cg_datagram_leave(sock, "239.1.2.3", .interface = "lo");
    cg_yield(cg_open_file("", 0, .mode = 0600));
    cg_yield(cg_read_file(0, NULL, 0, 0, .timeout = 1));
    cg_yield(cg_write_file(0, "", 0, 0, .timeout = 1));
    cg_yield(cg_sync_file(0, .data_only = true));
    cg_yield(cg_stat_file("", NULL, .no_follow = true));
    cg_yield(cg_rename_file("", "", .dir = 1));
    cg_yield(cg_remove_file("", .dir = 1));
    cg_yield(cg_wait_os_signal(2, .timeout = 1));
    cg_yield(cg_get_os_signal(NULL, .timeout = 1));
    cg_yield(cg_wait_process(NULL, .timeout = 1));
    cg_handover_remove(&(struct cg_handover){.name = "x"});
    cg_yield(cg_restart(NULL));
    cg_yield(cg_restart(NULL, .timeout = 1));
    cg_ports_open("127.0.0.1:80", NULL, .name = "http", .members = 2);
    cg_starter_free(cg_starter_new(cg_sched_self(), body));
    cg_sched_dump(cg_sched_self(), stderr);
    cg_sched_dump(cg_sched_self(), stderr, .json = true, .limit = 1);
    cg_dump_set_signal(0);
    cg_metrics_print(stderr);
    cg_trace_write(cg_sched_self(), stderr);
    cg_trace_end(cg_trace_begin("span", NULL));
    cg_metrics_walk(NULL, arg);
    cg_metrics_limit(0);
    cg_starter_free(cg_starter_new(cg_sched_self(), body, .name = "idle", .stack_size = 1));
    cg_starter_withdraw(NULL, cg_sleep(1));
    cg_yield(cg_end_process(NULL, .grace = CG_SECOND, .shield = true));
    cg_yield(cg_call_with_process(NULL, body, arg, .grace = CG_SECOND));
    cg_yield(cg_communicate(NULL, arg, 1, .out = &output, .err = NULL, .timeout = 1));
    cg_yield(cg_follow_line(NULL, arg, 1, .timeout = 1));
    cg_yield(cg_follow_bytes(NULL, arg, 1, .timeout = 1));
    return cg_yield(cg_shutdown(sock, SHUT_WR));
}

ssize_t use(struct cg_sock *sock, void *arg)
{
    struct iovec iov[1] = {{.iov_base = arg, .iov_len = 1}};
    struct cg_coro *coro = cg_coro_self(), *added;
    struct cg_spread *spread;
    struct cg_sock *conn;
    struct cg_view view;
    size_t moved;
    intptr_t word;
    ssize_t answer;
    struct cg_channel *channel = cg_channel_new(.limit = 1, .name = "channel");
    struct cg_queue *queue = cg_queue_new(.limit = 1, .lifo = true, .name = "queue");
    struct cg_subscriber subscriber = {.fetch = NULL};
    struct cg_iterator it = cg_iterator(body, arg, .name = "producer");
    struct cg_group group;

    cg_yield(cg_call(body, arg, .timeout = CG_SECOND, .shield = true));
    cg_yield(cg_add(body, arg, .name = "added", .stack_size = 1 << 16, .coro = &added));
    cg_yield(cg_join(coro, .timeout = CG_NOWAIT));
    cg_yield(cg_cancel(coro, .prio = CG_PRIO_FIRST));
    cg_yield(cg_pass(.prio = CG_PRIO_LAST));
    cg_yield(cg_sleep(CG_SECOND, .shield = true));
    cg_yield(cg_sleep_until(CG_SECOND, .deadline = CG_SECOND));
    cg_yield(cg_suspend(.timeout = CG_SECOND));
    cg_yield(cg_activate(coro, .value = 1));
    cg_yield(cg_signal('c', 1, .recipients = 2));
    cg_yield(cg_wait_signal(cg_name_bytes("\0", 1), &word, .timeout = CG_SECOND));
    cg_yield(cg_signal_remote(cg_sched_self(), 7, arg, .timeout = CG_SECOND));
    cg_sched_post_signal(cg_sched_self(), "name", 1);
    cg_yield(cg_run_on(cg_worker_self(), body, arg, .timeout = CG_SECOND));
    cg_yield(cg_run_on_each(body, arg, .deadline = CG_SECOND));
    cg_yield(cg_signal_crew("name", 1, .timeout = CG_SECOND));
    cg_crew_post_signal("name", 1);
    cg_crew_main(body, arg);
    cg_sock_move(sock, cg_worker_self(), handler, arg);
    cg_yield(cg_send(channel, 1, .timeout = CG_NOWAIT));
    cg_yield(cg_receive(channel, &word, .timeout = CG_SECOND));
    cg_yield(cg_receive_many(channel, &word, 1, .deadline = CG_SECOND));
    cg_channel_try_send(channel, NULL);
    cg_channel_try_receive(channel, &word);
    cg_crew_main(body, arg, .workers = 2, .pin = true);
    cg_sim_explore(body, arg, NULL);
    cg_sim_explore(body, arg, NULL, .seeds = 2, .faults = CG_SIM_ALL_FAULTS);
    cg_sim_explore_main(0, NULL, body, arg);
    cg_sim_explore_main(0, NULL, body, arg, .seeds = 2, .quiet = true);
    cg_yield(
        cg_any((cg_read(sock, arg, 1), cg_sleep(1, .shield = true)), .timeout = 1));
    cg_yield(cg_all((cg_pass(), cg_suspend()), .deadline = CG_NEVER));
    cg_yield(cg_put(queue, coro, .timeout = CG_NOWAIT));
    cg_yield(cg_get(queue, &word, .prio = CG_PRIO_OP));
    cg_yield(cg_fetch(&subscriber, &word, 1, .timeout = 1));
    cg_yield(cg_acquire(arg, .units = 2, .timeout = 1));
    cg_yield(cg_lock(arg, .shield = true));
    cg_yield(cg_get_next(&it, &word, .timeout = 1));
    cg_yield(cg_stop_producer(&it, .timeout = 1));
    cg_group_open(&group, .timeout = CG_SECOND, .grace = 1, .shield = true);
    cg_yield(cg_add_to_group(&group, body, arg, .name = "one", .returned = &answer));
    cg_yield(cg_wait_group(&group, .timeout = 1));
    cg_yield(cg_serve(sock, handler, .arg = arg, .limit = 10, .grace = CG_NEVER));
    cg_spread_open("web", handler, arg, &spread);
    cg_spread_leave(cg_spread_pass(spread, sock) ? NULL : spread);
    while (cg_spread_close(spread) > 0)
        cg_yield(cg_sleep(1));
    cg_yield(cg_poll(0, CG_IN | CG_OUT, .timeout = 1));
    cg_yield(cg_poll_sock(sock, CG_IN | CG_OUT, .timeout = 1));
    cg_yield(cg_accept(sock, &conn, .timeout = 1));
    cg_yield(cg_connect("[::1]:80", &conn, .timeout = 1));
    cg_yield(cg_read(sock, arg, 1, .timeout = 1));
    cg_yield(cg_readall(sock, arg, 1, .moved = &moved, .weak_timeout = true));
    cg_yield(cg_readline(sock, arg, 1, .timeout = 1));
    cg_yield(cg_borrow(sock, &view, .least = 100, .timeout = 1));
    cg_yield(cg_wait_gone(sock, .timeout = 1));
    cg_yield(cg_wait_input(sock, .timeout = 1));
    cg_yield(cg_close_gently(sock, .most = 1000, .shield = true));
    cg_yield(cg_write(sock, arg, 1, .moved = &moved));
    cg_yield(cg_writeall(sock, arg, 1, .moved = &moved, .weak_timeout = true));
    cg_yield(cg_writev(sock, iov, 1, .moved = &moved, .more = true));
    cg_yield(cg_sendfile(sock, 0, 0, 1, .moved = &moved));
    return cg_yield(cg_shutdown(sock, SHUT_RDWR, .timeout = 1));
}

ssize_t tls(struct cg_sock *sock, struct cg_http_client **client)
{
    struct cg_tls *tls;
    char why[CG_TLS_WHY_SIZE];

    cg_tls_new(&tls);
    cg_tls_new(&tls, .cert = "cert.pem", .alpn = "h2,http/1.1", .why = why);
    *client = cg_http_client_new(.tls = cg_tls_http(tls), .protocols = CG_HTTP_H1 | CG_HTTP_H2);
    cg_yield(cg_tls_accept(sock, tls, &sock));
    cg_yield(cg_tls_accept(sock, tls, &sock, .why = why, .timeout = CG_SECOND));
    cg_yield(cg_tls_connect(sock, tls, "localhost", &sock));
    cg_yield(cg_tls_accept(sock, tls, &sock, .alpn = "h2"));
    return cg_yield(cg_tls_connect(sock, tls, NULL, &sock, .why = why, .timeout = 1));
}

ssize_t http(struct cg_http_request *req, void *arg)
{
    struct cg_http_server *server = cg_http_server_new();
    struct cg_http_client *client = cg_http_client_new();
    struct cg_http_fetch what = {.url = "http://localhost/", .body = arg, .len = 1};
    struct cg_http_reply *reply;
    struct cg_sock *sock;
    char *body, why[CG_HTTP_WHY_SIZE];

    server = cg_http_server_new(.proxy_protocol = "127.0.0.1");
    server = cg_http_server_new(.name = "", .body_limit = CG_HTTP_UNLIMITED);
    client = cg_http_client_new(.user_agent = "mine/1", .no_environment = true);
    cg_http_server_mount(server, "*", http, NULL);
    cg_http_server_add_layer(server, NULL, NULL);
    cg_http_layer_run((struct cg_http_layer[]){{.handler = http}}, req);
    cg_yield(cg_http_get(client, "http://localhost/", &reply));
    cg_yield(
        cg_http_get(client, "http://localhost/", &reply, .why = why, .timeout = 1));
    cg_yield(cg_http_fetch(client, &what, &reply));
    cg_yield(cg_http_fetch(client, &what, &reply, .why = why, .deadline = CG_NEVER));
    cg_yield(cg_http_fetch(client, &what, &reply, .sent = &(bool){false}));
    cg_http_upstreams_free(cg_http_upstreams_new(client));
    cg_http_upstreams_remove(cg_http_upstreams_new(client), "http://a");
    cg_http_response_add_timing(req, "db", CG_SECOND, "all of it");
    cg_http_upstreams_free(cg_http_upstreams_new(client, .hop.name = "a", .probe = "/"));
    cg_yield(cg_http_forward(req, cg_http_upstreams_new(client)));
    cg_yield(cg_http_forward(req, cg_http_upstreams_new(client), .timeout = 1));
    cg_yield(cg_http_forward_to(req, client, "http://localhost/"));
    cg_yield(cg_http_forward_to(req, client, "http://localhost/", .why = why, .timeout = 1));
    cg_yield(cg_http_watch_upstreams(cg_http_upstreams_new(client)));
    cg_yield(cg_http_watch_upstreams(cg_http_upstreams_new(client), .timeout = 1));
    cg_yield(cg_http_read_reply(reply, arg, 1));
    cg_yield(cg_http_read_reply(reply, arg, 1, .timeout = 1));
    cg_yield(cg_http_serve(server, cg_http_request_sock(req)));
    cg_yield(cg_http_serve(server, cg_http_request_sock(req), .timeout = CG_NEVER));
    cg_yield(cg_http_serve(server, cg_http_request_sock(req), .spread = "web"));
    cg_yield(cg_http_serve(server, cg_http_request_sock(req), .protocols = CG_HTTP_H1,
                           .wrap = cg_https_wrap, .wrap_arg = arg));
    cg_yield(cg_http_shutdown(server));
    cg_yield(cg_http_shutdown(server, .idle = CG_NOWAIT, .timeout = CG_SECOND));
    cg_yield(cg_http_wait_shutdown(server));
    cg_yield(cg_http_wait_left(req));
    cg_yield(cg_http_wait_left(req, .timeout = 1));
    cg_http_request_protocol(req), cg_http_request_scheme(req);
    cg_http_request_client(req, &(const char *){NULL});
    cg_yield(cg_http_read(req, arg, 1));
    cg_yield(cg_http_read(req, arg, 1, .timeout = 1));
    cg_http_limiter_free(cg_http_limiter_new());
    cg_http_limiter_free(cg_http_limiter_new(.rate = 1, .burst = 2));
    cg_http_cache_free(cg_http_cache_new());
    cg_http_cache_free(cg_http_cache_new(.bytes = 1 << 20, .object = 1 << 10));
    cg_http_jar_free(cg_http_jar_new());
    cg_http_jar_free(cg_http_jar_new(.cookies = 10, .per_site = 2));
    cg_http_response_set_cookie(req, "a", "b");
    cg_http_response_set_cookie(req, "a", "b", .secure = true, .max_age = CG_MINUTE);
    cg_http_response_remove_cookie(req, "a");
    cg_http_response_remove_cookie(req, "a", .path = "/x");
    cg_yield(cg_http_send_redirect(req, 303, "/"));
    cg_yield(cg_http_send_redirect(req, 303, "/", .timeout = 1));
    cg_yield(cg_http_read_form(req, arg));
    cg_yield(cg_http_read_form(req, arg, .folder = "/tmp", .timeout = 1));
    cg_yield(cg_http_read_body(req, &body));
    cg_yield(cg_http_read_body(req, &body, .len = 10, .timeout = 1));
    cg_yield(cg_http_respond(req, 200, arg, 1));
    cg_yield(cg_http_respond(req, 200, arg, 1, .mime = "a/b"));
    cg_yield(cg_http_send_text(req, 404, "none\n"));
    cg_yield(cg_http_send_text(req, 404, "none\n", .mime = "text/html"));
    cg_yield(cg_http_write(req, arg, 1));
    cg_yield(cg_http_write(req, arg, 1, .timeout = 1));
    cg_yield(cg_http_send_file(req, 0, 0, 1));
    cg_yield(cg_http_send_file(req, 0, 0, 1, .timeout = 1));
    cg_yield(cg_http_send_event(req));
    cg_yield(cg_http_send_event(req, .data = "text", .event = "name", .id = "7",
                                .retry = 1));
    cg_yield(cg_http_serve_events(req, arg));
    cg_yield(cg_http_serve_events(req, arg, .timeout = 1));
    cg_http_events_publish(cg_http_events_new(), .data = "text");
    cg_http_events_publish(cg_http_events_new(.kept = 1), .data = "text", .event = "name");
    cg_yield(cg_http_upgrade(req, 101, &sock));
    return cg_yield(cg_http_upgrade(req, 101, &sock, .timeout = 1));
}

ssize_t websocket(struct cg_http_request *req, struct cg_http_client *client)
{
    struct cg_ws_message message;
    struct cg_ws *ws;
    char why[CG_HTTP_WHY_SIZE];
    ssize_t n;

    cg_yield(cg_ws_accept(req, &ws));
    cg_yield(cg_ws_accept(req, &ws, .protocol = "a, b", .deflate = true, .origins = "*"));
    cg_yield(cg_ws_connect(client, "ws://localhost/", &ws));
    cg_yield(cg_ws_connect(client, "ws://localhost/", &ws, .why = why, .limit = 1));
    cg_ws_new(cg_ws_sock(ws), &ws);
    cg_ws_new(cg_ws_sock(ws), &ws, .client = true, .window_bits = 9);
    n = cg_yield(cg_ws_read(ws, &message));
    n = cg_yield(cg_ws_read(ws, &message, .pieces = true, .timeout = 1));
    cg_yield(cg_ws_write(ws, n, message.data, message.len));
    cg_yield(cg_ws_write(ws, CG_WS_TEXT, "a", 1, .more = cg_ws_has_input(ws)));
    cg_yield(cg_ws_send_text(ws, "hello"));
    cg_yield(cg_ws_send_text(ws, "hello", .timeout = 1));
    cg_yield(cg_ws_ping(ws, NULL, 0));
    cg_yield(cg_ws_ping(ws, "a", 1, .timeout = 1));
    cg_yield(cg_ws_end(ws, CG_WS_NORMAL));
    n = cg_ws_serve(ws, req, NULL, NULL);
    return cg_yield(cg_ws_end(ws, cg_ws_code(ws), .why = cg_ws_reason(ws)));
}

int outside(struct cg_reactor *reactor, struct cg_sched **sched, struct cg_sock **sock)
{
    *sched = cg_sched_new(reactor);
    *sched = cg_sched_new(reactor, .timeout = 30 * CG_SECOND, .grace = CG_SECOND);
    cg_sched_start(*sched, body, NULL);
    cg_sched_start(*sched, body, NULL, .name = "server", .prio = CG_PRIO_OP);
    cg_process_spawn(*sched, (char *[]){NULL}, &(struct cg_process *){NULL});
    cg_process_spawn(*sched, NULL, NULL, .out = CG_STDIO_PIPE, .err = CG_STDIO_OUT,
                     .dir = "/");
    cg_follower_open(*sched, "log", &(struct cg_follower *){NULL}, .from_start = true);
    cg_sock_listen(*sched, "127.0.0.1:0", sock);
    return cg_sock_listen(*sched, "unix:/tmp/socket", sock, .backlog = 16,
                          .reuse_port = true);
}

/* An operation type of the user's own, with nothing that is not public. */
struct my_op {
    CG_OP_HEAD;
    int number;
};

static enum cg_verdict my_process(struct cg_op *op, struct cg_sched *sched)
{
    (void)sched;
    op->result = ((struct my_op *)op)->number;
    return CG_DONE;
}

static const struct cg_op_type my_type = {.name = "my", .process = my_process};

#define my(...) my_(__VA_ARGS__, )
#define my_(n, ...) CG_OP(my, .number = (n), __VA_ARGS__)

ssize_t mine(void);
ssize_t mine(void)
{
    return cg_yield(my(1)) + cg_yield(my(2, .timeout = 1, .prio = CG_PRIO_CORO));
}
