/* SPDX-License-Identifier: MIT */
/* What a request may not ask for. */
#ifndef COGEN_HTTP_CLIENT_CHECK_H
#define COGEN_HTTP_CLIENT_CHECK_H

#include "http/client/client.h"

/* Checks the method, the fields and the texts that become fields. 0, or -EINVAL with a message. */
ssize_t cg__http_client_check(const struct cg__asking *ask);

#endif
