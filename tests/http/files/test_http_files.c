/* SPDX-License-Identifier: MIT */
/* Static files: which file a path names, that no path leads out of the root, lists, and compressed
 * siblings. With NO_OPENAT2 (and the linker's --wrap=syscall) the kernel seems to lack openat2. */
#include "config.h"

#include "http/coding/decoder.h"
#include "http/files/files.h"
#include "tests/http/files/files_ask.h"
#include "tests/http/http2/h2_text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef NO_OPENAT2
#include <stdarg.h>
#include <sys/syscall.h>

static unsigned missed; /* calls of openat2 */
static unsigned busy;   /* all but the last of so many fail with EAGAIN; 0: all with ENOSYS */

long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);

long __wrap_syscall(long number, ...)
{
    long args[6];
    va_list list;

    va_start(list, number);
    for (int i = 0; i < 6; i++)
        args[i] = va_arg(list, long);
    va_end(list);
    if (number == SYS_openat2) {
        missed++;
        errno = busy > 1 ? EAGAIN : ENOSYS;
        if (busy == 0 || busy-- > 1)
            return -1;
    }
    return __real_syscall(number, args[0], args[1], args[2], args[3], args[4], args[5]);
}

enum { LINK_INSIDE = 403 }; /* no link is followed then */
#else
static const unsigned missed = 1;

enum { LINK_INSIDE = 200 };
#endif

/* fstat fails for files whose path contains this. */
static const char *broken;

int fstat(int fd, struct stat *st)
{
    char link[32], path[512];
    ssize_t n;

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    n = broken != NULL ? readlink(link, path, sizeof path - 1) : -1;
    path[n > 0 ? n : 0] = '\0';
    if (n > 0 && strstr(path, broken) != NULL) {
        errno = EIO;
        return -1;
    }
    return fstatat(fd, "", st, AT_EMPTY_PATH);
}

/* Existing files are found, missing ones are not, and no path leads out of the root. */
static ssize_t look_paths(void *arg)
{
    static const char *const out[] = {
        "/outside", "/up/secret", "/up/www/a.txt", "/etc/passwd", "/loop", "/fifo", "/sub/..",
    };
    static const char *const in[] = {
        "/./a.txt", "/sub/../a.txt", "/pre/../a.txt", "/%2e/a.txt", "/x/%2e%2e/a.txt",
        "/../a.txt", "/sub/../pre/a.txt", "/sub/./.././/a.txt?x=/../y",
    };
    static const char *const none[] = {
        "/../secret", "/sub/../../secret", "/%2e%2e/secret", "/.%2e/secret", "/.git/config",
        "/.git/", "/.git", "/pre/.git/config", "/x/../.git/config", "/%2egit/config",
        "/.well-known/.x", "/bare/.dot",
    };

    (void)arg;
    IS(get("/a.txt"), 200);
    ck_assert_str_eq(body(), "0123456789");
    ck_assert_str_eq(field("Content-Type"), "text/plain; charset=utf-8");
    IS(get("/pre/a.txt"), 200);
    IS(get("/sub/100%25"), 200);
    ck_assert_str_eq(body(), "all");
    IS(get("/sub/a%252Fb"), 200);
    ck_assert_str_eq(body(), "percent");
    IS(get("/sub/a%2Fb"), 404);
    IS(get("/sub%2F100%25"), 404);
    IS(get("/inside"), LINK_INSIDE);
    ck_assert_uint_gt(missed, 0);
    IS(get("/a%20b%26.html?x"), 200);
    ck_assert_str_eq(body(), "escaped");
    IS(get("/sub/"), 200);
    ck_assert_str_eq(body(), "index");
    IS(get("/bare/"), 403);
    IS(get("/none"), 404);
    IS(get("/a.txt/"), 404);
    IS(get("/none/"), 404);
    IS(get("/..%2fsecret"), 404);
    IS(get("/a.txt%00"), 400);
    IS(ask("POST", "/a.txt", ""), 405);
    IS(ask("HEAD", "/a.txt", ""), 200);
    ck_assert_str_eq(field("Content-Length"), "10");
    ck_assert_str_eq(body(), "");
    IS(get("/.well-known/x"), 200);
    for (size_t i = 0; i < COUNT(in); i++) {
        ck_assert_msg(get(in[i]) == 200, "%s: %s", in[i], got);
        ck_assert_str_eq(body(), "0123456789");
    }
    for (size_t i = 0; i < COUNT(none); i++)
        ck_assert_msg(get(none[i]) == 404, "%s: %s", none[i], got);
    for (size_t i = 0; i < COUNT(out); i++) {
        ck_assert_msg(get(out[i]) == 403, "%s: %s", out[i], got);
        ck_assert_ptr_null(strstr(got, "secret\n"));
    }
    return 0;
}

