/* SPDX-License-Identifier: MIT */
/* What an HTTP server among the examples is around its handlers: a service that uses all
 * processors, and that is reloaded, restarted and ended without losing a request.
 *
 *     SIGTERM, SIGINT   it drains and ends; the second one ends it at once
 *     SIGHUP            it reloads
 *     SIGUSR2           it restarts: a successor takes over, then it drains
 *
 * It takes the listening socket "http" from the service manager if that has one (LISTEN_FDS),
 * tells it when it is ready (NOTIFY_SOCKET), and feeds its watchdog. */
#ifndef EXAMPLES_SERVICE_H
#define EXAMPLES_SERVICE_H

#include <cogen/http_server.h>

#include "common.h"

struct service {
    /* Called on each worker, in a coroutine: makes its server, with all that is mounted.
     * NULL: it cannot, and has said why. */
    struct cg_http_server *(*open)(void);
    void (*close)(struct cg_http_server *server);
    /* Called on each worker when the program is to reload. 0, or why it cannot. May be NULL. */
    ssize_t (*reload)(void);
    const char *workers; /* of --workers: how many; "0": as many as processors; NULL: 1 */
    int64_t grace;       /* for requests in progress when it drains, ns */
    int64_t patience;    /* for a successor to be ready, ns */
};

/* Before anything else in main: the command line is needed again for a restart. */
void service_keep_command(char **argv);

/* Parses N of --workers. */
unsigned service_workers(const struct example *ex, const char *text);

/* Listens where the command line says, announces it, serves. Returns the exit status. */
int service_run(struct example *ex, const struct service *service);

#endif
