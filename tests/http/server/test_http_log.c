/* SPDX-License-Identifier: MIT */
/* An HTTP server whose log cannot be written, and its dates. */
#include "config.h"

#include "http/server/log.h"
#include "tests/http/http_serve.h"
#include "tests/support/child.h"

#include <stdio.h>
#include <stdlib.h>
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

static void read_all(struct cg_sock *sock, char *buf, size_t size)
{
    size_t len = 0;
    ssize_t n;

    while ((n = OK(cg_yield(cg_read(sock, buf + len, size - 1 - len)))) > 0)
        len += (size_t)n;
    buf[len] = '\0';
}

/* A thread writes the log. */
static bool has_written(FILE *file, const size_t *size)
{
    bool written;

    flockfile(file);
    written = *size > 0;
    funlockfile(file);
    return written;
}

/* In a simulated world the time of day is the world's, so that a run can be repeated, and the
 * ages that clients compute are right. */
static ssize_t has_the_worlds_date(void *json)
{
    char *text = NULL, response[1024];
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    struct cg_sock *sock;

    serve_begin(&(struct cg_http_server_options){
        .access_log = file, .access_format = json ? CG_HTTP_LOG_JSON : CG_HTTP_LOG_COMBINED});
    sock = serve_client();
    send_text(sock, "GET /" V CLOSE "\r\n");
    read_all(sock, response, sizeof response);
    cg_sock_close(sock);
    while (!has_written(file, &size))
        IS(cg_yield(cg_sleep(CG_SECOND)), 0);
    serve_end();
    fclose(file);
    ck_assert_msg(strstr(response, "\r\nDate: Fri, 02 Jan 1970 ") != NULL, "%s", response);
    ck_assert_msg(strstr(text, json ? "\"1970-01-02T" : "[02/Jan/1970:") != NULL, "%s", text);
    free(text);
    return 0;
}

static ssize_t logs_the_worlds_date(void *arg)
{
    (void)arg;
    IS(cg_yield(cg_sleep(30 * CG_HOUR)), 0);
    OK(has_the_worlds_date(NULL));
    return has_the_worlds_date("json");
}

/* A reader of stderr that reads nothing does not hold up a server whose messages go there. */
static void act_for_the_slow(void)
{
    struct cg_http_server *own = cg_http_server_new();
    int reading = child_fill_stderr();

    SURE(own != NULL);
    cg__http_log(own, "nobody reads this");
    cg_http_server_free(own);
    close(reading);
}

static void stderr_is_full(void)
{
    char text[100];

    IS(child_run(act_for_the_slow, text, sizeof text), 0);
}

static const struct test_case cases[] = {
    CORO(reader_has_gone, .where = ON_KERNEL),
    CORO(logs_the_worlds_date, .where = ON_SIM),
    PLAIN(stderr_is_full, .where = ON_SIM),
};

int main(void)
{
    return both_main("http log", cases, COUNT(cases), NULL, 0);
}
