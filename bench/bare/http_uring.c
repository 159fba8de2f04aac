/* SPDX-License-Identifier: MIT */
/* The bare loop for HTTP on io_uring: responds to each blank line with the same text; all
 * responses to one receive go out in one send. */
#include "bench/bare/http_text.h"
#include "bench/bare/uring.h"
#include "bench/listen.h"

static size_t lines[BENCH_CONNECTIONS]; /* the length of the unfinished line */

static void serve(int conn, char *data, unsigned size, int buffer)
{
    size_t n = http_requests(data, size, &lines[conn]) * HTTP_ANSWER_SIZE;

    uring_giveback(buffer);
    if (n > 0)
        uring_send(conn, http_answers, (unsigned)n, -1);
}

int main(int argc, char **argv)
{
    (void)argc;
    http_make_answers();
    uring_serve(bench_listen(argv, 0), serve);
}