static ssize_t paths(void *arg)
{
    (void)arg;
    return files_with(look_paths, NULL);
}

#ifdef NO_OPENAT2
/* A link to a file inside is followed also if something is renamed at the same moment. */
static ssize_t look_renamed(void *arg)
{
    (void)arg;
    busy = 4;
    IS(get("/inside"), 200);
    IS(busy, 0);
    ck_assert_str_eq(body(), "0123456789");
    busy = UINT_MAX;
    IS(get("/inside"), 503);
    busy = 0;
    return 0;
}

static ssize_t renamed(void *arg)
{
    (void)arg;
    return files_with(look_renamed, NULL);
}
#endif

/* However a client spells the path of a directory, the redirect names its own host, and the path
 * that was looked up. */
static ssize_t look_redirects(void *arg)
{
    static const char *const cases[][2] = {
        {"/sub", "/sub/"},
        {"//sub?q=1", "/sub/?q=1"},
        {"/\\b.example/../sub", "/sub/"},
        {"//b.example/../sub?a=/../b", "/sub/?a=/../b"},
        {"/x/..//sub", "/sub/"},
        {"/%5Cb.example/%2e%2e/s%75b", "/sub/"},
        {"/sub/100%25d", "/sub/100%25d/"},
        {"/sub/\\x", "/sub/%5Cx/"},
        {"/sub/%C3%A4%20", "/sub/%C3%A4%20/"},
    };

    (void)arg;
    files_put_folder("www/sub/100%d");
    files_put_folder("www/sub/\\x");
    files_put_folder("www/sub/\xc3\xa4 ");
    for (size_t i = 0; i < COUNT(cases); i++) {
        ck_assert_msg(get(cases[i][0]) == 301, "%s: %s", cases[i][0], got);
        ck_assert_str_eq(field("Location"), cases[i][1]);
    }
    return 0;
}

static ssize_t redirects(void *arg)
{
    (void)arg;
    return files_with(look_redirects, NULL);
}

static ssize_t look_list(void *arg)
{
    (void)arg;
    files_put_folder("www/bare/50%<");
    IS(get("/bare/50%25%3C/"), 200);
    ck_assert_ptr_nonnull(strstr(got, "<h1>/bare/50%&lt;/</h1>"));
    IS(get("/bare/"), 200);
    ck_assert_ptr_nonnull(strstr(got, "<a href=\"./%3Cx%3E\">&lt;x&gt;</a>"));
    ck_assert_int_eq(strstr(got, "\"./in\"") != NULL, LINK_INSIDE == 200);
    ck_assert_int_eq(strstr(got, "\"./folder/\"") != NULL, LINK_INSIDE == 200);
    ck_assert_ptr_null(strstr(got, "./out"));
    ck_assert_ptr_null(strstr(got, "./etc"));
    ck_assert_ptr_null(strstr(got, ".dot"));
    IS(get("/sub/"), 200);
    ck_assert_str_eq(body(), "index");
    return 0;
}

static ssize_t lists(void *arg)
{
    (void)arg;
    return files_with(look_list, &(struct cg_http_files_options){.listing = true});
}

/* Names that begin with a dot are served and listed only if an option says so. */
static ssize_t look_hidden(void *arg)
{
    (void)arg;
    IS(get("/.git/config"), 200);
    ck_assert_str_eq(body(), "config");
    IS(get("/bare/"), 200);
    ck_assert_ptr_nonnull(strstr(got, "./.dot"));
    ck_assert_ptr_null(strstr(got, "\"./.\""));
    return 0;
}

static ssize_t hidden(void *arg)
{
    (void)arg;
    return files_with(look_hidden, &(struct cg_http_files_options){.listing = true,
                                                                   .hidden = true});
}

/* A list that is long enough is compressed, with all names. */
static ssize_t look_long_list(void *arg)
{
    char name[32];

    (void)arg;
    for (int i = 0; i < 2000; i++) {
        snprintf(name, sizeof name, "www/bare/%04d", (i * 7) % 2000);
        files_put(name, "");
    }
    IS(get("/bare/"), 200);
    for (int i = 0; i < 2000; i++) {
        static char *at;

        snprintf(name, sizeof name, "\"./%04d\"", i);
        at = strstr(i ? at : got, name);
        ck_assert_msg(at != NULL, "%s", name);
    }
    IS(ask("GET", "/bare/", "Accept-Encoding: gzip\r\n"), 200);
    if (strstr(cg__http_decoder_accept(), "gzip") != NULL) {
        ck_assert_str_eq(field("Content-Encoding"), "gzip");
        ck_assert_str_eq(field("Vary"), "Accept-Encoding");
        ck_assert_int_lt(atoi(field("Content-Length")), 30000);
    }
    return 0;
}

