/* SPDX-License-Identifier: MIT */
/* See service.h. */
#include "service.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct example *example;
static const struct service *service;
static struct cg_ports *ports;
static char **command; /* argv as main got it */

/* Each worker has its own. */
static _Thread_local struct {
    struct cg_http_server *server;
    struct cg_sock *listener;
} part;

enum { TERM, INT, HUP, USR2, SIGNALS };
static const int numbers[SIGNALS] = {SIGTERM, SIGINT, SIGHUP, SIGUSR2};

/* SIGHUP and SIGUSR2 are not meant to end the process, but would do so until it subscribes. */
static void hold_orders(int how)
{
    sigset_t orders;

    sigemptyset(&orders);
    sigaddset(&orders, SIGHUP);
    sigaddset(&orders, SIGUSR2);
    pthread_sigmask(how, &orders, NULL);
}

void service_prepare(char **argv)
{
    size_t count = 0;

    hold_orders(SIG_BLOCK);
    while (argv[count] != NULL)
        count++;
    command = calloc(count + 1, sizeof *command);
    if (command != NULL)
        memcpy(command, argv, count * sizeof *command);
}

unsigned service_workers(const struct example *ex, const char *text)
{
    static const char why[] = "N of --workers is a number from 0 to 256";
    unsigned long number = text != NULL ? example_number(ex, text, 0, SERVICE_WORKERS, why) : 1;

    if (number == 0)
        number = cg_cpus();
    return number < SERVICE_WORKERS ? (unsigned)number : SERVICE_WORKERS;
}

static int subscribe(struct cg_os_signals *signals[SIGNALS])
{
    int rc = 0;

    for (int i = 0; i < SIGNALS && rc == 0; i++)
        rc = cg_os_signals_open(cg_sched_self(), numbers[i], &signals[i]);
    if (rc == 0)
        hold_orders(SIG_UNBLOCK);
    return rc;
}

/* From here on the process ends by itself. One more signal would only kill it before it has
 * removed the file of its UNIX socket. */
static void unsubscribe(struct cg_os_signals *signals[SIGNALS])
{
    for (int i = 0; i < SIGNALS; i++) {
        signal(numbers[i], SIG_IGN);
        cg_os_signals_close(signals[i]);
    }
}

static void reload(void)
{
    struct timespec now;
    char text[64];
    ssize_t n;

    clock_gettime(CLOCK_MONOTONIC, &now);
    snprintf(text, sizeof text, "RELOADING=1\nMONOTONIC_USEC=%lld%06ld",
             (long long)now.tv_sec, now.tv_nsec / 1000);
    cg_notify(text, NULL, 0);
    n = service->reload != NULL ? service->reload() : 0;
    if (n < 0)
        example_warn("reload", n); /* what was loaded before stays in use */
    cg_notify("READY=1", NULL, 0);
}

static ssize_t respond(void *arg)
{
    (void)arg;
    return 0;
}

/* Tells the service manager's watchdog that the program works, as often as every worker
 * responds, also during a restart and while requests drain. Ends when it is cancelled. */
static ssize_t feed(void *arg)
{
    int64_t interval = cg_watchdog_interval();
    int64_t pause = interval > 0 ? interval / 2 : CG_NEVER;
    ssize_t n;

    (void)arg;
    while ((n = cg_yield(cg_sleep(pause))) >= 0)
        if (cg_yield(cg_run_on_each(respond, NULL, .timeout = pause)) == 0)
            cg_notify("WATCHDOG=1", NULL, 0);
    return n;
}

/* Starts a successor. Returns true if this process must drain: the successor serves, or a
 * signal came that ends this process. */
static bool restart(struct cg_os_signals **signals)
{
    struct cg_op *starting;
    ssize_t n;

    starting = cg_restart(command, .timeout = service->patience);
    n = cg_yield(cg_any((starting, cg_get_os_signal(signals[TERM]),
                         cg_get_os_signal(signals[INT]))));
    if (n == 0)
        n = cg_op_result(starting);
    if (n == -EPIPE)
        example_note("restart", "the successor ended before it was ready");
    else if (n < 0)
        example_warn("restart", n);
    return n >= 0; /* > 0: SIGTERM or SIGINT came */
}

