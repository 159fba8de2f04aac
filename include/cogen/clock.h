/* SPDX-License-Identifier: MIT */
/* Clocks that the scheduler's timers do not follow: the time of day, and the time since the
 * machine was started. See cg_wait_clock(3). */
#ifndef COGEN_CLOCK_H
#define COGEN_CLOCK_H

#include <cogen/op.h>

/* The simulator has one clock, the world's, whichever is asked for. */
enum cg_clock {
    CG_CLOCK_WALL, /* ns since 1970 (UTC); people and NTP set it, also back */
    CG_CLOCK_BOOT, /* ns since the start of the machine, also while it was suspended */
};

#ifndef __cplusplus

struct cg_wait_clock_op {
    CG_OP_HEAD;
    enum cg_clock clock;
    int64_t moment;
};

/* cg_wait_clock(clock, moment): waits until a clock shows at least this moment, in ns, also
 * if the clock is set or the machine is suspended meanwhile. Completes with 0, at once if
 * the clock shows it already. Where the system does not notify of a change, it is noticed
 * within a second. Timeouts of the op are those of the scheduler's own clock; the default
 * timeout does not apply. -EINVAL: no such clock. Traceless. */
#define cg_wait_clock(...) cg__wait_clock(__VA_ARGS__, )
#define cg__wait_clock(c, m, ...)                                                          \
    CG_OP(cg_wait_clock, .clock = (c), .moment = (m), __VA_ARGS__)

#endif

CG_EXTERN_C_BEGIN

extern CG_API const struct cg_op_type cg_wait_clock_type;

/* What a clock shows to the coroutines of a scheduler, in ns; NULL: to a thread without one, such
 * as cg_sched_self() outside of coroutines. -EINVAL: no such clock. */
CG_API int64_t cg_clock_now(struct cg_sched *sched, enum cg_clock clock);

CG_EXTERN_C_END
#endif
