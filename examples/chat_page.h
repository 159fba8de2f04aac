/* SPDX-License-Identifier: MIT */
/* The page of the chat: the files of examples/site_chat, compiled in, so that the program
 * finds them wherever it is run. */
#ifndef EXAMPLES_CHAT_PAGE_H
#define EXAMPLES_CHAT_PAGE_H

#include <cogen/http_server.h>

/* Has the server answer requests for them. 0 or a negative code. */
int chat_page_mount(struct cg_http_server *server);

#endif
