/* SPDX-License-Identifier: MIT */
/* Scopes: what the files of lib/ do with them. */
#ifndef COGEN_LIB_CORE_SCOPE_H
#define COGEN_LIB_CORE_SCOPE_H

#include <cogen/coro.h>

/* Ends a scope with a reason, cancelling what waits inside; the first reason stands. */
void cg__scope_end(struct cg_scope *scope, int reason);

#endif
