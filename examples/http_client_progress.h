/* SPDX-License-Identifier: MIT */
/* A line of progress for each transfer of http_client, if stderr is a terminal. */
#ifndef EXAMPLES_HTTP_CLIENT_PROGRESS_H
#define EXAMPLES_HTTP_CLIENT_PROGRESS_H

#include "http_client_file.h"

void progress_start(struct transfer *transfers, int count);

/* Draws the lines of the active transfers, at most a few times a second. */
void progress_show(void);

/* Clears the lines, before something else is printed. */
void progress_hide(void);

/* Prints the final line of a transfer, which stays on the screen. */
void progress_done(struct transfer *transfer);

/* Leaves the lines as they are, at the end of the program. */
void progress_end(void);

#endif
