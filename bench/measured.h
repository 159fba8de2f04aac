/* SPDX-License-Identifier: MIT */
/* What a load measures in a phase: the time of each request, and the CPU time of the server and of
 * the load itself, printed as "name value unit"; and how it waits for the server. */
#ifndef COGEN_BENCH_MEASURED_H
#define COGEN_BENCH_MEASURED_H

#include "bench/histogram.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/types.h>
#include <time.h>

struct measured {
    struct histogram latencies; /* ns */
    clockid_t server;           /* the clock of the server's CPU time */
    bool server_known;
    bool spins; /* while it waits */
    int64_t begin, cpu_begin, own_begin;
};

static inline int64_t measured_clock(clockid_t clock)
{
    struct timespec ts;

    if (clock_gettime(clock, &ts) < 0) {
        perror("the server's clock");
        exit(1);
    }
    return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

static inline int64_t measured_now(void)
{
    return measured_clock(CLOCK_MONOTONIC);
}

/* Waits for events for at most `patience` ms, as epoll_wait does. A load that has a processor of
 * its own may spin: the server would have to wake a load that sleeps, and an interrupt to another
 * processor costs a virtual machine more than a whole request. A client on another machine is
 * not woken by the server either. */
static inline int measured_wait(const struct measured *measured, int ep,
                                struct epoll_event *events, int most, int patience)
{
    int64_t give_up;
    int n;

    if (!measured->spins)
        return epoll_wait(ep, events, most, patience);
    give_up = measured_now() + patience * INT64_C(1000000);
    do {
        n = epoll_wait(ep, events, most, 0);
    } while (n == 0 && measured_now() < give_up);
    return n;
}

/* Returns whether the process with this number, the server, has a clock. */
static inline bool measured_server(struct measured *measured, pid_t pid)
{
    return measured->server_known = clock_getcpuclockid(pid, &measured->server) == 0;
}

static inline void measured_begin(struct measured *measured, int64_t at)
{
    memset(&measured->latencies, 0, sizeof measured->latencies);
    measured->begin = at;
    measured->cpu_begin = measured->server_known ? measured_clock(measured->server) : 0;
    measured->own_begin = measured_clock(CLOCK_PROCESS_CPUTIME_ID);
}

static inline void measured_report(const struct measured *measured, int64_t at)
{
    double n = (double)measured->latencies.count, wall = (double)(at - measured->begin);
    double own = (double)(measured_clock(CLOCK_PROCESS_CPUTIME_ID) - measured->own_begin);

    printf("requests %.0f\n", n);
    printf("rate %.1f requests/s\n", n / wall * 1e9);
    if (measured->server_known) {
        double cpu = (double)(measured_clock(measured->server) - measured->cpu_begin);

        printf("cpu %.1f ns\n", cpu / n);
        printf("busy %.4f of one processor\n", cpu / wall);
    }
    printf("load_busy %.4f of one processor\n", own / wall);
    printf("p50 %.0f ns\n", histogram_at(&measured->latencies, 0.5));
    printf("p99 %.0f ns\n", histogram_at(&measured->latencies, 0.99));
    printf("p999 %.0f ns\n", histogram_at(&measured->latencies, 0.999));
}

#endif
