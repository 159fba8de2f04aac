/* SPDX-License-Identifier: MIT */
/* Linked into every example. If a program's output could not be written, it reports that
 * and makes the exit status 1. Nothing in here is needed to use cogen. */
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *output_program;
atomic_bool output_told;

/* If descriptor 0, 1 or 2 is closed when the program starts, a socket could get its
 * number, and output would go to that socket. So a closed one is opened, in the wrong
 * direction, so that its use still fails. Opening a reactor does the same; some examples
 * use sockets without one. */
static __attribute__((constructor)) void fill_standard_descriptors(void)
{
    static const int modes[] = {O_WRONLY, O_RDONLY, O_RDWR};

    for (int fd = 0; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            open("/dev/null", modes[fd]); /* gets the lowest free number, which is fd */
}

bool output_flush(void)
{
    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout))
        return true;
    if (!output_told)
        fprintf(stderr, "%s%sstdout: %s\n", output_program ? output_program : "",
                output_program ? ": " : "", errno ? strerror(errno) : "write error");
    output_told = true;
    return false;
}

static void check_output(void)
{
    bool told = output_told;

    if (!output_flush() && !told)
        _exit(1);
}

static __attribute__((constructor)) void check_output_at_exit(void)
{
    atexit(check_output);
}
