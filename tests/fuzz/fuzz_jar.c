/* SPDX-License-Identifier: MIT */
/* Cookie jars: the input is a file of cookies, and each of its lines a Set-Cookie. A jar that is
 * printed and loaded again is the same, and what it sends may stand in a field. */
#include "config.h"

#include "http/cookies/jar.h"
#include "http/message/message.h"
#include "tests/fuzz/fuzz.h"

#include <time.h>
#include <unistd.h>

static const char *const urls[] = {"https://www.a.example.org/x/y", "http://a.example.org/",
                                   "https://127.0.0.1/x"};

static FILE *file; /* the jar as a file */
static char path[40];

static void write_file(const void *data, size_t size)
{
    if (file == NULL) {
        file = tmpfile();
        MUST(file != NULL);
        snprintf(path, sizeof path, "/dev/fd/%d", fileno(file));
    }
    rewind(file);
    MUST(ftruncate(fileno(file), 0) == 0);
    MUST(fwrite(data, 1, size, file) == size && fflush(file) == 0);
}

static void load(struct cg_http_jar *jar, const void *data, size_t size, unsigned *wrong)
{
    write_file(data, size);
    MUST(cg_http_jar_load(jar, path, wrong) >= 0);
}

static struct fuzz_told print(const struct cg_http_jar *jar)
{
    struct fuzz_told told;

    cg_http_jar_print(jar, fuzz_tell(&told));
    fclose(told.file);
    return told;
}

static void check_again(const struct cg_http_jar *jar)
{
    struct cg_http_jar *again = cg_http_jar_new();
    struct fuzz_told first = print(jar), second;
    unsigned wrong = 0;

    load(again, first.text, first.size, &wrong);
    MUST(wrong == 0);
    second = print(again);
    fuzz_compare(&first, &second);
    free(first.text);
    cg_http_jar_free(again);
}

static void check_sent(struct cg_http_jar *jar)
{
    static char sent[CG_HTTP_JAR_SENT + 1];

    for (size_t i = 0; i < COUNT(urls); i++) {
        ssize_t n = cg_http_jar_get(jar, urls[i], sent, sizeof sent);

        MUST(n >= 0 && (size_t)n == strlen(sent));
        MUST(cg__http_message_is_value(sent, (size_t)n));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cg_http_jar *jar = cg_http_jar_new(.cookies = 10);
    char *text = fuzz_text(data, size), *at = text, *line;
    time_t before = time(NULL);
    size_t number = 0;

    MUST(jar != NULL);
    load(jar, data, size, NULL);
    while ((line = strsep(&at, "\n")) != NULL)
        cg_http_jar_set(jar, urls[number++ % COUNT(urls)], line, NULL);
    check_sent(jar);
    if (time(NULL) == before) /* otherwise a cookie may have expired meanwhile */
        check_again(jar);
    cg_http_jar_free(jar);
    free(text);
    return 0;
}
