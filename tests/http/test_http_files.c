/* SPDX-License-Identifier: MIT */
/* Static files: which file a path names, that no path leads out of the root, conditions,
 * ranges, and compressed siblings. With NO_OPENAT2 (and the linker's --wrap=syscall) the
 * kernel seems to lack openat2. */
#include "config.h"

#include <cogen/http_server.h>

#include "http/coding/decoder.h"
#include "http/files/files.h"
#include "tests/http/h2_text.h"
#include "tests/support/support.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef NO_OPENAT2
#include <stdarg.h>
#include <sys/syscall.h>

static unsigned missed; /* calls of openat2 */

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
        errno = ENOSYS;
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

static char root[64];
static struct cg_http_server *server;
static struct cg_sock *listener;
static char addr[CG_ADDR_SIZE], got[256 * 1024];

static void put(const char *name, const char *text)
{
    test_put_file(root, name, text);
}

static void in_root(int (*call)(const char *path, mode_t mode), const char *name)
{
    char path[128];

    snprintf(path, sizeof path, "%s/%s", root, name);
    ck_assert_int_eq(call(path, 0755), 0);
}

static void link_to(const char *target, const char *name)
{
    char path[128];

    snprintf(path, sizeof path, "%s/%s", root, name);
    ck_assert_int_eq(symlink(target, path), 0);
}

