/* SPDX-License-Identifier: MIT */
/* The subject http over TLS. Worlds repeat less exactly than those of other subjects: keys are
 * new in each run, and the length of a session ticket differs by some bytes. */
#include "config.h"

#include "tests/tls/tls_certs.h"
#include "tests/worlds/http_worlds.h"

#include <cogen/https.h>

static struct cg_tls *server_tls, *client_tls;

static ssize_t wrap(struct cg_sock **conn, void *arg)
{
    (void)arg;
    return cg_yield(cg_tls_accept(*conn, server_tls, conn));
}

static ssize_t server(void *addr)
{
    return worlds_serve(cg_http_server_new(.wrap = wrap), addr);
}

static void open_tls(void)
{
    char why[CG_TLS_WHY_SIZE];

    certs_open();
    certs_make(&(struct cert){
        .file = "worlds.pem", .name = "10.0.0.1", .alt = "IP:10.0.0.1", .rsa = 2048});
    MUST(cg_tls_new(&server_tls, .cert = cert_path("worlds.pem"), .alpn = "h2,http/1.1",
                    .why = why) == 0);
    MUST(cg_tls_new(&client_tls, .ca_file = cert_path("worlds.pem"), .why = why) == 0);
    certs_close();
}

static ssize_t https(void *arg)
{
    (void)arg;
    return worlds_talk(cg_http_client_new(.tls = cg_tls_http(client_tls), .no_environment = true,
                                          .protocols = chance(2) ? CG_HTTP_H1 : 0),
                       "https://10.0.0.1");
}

static const struct cg_sim_program programs[] = {{"server", server, (void *)"10.0.0.1:443"},
                                                 {NULL, NULL, NULL}};

const struct subject https_subject = {
    .name = "https",
    .fn = https,
    .programs = programs,
    .faults = CG_SIM_ALL_FAULTS,
    .share = 4,
    .open = open_tls,
};
