/* SPDX-License-Identifier: MIT */
/* Groups (nurseries): coroutines that cannot outlive the function that started them. The
 * owner opens a group on its stack, coroutines are added to it, and cg_wait_group waits for
 * all of them and closes it. See cg_group(3). */
#ifndef COGEN_GROUP_H
#define COGEN_GROUP_H

#include <cogen/coro.h>

struct cg_group_options {
    int64_t timeout;  /* a length from now; below 0 (CG_NOWAIT): it has passed already; */
    int64_t deadline; /* a moment; the earlier one cancels the group. 0: none */
    int64_t grace;    /* how long members may continue then, ns; CG_NEVER: without limit */
    bool shield;      /* cancelling the owner does not reach the group */
    bool keep_going;  /* the failure of a member does not cancel the others */
    void *reserved;
};

/* In the caller's memory from cg_group_open until cg_wait_group has completed. The contents
 * are the library's. */
struct cg_group {
    struct cg_scope scope; /* around what the owner yields while the group is open */
    struct cg_scope members; /* around the members; ended when the grace period is over */
    struct cg_coro *first;
    size_t count;
    int64_t grace;
    struct cg_op *wait;
    ssize_t result; /* the first failure; once closed, the result of cg_wait_group */
    int32_t reason; /* why the group was cancelled; 0: it was not */
    bool keep_going;
    bool finished; /* cg_wait_group has completed, or is about to: nobody can be added */
    bool closed;
    void *reserved;
};

#ifndef __cplusplus

struct cg_add_to_group_op {
    CG_OP_HEAD;
    struct cg_group *group;
    cg_fn *fn;
    void *arg;
    const char *name;
    ssize_t *returned;
    struct cg_coro **coro;
};

struct cg_wait_group_op {
    CG_OP_HEAD;
    struct cg_group *group;
};

/* cg_group_open(&group): opens a group. The calling coroutine owns it and must yield
 * cg_wait_group before it leaves the function or the enclosing scope. Keywords: the fields
 * of struct cg_group_options.
 *   A group is cancelled by its deadline, by what cancels its owner, by cg_group_cancel,
 * and by the first member that returns a negative code other than -ECANCELED. Then all that
 * the owner waits for inside the group completes with -ECANCELED, no member can be added,
 * and the members are cancelled, after .grace if it is set.
 *   With .keep_going the failures after the first are reported (cg_sched_set_failed),
 * except those of members with .returned. */
#define cg_group_open(...) cg__group_open(__VA_ARGS__, )
#define cg__group_open(group, ...)                                                         \
    cg_group_open_with(group, CG__OPTIONS(struct cg_group_options, __VA_ARGS__))

/* Macro form of cg_group_start_with that takes the options as keywords, as in
 * cg_group_start(&group, fn, arg, &returned, .name = "worker"). */
#define cg_group_start(...) cg__group_start(__VA_ARGS__, )
#define cg__group_start(g, f, a, out, ...)                                                 \
    cg_group_start_with(g, f, a, CG__OPTIONS(struct cg_coro_options, __VA_ARGS__), out)

/* cg_add_to_group(&group, fn, arg): starts a coroutine, a member, in the group. Any
 * coroutine of the scheduler may do so. The member runs before the caller continues, unless
 * .prio has CG_PRIO_CORO. Completes with 0, -EINVAL, -ENOMEM, or -ECANCELED if the group
 * was cancelled. Keywords:
 *   .name      borrowed until the coroutine is freed
 *   .returned  &rc, an ssize_t: set to what fn returned when it returns
 *   .coro      &ref: set to a reference, to be released with cg_coro_unref */
#define cg_add_to_group(...) cg__add_to_group(__VA_ARGS__, )
#define cg__add_to_group(g, f, a, ...)                                                     \
    CG_OP(cg_add_to_group, .group = (g), .fn = (f), .arg = (a), __VA_ARGS__)

/* cg_wait_group(&group): waits until all members have ended, also those added meanwhile,
 * and closes the group. If it is cancelled or times out, it cancels the group but still
 * waits for all members. Completes with the first failure, else with the reason why the
 * group was cancelled, -ETIMEDOUT or -ECANCELED, else with 0. -EPERM: the calling coroutine
 * is not the owner. */
#define cg_wait_group(...) cg__wait_group(__VA_ARGS__, )
#define cg__wait_group(g, ...)                                                             \
    CG_OP(cg_wait_group, .group = (g), .shield = true, __VA_ARGS__)

#endif

CG_EXTERN_C_BEGIN

extern CG_API const struct cg_op_type cg_add_to_group_type, cg_wait_group_type;

/* The function form of cg_group_open. Returns the group. */
CG_API struct cg_group *cg_group_open_with(struct cg_group *group,
                                           const struct cg_group_options *options);

/* Starts a member, like cg_add_to_group, but never yields; also for callbacks outside
 * coroutines. *returned is set to what fn returned when it returns (NULL: not wanted). The
 * options are copied (NULL: all defaults). Returns 0, -EINVAL, -ENOMEM or -ECANCELED. */
CG_API int cg_group_start_with(struct cg_group *group, cg_fn *fn, void *arg,
                               const struct cg_coro_options *options, ssize_t *returned);

/* Cancels the group (see cg_group_open); no effect if it was already cancelled. */
CG_API void cg_group_cancel(struct cg_group *group);

/* The number of members that have not ended. */
CG_API size_t cg_group_count(const struct cg_group *group);

/* The group that the calling coroutine is a member of; NULL: none. */
CG_API struct cg_group *cg_group_self(void);

CG_EXTERN_C_END
#endif
