/* SPDX-License-Identifier: MIT */
/* For systems that do not tell to which file an address belongs. */
#include "config.h"

#include "lib/insight/dump.h"

int cg__dump_place(const void *address, char *buf, size_t size)
{
    return snprintf(buf, size, "%p", address);
}
