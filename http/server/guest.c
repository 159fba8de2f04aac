/* SPDX-License-Identifier: MIT */
/* See guest.h. A guest that stays counts as a connection of its server, which waits for it: over
 * HTTP/1 its connection is kept, over HTTP/2 its stream counts by itself. */
#include "config.h"

#include "http/server/guest.h"
#include "http/server/server.h"

#include <cogen/starter.h>
#include <errno.h>

void cg__http_guest_add(struct cg_http_request *req, struct cg__http_guest *guest)
{
    struct cg_http_server *server = req->server;

    guest->next = server->guests;
    guest->link = &server->guests;
    if (guest->next != NULL)
        guest->next->link = &guest->next;
    server->guests = guest;
    if (server->draining)
        guest->type->told(guest);
}

void cg__http_guest_remove(struct cg__http_guest *guest)
{
    if (guest->link == NULL)
        return;
    *guest->link = guest->next;
    if (guest->next != NULL)
        guest->next->link = guest->link;
    guest->link = NULL;
}

int cg__http_guest_stay(struct cg_http_request *req, struct cg__http_guest *guest)
{
    if (req->guest != NULL)
        return -EALREADY;
    req->guest = guest;
    return 0;
}

void cg__http_guest_begin(struct cg__http_guest *guest, struct cg__http_serving *serving,
                          struct cg__http_conn *conn)
{
    guest->serving = serving;
    guest->conn = conn;
    if (conn == NULL)
        serving->conns++;
    guest->type->serve(guest);
}

struct cg_starter *cg__http_guest_starter(struct cg__http_guest *guest, cg_fn *resume)
{
    struct cg_http_server *server = guest->serving->server;

    if (server->guest_starter == NULL)
        server->guest_starter =
            cg_starter_new(server->sched, resume, .name = "websocket",
                           .stack_size = server->options.stack_size);
    return server->guest_starter;
}

void cg__http_guest_tell(struct cg_http_server *server)
{
    struct cg__http_guest *guest;

    for (guest = server->guests; guest != NULL; guest = guest->next)
        guest->type->told(guest);
}

void cg__http_guest_cancel(struct cg_http_server *server,
                           const struct cg__http_serving *serving)
{
    struct cg__http_guest *guest;

    for (guest = server->guests; guest != NULL; guest = guest->next)
        if (guest->serving != NULL && (serving == NULL || guest->serving == serving))
            guest->type->cancel(guest);
}

void cg__http_guest_forget(struct cg_http_server *server)
{
    while (server->guests != NULL)
        cg__http_guest_remove(server->guests);
}
