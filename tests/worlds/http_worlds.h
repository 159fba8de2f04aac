/* SPDX-License-Identifier: MIT */
/* HTTP for several subjects: see http_worlds.c. */
#ifndef COGEN_TESTS_WORLDS_HTTP_WORLDS_H
#define COGEN_TESTS_WORLDS_HTTP_WORLDS_H

#include <cogen/http_client.h>
#include <cogen/http_server.h>

#include "tests/worlds/worlds.h"

enum { TALKERS = 3, IDS = 60 };

/* Serves at addr until it is cancelled, and frees the server. */
ssize_t worlds_serve(struct cg_http_server *server, const char *addr);

/* Gives such a server its handlers. */
void worlds_mount(struct cg_http_server *server);

/* Makes requests of that server, checks the responses, and frees the client. */
ssize_t worlds_talk(struct cg_http_client *client, const char *base);

#endif
