/* SPDX-License-Identifier: MIT */
/* Coroutine-local values: what every coroutine has one of its own of. See cg_local(3). */
#ifndef COGEN_LOCAL_H
#define COGEN_LOCAL_H

#include <cogen/base.h>

/* A key, known by its address: static struct cg_local user = {.destroy = free}. It must
 * stay as long as any coroutine has a value for it. */
struct cg_local {
    void (*destroy)(void *value); /* may be NULL */
};

CG_EXTERN_C_BEGIN

/* The calling coroutine's value; NULL if it has set none, and outside coroutines. A
 * branch of cg_any or cg_all has the values of the coroutine that waits for it. */
CG_API void *cg_local_get(const struct cg_local *key);

/* Sets it; NULL takes it away. What was there before is the caller's. When the coroutine
 * ends the keys' destructors are called with the values that are left, the newest key
 * first, as its last code: they may yield. 0; -ENOMEM; -EPERM outside coroutines. */
CG_API int cg_local_set(const struct cg_local *key, void *value);

CG_EXTERN_C_END
#endif
