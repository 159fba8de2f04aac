/* SPDX-License-Identifier: MIT */
/* Whom TLS believes, and what is agreed with whom: a client believes nobody without being
 * told to, says why, a server chooses certificates and protocols, sessions go on, and files
 * are read again without a restart. */
#include "config.h"

#include "tests/support.h"
#include "tests/tls_certs.h"
#include "tls/conn.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- One handshake ----------------------------------------------------------------- */

struct meeting {
    struct cg_tls *server, *client;
    const char *host;
    struct cg_sock *inner[2];
    struct cg_sock *sock[2]; /* the server's, the client's; the inner ones if it failed */
    ssize_t result[2];
    char why[2][CG_TLS_WHY_SIZE];
};

static ssize_t serves(void *arg)
{
    struct meeting *m = arg;

    m->result[0] =
        cg_yield(cg_tls_accept(m->inner[0], m->server, &m->sock[0], .why = m->why[0]));
    return 0;
}

/* Both ends of a pair meet. In TLS 1.3 a client is done before the server has seen its
 * certificate, so it waits for a word of the server's. */
static void meet(struct meeting *m)
{
    struct cg_coro *server;
    char byte;

    OK(cg_pair(cg_sched_self(), &m->inner[0], &m->inner[1]));
    m->sock[0] = m->inner[0];
    m->sock[1] = m->inner[1];
    server = test_start(serves, m);
    m->result[1] = cg_yield(cg_tls_connect(m->inner[1], m->client, m->host, &m->sock[1],
                                           .why = m->why[1]));
    if (m->result[1] < 0)
        cg_close(m->inner[1]);
    test_end(server);
    if (m->result[0] == 0)
        OK(m->result[1] < 0 ? 1 : cg_yield(cg_writeall(m->sock[0], "!", 1)));
    else
        cg_close(m->inner[0]);
    if (m->result[1] == 0) {
        ssize_t n = cg_yield(cg_readall(m->sock[1], &byte, 1));

        m->result[1] = n < 0 ? n : 0;
        snprintf(m->why[1], sizeof m->why[1], "%s", cg_tls_error(m->sock[1]));
        if (n < 0)
            cg_close(m->sock[1]);
    }
}

static void part(struct meeting *m)
{
    if (m->result[0] == 0)
        cg_close(m->sock[0]);
    if (m->result[1] == 0)
        cg_close(m->sock[1]);
}

/* What a client that trusts ca.pem (or does not mind) says to a server's certificate. */
static ssize_t verdict(const char *cert, const char *host, bool insecure, char *why)
{
    struct meeting m = {.host = host};

    OK(cg_tls_new(&m.server, .cert = cert_path(cert)));
    OK(cg_tls_new(&m.client, .ca_file = cert_path("ca.pem"), .insecure = insecure));
    meet(&m);
    if (m.result[1] == 0) {
        const char *name = cg_tls_peer_name(m.sock[1]);

        IS(m.result[0], 0);
        ck_assert(insecure ? name == NULL : name != NULL);
    }
    part(&m);
    cg_tls_free(m.server);
    cg_tls_free(m.client);
    if (why != NULL)
        strcpy(why, m.why[1]);
    return m.result[1];
}

/* ---- Clients ----------------------------------------------------------------------- */

