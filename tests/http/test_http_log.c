/* SPDX-License-Identifier: MIT */
/* An HTTP server whose log cannot be written. */
#include "config.h"

#include "tests/http/http_serve.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* When the reader of the access log has gone, the program goes on, responses are complete,
 * and the failure is reported once. It is found when a line is printed or when the buffer
 * is flushed. */
static ssize_t reader_has_gone(void *arg)
{
    static const int modes[] = {_IONBF, _IOFBF};
    int ends[2];

    (void)arg;
    for (size_t i = 0; i < COUNT(modes); i++) {
        FILE *file;

        IS(pipe(ends), 0);
        close(ends[0]);
        file = fdopen(ends[1], "w");
        setvbuf(file, NULL, modes[i], modes[i] == _IONBF ? 0 : 4096);
        serve_begin(&(struct cg_http_server_options){.access_log = file});
        for (int k = 0; k < 3; k++)
            IS(status_of("GET /" V CLOSE "\r\n"), 200);
        while (*logged == '\0')
            IS(cg_yield(cg_sleep(10 * CG_MILLISECOND)), 0);
        ck_assert_str_eq(logged, "the access log cannot be written: Broken pipe");
        logged[0] = '\0';
        IS(status_of("GET /" V CLOSE "\r\n"), 200);
        serve_end(); /* flushes the log */
        ck_assert_str_eq(logged, "");
        fclose(file);
    }
    return 0;
}

static const struct test_case cases[] = {
    CORO(reader_has_gone, .where = ON_KERNEL),
};

int main(void)
{
    return both_main("http log", cases, COUNT(cases), NULL, 0);
}