/* Returns when the service is to drain. */
static ssize_t obey(struct cg_os_signals **signals)
{
    for (;;) {
        ssize_t n = cg_yield(
            cg_any((cg_get_os_signal(signals[TERM]), cg_get_os_signal(signals[INT]),
                    cg_get_os_signal(signals[HUP]), cg_get_os_signal(signals[USR2]))));

        if (n == HUP)
            reload();
        else if (n != USR2 || restart(signals))
            return n < 0 ? n : 0;
    }
}

static ssize_t open_here(void *arg)
{
    (void)arg;
    part.server = service->open();
    if (part.server == NULL)
        return -ECANCELED; /* open has printed the reason */
    return cg_ports_listen(ports, cg_worker_id(), cg_sched_self(), &part.listener);
}

static ssize_t serve_here(void *arg)
{
    (void)arg;
    return cg_yield(cg_http_serve(part.server, part.listener));
}

static ssize_t drain_here(void *arg)
{
    (void)arg;
    return cg_yield(cg_http_shutdown(part.server, .timeout = service->grace));
}

static ssize_t close_here(void *arg)
{
    (void)arg;
    cg_sock_close(part.listener);
    if (part.server != NULL)
        service->close(part.server);
    return 0;
}

/* Obeys the signals. Returns when all workers have drained, or when a second SIGTERM or
 * SIGINT comes. */
static ssize_t follow(void *arg)
{
    struct cg_os_signals **signals = arg;
    ssize_t n = obey(signals);

    if (n < 0)
        return n;
    cg_notify("STOPPING=1", NULL, 0);
    return cg_yield(
        cg_any((cg_run_on_each(drain_here, NULL), cg_get_os_signal(signals[TERM]),
                cg_get_os_signal(signals[INT]))));
}

static ssize_t announce(void)
{
    char addr[CG_ADDR_SIZE];
    ssize_t n = cg_ports_addr(ports, addr, sizeof addr);

    if (n < 0) {
        example_fail(example->listen, n);
        return n;
    }
    if (printf("listening on %s\n", addr) >= 0 && service->announce != NULL)
        service->announce(addr);
    if (fflush(stdout) == 0 && !ferror(stdout))
        return 0;
    example_fail("stdout", -errno);
    return -EIO;
}

static void serve(struct cg_os_signals **signals)
{
    struct cg_op *ops[] = {cg_run_on_each(serve_here, NULL), cg_call(follow, signals),
                           cg_call(feed, NULL)};
    ssize_t n = cg_ready();

    if (n < 0)
        example_warn("ready", n);
    n = cg_yield(cg_any_of(ops, sizeof ops / sizeof ops[0]));
    if (n >= 0)
        n = cg_op_result(ops[n]);
    if (n < 0)
        example_fail("serve", n);
}

/* Worker 0 directs the others by cg_run_on_each. If a worker cannot start, the program
 * ends, and its predecessor continues. */
static ssize_t direct(void *arg)
{
    struct cg_os_signals *signals[SIGNALS] = {NULL};
    ssize_t n;

    (void)arg;
    if (cg_worker_id() > 0)
        return 0;
    n = subscribe(signals); /* before another process is told that this one serves */
    if (n == 0)
        n = cg_yield(cg_run_on_each(open_here, NULL));
    if (n < 0)
        example_fail("start", n);
    else
        n = announce();
    if (n == 0)
        serve(signals);
    n = cg_yield(cg_run_on_each(close_here, NULL, .shield = true));
    if (n < 0)
        example_fail("close", n);
    unsubscribe(signals);
    return 0;
}

int service_run(struct example *ex, const struct service *what)
{
    unsigned workers = service_workers(ex, what->workers);
    int code = cg_ports_open(ex->listen, &ports, .name = "http", .members = workers,
                             .take_over = true);
    ssize_t n;

    example = ex;
    service = what;
    signal(SIGPIPE, SIG_IGN); /* which makes cg_sendfile cheaper */
    if (code < 0) {
        example_fail(ex->listen, code);
        return example_status();
    }
    n = cg_crew_main(direct, NULL, .workers = workers, .reactor = example_reactor(),
                     .grace = CG_SECOND);
    if (n < 0 && n != -ECANCELED)
        example_failed(); /* cg_crew_main has said why */
    cg_ports_close(ports);
    free(command);
    return example_status();
}