static ssize_t long_list(void *arg)
{
    (void)arg;
    return files_with(look_long_list, &(struct cg_http_files_options){.listing = true});
}

/* When fstat of a file fails, exactly that file is closed. */
static ssize_t look_broken(void *arg)
{
    int before = dup(0);

    (void)arg;
    close(before);
    for (int i = 0; i < 3; i++) {
        broken = "/a.txt";
        IS(get("/a.txt"), 500);
        broken = "/c.css.br";
        IS(ask("GET", "/c.css", "Accept-Encoding: br, gzip;q=0.5\r\n"), 200);
        ck_assert_str_eq(body(), "gzipped");
        broken = "/index.html";
        IS(get("/sub/"), 500);
        broken = "/bare";
        IS(get("/bare/"), 500);
    }
    broken = NULL;
    OK(fcntl(0, F_GETFD));
    IS(dup(0), before);
    close(before);
    return 0;
}

static ssize_t breaks(void *arg)
{
    (void)arg;
    return files_with(look_broken, &(struct cg_http_files_options){.listing = true});
}

/* A compressed sibling is sent to clients that accept it, with the type of the original
 * file. Vary keeps what a layer has set. */
static ssize_t look_siblings(void *arg)
{
    static const struct {
        const char *accept, *coding, *body;
    } cases[] = {
        {"gzip, br", "br", "brotlied"}, {"gzip", "gzip", "gzipped"},
        {"br;q=0.5, gzip;q=0.8", "gzip", "gzipped"}, {"deflate", "(none)", "plain"},
        {"gzip;q=0, br;q=0", "(none)", "plain"}, {"*", "br", "brotlied"},
    };

    (void)arg;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char fields[96];

        snprintf(fields, sizeof fields, "Accept-Encoding: %s\r\n", cases[i].accept);
        IS(ask("GET", "/c.css", fields), 200);
        ck_assert_str_eq(field("Content-Encoding"), cases[i].coding);
        ck_assert_str_eq(field("Content-Type"), "text/css; charset=utf-8");
        ck_assert_str_eq(field("Vary"), "Accept-Encoding");
        ck_assert_str_eq(body(), cases[i].body);
        strcat(fields, "Origin: https://a.example\r\n");
        IS(ask("GET", "/c.css", fields), 200);
        ck_assert_str_eq(field("Vary"), "Origin");
        ck_assert_ptr_nonnull(strstr(got, "\r\nVary: Accept-Encoding\r\n"));
    }
    return 0;
}

static ssize_t siblings(void *arg)
{
    (void)arg;
    return files_with(look_siblings, NULL);
}

/* On a kernel without openat2 no path leads out either. Links are not followed at all. */
static ssize_t steps(void *arg)
{
    static const char *const refused[] = {"../secret", "sub/../../secret", "up/secret",
                                          "outside", "inside", "etc/passwd", "loop", ".."};
    char path[128];
    int dir, fd;

    (void)arg;
    files_make_root(path, sizeof path);
    dir = open(path, O_RDONLY | O_DIRECTORY);
    for (size_t i = 0; i < COUNT(refused); i++) {
        fd = cg__http_files_open_steps(dir, refused[i]);
        ck_assert_msg(fd < 0, "%s", refused[i]);
    }
    for (const char *const *each = (const char *[]){"sub/index.html", "sub//", ".", "a.txt", 0};
         *each; each++) {
        fd = OK(cg__http_files_open_steps(dir, *each));
        close(fd);
    }
    IS(cg__http_files_open_steps(dir, "sub/none"), -ENOENT);
    IS(cg__http_files_open_steps(dir, "a.txt/x"), -ENOTDIR);
    close(dir);
    files_remove_root();
    return 0;
}

int main(void)
{
    static const struct test_case cases[] = {
        CORO(paths),
        CORO(redirects),
#ifdef NO_OPENAT2
        CORO(renamed, .where = ON_KERNEL),
#endif
        CORO(lists, .where = ON_KERNEL),
        CORO(hidden, .where = ON_KERNEL),
        CORO(long_list, .where = ON_KERNEL),
        CORO(breaks, .where = ON_KERNEL),
        CORO(siblings),
    };
    static const struct test_case once[] = {
        CORO(steps, .where = ON_SIM),
    };

    return both_main("http files", cases, COUNT(cases), once, COUNT(once));
}
