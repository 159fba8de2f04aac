/* SPDX-License-Identifier: MIT */
/* HTTP/2 as a carrier. */
#ifndef COGEN_HTTP_SERVER_H2_CARRIER_H
#define COGEN_HTTP_SERVER_H2_CARRIER_H

#include "http/server/carrier.h"

extern const struct cg__http_carrier cg__http_h2_carrier;

#endif
