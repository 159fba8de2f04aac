/* SPDX-License-Identifier: MIT */
/* Redirects. */
#ifndef COGEN_HTTP_CLIENT_REDIRECT_H
#define COGEN_HTTP_CLIENT_REDIRECT_H

#include "http/client/client.h"

/* Follows a response. 1: it is a redirect, and `ask` is now the redirected request; 0: it is the
 * final response; negative. */
ssize_t cg__http_client_redirect(struct cg__asking *ask);

#endif