/* Each defect of a certificate has its code and its words; who wants to may not mind any. */
static ssize_t verdicts(void *arg)
{
    char why[CG_TLS_WHY_SIZE];

    (void)arg;
    IS(verdict("site.pem", "site.test", false, NULL), 0);
    IS(verdict("site.pem", "www.site.test", false, NULL), 0);
    IS(verdict("site.pem", "127.0.0.1", false, NULL), 0);
    IS(verdict("deep.pem", "site.test", false, NULL), 0);
    IS(verdict("site.pem", "other.test", false, why), CG_ETLS_HOST);
    ck_assert_str_eq(why, "hostname mismatch");
    IS(verdict("site.pem", "a.b.site.test", false, NULL), CG_ETLS_HOST);
    IS(verdict("site.pem", "127.0.0.2", false, why), CG_ETLS_HOST);
    ck_assert_str_eq(why, "IP address mismatch");
    IS(verdict("expired.pem", "site.test", false, why), CG_ETLS_EXPIRED);
    ck_assert_str_eq(why, "certificate has expired");
    IS(verdict("early.pem", "site.test", false, NULL), CG_ETLS_EXPIRED);
    IS(verdict("self.pem", "site.test", false, why), CG_ETLS_ISSUER);
    ck_assert_ptr_nonnull(strstr(why, "self-signed"));
    IS(verdict("foreign.pem", "site.test", false, NULL), CG_ETLS_ISSUER);
    IS(verdict("expired.pem", "other.test", true, NULL), 0);
    IS(verdict("self.pem", NULL, true, NULL), 0);
    return 0;
}

/* Without a word about trust it is the system's store, which does not know our authority. */
static ssize_t system_store(void *arg)
{
    struct meeting m = {.host = "site.test"};

    (void)arg;
    OK(cg_tls_new(&m.server, .cert = cert_path("site.pem")));
    OK(cg_tls_new(&m.client, .why = m.why[1]));
    meet(&m);
    IS(m.result[1], CG_ETLS_ISSUER);
    IS(m.result[0], CG_ETLS_REFUSED);
    ck_assert_ptr_nonnull(strstr(m.why[0], "unknown ca"));
    part(&m);
    cg_tls_free(m.server);
    cg_tls_free(m.client);
    return 0;
}

/* ---- Servers ----------------------------------------------------------------------- */

/* A server with several certificates shows the one for the host that is asked for, else the
 * first. */
static ssize_t by_name(void *arg)
{
    const struct cg_tls_pair pairs[] = {
        {cert_path("second.pem"), NULL},
        {cert_path("deep.pem"), cert_path("deep.pem")},
        {NULL, NULL},
    };
    static const struct {
        const char *host, *name;
        ssize_t result;
    } cases[] = {
        {"second.test", "second.test", 0},
        {"site.test", "site.test", 0},
        {"www.site.test", "*.site.test", 0},
        {"third.test", NULL, CG_ETLS_HOST},
    };

    (void)arg;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct meeting m = {.host = cases[i].host};

        OK(cg_tls_new(&m.server, .cert = cert_path("foreign_client.pem"), .pairs = pairs));
        OK(cg_tls_new(&m.client, .ca_file = cert_path("ca.pem")));
        if (cases[i].result < 0) { /* the first one, by nobody whom the client knows */
            meet(&m);
            ck_assert_int_lt(m.result[1], 0);
        } else {
            meet(&m);
            IS(m.result[1], 0);
            ck_assert_str_eq(cg_tls_peer_name(m.sock[1]), cases[i].name);
            ck_assert_str_eq(cg_tls_host(m.sock[0]), cases[i].host);
        }
        part(&m);
        cg_tls_free(m.server);
        cg_tls_free(m.client);
    }
    return 0;
}

static ssize_t client_verdict(const char *cert, enum cg_tls_verify verify, char *name,
                              ssize_t *client)
{
    struct meeting m = {.host = "site.test"};

    OK(cg_tls_new(&m.server, .cert = cert_path("site.pem"), .ca_file = cert_path("ca.pem"),
                  .verify_client = verify));
    OK(cg_tls_new(&m.client, .ca_file = cert_path("ca.pem"),
                  .cert = cert ? cert_path(cert) : NULL));
    meet(&m);
    *name = '\0';
    if (m.result[0] == 0 && cg_tls_peer_name(m.sock[0]))
        strcpy(name, cg_tls_peer_name(m.sock[0]));
    *client = m.result[1];
    part(&m);
    cg_tls_free(m.server);
    cg_tls_free(m.client);
    return m.result[0];
}