static void make_root(void)
{
    strcpy(root, "/tmp/cogen-files-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(root));
    in_root(mkdir, "www");
    in_root(mkdir, "www/sub");
    in_root(mkdir, "www/bare");
    in_root(mkdir, "www/.well-known");
    in_root(mkdir, "www/.git");
    in_root(mkfifo, "www/fifo");
    put("secret", "secret");
    put("www/a.txt", "0123456789");
    put("www/a b&.html", "escaped");
    put("www/c.css", "plain");
    put("www/c.css.gz", "gzipped");
    put("www/c.css.br", "brotlied");
    put("www/sub/index.html", "index");
    put("www/sub/100%", "all");
    put("www/sub/a%2Fb", "percent");
    put("www/bare/<x>", "x");
    put("www/bare/.dot", "x");
    put("www/.git/config", "config");
    put("www/.well-known/x", "known");
    put("www/.well-known/.x", "x");
    link_to("a.txt", "www/inside");
    link_to("../secret", "www/outside");
    link_to("..", "www/up");
    link_to("/etc", "www/etc");
    link_to("loop", "www/loop");
    link_to("../a.txt", "www/bare/in");
    link_to("../sub", "www/bare/folder");
    link_to("../../secret", "www/bare/out");
    link_to("/etc", "www/bare/etc");
}

static ssize_t serve(void *arg)
{
    (void)arg;
    return cg_yield(cg_http_serve(server, listener));
}

/* Requests a path with further fields. Returns the status. */
static int ask(const char *method, const char *path, const char *fields)
{
    struct cg_sock *sock;
    char text[1024];
    size_t size = 0;
    ssize_t n = snprintf(text, sizeof text,
                         "%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s\r\n", method,
                         path, fields);
    int status = 0;

    if (h2_text_on) {
        h2_text_ask(addr, text, got, sizeof got);
    } else {
        OK(cg_yield(cg_connect(addr, &sock)));
        OK(cg_yield(cg_writeall(sock, text, n)));
        while ((n = OK(cg_yield(cg_read(sock, got + size, sizeof got - 1 - size)))) > 0)
            size += (size_t)n;
        got[size] = '\0';
        cg_sock_close(sock);
    }
    sscanf(got, "HTTP/1.1 %d", &status);
    return status;
}

static int get(const char *path)
{
    return ask("GET", path, "");
}

static const char *body(void)
{
    return strstr(got, "\r\n\r\n") + 4;
}

/* A field of the response. Each call has a buffer of its own. */
static const char *field(const char *name)
{
    static char values[4][256];
    static unsigned turn;
    char *value = values[turn++ % 4], line[64], *at;

    snprintf(line, sizeof line, "\r\n%s: ", name);
    at = strstr(got, line);
    snprintf(value, sizeof values[0], "%.*s", at ? (int)strcspn(at + strlen(line), "\r") : 6,
             at ? at + strlen(line) : "(none)");
    return value;
}

static ssize_t with_options(cg_fn *check, const struct cg_http_files_options *options)
{
    struct cg_http_files *files;
    struct cg_coro *serving;
    char path[128];

    make_root();
    snprintf(path, sizeof path, "%s/www", root);
    OK(cg_http_files_open(path, options, &files));
    server = cg_http_server_new(.protocols = CG_HTTP_H1 | CG_HTTP_H2C);
    OK(cg_http_server_mount(server, "/", cg_http_files_handler, files));
    OK(cg_http_server_mount(server, "GET /pre/", cg_http_files_handler, files));
    listener = test_listen(addr);
    serving = test_start(serve, NULL);
    check(NULL);
    IS(cg_yield(cg_http_shutdown(server, .timeout = CG_SECOND)), 0);
    IS(test_end(serving), 0);
    cg_http_server_free(server);
    cg_http_files_close(files);
    cg_sock_close(listener);
    snprintf(path, sizeof path, "rm -r %s", root);
    ck_assert_int_eq(system(path), 0);
    return 0;
}

static ssize_t with(cg_fn *check, bool listing)
{
    return with_options(check, &(struct cg_http_files_options){.listing = listing});
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
    IS(get("/sub"), 301);
    ck_assert_str_eq(field("Location"), "/sub/");
    IS(get("//sub?q=1"), 301);
    ck_assert_str_eq(field("Location"), "/sub/?q=1");
    IS(get("/sub/"), 200);
    ck_assert_str_eq(body(), "index");
    IS(get("/bare/"), 403);
    IS(get("/none"), 404);
    IS(get("/a.txt/"), 404);
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
    return with(look_paths, false);
}

static ssize_t look_list(void *arg)
{
    (void)arg;
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
    return with(look_list, true);
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
    return with_options(look_hidden, &(struct cg_http_files_options){.listing = true,
                                                                     .hidden = true});
}

/* A list that is long enough is compressed, with all names. */
static ssize_t look_long_list(void *arg)
{
    char name[32];

    (void)arg;
    for (int i = 0; i < 2000; i++) {
        snprintf(name, sizeof name, "www/bare/%04d", (i * 7) % 2000);
        put(name, "");
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
    return with(look_long_list, true);
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
    return with(look_broken, true);
}

/* The size of a file that the kernel generates while it is read is not known before. */
static ssize_t special(void *arg)
{
    static const char *const folders[] = {"/proc/self", "/sys/kernel"};
    static const char *const names[] = {"/status", "/fscaps"};
    struct cg_http_files *files;
    struct cg_coro *serving;
    char path[64], want[32];
    FILE *file;

    (void)arg;
    for (size_t i = 0; i < COUNT(folders); i++) {
        snprintf(path, sizeof path, "%s%s", folders[i], names[i]);
        file = fopen(path, "r");
        if (file == NULL || fgets(want, sizeof want, file) == NULL) {
            printf("SKIP: there is no %s\n", path);
            continue;
        }
        fclose(file);
        OK(cg_http_files_open(folders[i], NULL, &files));
        server = cg_http_server_new(.protocols = CG_HTTP_H1 | CG_HTTP_H2C);
        OK(cg_http_server_mount(server, "/", cg_http_files_handler, files));
        listener = test_listen(addr);
        serving = test_start(serve, NULL);
        IS(get(names[i]), 200);
        ck_assert_str_eq(field("Content-Length"), "(none)");
        ck_assert_ptr_nonnull(strstr(body(), want));
        IS(strstr(body(), "\r\n0\r\n\r\n") != NULL, !h2_text_on);
        IS(ask("GET", names[i], "Range: bytes=0-1\r\n"), 200);
        IS(ask("HEAD", names[i], ""), 200);
        ck_assert_str_eq(body(), "");
        IS(cg_yield(cg_http_shutdown(server, .timeout = CG_SECOND)), 0);
        IS(test_end(serving), 0);
        cg_http_server_free(server);
        cg_http_files_close(files);
        cg_sock_close(listener);
    }
    return 0;
}

/* A file that the client already has is not sent again, unless it has changed. */
static ssize_t look_conditions(void *arg)
{
    char etag[128], date[64], fields[256];

    (void)arg;
#define ASK(...) (snprintf(fields, sizeof fields, __VA_ARGS__), ask("GET", "/a.txt", fields))
    IS(get("/a.txt"), 200);
    snprintf(etag, sizeof etag, "%s", field("ETag"));
    snprintf(date, sizeof date, "%s", field("Last-Modified"));
    IS(ASK("If-None-Match: %s\r\n", etag), 304);
    ck_assert_str_eq(body(), "");
    ck_assert_str_eq(field("ETag"), etag);
    IS(ASK("If-None-Match: \"x\", W/%s\r\n", etag), 304);
    IS(ASK("If-None-Match: *\r\n"), 304);
    IS(ASK("If-None-Match: \"x\"\r\nIf-Modified-Since: %s\r\n", date), 200);
    IS(ASK("If-Modified-Since: %s\r\n", date), 304);
    IS(ASK("If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n"), 200);
    IS(ASK("If-Modified-Since: yesterday\r\n"), 200);
    IS(ASK("If-None-Match: \"x\"\r\nIf-None-Match: %s\r\n", etag), 304);
    IS(ASK("If-None-Match: \"x\"\r\nIf-None-Match: \"y\"\r\n"), 200);
    IS(ASK("If-Match: %s\r\n", etag), 200);
    IS(ASK("If-Match: \"x\"\r\nIf-Match: %s\r\n", etag), 200);
    IS(ASK("If-Match: \"x\", W/%s\r\n", etag), 412);
    IS(ASK("If-Match: \"x\"\r\n"), 412);
    IS(ASK("If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n"), 412);
    IS(ASK("If-Unmodified-Since: Sunday, 06-Nov-94 08:49:37 GMT\r\n"), 412);
    IS(ASK("If-Unmodified-Since: Sun Nov  6 08:49:37 1994\r\n"), 412);
    IS(ASK("If-Unmodified-Since: yesterday\r\n"), 200);
    IS(ASK("If-Match: %s\r\nIf-Unmodified-Since: Sun Nov  6 08:49:37 1994\r\n", etag), 200);
    IS(ASK("Range: bytes=2-4\r\nIf-Range: %s\r\n", etag), 206);
    IS(ASK("Range: bytes=2-4\r\nIf-Range: \"x\"\r\n"), 200);
    IS(ASK("Range: bytes=2-4\r\nIf-Range: W/%s\r\n", etag), 200);
    IS(ASK("Range: bytes=2-4\r\nIf-Range: %s\r\n", date), 200);
    IS(ASK("Range: bytes=2-4\r\nIf-Range: Sun, 06 Nov 1994 08:49:37 GMT\r\n"), 200);
    return 0;
}

static ssize_t conditions(void *arg)
{
    (void)arg;
    return with(look_conditions, false);
}

static ssize_t look_ranges(void *arg)
{
    static const struct {
        const char *range;
        int status;
        const char *content_range, *body;
    } cases[] = {
        {"bytes=2-4", 206, "bytes 2-4/10", "234"},
        {"bytes=7-", 206, "bytes 7-9/10", "789"},
        {"bytes=7-99", 206, "bytes 7-9/10", "789"},
        {"bytes=-3", 206, "bytes 7-9/10", "789"},
        {"bytes=-99", 206, "bytes 0-9/10", "0123456789"},
        {"bytes=0-0", 206, "bytes 0-0/10", "0"},
        {"bytes=10-", 416, "bytes */10", NULL},
        {"bytes=-0", 416, "bytes */10", NULL},
        {"bytes=4-2", 200, "(none)", "0123456789"},
        {"bytes=0-1,3-4", 200, "(none)", "0123456789"},
        {"bytes=x-", 200, "(none)", "0123456789"},
        {"bytes=99999999999999999999-", 416, "bytes */10", NULL},
        {"bytes=8-99999999999999999999", 206, "bytes 8-9/10", "89"},
        {"bytes=-99999999999999999999", 206, "bytes 0-9/10", "0123456789"},
        {"Bytes=2-4", 206, "bytes 2-4/10", "234"},
        {"lines=1-2", 200, "(none)", "0123456789"},
    };

    (void)arg;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char fields[64];

        snprintf(fields, sizeof fields, "Range: %s\r\n", cases[i].range);
        IS(ask("GET", "/a.txt", fields), cases[i].status);
        ck_assert_str_eq(field("Content-Range"), cases[i].content_range);
        if (cases[i].body != NULL)
            ck_assert_str_eq(body(), cases[i].body);
    }
    IS(ask("HEAD", "/a.txt", "Range: bytes=2-4\r\n"), 200);
    ck_assert_str_eq(field("Content-Length"), "10");
    ck_assert_str_eq(field("Content-Range"), "(none)");
    return 0;
}

static ssize_t ranges(void *arg)
{
    (void)arg;
    return with(look_ranges, false);
}

/* A compressed sibling is sent to clients that accept it, with the type of the original
 * file. */
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
        char fields[64];

        snprintf(fields, sizeof fields, "Accept-Encoding: %s\r\n", cases[i].accept);
        IS(ask("GET", "/c.css", fields), 200);
        ck_assert_str_eq(field("Content-Encoding"), cases[i].coding);
        ck_assert_str_eq(field("Content-Type"), "text/css; charset=utf-8");
        ck_assert_str_eq(field("Vary"), "Accept-Encoding");
        ck_assert_str_eq(body(), cases[i].body);
    }
    return 0;
}

