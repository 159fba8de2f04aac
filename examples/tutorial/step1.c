/* SPDX-License-Identifier: MIT */
#include <cogen.h>
#include <stdio.h>

static ssize_t hello(void *arg)
{
    for (int i = 3; i > 0; i--) {
        ssize_t rc = cg_yield(cg_sleep(CG_SECOND / 10));

        if (rc < 0)
            return rc;
        printf("%d ...\n", i);
    }
    printf("hello, %s\n", (const char *)arg);
    return 0;
}

int main(void)
{
    return cg_main(NULL, hello, "world") < 0;
}
