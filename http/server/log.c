/* SPDX-License-Identifier: MIT */
/* The start of most heads with the server's name and the date; messages for the
 * operator. */
#include "config.h"

#include "http/server/log.h"
#include "lib/base/report.h"

#include <cogen/clock.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Writes "Server: ...\r\n"; nothing if the name is empty or invalid. */
static void print_name(const char *name, char *buf, size_t size)
{
    char own[64];

    if (name == NULL) {
        snprintf(own, sizeof own, "cogen/%s", cg_version());
        name = own;
    }
    *buf = '\0';
    if (*name != '\0' && cg__http_message_is_value(name, strlen(name)))
        snprintf(buf, size, "Server: %.180s\r\n", name);
}

static void make_usual(struct cg_http_server *server)
{
    char name[200], *usual = server->usual;
    int size;

    print_name(server->options.name, name, sizeof name);
    size = snprintf(usual, sizeof server->usual,
                    "HTTP/1.1 200 OK\r\n%sDate: %*s\r\nContent-Type: ", name,
                    CG__HTTP_DATE - 8, "");
    server->usual_len = (size_t)size;
    server->date_at = CG__HTTP_OK + strlen(name);
}

void cg__http_log_date(struct cg_http_server *server)
{
    int64_t now = cg_sched_now(server->sched);
    int64_t wall;
    char date[CG_HTTP_DATE_SIZE];

    if (now < server->date_until)
        return;
    if (server->usual_len == 0)
        make_usual(server);
    wall = cg_clock_now(server->sched, CG_CLOCK_WALL);
    server->date = wall / CG_SECOND;
    cg_http_date_print(server->date, date);
    memcpy(server->usual + server->date_at + 6, date, CG__HTTP_DATE - 8);
    server->date_until = now + CG_SECOND - wall % CG_SECOND;
}

void cg__http_log(struct cg_http_server *server, const char *line)
{
    if (server->options.log != NULL)
        server->options.log(server->options.log_arg, line);
    else
        cg__report("http server: %s", line);
}

void cg__http_log_accept(void *arg, int code)
{
    struct cg_http_server *server = arg;
    int64_t now = cg_sched_now(server->sched);
    char line[160];

    if (now < server->accept_quiet)
        return;
    server->accept_quiet = now + CG_SECOND;
    snprintf(line, sizeof line, "a connection could not be accepted: %s",
             cg_strerror(code));
    cg__http_log(server, line);
}
