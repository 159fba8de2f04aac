/* SPDX-License-Identifier: MIT */
/* See embed.h. */
#include "embed.h"

#include <errno.h>
#include <stdio.h>

#include "common.h"

static int ticks;

static ssize_t guest(void *arg)
{
    struct embed *embed = arg;
    intptr_t tick;

    cg_sched_hold(
        embed->sched); /* the ticks come from outside, so nothing else keeps it running */
    for (int i = 0; i < EMBED_TICKS; i++) {
        if (!embed->ask(embed)) {
            embed_fail(embed);
            break;
        }
        if (cg_yield(cg_wait_signal("tick", &tick)) < 0)
            break;
        printf("coroutine: tick %d\n", (int)tick);
        if (cg_yield(cg_sleep(5 * CG_MILLISECOND)) < 0)
            break;
        puts("coroutine: has slept");
    }
    cg_sched_unhold(embed->sched);
    return 0;
}

void embed_fail(struct embed *embed)
{
    example_fail(embed->name, -ENOMEM);
    cg_sched_stop(embed->sched);
}

void embed_tick(struct embed *embed)
{
    printf("loop: tick %d\n", ++ticks);
    cg_sched_post_signal(embed->sched, "tick", ticks);
}

bool embed_turn(struct embed *embed, int *timeout)
{
    int more = cg_sched_step(embed->sched, 0);
    int64_t left = cg_sched_timeout(embed->sched);

    if (more < 0) {
        example_fail("step", more);
        cg_sched_stop(embed->sched);
    }
    /* Rounded up: if the loop woke too early, it would have to call again at once. */
    *timeout =
        left == CG_NEVER ? -1 : (int)((left + CG_MILLISECOND - 1) / CG_MILLISECOND);
    return more > 0;
}

int embed_main(struct embed *embed, int argc, char **argv)
{
    struct example ex = {.name = embed->name, .about = embed->about};
    int code;

    example_open(&ex, argc, argv);
    embed->sched = ex.sched;
    if ((embed->fd = cg_sched_fd(ex.sched)) < 0)
        example_usage(&ex, "this reactor has no descriptor for another loop to poll");
    if ((code = cg_sched_start(ex.sched, guest, embed, .name = "guest")) < 0)
        example_fail("start", code);
    else
        embed->run(embed);
    return example_run(&ex);
}
