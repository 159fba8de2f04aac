/* SPDX-License-Identifier: MIT */
/* See http_client_progress.h. The lines are drawn over each other by going up. */
#include "http_client_progress.h"

#include <cogen.h>
#include <inttypes.h>
#include <unistd.h>

enum {
    NAME_WIDTH = 40
};

static struct transfer *all;
static int all_count, drawn;
static bool terminal;
static int64_t next_time, started;

void progress_start(struct transfer *transfers, int count)
{
    all = transfers;
    all_count = transfers ? count : 0;
    terminal = isatty(STDERR_FILENO);
}

static void amount(char *text, size_t size, int64_t bytes)
{
    static const char units[] = "BKMGT";
    double number = (double)bytes;
    int unit = 0;

    while (number >= 1000 && units[unit + 1])
        number /= 1024, unit++;
    snprintf(text, size, unit ? "%.1f%c" : "%.0f%c", number, units[unit]);
}

static void line(const struct transfer *transfer, const char *end)
{
    double seconds = (double)(cg_now(cg_sched_self()) - started) / (double)CG_SECOND;
    char got[32], rate[32], share[32] = "    ";

    amount(got, sizeof got, transfer->from + transfer->received);
    amount(rate, sizeof rate,
           seconds > 0 ? (int64_t)((double)transfer->received / seconds) : 0);
    if (transfer->length > 0)
        snprintf(share, sizeof share, "%3.0f%%",
                 100.0 * (double)(transfer->from + transfer->received) /
                     (double)(transfer->from + transfer->length));
    fprintf(stderr, "%-*.*s %s %8s %8s/s\x1b[K%s", NAME_WIDTH, NAME_WIDTH,
            transfer->url, share, got, rate, end);
}

void progress_hide(void)
{
    if (drawn > 0)
        fprintf(stderr, "\x1b[%dA\r\x1b[J", drawn);
    drawn = 0;
}

void progress_show(void)
{
    int64_t now = terminal ? cg_now(cg_sched_self()) : 0;

    if (!terminal || now < next_time)
        return;
    if (started == 0)
        started = now;
    next_time = now + CG_SECOND / 5;
    progress_hide();
    for (int i = 0; i < all_count; i++)
        if (all[i].active) {
            line(&all[i], "\n");
            drawn++;
        }
    fflush(stderr);
}

void progress_done(struct transfer *transfer)
{
    if (!terminal || transfer->received == 0)
        return;
    progress_hide();
    line(transfer, "\n");
    transfer->received = 0;
    next_time = 0;
}

void progress_end(void)
{
    drawn = 0;
}
