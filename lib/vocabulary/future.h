/* SPDX-License-Identifier: MIT */
/* What reports tell of a future beyond <cogen/future.h>. */
#ifndef COGEN_LIB_VOCABULARY_FUTURE_H
#define COGEN_LIB_VOCABULARY_FUTURE_H

#include <cogen/future.h>

/* Whether only those who await it still have references to it. */
bool cg__future_is_abandoned(const struct cg_future *future);

#endif