/* A server may want to know who comes: it knows the name, or turns away; the client is told
 * so. */
static ssize_t client_certificates(void *arg)
{
    char name[64];
    ssize_t client;

    (void)arg;
    IS(client_verdict("client.pem", CG_TLS_REQUIRED, name, &client), 0);
    ck_assert_str_eq(name, "a client");
    IS(client, 0);
    IS(client_verdict("client.pem", CG_TLS_ANYONE, name, &client), 0);
    ck_assert_str_eq(name, "");
    IS(client_verdict(NULL, CG_TLS_IF_GIVEN, name, &client), 0);
    ck_assert_str_eq(name, "");
    IS(client_verdict("client.pem", CG_TLS_IF_GIVEN, name, &client), 0);
    ck_assert_str_eq(name, "a client");
    IS(client_verdict(NULL, CG_TLS_REQUIRED, name, &client), CG_ETLS_CERT);
    IS(client, CG_ETLS_REFUSED);
    IS(client_verdict("foreign_client.pem", CG_TLS_REQUIRED, name, &client),
       CG_ETLS_ISSUER);
    IS(client, CG_ETLS_REFUSED);
    IS(client_verdict("foreign_client.pem", CG_TLS_IF_GIVEN, name, &client),
       CG_ETLS_ISSUER);
    return 0;
}

/* ---- Protocols --------------------------------------------------------------------- */

static ssize_t agreed(const char *server, const char *client, char *protocol)
{
    struct meeting m = {.host = "site.test"};

    OK(cg_tls_new(&m.server, .cert = cert_path("site.pem"), .alpn = server));
    OK(cg_tls_new(&m.client, .ca_file = cert_path("ca.pem"), .alpn = client));
    meet(&m);
    *protocol = '\0';
    if (m.result[1] == 0 && cg_tls_alpn(m.sock[1])) {
        strcpy(protocol, cg_tls_alpn(m.sock[1]));
        ck_assert_str_eq(cg_tls_alpn(m.sock[0]), protocol);
    }
    part(&m);
    cg_tls_free(m.server);
    cg_tls_free(m.client);
    return m.result[1];
}

/* The server's order decides; with none in common there is no connection; who does not ask
 * gets none. */
static ssize_t protocols(void *arg)
{
    char protocol[64];

    (void)arg;
    IS(agreed("h2,http/1.1", "http/1.1,h2", protocol), 0);
    ck_assert_str_eq(protocol, "h2");
    IS(agreed("http/1.1", "h2,http/1.1", protocol), 0);
    ck_assert_str_eq(protocol, "http/1.1");
    IS(agreed("http/1.1", NULL, protocol), 0);
    ck_assert_str_eq(protocol, "");
    IS(agreed(NULL, "h2", protocol), 0);
    ck_assert_str_eq(protocol, "");
    IS(agreed("h2", "http/1.1", protocol), CG_ETLS_REFUSED);
    return 0;
}

/* TLS 1.2 is the lowest version: one that offers less is refused. */
static ssize_t lowest_version(void *arg)
{
    static const int versions[] = {TLS1_1_VERSION, TLS1_2_VERSION, TLS1_3_VERSION};
    static const char *const names[] = {NULL, "TLSv1.2", "TLSv1.3"};

    (void)arg;
    for (size_t i = 0; i < COUNT(versions); i++) {
        struct meeting m = {.host = "site.test"};

        OK(cg_tls_new(&m.server, .cert = cert_path("site.pem")));
        OK(cg_tls_new(&m.client, .ca_file = cert_path("ca.pem")));
        SSL_CTX_set_min_proto_version(m.client->keys->context, TLS1_VERSION);
        SSL_CTX_set_max_proto_version(m.client->keys->context, versions[i]);
        meet(&m);
        if (names[i] != NULL) {
            IS(m.result[1], 0);
            ck_assert_str_eq(cg_tls_version(m.sock[1]), names[i]);
        } else {
            ck_assert_int_lt(m.result[1], 0);
            ck_assert_int_lt(m.result[0], 0);
        }
        part(&m);
        cg_tls_free(m.server);
        cg_tls_free(m.client);
    }
    return 0;
}

