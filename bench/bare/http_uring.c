/* SPDX-License-Identifier: MIT */
/* The bare machine for HTTP on io_uring: answers each blank line with the same text, all
 * those of one receive in one send. */
#include "bench/bare/http_text.h"
#include "bench/bare/uring.h"
#include "bench/listen.h"

static size_t lines[BENCH_CONNECTIONS]; /* how long its line is so far */

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
