/* SPDX-License-Identifier: MIT */
/* The list of those to be told of a shutdown. */
#include "config.h"

#include "http/server/farewell.h"
#include "http/server/server.h"

void cg__http_farewell_add(struct cg_http_request *req, struct cg__http_farewell *farewell)
{
    struct cg_http_server *server = req->server;

    if (server->draining) {
        farewell->told(farewell);
        return;
    }
    farewell->next = server->farewells;
    farewell->link = &server->farewells;
    if (farewell->next != NULL)
        farewell->next->link = &farewell->next;
    server->farewells = farewell;
}

void cg__http_farewell_remove(struct cg__http_farewell *farewell)
{
    if (farewell->link == NULL)
        return;
    *farewell->link = farewell->next;
    if (farewell->next != NULL)
        farewell->next->link = farewell->link;
    farewell->link = NULL;
}

void cg__http_farewell_tell(struct cg_http_server *server)
{
    struct cg__http_farewell *farewell;

    while ((farewell = server->farewells) != NULL) {
        cg__http_farewell_remove(farewell);
        farewell->told(farewell);
    }
}

void cg__http_farewell_forget(struct cg_http_server *server)
{
    while (server->farewells != NULL)
        cg__http_farewell_remove(server->farewells);
}
