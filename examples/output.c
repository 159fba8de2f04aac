/* SPDX-License-Identifier: MIT */
/* Every example is linked with this: a program whose output could not be written says so
 * and ends with 1, whatever else it did. Nothing in here is needed to use cogen. */
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *output_program;
bool output_told;

/* A descriptor from 0 to 2 that is closed would be given to a socket, which what is printed
 * would go to. Closed ones are opened the wrong way round, so that their use still
 * fails. */
static __attribute__((constructor)) void fill_standard_descriptors(void)
{
    static const int modes[] = {O_WRONLY, O_RDONLY, O_RDWR};

    for (int fd = 0; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            open("/dev/null", modes[fd]); /* the lowest that is free: this one */
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
