/* SPDX-License-Identifier: MIT */
/* The network of the simulated world: streams and their ends, connections, names, options,
 * handles. */
#include "config.h"

#include "tests/reactors/sim_world.h"

/* Streams */

/* Bytes come to the other end, but only in a wait of the receiver. */
START_TEST(echo)
{
    struct req req;
    char buf[16];

    WORLD();
    connect_pair();
    req = REQ(.code = CG_IO_RECV, .fd = server, .buf = buf, .len = 16);
    ck_assert(!submit(&req));
    IS(send_to(client, "hello", 5), 5);
    IS(req.completions, 0);
    IS(wait_for(0), 0);
    IS(req.result, 5);
    IS(send_to(server, buf, 5), 5);
    IS(recv_from(client, buf, 2), 2);
    IS(recv_from(client, buf + 2, 14), 3); /* already received */
    ck_assert_mem_eq(buf, "hello", 5);
}
END_TEST

/* A receive without a buffer fills a chunk. Bytes that are sent in parts come as one. */
START_TEST(chunks_and_parts)
{
    struct iovec iov[] = {{"ab", 2}, {"", 0}, {"cde", 3}};
    struct req req;

    WORLD();
    connect_pair();
    IS(DO(.code = CG_IO_SENDV, .fd = client, .iov = iov, .iovcnt = 3), 5);
    IS(send_to(client, "f", 1), 1);
    wait_for(0);
    req = REQ(.code = CG_IO_RECV, .fd = server);
    ck_assert(submit(&req));
    IS(req.result, 6);
    ck_assert_mem_eq(req.head, "abcdef", 6);
    IS(world->chunks_out, 0);
}
END_TEST

/* Requests complete in the order of the events that complete them. */
START_TEST(order_is_fixed)
{
    static char buf[4];
    struct req req[4];
    int end[4], conn[4], i;

    WORLD();
    listener = listen_on(v4("127.0.0.1", 80), 16);
    for (i = 0; i < 4; i++) {
        end[i] = make(AF_INET);
        IS(connect_to(end[i], v4("127.0.0.1", 80)), 0);
        conn[i] = accept_from(listener);
        req[i] = REQ(.code = CG_IO_RECV, .fd = conn[i], .buf = &buf[i], .len = 1);
        ck_assert(!submit(&req[i]));
    }
    for (i = 3; i >= 0; i--) {
        IS(send_to(end[i], &"abcd"[i], 1), 1);
        cg_sim_advance(world, 1);
    }
    IS(wait_for(CG_NEVER), 0);
    for (i = 0; i < 4; i++)
        IS(req[i].completions, 1);
    ck_assert_mem_eq(buf, "abcd", 4);
}
END_TEST

/* One direction ends, the other goes on. */
START_TEST(half_close)
{
    char buf[8];

    WORLD();
    connect_pair();
    IS(send_to(client, "bye", 3), 3);
    IS(shut(client, SHUT_WR), 0);
    IS(send_to(client, "x", 1), -EPIPE);
    IS(recv_from(server, buf, 8), 3);
    IS(recv_from(server, buf, 8), 0);
    IS(recv_from(server, buf, 8), 0);
    IS(send_to(server, "still", 5), 5);
    IS(recv_from(client, buf, 8), 5);
    IS(close_fd(server), 0);
    IS(recv_from(client, buf, 8), 0);
    IS(shut(make(AF_INET), SHUT_WR), -ENOTCONN);
    IS(shut(client, 7), -EINVAL);
}
END_TEST

/* A shutdown completes the requests that wait in that direction. */
START_TEST(shutdown_ends_waits)
{
    static char full[CG_SIM_WINDOW];
    struct req in, out;

    WORLD();
    connect_pair();
    IS(send_to(client, full, sizeof full), sizeof full);
    in = REQ(.code = CG_IO_RECV, .fd = client);
    out = REQ(.code = CG_IO_SEND, .fd = client, .buf = full, .len = 1);
    ck_assert(!submit(&in));
    ck_assert(!submit(&out));
    IS(shut(client, SHUT_RDWR), 0);
    IS(in.completions + out.completions, 0);
    IS(wait_for(0), 0);
    IS(in.completions, 1);
    IS(in.result, 0);
    IS(out.completions, 1);
    IS(out.result, -EPIPE);
}
END_TEST

