/* SPDX-License-Identifier: MIT */
/* Groups, for dumps. */
#ifndef COGEN_LIB_VOCABULARY_GROUP_H
#define COGEN_LIB_VOCABULARY_GROUP_H

#include <cogen/group.h>

/* The group that the coroutine is a member of; NULL: none. */
struct cg_group *cg__group_of(const struct cg_coro *coro);

/* The group whose owner's scope this is; NULL: it is another scope. */
const struct cg_group *cg__group_around(const struct cg_scope *scope);

#endif
