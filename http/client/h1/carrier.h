/* SPDX-License-Identifier: MIT */
#ifndef COGEN_HTTP_CLIENT_H1_CARRIER_H
#define COGEN_HTTP_CLIENT_H1_CARRIER_H

#include "http/client/client.h"

extern const struct cg__carrier cg__http_client_h1_carrier;

#endif
