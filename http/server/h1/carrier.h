/* SPDX-License-Identifier: MIT */
/* HTTP/1 as a carrier. */
#ifndef COGEN_HTTP_SERVER_H1_CARRIER_H
#define COGEN_HTTP_SERVER_H1_CARRIER_H

#include "http/server/carrier.h"

extern const struct cg__http_carrier cg__http_h1_carrier;

#endif
