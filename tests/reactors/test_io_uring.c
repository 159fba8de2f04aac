/* SPDX-License-Identifier: MIT */
/* The io_uring reactor without a scheduler: what the suite for all reactors cannot check,
 * such as races of cancels with data, a shortage of buffers, and the ring's descriptor. The
 * cases are in uring_*.c. */
#include "config.h"

#include "tests/reactors/uring_asked.h"

#include <stdio.h>

static void set_up(void)
{
    OK(cg_reactor_open("io_uring", &ring));
    test_watch(NULL, 30);
}

static void tear_down(void)
{
    test_watch(NULL, 0);
    cg_reactor_close(ring);
}

int main(void)
{
    Suite *suite = suite_create("io_uring");
    TCase *tests = tcase_create("reactor");
    int err = cg_reactor_open("io_uring", &ring);

    if (err < 0) {
        printf("SKIP io_uring: %s\n", cg_strerror(err));
        return 77;
    }
    cg_reactor_close(ring);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_set_timeout(tests, 60);
    receive_cases(tests);
    send_cases(tests);
    connection_cases(tests);
    wait_cases(tests);
    suite_add_tcase(suite, tests);
    return check_main(suite, NULL);
}