/* Sending to a closed peer: the first bytes are lost, then a reset comes, then EPIPE. */
START_TEST(send_after_close)
{
    char buf[8];

    WORLD();
    connect_pair();
    IS(close_fd(server), 0);
    IS(send_to(client, "lost", 4), 4);
    IS(wait_for(0), 0);
    IS(recv_from(client, buf, 8), 0); /* the end of the stream came before */
    IS(send_to(client, "x", 1), -EPIPE);
    IS(send_to(client, "x", 1), -EPIPE);
}
END_TEST

/* Closing with unread data sends a reset: the peer can read what came before it, then gets
 * one error, then the end. Closing with SO_LINGER 0 does the same. */
START_TEST(resets)
{
    struct linger now_or_never = {.l_onoff = 1};
    struct req in;
    char buf[8];

    WORLD();
    connect_pair();
    IS(send_to(client, "unread", 6), 6);
    IS(send_to(server, "last", 4), 4);
    wait_for(0);
    IS(close_fd(server), 0);
    wait_for(0);
    IS(recv_from(client, buf, 8), 4);
    IS(recv_from(client, buf, 8), -ECONNRESET);
    IS(recv_from(client, buf, 8), 0);
    IS(send_to(client, "x", 1), -EPIPE);
    IS(close_fd(client), 0);

    client = make(AF_INET);
    IS(connect_to(client, v4("127.0.0.1", 80)), 0);
    OK(server = accept_from(listener));
    in = REQ(.code = CG_IO_RECV, .fd = server, .buf = buf, .len = 8);
    ck_assert(!submit(&in));
    IS(DO(.code = CG_IO_SETOPT, .fd = client, .level = SOL_SOCKET, .name = SO_LINGER,
          .value = &now_or_never, .size = sizeof now_or_never),
       0);
    IS(close_fd(client), 0);
    wait_for(0);
    IS(in.result, -ECONNRESET);
    IS(get(server, SOL_SOCKET, SO_ERROR), 0);
}
END_TEST

/* At most a window of bytes is in flight or unread. Reading makes room. */
START_TEST(window_holds_back)
{
    struct req out;
    char buf[100] = "";

    WORLD(.window = 10, .latency = CG_MILLISECOND);
    connect_pair();
    IS(send_to(client, buf, 100), 10);
    out = REQ(.code = CG_IO_SEND, .fd = client, .buf = buf, .len = 90);
    ck_assert(!submit(&out));
    IS(wait_for(CG_HOUR), 0);
    IS(out.completions, 0);
    IS(recv_from(server, buf, 100), 10);
    IS(wait_for(CG_HOUR), 0);
    IS(out.completions, 1);
    IS(out.result, 10);
}
END_TEST

/* sendfile sends a file from an offset, completes with 0 at the end of the file, and
 * returns the file's errors. */
START_TEST(sendfile_reads_a_file)
{
    FILE *file = tmpfile();
    char buf[32];

    WORLD();
    connect_pair();
    fputs("0123456789", file);
    fflush(file);
    IS(DO(.code = CG_IO_SENDFILE, .fd = client, .file = fileno(file), .offset = 4,
          .count = 100),
       6);
    IS(recv_from(server, buf, 32), 6);
    ck_assert_mem_eq(buf, "456789", 6);
    IS(DO(.code = CG_IO_SENDFILE, .fd = client, .file = fileno(file), .offset = 10,
          .count = 100),
       0);
    IS(DO(.code = CG_IO_SENDFILE, .fd = client, .file = -1, .count = 1), -EBADF);
    fclose(file);
}
END_TEST

/* Connections */

/* Without a listener a connect is refused. The socket may try again. */
START_TEST(refused)
{
    int fd;

    WORLD(.latency = CG_MILLISECOND);
    fd = make(AF_INET);
    IS(connect_to(fd, v4("127.0.0.1", 80)), -ECONNREFUSED);
    IS(now(), CG_SECOND + 2 * CG_MILLISECOND);
    listener = listen_on(v4("127.0.0.1", 80), 1);
    IS(connect_to(fd, v4("127.0.0.1", 80)), 0);
    IS(connect_to(fd, v4("127.0.0.1", 80)), -EISCONN);
    IS(connect_to(make(AF_UNIX), un("/nowhere")), -ENOENT);
    IS(bind_to(make(AF_UNIX), un("/mute")), 0);
    IS(connect_to(make(AF_UNIX), un("/mute")), -ECONNREFUSED);
    IS(connect_to(make(AF_INET6), v4("127.0.0.1", 80)), -EINVAL);
}
END_TEST

