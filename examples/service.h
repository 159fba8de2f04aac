/* SPDX-License-Identifier: MIT */
/* The part of an HTTP server that is not its handlers: a service that uses all processors,
 * and that is reloaded, restarted and ended without losing a request.
 *
 *     SIGTERM, SIGINT   it drains and ends; the second one ends it at once
 *     SIGHUP            it reloads
 *     SIGUSR2           it restarts: a successor takes over, then it drains
 *
 * It takes the listening socket "http" from the service manager if that has one
 * (LISTEN_FDS), tells it when it is ready (NOTIFY_SOCKET), and feeds its watchdog. */
#ifndef EXAMPLES_SERVICE_H
#define EXAMPLES_SERVICE_H

#include <cogen/http_server.h>

#include "common.h"

enum { SERVICE_WORKERS = 256 }; /* the most workers */

struct service {
    /* Called on each worker, in a coroutine: makes the worker's server and mounts its
     * handlers. Returns NULL if that fails, after it has printed the reason. */
    struct cg_http_server *(*open)(void);
    void (*close)(struct cg_http_server *server);
    /* Called once, after the address has been printed. May be NULL. */
    void (*announce)(const char *addr);
    /* Called once, on worker 0, when the program must reload. Returns 0 or a negative code.
     * May be NULL. */
    ssize_t (*reload)(void);
    const char *workers; /* of --workers: how many; "0": as many as processors; NULL: 1 */
    int64_t grace;       /* for requests in progress when it drains, ns */
    int64_t patience;    /* for a successor to be ready, ns */
};

/* Stores the command line, which a restart needs, and holds SIGHUP and SIGUSR2 back until the
 * service can obey them. Call this before anything else in main. */
void service_prepare(char **argv);

/* Parses N of --workers. */
unsigned service_workers(const struct example *ex, const char *text);

/* Listens where the command line says, announces it, serves. Returns the exit status. */
int service_run(struct example *ex, const struct service *service);

#endif
