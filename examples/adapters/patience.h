/* SPDX-License-Identifier: MIT */
/* How long an adapter's program may wait. */
#ifndef EXAMPLES_ADAPTERS_PATIENCE_H
#define EXAMPLES_ADAPTERS_PATIENCE_H

#include "../number.h"

#include <cogen.h>
#include <limits.h>

/* Stores $PATIENCE, whole seconds and at least 1, as ns, if it is set. False: it is invalid. */
static inline bool patience_read(int64_t *patience)
{
    const char *text = getenv("PATIENCE");
    unsigned long seconds;

    if (!text)
        return true;
    if (!number_read(text, 1, INT_MAX, &seconds))
        return false;
    *patience = (int64_t)seconds * CG_SECOND;
    return true;
}

#endif
