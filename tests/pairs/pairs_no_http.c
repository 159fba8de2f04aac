/* SPDX-License-Identifier: MIT */
/* Without HTTP there is nothing to race. */
#include "tests/pairs/pairs.h"

const struct family pairs_http = {NULL, 0};
const struct family pairs_ws = {NULL, 0};