static ssize_t siblings(void *arg)
{
    (void)arg;
    return with(look_siblings, false);
}

/* On a kernel without openat2 no path leads out either. Links are not followed at all. */
static ssize_t steps(void *arg)
{
    static const char *const refused[] = {"../secret", "sub/../../secret", "up/secret",
                                          "outside", "inside", "etc/passwd", "loop", ".."};
    char path[128];
    int dir, fd;

    (void)arg;
    make_root();
    snprintf(path, sizeof path, "%s/www", root);
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
    snprintf(path, sizeof path, "rm -r %s", root);
    ck_assert_int_eq(system(path), 0);
    return 0;
}

/* The last dot of the file name counts. A dot in a folder's name does not. */
static void types(void)
{
    ck_assert_str_eq(cg__http_mime("/a.b/c.HTML"), "text/html; charset=utf-8");
    ck_assert_str_eq(cg__http_mime("a.html.png"), "image/png");
    ck_assert_str_eq(cg__http_mime("/a.html/b"), "application/octet-stream");
    ck_assert_str_eq(cg__http_mime("/html"), "application/octet-stream");
    ck_assert_str_eq(cg__http_mime("a."), "application/octet-stream");
    ck_assert_str_eq(cg__http_mime("a.webmanifestations"), "application/octet-stream");
    ck_assert_str_eq(cg__http_mime("a.webmanifest"), "application/manifest+json");
    ck_assert_str_eq(cg__http_mime("a.7z"), "application/x-7z-compressed");
    ck_assert_str_eq(cg__http_mime("a.zst"), "application/zstd");
    ck_assert_str_eq(cg__http_mime("a.woff2"), "font/woff2");
}

int main(void)
{
    static const struct test_case cases[] = {
        CORO(paths),
        CORO(lists, .where = ON_KERNEL),
        CORO(hidden, .where = ON_KERNEL),
        CORO(long_list, .where = ON_KERNEL),
        CORO(breaks, .where = ON_KERNEL),
        CORO(special),
        CORO(conditions),
        CORO(ranges),
        CORO(siblings),
    };
    static const struct test_case once[] = {
        PLAIN(types, .where = ON_SIM),
        CORO(steps, .where = ON_SIM),
    };

    return both_main("http files", cases, COUNT(cases), once, COUNT(once));
}
