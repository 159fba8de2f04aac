/* SPDX-License-Identifier: MIT */
/* Whom TLS believes: a client believes nobody without being told to, and says why; a server
 * chooses a certificate, and may want one of its clients. */
#include "config.h"

#include "tests/support.h"
#include "tests/tls_certs.h"
#include "tests/tls_meeting.h"

#include <string.h>

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

/* ---- All --------------------------------------------------------------------------- */

static const struct test_case cases[] = {
    CORO(verdicts),
    CORO(system_store),
    CORO(by_name),
    CORO(client_certificates),
};

int main(void)
{
    int result;

    certs_open();
    result = test_main("tls_trust", cases, COUNT(cases));
    certs_close();
    return result;
}