/* ---- Sessions ---------------------------------------------------------------------- */

static bool resumes(struct meeting *m)
{
    bool resumed;

    meet(m);
    IS(m->result[0], 0);
    IS(m->result[1], 0);
    resumed = cg_tls_resumed(m->sock[1]);
    ck_assert(cg_tls_resumed(m->sock[0]) == resumed);
    ck_assert_str_eq(cg_tls_peer_name(m->sock[1]), m->host);
    part(m);
    return resumed;
}

/* A session goes on with the same host and no other, in TLS 1.3 and 1.2, also when nobody
 * said goodbye, and after the server has read its files again. */
static ssize_t sessions(void *arg)
{
    (void)arg;
    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        struct meeting m = {.host = "site.test"};

        OK(cg_tls_new(&m.server, .cert = cert_path("site.pem")));
        OK(cg_tls_new(&m.client, .ca_file = cert_path("ca.pem")));
        SSL_CTX_set_max_proto_version(m.client->keys->context, version);
        ck_assert(!resumes(&m));
        for (int i = 0; i < 5; i++)
            ck_assert(resumes(&m));
        m.host = "127.0.0.1";
        ck_assert(!resumes(&m));
        m.host = "site.test";
        ck_assert(resumes(&m));
        OK(cg_tls_reload(m.server, NULL));
        ck_assert(resumes(&m));
        OK(cg_tls_reload(m.client, NULL)); /* which may trust others now */
        ck_assert(!resumes(&m));
        cg_tls_free(m.server);
        cg_tls_free(m.client);
    }
    return 0;
}

/* A client remembers so many sessions and no more; the oldest go first. */
static ssize_t sessions_are_limited(void *arg)
{
    static const char *const hosts[] = {"site.test", "a.site.test", "b.site.test",
                                        "c.site.test", "d.site.test"};
    struct meeting m = {.host = NULL};

    (void)arg;
    OK(cg_tls_new(&m.server, .cert = cert_path("site.pem")));
    OK(cg_tls_new(&m.client, .ca_file = cert_path("ca.pem")));
    SSL_CTX_set_num_tickets(m.server->keys->context, 20);
    for (size_t i = 0; i < COUNT(hosts); i++) {
        m.host = hosts[i];
        meet(&m);
        IS(m.result[1], 0);
        part(&m);
        ck_assert_uint_le(m.client->count, CG_TLS_SESSIONS);
    }
    ck_assert_uint_eq(m.client->count, CG_TLS_SESSIONS);
    ck_assert(resumes(&m));
    m.host = hosts[0];
    ck_assert(!resumes(&m));
    cg_tls_free(m.server);
    cg_tls_free(m.client);
    return 0;
}

/* A session that a server gives to a connection from before a reload is not kept. */
static ssize_t sessions_of_old(void *arg)
{
    struct meeting m = {.host = "site.test"};
    struct cg_coro *server;
    char byte;

    (void)arg;
    OK(cg_tls_new(&m.server, .cert = cert_path("site.pem")));
    OK(cg_tls_new(&m.client, .ca_file = cert_path("ca.pem")));
    OK(cg_pair(cg_sched_self(), &m.inner[0], &m.inner[1]));
    server = test_start(serves, &m);
    OK(cg_yield(cg_tls_connect(m.inner[1], m.client, m.host, &m.sock[1])));
    test_end(server);
    OK(cg_tls_reload(m.client, NULL));
    IS(cg_yield(cg_writeall(m.sock[0], "!", 1)), 1);
    IS(cg_yield(cg_readall(m.sock[1], &byte, 1)), 1); /* after the tickets */
    ck_assert_uint_eq(m.client->count, 0);
    part(&m);
    cg_tls_free(m.server);
    cg_tls_free(m.client);
    return 0;
}

