/* SPDX-License-Identifier: MIT */
/* TLS with another implementation: openssl's s_server and s_client, each in a process of
 * its own. */
#include "config.h"

#include "tests/support/support.h"
#include "tests/tls/tls_certs.h"
#include "tests/tls/tls_main.h"

#include <cogen/tls.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct child {
    pid_t pid;
    struct cg_sock *in, *out; /* its standard input and output */
};

static struct child spawn(const char *const *argv)
{
    struct child child;
    int in[2], out[2];

    OK(pipe(in));
    OK(pipe(out));
    for (int i = 0; i < 2; i++) {
        fcntl(in[i], F_SETFD, FD_CLOEXEC);
        fcntl(out[i], F_SETFD, FD_CLOEXEC);
    }
    child.pid = fork();
    OK(child.pid);
    if (child.pid == 0) {
        int null = open("/dev/null", O_WRONLY);

        dup2(in[0], 0);
        dup2(out[1], 1);
        dup2(null, 2);
        execvp(argv[0], (char *const *)argv);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    OK(cg_sock_attach(cg_sched_self(), in[1], &child.in));
    OK(cg_sock_attach(cg_sched_self(), out[0], &child.out));
    return child;
}

static void end(struct child *child)
{
    cg_sock_close(child->in);
    cg_sock_close(child->out);
    kill(child->pid, SIGKILL);
    ck_assert_int_eq(waitpid(child->pid, NULL, 0), child->pid);
}

/* Reads lines until one starts with begin. Returns the rest of that line. */
static char *find_line(struct cg_sock *sock, const char *begin, char *line, size_t size)
{
    do
        ck_assert_int_gt(OK(cg_yield(cg_readline(sock, line, size))), 0);
    while (strncmp(line, begin, strlen(begin)) != 0);
    line[strcspn(line, "\r\n")] = '\0';
    return line + strlen(begin);
}

/* Starts s_server, which sends each line back in reverse. */
static struct child serve(const char *version, char *addr)
{
    struct child child = spawn((const char *const[]){
        "openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", cert_path("site.pem"),
        "-key", cert_path("site.pem"), "-rev", "-alpn", "echo", version, NULL});
    char line[256];

    strcpy(addr, find_line(child.out, "ACCEPT ", line, sizeof line));
    return child;
}

/* Our client talks to s_server, resumes the session, and rejects it under another name. */
static ssize_t with_s_server(void *arg)
{
    const char *versions[] = {"-tls1_2", "-tls1_3"};

    (void)arg;
    for (size_t i = 0; i < COUNT(versions); i++) {
        char addr[CG_ADDR_SIZE], line[64];
        struct child child = serve(versions[i], addr);
        struct cg_tls *tls;
        struct cg_sock *sock;

        OK(cg_tls_new(&tls, .ca_file = cert_path("ca.pem"), .alpn = "other,echo"));
        for (int round = 0; round < 2; round++) {
            OK(cg_yield(cg_connect(addr, &sock)));
            OK(cg_yield(cg_tls_connect(sock, tls, "site.test", &sock)));
            ck_assert_str_eq(cg_tls_session_alpn(sock), "echo");
            ck_assert(cg_tls_session_resumed(sock) == (round > 0));
            IS(cg_yield(cg_writeall(sock, "hello\n", 6)), 6);
            IS(cg_yield(cg_readline(sock, line, sizeof line)), 6);
            ck_assert_str_eq(line, "olleh\n");
            IS(cg_yield(cg_writeall(sock, "CLOSE\n", 6)), 6);
            IS(cg_yield(cg_read(sock, line, 1)), 0); /* a normal end of the stream */
            IS(cg_yield(cg_shutdown(sock, SHUT_WR)), 0);
            cg_sock_close(sock);
        }
        OK(cg_yield(cg_connect(addr, &sock)));
        IS(cg_yield(cg_tls_connect(sock, tls, "other.test", &sock)), CG_ETLS_HOST);
        cg_sock_close(sock);
        cg_tls_free(tls);
        end(&child);
    }
    return 0;
}

/* s_server is killed in the middle: that is not a normal end of the stream. */
static ssize_t killed_s_server(void *arg)
{
    char addr[CG_ADDR_SIZE], line[64];
    struct child child = serve("-tls1_3", addr);
    struct cg_tls *tls;
    struct cg_sock *sock;
    ssize_t n;

    (void)arg;
    OK(cg_tls_new(&tls, .ca_file = cert_path("ca.pem")));
    OK(cg_yield(cg_connect(addr, &sock)));
    OK(cg_yield(cg_tls_connect(sock, tls, "site.test", &sock)));
    IS(cg_yield(cg_writeall(sock, "hello\n", 6)), 6);
    IS(cg_yield(cg_readline(sock, line, sizeof line)), 6);
    end(&child);
    n = cg_yield(cg_read(sock, line, sizeof line));
    ck_assert(n == CG_ETLS_CUT || n == -ECONNRESET);
    cg_sock_close(sock);
    cg_tls_free(tls);
    return 0;
}

/* s_client verifies our server, talks to it, and sees a normal end of the stream. */
static ssize_t with_s_client(void *arg)
{
    const char *versions[] = {"-tls1_2", "-tls1_3"};

    (void)arg;
    for (size_t i = 0; i < COUNT(versions); i++) {
        char addr[CG_ADDR_SIZE], line[64];
        struct cg_sock *listener = test_listen(addr), *sock;
        struct child child = spawn((const char *const[]){
            "openssl", "s_client", "-connect", addr, "-CAfile", cert_path("ca.pem"),
            "-servername", "second.test", "-verify_hostname", "second.test",
            "-verify_return_error", "-alpn", "chat", "-quiet", versions[i], NULL});
        struct cg_tls_pair pairs[] = {{cert_path("second.pem"), NULL}, {NULL, NULL}};
        struct cg_tls *tls;

        OK(cg_tls_new(&tls, .cert = cert_path("site.pem"), .pairs = pairs, .alpn = "chat"));
        OK(cg_yield(cg_accept(listener, &sock)));
        OK(cg_yield(cg_tls_accept(sock, tls, &sock)));
        ck_assert_str_eq(cg_tls_session_host(sock), "second.test");
        ck_assert_str_eq(cg_tls_session_alpn(sock), "chat");
        IS(cg_yield(cg_writeall(child.in, "ping\n", 5)), 5);
        IS(cg_yield(cg_readline(sock, line, sizeof line)), 5);
        ck_assert_str_eq(line, "ping\n");
        IS(cg_yield(cg_writeall(sock, "pong\n", 5)), 5);
        find_line(child.out, "pong", line, sizeof line);
        IS(cg_yield(cg_shutdown(sock, SHUT_WR)), 0);
        IS(cg_yield(cg_read(child.out, line, 1)), 0); /* s_client ends */
        cg_sock_close(sock);
        cg_sock_close(listener);
        cg_tls_free(tls);
        end(&child);
    }
    return 0;
}

static const struct test_case cases[] = {
    CORO(with_s_server, .where = ON_KERNEL),
    CORO(killed_s_server, .where = ON_KERNEL),
    CORO(with_s_client, .where = ON_KERNEL),
};

int main(void)
{
    if (system("openssl version >/dev/null 2>&1") != 0) {
        puts("SKIP TLS with s_server and s_client: there is no openssl (in Debian: openssl)");
        return 77;
    }
    return tls_main("tls_interop", cases, COUNT(cases));
}
