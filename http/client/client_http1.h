/* SPDX-License-Identifier: MIT */
#ifndef COGEN_HTTP_CLIENT_CLIENT_HTTP1_H
#define COGEN_HTTP_CLIENT_CLIENT_HTTP1_H

#include "http/client/client.h"

extern const struct cg__carrier cg__http_client_http1;

#endif
