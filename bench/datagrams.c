/* SPDX-License-Identifier: MIT */
/* Measures lists of datagrams over the loopback: CPU time of one datagram, sent and received,
 * for lists of equal lengths, which the kernel gets as segments of one message where it
 * takes them, and for lists of differing lengths, which it gets one by one.
 *     bench/datagrams [--reactor NAME] [LEN]      (default 1,200) */
#include "config.h"

#include <cogen.h>

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { MOST = 16, LONGEST = 1400, ROUNDS = 15, LISTS = 300 };

static size_t len = 1200;
static struct cg_sock *from, *to;
static char bufs[MOST][LONGEST + 1];

static double cpu_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* Times of one datagram, in the order in which they are printed. */
struct times {
    double send[ROUNDS], receive[ROUNDS];
};

static int measure(struct times *times, int round, size_t n, bool equal)
{
    struct cg_datagram list[MOST];
    ssize_t result = 0;

    times->send[round] = times->receive[round] = 0;
    for (int i = 0; i < LISTS; i++) {
        double start = cpu_ns(), sent;

        for (size_t k = 0; k < n; k++)
            list[k] = (struct cg_datagram){.buf = bufs[k], .len = len + (k % 2 && !equal)};
        result = cg_yield(cg_send_datagrams(from, list, n));
        if (result < 0)
            return (int)result;
        sent = cpu_ns();
        for (size_t k = 0; k < n; k++)
            list[k] = (struct cg_datagram){.buf = bufs[k], .size = sizeof bufs[k]};
        for (size_t done = 0; done < n; done += (size_t)result) {
            result = cg_yield(cg_receive_datagrams(to, list, n - done, .timeout = CG_SECOND));
            if (result < 0)
                return (int)result;
        }
        times->send[round] += (sent - start) / (double)(n * LISTS);
        times->receive[round] += (cpu_ns() - sent) / (double)(n * LISTS);
    }
    return 0;
}

static int compare(const void *a, const void *b)
{
    const double *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

static double median(double *list)
{
    qsort(list, ROUNDS, sizeof *list, compare);
    return list[ROUNDS / 2];
}

static int measure_lists(size_t n)
{
    static const char *const names[] = {"differing", "equal"};
    struct times times[2];
    int rc = 0;

    for (int round = 0; round < ROUNDS; round++)
        for (int equal = 0; equal < 2 && rc == 0; equal++)
            rc = measure(&times[equal], round, n, equal);
    for (int equal = 0; equal < 2 && rc == 0; equal++) {
        printf("send_%zu_%s %.0f ns\n", n, names[equal], median(times[equal].send));
        printf("receive_%zu_%s %.0f ns\n", n, names[equal], median(times[equal].receive));
    }
    return rc;
}

static ssize_t run(void *arg)
{
    char addr[CG_ADDR_SIZE];
    int rc = cg_datagram_open(cg_sched_self(), "127.0.0.1:0", &to, .receive_buffer = 1 << 20);

    (void)arg;
    if (rc == 0)
        rc = cg_sock_local_addr(to, addr, sizeof addr);
    if (rc >= 0)
        rc = cg_datagram_open(cg_sched_self(), NULL, &from, .peer = addr);
    for (size_t n = 2; n <= MOST && rc == 0; n *= 2)
        rc = measure_lists(n);
    cg_sock_close(from);
    cg_sock_close(to);
    return rc;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"reactor", 1, NULL, 'r'}, {NULL, 0, NULL, 0}};
    const char *name = NULL;
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option != 'r')
            return 2;
        name = optarg;
    }
    if (optind < argc)
        len = (size_t)atol(argv[optind]);
    if (len == 0 || len > LONGEST) {
        fprintf(stderr, "datagrams: the length must be 1 to %d\n", LONGEST);
        return 2;
    }
    return cg_main(name, run, NULL) < 0;
}