/* With a full backlog connects wait, in order, until there is room or the listener
 * closes. */
START_TEST(backlog_is_bounded)
{
    union addr to = v4("127.0.0.1", 80);
    struct req req[5];
    int fd[5], i;
    char buf[1];

    WORLD();
    listener = listen_on(to, 2);
    for (i = 0; i < 5; i++) {
        fd[i] = make(AF_INET);
        req[i] = REQ(.code = CG_IO_CONNECT, .fd = fd[i], .addr = &to.sa,
                     .addrlen = sizeof to.in);
        ck_assert(!submit(&req[i]));
    }
    IS(wait_for(0), 0);
    IS(wait_for(CG_NEVER), -EDEADLK);
    for (i = 0; i < 5; i++)
        IS(req[i].completions, i < 2);
    OK(accept_from(listener));
    IS(wait_for(0), 0);
    for (i = 0; i < 5; i++)
        IS(req[i].completions, i < 3);
    IS(world->type->cancel(world, &req[4].io), CG_DONE);
    IS(close_fd(fd[4]), 0);
    IS(close_fd(listener), 0);
    IS(wait_for(0), 0);
    IS(req[3].result, -ECONNREFUSED);
    IS(recv_from(fd[1], buf, 1), -ECONNRESET);
    IS(recv_from(fd[2], buf, 1), -ECONNRESET);
    IS(req[4].completions, 0);
}
END_TEST

/* A socket's name is what it was bound to, or what it was given. */
START_TEST(names)
{
    union addr name;
    int fd, conn;

    WORLD();
    fd = make(AF_INET);
    IS(DO(.code = CG_IO_PEERNAME, .fd = fd, .value = &name, .size = sizeof name),
       -ENOTCONN);
    IS(PORT(fd), 0);
    connect_pair();
    IS(PORT(server), 80);
    IS(ntohs(name_of(server, CG_IO_PEERNAME).in.sin_port), PORT(client));
    IS(ntohs(name_of(client, CG_IO_PEERNAME).in.sin_port), 80);
    ck_assert_uint_ge(PORT(client), 32768);

    IS(bind_to(fd, v4("0.0.0.0", 1234)), 0);
    IS(connect_to(fd, v4("127.0.0.1", 80)), 0);
    IS(PORT(fd), 1234);
    IS(name_of(fd, CG_IO_SOCKNAME).in.sin_addr.s_addr, htonl(INADDR_LOOPBACK));

    /* A socket that is bound to every address has the one from which its peer is reached. */
    listener = listen_on(v4("10.0.0.1", 80), 1);
    fd = make(AF_INET);
    IS(bind_to(fd, v4("0.0.0.0", 1235)), 0);
    IS(connect_to(fd, v4("10.0.0.1", 80)), 0);
    name = v4("10.0.0.1", 1235);
    IS(name_of(fd, CG_IO_SOCKNAME).in.sin_addr.s_addr, name.in.sin_addr.s_addr);

    listener = listen_on(un("/x"), 1);
    fd = make(AF_UNIX);
    IS(connect_to(fd, un("/x")), 0);
    OK(conn = accept_from(listener));
    ck_assert_str_eq(name_of(fd, CG_IO_PEERNAME).un.sun_path, "/x");
    IS(DO(.code = CG_IO_SOCKNAME, .fd = fd, .value = &name, .size = sizeof name),
       sizeof name.sa.sa_family);
    IS(DO(.code = CG_IO_PEERNAME, .fd = conn, .value = &name, .size = sizeof name),
       sizeof name.sa.sa_family);
}
END_TEST

/* An IPv6 listener on all addresses also serves IPv4, unless an option says otherwise. */
START_TEST(dual_stack)
{
    union addr name;
    int fd, six, conn;

    WORLD();
    listener = listen_on(v6("::", 80), 4);
    fd = make(AF_INET);
    IS(connect_to(fd, v4("127.0.0.1", 80)), 0);
    OK(conn = accept_from(listener));
    name = name_of(conn, CG_IO_SOCKNAME);
    ck_assert(IN6_IS_ADDR_V4MAPPED(&name.in6.sin6_addr));
    IS(connect_to(make(AF_INET6), v6("::1", 80)), 0);
    IS(connect_to(make(AF_INET6), v6("::ffff:127.0.0.1", 80)), 0);
    IS(bind_to(make(AF_INET), v4("127.0.0.1", 80)), -EADDRINUSE);

    six = make(AF_INET6);
    IS(set(six, IPPROTO_IPV6, IPV6_V6ONLY, 1), 0);
    IS(bind_to(six, v6("::", 81)), 0);
    IS(DO(.code = CG_IO_LISTEN, .fd = six, .backlog = 1), 0);
    IS(connect_to(make(AF_INET), v4("127.0.0.1", 81)), -ECONNREFUSED);
    IS(bind_to(make(AF_INET), v4("127.0.0.1", 81)), 0);
}
END_TEST

