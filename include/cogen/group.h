/* SPDX-License-Identifier: MIT */
/* Groups (nurseries): coroutines that cannot outlive the function that started them. A
 * group is opened on the owner's stack, coroutines are added to it, and cg_wait_group
 * waits for all of them and closes it. See cg_group(3). */
#ifndef COGEN_GROUP_H
#define COGEN_GROUP_H

#include <cogen/coro.h>

struct cg_group_options {
    int64_t timeout;  /* a length from now, */
    int64_t deadline; /* a moment: the earlier one cancels the group. 0: none */
    int64_t grace;    /* its coroutines may go on for so long then; CG_NEVER: as they like */
    bool shield;      /* what cancels the owner does not reach the group */
    bool keep_going;  /* the failure of one does not cancel the others */
    void *reserved;
};

/* The caller's, from cg_group_open until cg_wait_group has answered. The library's
 * inside. */
struct cg_group {
    struct cg_scope scope; /* what the owner waits for while the group is open */
    struct cg_scope members; /* ended when the grace period is over: cancels them */
    struct cg_coro *first;
    size_t count;
    int64_t grace;
    struct cg_op *wait;
    ssize_t result; /* the first failure; once closed the answer of cg_wait_group */
    int32_t reason; /* why it was cancelled, 0: it was not */
    bool keep_going;
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
    ssize_t *answer;
    struct cg_coro **coro;
};

struct cg_wait_group_op {
    CG_OP_HEAD;
    struct cg_group *group;
};

/* cg_group_open(&group): opens a group, owned by the calling coroutine, which must wait
 * for it before it leaves the function or the scope around. Keywords as in struct
 * cg_group_options.
 *   A group is cancelled by its deadline, by what cancels its owner, by cg_group_cancel,
 * and by the first of its coroutines that returns a negative code other than -ECANCELED.
 * Then what the owner waits for, from cg_group_open on, answers -ECANCELED, nothing more
 * can be added, and the coroutines are cancelled, after .grace if there is any.
 *   With .keep_going the failures after the first are told by cg_sched_set_failed, but for
 * those whose .answer is wanted. */
#define cg_group_open(...) cg__group_open(__VA_ARGS__, )
#define cg__group_open(group, ...)                                                         \
    cg_group_open_with(group, CG__OPTIONS(struct cg_group_options, __VA_ARGS__))

/* cg_group_start(&group, fn, arg, &answer): cg_group_start_with with the keywords of
 * cg_sched_start. */
#define cg_group_start(...) cg__group_start(__VA_ARGS__, )
#define cg__group_start(g, f, a, out, ...)                                                 \
    cg_group_start_with(g, f, a, CG__OPTIONS(struct cg_coro_options, __VA_ARGS__), out)

/* cg_add_to_group(&group, fn, arg): starts a coroutine in the group. Keywords .name
 * (borrowed), .answer = &rc (set when it ends: what it returned), .coro = &ref (to be
 * given back by cg_coro_unref). By the owner, by the group's own coroutines, or any other
 * of the scheduler. It runs first unless .prio has CG_PRIO_CORO. 0, -EINVAL, -ENOMEM;
 * -ECANCELED: the group has been cancelled. */
#define cg_add_to_group(...) cg__add_to_group(__VA_ARGS__, )
#define cg__add_to_group(g, f, a, ...)                                                     \
    CG_OP(cg_add_to_group, .group = (g), .fn = (f), .arg = (a), __VA_ARGS__)

/* cg_wait_group(&group): waits until all coroutines of the group have ended, those that
 * were added meanwhile, too, and closes it. However it is cancelled or times out, which
 * cancels the group, it does not answer before: nothing is left of the group. Answers the
 * first failure; else why the group was cancelled, -ETIMEDOUT or -ECANCELED; else 0.
 * -EPERM: by another coroutine than the owner. */
#define cg_wait_group(...) cg__wait_group(__VA_ARGS__, )
#define cg__wait_group(g, ...)                                                             \
    CG_OP(cg_wait_group, .group = (g), .shield = true, __VA_ARGS__)

#endif

CG_EXTERN_C_BEGIN

extern CG_API const struct cg_op_type cg_add_to_group_type, cg_wait_group_type;

/* What cg_group_open does; answers the group. */
CG_API struct cg_group *cg_group_open_with(struct cg_group *group,
                                           const struct cg_group_options *options);

/* cg_group_start_with starts a coroutine in the group, as cg_add_to_group does, but never
 * yields. `answer`, where its result is to be stored, may be NULL. The options are copied
 * (NULL: all defaults). */
CG_API int cg_group_start_with(struct cg_group *group, cg_fn *fn, void *arg,
                               const struct cg_coro_options *options, ssize_t *answer);

/* Cancels the group, see cg_group_open; nothing happens if it has been cancelled. */
CG_API void cg_group_cancel(struct cg_group *group);

/* Coroutines of the group that have not ended. */
CG_API size_t cg_group_count(const struct cg_group *group);

/* The group that the calling coroutine was started in; NULL: none. */
CG_API struct cg_group *cg_group_self(void);

CG_EXTERN_C_END
#endif
