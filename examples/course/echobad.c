/* SPDX-License-Identifier: MIT */
/* Shows why the course's first echo server is wrong: it waits for a client in a call that
 * blocks, so no other task can run. Then it waits by a system call of the small operating
 * system. Another task counts how often it runs during each wait. Nobody connects, and
 * both waits end after a while.
 *
 *     ./echobad
 */
#include <cogen.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "../common.h"
#include "os.h"

enum {
    WAIT_MS = 200
};

static long ticks;

static ssize_t alive(void *arg)
{
    (void)arg;
    while (cg_yield(cg_sleep(CG_MILLISECOND)) >= 0)
        ticks++;
    return 0;
}

static ssize_t both(void *arg)
{
    const int *listener = arg;
    ssize_t child = cg_yield(os_new_task(alive, NULL));
    long before = ticks;

    if (accept(*listener, NULL, NULL) < 0)
        printf("accept blocked: the other task ran %ld times\n", ticks - before);
    before = ticks;
    if (cg_yield(os_read_wait(*listener, .timeout = WAIT_MS * CG_MILLISECOND)) < 0)
        printf("read_wait: the other task %s\n",
               ticks - before >= 5 ? "ran all the time" : "hardly ran");
    cg_yield(os_kill_task(child));
    return 0;
}

int main(int argc, char **argv)
{
    struct example ex = {
        .name = "echobad",
        .about = "What a blocking accept does to the other tasks",
        .network = true,
    };
    struct sockaddr_in addr = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_STREAM, 0), code;

    example_open(&ex, argc, argv);
    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    /* Limits the blocking call; in a real server it would block for ever. */
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO,
                   &(struct timeval){.tv_usec = WAIT_MS * 1000}, sizeof(struct timeval)) < 0 ||
        bind(fd, (struct sockaddr *)&addr, sizeof addr) < 0 || listen(fd, 1) < 0)
        example_fail("listen", -errno);
    else if ((code = os_boot(ex.sched, both, &fd)) < 0)
        example_fail("boot", code);
    code = example_run(&ex);
    close(fd);
    return code;
}
