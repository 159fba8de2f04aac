/* SPDX-License-Identifier: MIT */
/* Counted words in messages: printf("%zu byte%s", size, cg__plural(size)). */
#ifndef COGEN_LIB_BASE_PLURAL_H
#define COGEN_LIB_BASE_PLURAL_H

static inline const char *cg__plural(unsigned long long count)
{
    return count == 1 ? "" : "s";
}

#endif
