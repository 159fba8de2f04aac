/* SPDX-License-Identifier: MIT */
/* A line of progress for each transfer of http_client, if stderr is a terminal. */
#ifndef EXAMPLES_HTTP_CLIENT_PROGRESS_H
#define EXAMPLES_HTTP_CLIENT_PROGRESS_H

#include "http_client_file.h"

void progress_start(struct transfer *transfers, int count);

/* Draws the lines of all that are under way, a few times a second at most. */
void progress_show(void);

/* Takes them away, before something else is printed. */
void progress_hide(void);

/* Leaves the last line of a transfer; of all, at the end. */
void progress_done(struct transfer *transfer);
void progress_end(void);

#endif