/* ---- Files ------------------------------------------------------------------------- */

/* Files that are read again serve the next connection; those there are go on, and a reload
 * that fails changes nothing. */
static ssize_t reloads(void *arg)
{
    struct cert first = {.file = "moving.pem", .name = "first", .alt = "DNS:first.test",
                         .issuer = "ca.pem"};
    struct cert second = {.file = "moving.pem", .name = "second", .alt = "DNS:next.test",
                          .issuer = "ca.pem"};
    struct meeting before = {.host = "first.test"}, after = {.host = "next.test"};
    struct cg_tls *server, *client;
    char why[CG_TLS_WHY_SIZE], byte;
    FILE *file;

    (void)arg;
    certs_make(&first);
    OK(cg_tls_new(&server, .cert = cert_path("moving.pem")));
    OK(cg_tls_new(&client, .ca_file = cert_path("ca.pem")));
    before.server = after.server = server;
    before.client = after.client = client;
    meet(&before);
    IS(before.result[1], 0);
    meet(&after);
    IS(after.result[1], CG_ETLS_HOST);
    part(&after);

    file = fopen(cert_path("moving.pem"), "w");
    fputs("not a certificate\n", file);
    fclose(file);
    IS(cg_tls_reload(server, why), CG_ETLS_FILE);
    ck_assert_ptr_nonnull(strstr(why, "moving.pem"));
    meet(&after);
    IS(after.result[1], CG_ETLS_HOST);
    part(&after);

    certs_make(&second);
    OK(cg_tls_reload(server, why));
    meet(&after);
    IS(after.result[1], 0);
    cg_tls_free(server);
    cg_tls_free(client);
    IS(cg_yield(cg_writeall(before.sock[1], "x", 1)), 1);
    IS(cg_yield(cg_readall(before.sock[0], &byte, 1)), 1);
    part(&before);
    part(&after);
    return 0;
}

/* Files that are not there, are no certificate, or do not fit, are refused in words. */
static ssize_t bad_files(void *arg)
{
    struct cg_tls *tls = NULL;
    char why[CG_TLS_WHY_SIZE];

    (void)arg;
    IS(cg_tls_new(&tls, .cert = "no/such/file.pem", .why = why), CG_ETLS_FILE);
    ck_assert_str_eq(why, "no/such/file.pem: No such file or directory");
    IS(cg_tls_new(&tls, .cert = "/dev/null", .why = why), CG_ETLS_FILE);
    ck_assert_str_eq(why, "/dev/null: no start line");
    IS(cg_tls_new(&tls, .cert = cert_path("site.pem"), .key = cert_path("second.pem"),
                  .why = why), CG_ETLS_FILE);
    ck_assert_ptr_nonnull(strstr(why, "second.pem: key values mismatch"));
    IS(cg_tls_new(&tls, .ca_file = "no/such/file.pem", .why = why), CG_ETLS_FILE);
    IS(cg_tls_new(&tls, .key = cert_path("site.pem")), -EINVAL);
    IS(cg_tls_new(&tls, .alpn = "h2,,http/1.1"), -EINVAL);
    IS(cg_tls_new(&tls, .alpn = "h2,"), -EINVAL);
    IS(cg_tls_new(&tls, .verify_client = 7), -EINVAL);
    ck_assert_ptr_null(tls);
    cg_tls_free(NULL);
    return 0;
}

/* ---- All --------------------------------------------------------------------------- */

static const struct test_case cases[] = {
    CORO(verdicts),
    CORO(system_store),
    CORO(by_name),
    CORO(client_certificates),
    CORO(protocols),
    CORO(lowest_version),
    CORO(sessions),
    CORO(sessions_are_limited),
    CORO(sessions_of_old),
    CORO(reloads),
    CORO(bad_files),
};

int main(void)
{
    int result;

    certs_open();
    result = test_main("tls_trust", cases, COUNT(cases));
    certs_close();
    return result;
}
