/* SPDX-License-Identifier: MIT */
/* See http_client_progress.h. The cursor moves up to draw the lines again in the same
 * place, so all of them must fit on the screen, and none may wrap. */
#include "http_client_progress.h"

#include <cogen.h>
#include <inttypes.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
    NAME_WIDTH = 40,  /* at most */
    REST_WIDTH = 25,  /* of the part of a line behind the name */
    LINE_SIZE = 256
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

static struct winsize window(void)
{
    struct winsize size;

    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_row == 0 || size.ws_col == 0)
        size = (struct winsize){.ws_row = 24, .ws_col = 80};
    return size;
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

/* Writes a line, truncated so that the last column stays free: some terminals wrap
 * there. */
static void draw(const char *text, int columns)
{
    fprintf(stderr, "%.*s\x1b[K\n", columns - 1, text);
}

static void line(const struct transfer *transfer, int columns)
{
    int name = columns - 1 - REST_WIDTH;
    char text[LINE_SIZE];

    double seconds =
        (double)(cg_sched_now(cg_sched_self()) - started) / (double)CG_SECOND;
    char got[32], rate[32], share[32] = "    ";

    amount(got, sizeof got, transfer->from + transfer->received);
    amount(rate, sizeof rate,
           seconds > 0 ? (int64_t)((double)transfer->received / seconds) : 0);
    if (transfer->length > 0)
        snprintf(share, sizeof share, "%3.0f%%",
                 100.0 * (double)(transfer->from + transfer->received) /
                     (double)(transfer->from + transfer->length));
    name = name > NAME_WIDTH ? NAME_WIDTH : name > 0 ? name : 0;
    snprintf(text, sizeof text, "%-*.*s %s %8s %8s/s", name, name, transfer->url, share, got,
             rate);
    draw(text, columns);
}

/* Draws the active transfers, as many as fit above the line of the cursor. */
static void draw_all(void)
{
    struct winsize size = window();
    int active = 0, room = size.ws_row - 1, shown = 0;
    char text[LINE_SIZE];

    for (int i = 0; i < all_count; i++)
        active += all[i].active;
    if (active > room && room > 0)
        room--; /* for the line that counts those that are not shown */
    for (int i = 0; i < all_count && shown < room; i++)
        if (all[i].active) {
            line(&all[i], size.ws_col);
            shown++;
        }
    drawn = shown;
    if (active > shown && size.ws_row > 1) {
        snprintf(text, sizeof text, "and %d more", active - shown);
        draw(text, size.ws_col);
        drawn++;
    }
}

/* Clears the first line separately: tmux and some terminals keep lines in their history
 * when the screen is cleared from its top. */
void progress_hide(void)
{
    if (drawn > 0)
        fprintf(stderr, "\x1b[%dA\r\x1b[K\n\x1b[J\x1b[A", drawn);
    drawn = 0;
}

void progress_show(void)
{
    int64_t now = terminal ? cg_sched_now(cg_sched_self()) : 0;

    if (!terminal || now < next_time)
        return;
    if (started == 0)
        started = now;
    next_time = now + CG_SECOND / 5;
    progress_hide();
    draw_all();
    fflush(stderr);
}

void progress_done(struct transfer *transfer)
{
    if (!terminal || transfer->received == 0)
        return;
    progress_hide();
    line(transfer, window().ws_col);
    transfer->received = 0;
    next_time = 0;
}

void progress_end(void)
{
    drawn = 0;
}