/* Port 0 is a free port, a different one each time. */
START_TEST(port_zero)
{
    int a, b;

    WORLD();
    a = listen_on(v4("127.0.0.1", 0), 1);
    b = listen_on(v4("127.0.0.1", 0), 1);
    ck_assert_uint_ne(PORT(a), 0);
    ck_assert_uint_ne(PORT(a), PORT(b));
    IS(connect_to(make(AF_INET), v4("127.0.0.1", PORT(b))), 0);
    OK(accept_from(b));
    a = make(AF_INET6);
    IS(DO(.code = CG_IO_LISTEN, .fd = a, .backlog = 1), 0);
    ck_assert_uint_ne(PORT(a), 0);
}
END_TEST

/* An address has one owner, and a listener on all addresses owns its port. Both are free
 * again after a close. With SO_REUSEPORT listeners share a port in round robin. */
START_TEST(address_in_use)
{
    int a, b;

    WORLD();
    a = listen_on(v4("10.0.0.1", 80), 1);
    IS(bind_to(make(AF_INET), v4("10.0.0.1", 80)), -EADDRINUSE);
    IS(bind_to(make(AF_INET), v4("0.0.0.0", 80)), -EADDRINUSE);
    IS(bind_to(a, v4("10.0.0.1", 81)), -EINVAL);
    b = listen_on(v4("10.0.0.2", 80), 1);
    IS(connect_to(make(AF_INET), v4("10.0.0.2", 80)), 0);
    OK(accept_from(b));
    IS(close_fd(a), 0);
    IS(close_fd(b), 0);
    a = listen_on(v4("0.0.0.0", 80), 1);
    IS(bind_to(make(AF_INET), v4("10.0.0.1", 80)), -EADDRINUSE);
    a = listen_on(un("/x"), 1);
    IS(bind_to(make(AF_UNIX), un("/x")), -EADDRINUSE);
    IS(close_fd(a), 0);
    IS(bind_to(make(AF_UNIX), un("/x")), 0);

    a = make(AF_INET);
    b = make(AF_INET);
    IS(set(a, SOL_SOCKET, SO_REUSEPORT, 1), 0);
    IS(set(b, SOL_SOCKET, SO_REUSEPORT, 1), 0);
    IS(bind_to(a, v4("127.0.0.1", 90)), 0);
    IS(bind_to(b, v4("127.0.0.1", 90)), 0);
    IS(DO(.code = CG_IO_LISTEN, .fd = a, .backlog = 9), 0);
    IS(DO(.code = CG_IO_LISTEN, .fd = b, .backlog = 9), 0);
    IS(connect_to(make(AF_INET), v4("127.0.0.1", 90)), 0);
    IS(connect_to(make(AF_INET), v4("127.0.0.1", 90)), 0);
    OK(accept_from(a));
    OK(accept_from(b));
}
END_TEST

