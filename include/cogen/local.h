/* SPDX-License-Identifier: MIT */
/* Coroutine-local values: each coroutine has its own copy. See cg_local(3). */
#ifndef COGEN_LOCAL_H
#define COGEN_LOCAL_H

#include <cogen/base.h>

/* A key, identified by its address: static struct cg_local user = {.destroy = free}. It
 * must stay valid as long as any coroutine has a value for it. */
struct cg_local {
    void (*destroy)(void *value); /* may be NULL */
};

CG_EXTERN_C_BEGIN

/* The calling coroutine's value; NULL if it has set none, and outside coroutines. A branch
 * of cg_any or cg_all has the values of the coroutine that waits for it. */
CG_API void *cg_local_get(const struct cg_local *key);

/* Sets the value; NULL removes it. The caller owns the previous value. When the coroutine
 * ends, destroy is called for each remaining value, the newest key first, as the
 * coroutine's last code: it may yield. Returns 0; -ENOMEM; -EPERM outside coroutines. */
CG_API int cg_local_set(const struct cg_local *key, void *value);

CG_EXTERN_C_END
#endif
