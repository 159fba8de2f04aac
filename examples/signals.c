/* SPDX-License-Identifier: MIT */
/* Named signals, with a value and with a timeout: one coroutine signals, another waits.
 *
 *     ./signals                    prints spam, ham, eggs; after two seconds, no more
 *     ./signals --fast             the same with hundredths of seconds
 *     ./signals --reactor sim      the same in no time: there the clock is virtual
 */
#include <cogen.h>
#include <errno.h>
#include <stdio.h>

#include "common.h"

static int64_t second = CG_SECOND;

static ssize_t foo(void *arg)
{
    (void)arg;
    cg_yield(cg_signal("bar", "spam"));
    cg_yield(cg_signal("bar", "ham"));
    cg_yield(cg_signal("bar", "eggs"));
    return cg_yield(cg_sleep(3 * second));
}

static ssize_t bar(void *arg)
{
    const char *value;
    ssize_t n;

    (void)arg;
    while ((n = cg_yield(cg_wait_signal("bar", &value, .timeout = 2 * second))) >= 0)
        puts(value);
    if (n == -ETIMEDOUT)
        puts("No more stuff!");
    else
        example_fail("wait", n);
    return 0;
}

int main(int argc, char **argv)
{
    const char *fast = NULL;
    const struct example_option options[] = {
        {"fast", NULL, "a second lasts 10 ms", &fast, 0},
        {0},
    };
    struct example ex = {
        .name = "signals",
        .about = "One coroutine signals three values, another waits for a fourth",
        .options = options,
    };
    int code;

    example_open(&ex, argc, argv);
    if (fast)
        second /= 100;
    /* bar first: a signal for which no coroutine waits is lost. */
    if ((code = cg_sched_start(ex.sched, bar, NULL, .name = "bar")) < 0 ||
        (code = cg_sched_start(ex.sched, foo, NULL, .name = "foo")) < 0)
        example_fail("start", code);
    return example_run(&ex);
}
