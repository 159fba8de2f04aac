/* SPDX-License-Identifier: MIT */
/* The page of the chat: the files of examples/site_chat are compiled into the program, so
 * that it does not depend on the current directory. */
#ifndef EXAMPLES_CHAT_PAGE_H
#define EXAMPLES_CHAT_PAGE_H

#include <cogen/http_server.h>

/* Mounts the files at the server. Returns 0 or a negative code. */
int chat_page_mount(struct cg_http_server *server);

#endif
