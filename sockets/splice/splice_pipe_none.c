/* SPDX-License-Identifier: MIT */
/* For systems without splice: there are no pipes, so everything is copied. */
#include "config.h"

#include "sockets/splice/splice_pipe.h"

#include <stdlib.h>

struct cg__splice_pipe *cg__splice_pipe_open(struct cg_sock *from)
{
    (void)from;
    return NULL;
}

void cg__splice_pipe_close(struct cg__splice_pipe *pipe)
{
    (void)pipe;
    abort(); /* none was opened */
}
