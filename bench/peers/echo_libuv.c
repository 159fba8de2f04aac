/* SPDX-License-Identifier: MIT */
/* Echo on libuv: streams, a buffer a connection, uv_try_write first as its guide advises
 * for small answers.
 *     bench/peers/echo_libuv [PORT] */
#include "bench/listen.h"

#include <stdlib.h>
#include <uv.h>

struct conn {
    uv_tcp_t tcp;
    uv_write_t write;
    uv_buf_t rest;
    char buf[BENCH_BUFFER];
};

static void closed(uv_handle_t *handle)
{
    free(handle);
}

static void drop(struct conn *conn)
{
    if (!uv_is_closing((uv_handle_t *)&conn->tcp))
        uv_close((uv_handle_t *)&conn->tcp, closed);
}

static void give_buffer(uv_handle_t *handle, size_t size, uv_buf_t *buf)
{
    struct conn *conn = (struct conn *)handle;

    (void)size;
    *buf = uv_buf_init(conn->buf, sizeof conn->buf);
}

static void received(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf);

static void written(uv_write_t *write, int status)
{
    struct conn *conn = write->data;

    if (status < 0 || uv_read_start((uv_stream_t *)&conn->tcp, give_buffer, received) < 0)
        drop(conn);
}

static void received(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct conn *conn = (struct conn *)stream;
    uv_buf_t out = uv_buf_init(buf->base, n > 0 ? (unsigned)n : 0);
    int sent;

    if (n == 0)
        return;
    if (n < 0) {
        drop(conn);
        return;
    }
    if ((sent = uv_try_write(stream, &out, 1)) == n)
        return;
    if (sent < 0 && sent != UV_EAGAIN) {
        drop(conn);
        return;
    }
    sent = sent < 0 ? 0 : sent;
    conn->rest = uv_buf_init(buf->base + sent, (unsigned)(n - sent));
    uv_read_stop(stream); /* the buffer is in use until the write is done */
    conn->write.data = conn;
    if (uv_write(&conn->write, stream, &conn->rest, 1, written) < 0)
        drop(conn);
}

static void connected(uv_stream_t *listener, int status)
{
    struct conn *conn = status < 0 ? NULL : malloc(sizeof *conn);

    if (conn == NULL)
        return;
    uv_tcp_init(listener->loop, &conn->tcp);
    if (uv_accept(listener, (uv_stream_t *)&conn->tcp) < 0 ||
        uv_read_start((uv_stream_t *)&conn->tcp, give_buffer, received) < 0)
        drop(conn);
}

int main(int argc, char **argv)
{
    uv_loop_t *loop = uv_default_loop();
    uv_tcp_t listener;

    (void)argc;
    if (uv_tcp_init(loop, &listener) < 0 ||
        uv_tcp_open(&listener, bench_listen(argv, SOCK_NONBLOCK)) < 0 ||
        uv_listen((uv_stream_t *)&listener, 4096, connected) < 0)
        bench_die("libuv");
    return uv_run(loop, UV_RUN_DEFAULT);
}
