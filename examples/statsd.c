/* SPDX-License-Identifier: MIT */
/* Counts, timers, gauges and sets by statsd's line protocol over UDP, printed every second.
 *     examples/statsd [--reactor NAME] [--listen ADDR]
 *     echo "pages:1|c" | nc -u -q 0 127.0.0.1 8125
 * A datagram has one metric a line, NAME:VALUE|TYPE[|@RATE]:
 *     pages:1|c          adds 1 to a count; |@0.1: one of ten was sent, so it adds 10
 *     query:320|ms       a timer's length
 *     load:17|g          sets a gauge; "+3" and "-3" change it
 *     users:alice|s      a set counts its different values
 * One coroutine receives, the other prints; both use the table of statsd_table.c. */
#include "examples/common.h"
#include "examples/statsd_table.h"

#include <errno.h>
#include <stdio.h>

enum { MANY = 16, SIZE = 8192 };

static struct statsd_table *table;
static unsigned long wrong; /* lines since the last report */

static void take_lines(char *text, size_t len)
{
    char *end = text + len, *line = text;

    while (line < end) {
        char *next = memchr(line, '\n', (size_t)(end - line));

        next = next != NULL ? next : end;
        *next = '\0';
        if (next > line && !statsd_table_add(table, line))
            wrong++;
        line = next + 1;
    }
}

static void take(struct cg_datagram *list, ssize_t n)
{
    for (ssize_t i = 0; i < n; i++) {
        if (list[i].whole > list[i].len)
            wrong++; /* its last line is cut */
        take_lines(list[i].buf, list[i].len);
    }
}

static ssize_t receive(void *sock)
{
    static char bufs[MANY][SIZE + 1]; /* and a NUL */
    struct cg_datagram list[MANY];
    ssize_t n = 0;

    for (int i = 0; i < MANY; i++)
        list[i] = (struct cg_datagram){.buf = bufs[i], .size = SIZE};
    while (n != -ECANCELED) {
        n = cg_yield(cg_receive_datagrams(sock, list, MANY));
        if (n > 0)
            take(list, n);
        else if (n != -ECANCELED)
            n = cg_yield(cg_sleep(10 * CG_MILLISECOND)); /* there may be memory later */
    }
    cg_sock_close(sock);
    return n;
}

static ssize_t report(void *arg)
{
    ssize_t n = 0;

    (void)arg;
    while (n >= 0 && (n = cg_yield(cg_sleep(CG_SECOND))) == 0) {
        statsd_table_print(table, stdout);
        if (wrong > 0)
            printf("%lu wrong line%s\n", wrong, wrong == 1 ? "" : "s");
        wrong = 0;
        if (fflush(stdout) != 0) {
            example_fail("stdout", -errno);
            cg_sched_stop(cg_sched_self());
        }
    }
    return n;
}

int main(int argc, char **argv)
{
    struct example ex = {
        .name = "statsd",
        .about = "Prints every second the metrics that come by the statsd protocol",
        .listen = "127.0.0.1:8125",
        .datagrams = true,
        .network = true,
    };
    int status;

    example_open(&ex, argc, argv);
    table = statsd_table_new();
    if (table == NULL) {
        example_fail("table", -ENOMEM);
        return 1;
    }
    example_serve(&ex, receive);
    if (example_status() == 0 && cg_sched_start(ex.sched, report, NULL, .name = "report") < 0)
        example_fail("report", -ENOMEM);
    status = example_run(&ex);
    statsd_table_free(table);
    return status;
}