/* Options are stored, and inherited from the listener. Unknown ones are an error. */
START_TEST(options)
{
    int fd, value;

    WORLD();
    connect_pair();
    IS(get(client, SOL_SOCKET, SO_RCVBUF), CG_SIM_WINDOW);
    IS(set(client, IPPROTO_TCP, TCP_NODELAY, 1), 0);
    IS(get(client, IPPROTO_TCP, TCP_NODELAY), 1);
    IS(get(server, IPPROTO_TCP, TCP_NODELAY), 0);
    IS(set(listener, SOL_SOCKET, SO_KEEPALIVE, 1), 0);
    OK(fd = make(AF_INET));
    IS(connect_to(fd, v4("127.0.0.1", 80)), 0);
    OK(fd = accept_from(listener));
    IS(get(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
    IS(get(fd, SOL_SOCKET, SO_TYPE), SOCK_STREAM);
    IS(get(fd, SOL_SOCKET, SO_ACCEPTCONN), 0);
    IS(get(listener, SOL_SOCKET, SO_ACCEPTCONN), 1);
    IS(set(fd, SOL_SOCKET, 9999, 1), -ENOPROTOOPT);
    IS(DO(.code = CG_IO_SETOPT, .fd = fd, .level = SOL_SOCKET, .name = SO_KEEPALIVE,
          .value = &value, .size = 1),
       -EINVAL);
}
END_TEST

/* The kernel's descriptors are invalid here. One of our own handles can be attached
 * again. */
START_TEST(foreign_descriptors)
{
    WORLD();
    IS(DO(.code = CG_IO_RECV, .fd = 0), -EBADF);
    IS(DO(.code = CG_IO_POLL, .fd = 1, .events = CG_IN), -EBADF);
    IS(DO(.code = CG_IO_ATTACH, .fd = 0), -EOPNOTSUPP);
    IS(DO(.code = CG_IO_CLOSE, .fd = -1), -EBADF);
    IS(DO(.code = CG_IO_SOCKET, .domain = AF_INET, .type = SOCK_SEQPACKET),
       -EPROTONOSUPPORT);
    IS(DO(.code = CG_IO_SOCKET, .domain = 4711, .type = SOCK_STREAM), -EAFNOSUPPORT);
    connect_pair();
    IS(client, CG_SIM_HANDLE + 1);
    IS(DO(.code = CG_IO_ATTACH, .fd = client), 0);
    IS(DO(.code = CG_IO_RECV, .fd = listener), -ENOTCONN);
    IS(DO(.code = CG_IO_ACCEPT, .fd = client), -EINVAL);
}
END_TEST

static unsigned poll_now(int fd, unsigned events)
{
    struct req req = REQ(.code = CG_IO_POLL, .fd = fd, .events = events);

    if (!submit(&req)) {
        IS(world->type->cancel(world, &req.io), CG_DONE);
        return 0;
    }
    return (unsigned)req.result;
}

/* A poll reports what a read, a write or an accept would find. */
START_TEST(poll_tells)
{
    static char full[CG_SIM_WINDOW];
    struct req req;

    WORLD();
    connect_pair();
    IS(poll_now(listener, CG_IN), 0);
    IS(poll_now(client, CG_IN | CG_OUT), CG_OUT);
    IS(poll_now(client, CG_IN), 0);
    IS(send_to(client, full, sizeof full), sizeof full);
    IS(poll_now(client, CG_OUT), 0);
    req = REQ(.code = CG_IO_POLL, .fd = server, .events = CG_IN);
    ck_assert(!submit(&req));
    IS(wait_for(CG_NEVER), 0);
    IS(req.result, CG_IN);
    IS(shut(client, SHUT_WR), 0);
    wait_for(0);
    IS(poll_now(server, CG_IN | CG_OUT), CG_IN | CG_OUT | CG_HUP);
    IS(close_fd(server), 0);
    wait_for(0);
    ck_assert_uint_ne(poll_now(client, CG_IN) & (CG_HUP | CG_ERR), 0);
    IS(poll_now(make(AF_INET), CG_IN), CG_HUP);
}
END_TEST

/* At the limit of handles no socket can be made. An accept waits for a free handle. */
START_TEST(handles_run_out)
{
    struct req req;

    WORLD(.handles = 2);
    listener = listen_on(v4("127.0.0.1", 80), 4);
    client = make(AF_INET);
    IS(make(AF_INET), -EMFILE);
    IS(connect_to(client, v4("127.0.0.1", 80)), 0);
    req = REQ(.code = CG_IO_ACCEPT, .fd = listener);
    ck_assert(!submit(&req));
    IS(wait_for(CG_NEVER), -EDEADLK);
    IS(cg_sim_handles(world), 2);
    IS(close_fd(client), 0);
    IS(wait_for(CG_NEVER), 0);
    IS(req.result, client); /* the handle that was freed */
    IS(cg_sim_handles(world), 2);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        echo,
        chunks_and_parts,
        order_is_fixed,
        half_close,
        shutdown_ends_waits,
        send_after_close,
        resets,
        window_holds_back,
        sendfile_reads_a_file,
        refused,
        backlog_is_bounded,
        names,
        dual_stack,
        port_zero,
        address_in_use,
        options,
        foreign_descriptors,
        poll_tells,
        handles_run_out,
    };

    return run_tests("sim_net", tests, sizeof tests / sizeof tests[0]);
}
