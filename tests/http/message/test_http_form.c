/* SPDX-License-Identifier: MIT */
/* Forms that an HTTP server reads, whose files are stored. */
#include "config.h"

#include "tests/http/http_serve.h"

#include <cogen/http_form.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef NO_TMPFILE
/* A file system that has no files without names. The linker calls these instead (--wrap). */
int __real_openat(int dir, const char *path, int flags, ...);
int __wrap_openat(int dir, const char *path, int flags, ...);
int __wrap_openat(int dir, const char *path, int flags, ...)
{
    if ((flags & CG__OPEN_NAMELESS) == CG__OPEN_NAMELESS) {
        errno = EOPNOTSUPP;
        return -1;
    }
    return __real_openat(dir, path, flags, 0600);
}
#endif

#define F(name) "Content-Disposition: form-data; name=" name "\r\n"
#define ONE "--B-b\r\n" F("a") "\r\n"
#define LAST "\r\n--B-b--\r\n"
#define LONG_LINE "0123456789012345678901234567890123456789012345678901234567890123456789"

static char folder[64];
static struct cg_http_form_limits limits;
static bool in_memory, keeps;
static ssize_t (*piece)(void *arg, const struct cg_http_part *part, const void *data,
                        size_t len);

/* The number of files in the folder. */
static int stored(void)
{
    DIR *dir = opendir(folder);
    int count = 0;

    ck_assert_ptr_nonnull(dir);
    while (readdir(dir) != NULL)
        count++;
    closedir(dir);
    return count - 2;
}

static void append(char *text, const char *more, size_t len)
{
    size_t end = strlen(text);

    memcpy(text + end, more, strnlen(more, len));
    text[end + strnlen(more, len)] = '\0';
}

static void print_file(char *text, const struct cg_http_part *part)
{
    char bytes[64], size[32];
    ssize_t n = part->file >= 0 ? pread(part->file, bytes, sizeof bytes, 0) : 0;

    snprintf(size, sizeof size, "(%llu%s)", (unsigned long long)part->size,
             part->file >= 0 ? "" : " m");
    append(text, part->filename, 100);
    append(text, size, 100);
    append(text, bytes, (size_t)n);
}

/* Responds with the form: "name=value;name=filename(size)bytes;". */
static ssize_t form_handler(struct cg_http_request *req, void *arg)
{
    char text[1024] = "", path[128];
    const struct cg_http_part *part;
    struct cg_http_form *form;
    size_t at = 0;
    ssize_t n = cg_yield(cg_http_read_form(req, &form, .limits = &limits,
                                           .folder = in_memory ? NULL : folder,
                                           .piece = piece, .arg = text));

    (void)arg;
    handled++;
    if (n < 0) {
        ck_assert_ptr_null(form);
        return n;
    }
    while ((part = cg_http_form_next(form, &at)) != NULL) {
        append(text, part->name, 100);
        append(text, "=", 1);
        if (part->filename != NULL)
            print_file(text, part);
        append(text, part->value, part->len < 100 ? part->len : 100);
        append(text, ";", 1);
        IS(part->value[part->len], 0);
    }
    IS((ssize_t)at, n);
    part = cg_http_form_file(form, "f");
    if (keeps) {
        snprintf(path, sizeof path, "%s/kept", folder);
        IS(cg_http_form_keep(form, NULL, path), -EINVAL);
        OK(cg_http_form_keep(form, part, path));
        IS(cg_http_form_keep(form, part, path), -EEXIST);
    }
    cg_http_form_free(form);
    return cg_yield(cg_http_send_text(req, 200, text));
}

static void form_begin(const struct cg_http_server_options *options)
{
    snprintf(folder, sizeof folder, "/tmp/cogen-form-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    limits = (struct cg_http_form_limits){.parts = 0};
    in_memory = keeps = false;
    piece = NULL;
    serve_begin(options);
    OK(cg_http_server_mount(server, "POST /form", form_handler, NULL));
}

static void form_end(void)
{
    serve_end();
    IS(stored(), 0);
    IS(rmdir(folder), 0);
}

/* A request with a form. */
static const char *post(const char *type, const char *body)
{
    static char text[200 * 1024];

    snprintf(text, sizeof text,
             "POST /form" V CLOSE "Content-Type: %s\r\nContent-Length: %zu\r\n\r\n%s", type,
             strlen(body), body);
    return BODY(text);
}

#define PAIRS "application/x-www-form-urlencoded"
#define PARTS "multipart/form-data; boundary=B-b"
#define FILE_PART(name, file) "--B-b\r\n" F(#name "; filename=\"" file "\"") "\r\n"

static ssize_t pairs(void *arg)
{
    (void)arg;
    form_begin(NULL);
    ck_assert_str_eq(post(PAIRS, "a=1&b=x+y%26z&&c&=d&e=f=g&a=%C3%A4"),
                     "a=1;b=x y&z;c=;=d;e=f=g;a=\xc3\xa4;");
    ck_assert_str_eq(post("Application/X-WWW-Form-urlencoded; charset=UTF-8", "a=b"), "a=b;");
    ck_assert_str_eq(post(PAIRS, ""), "");
    ck_assert_str_eq(post(PAIRS, "a"), "a=;");
    ck_assert_str_eq(post(PAIRS, "%41=%42"), "A=B;");
    ck_assert_str_eq(post(PAIRS, "a=%"), "400 Bad Request\n");
    ck_assert_str_eq(post(PAIRS, "a=%4"), "400 Bad Request\n");
    ck_assert_str_eq(post(PAIRS, "a%00=1"), "400 Bad Request\n");
    ck_assert_str_eq(post("text/plain", "a=b"), "415 Unsupported Media Type\n");
    ck_assert_str_eq(post("application/x-www-form-urlencodedX", "a=b"),
                     "415 Unsupported Media Type\n");
    IS(status_of("POST /form" V "Content-Length: 3\r\n\r\na=b"), 415);
    form_end();
    return 0;
}

static ssize_t parts(void *arg)
{
    (void)arg;
    form_begin(NULL);
    ck_assert_str_eq(post(PARTS, ONE "x\r\n--B-b\r\n" F("b") "\r\n" LAST), "a=x;b=;");
    ck_assert_str_eq(post("multipart/form-data; boundary=\"B-b\"", ONE "x" LAST), "a=x;");
    ck_assert_str_eq(post(PARTS, ONE "x\r\n" FILE_PART(f, "dir/y.txt") "bytes" LAST),
                     "a=x;f=y.txt(5)bytes;");
    ck_assert_str_eq(post(PARTS, FILE_PART(f, "empty") LAST), "f=empty(0);");
    ck_assert_str_eq(post(PARTS, FILE_PART(f, "") "\r\n" ONE "x" LAST), "a=x;");
    in_memory = true;
    ck_assert_str_eq(post(PARTS, FILE_PART(f, "y.txt") "bytes" LAST), "f=y.txt(5 m)bytes;");
    ck_assert_str_eq(post("multipart/form-data", ONE "x" LAST), "400 Bad Request\n");
    ck_assert_str_eq(post("multipart/form-data; boundary=\"\"", ONE "x" LAST),
                     "400 Bad Request\n");
    ck_assert_str_eq(post("multipart/form-data; boundary=x;boundary=y", ONE "x" LAST),
                     "400 Bad Request\n");
    ck_assert_str_eq(post("multipart/form-data; boundary=B-b" LONG_LINE, ONE "x" LAST),
                     "400 Bad Request\n");
    ck_assert_str_eq(post(PARTS, ONE "x\r\n--B-b"), "400 Bad Request\n");
    ck_assert_str_eq(post(PARTS, ""), "400 Bad Request\n");
    ck_assert_str_eq(logged, "");
    form_end();
    return 0;
}

/* Each limit, just reached and just exceeded. */
static ssize_t limited(void *arg)
{
#define TOO_LARGE "413 Content Too Large\n"
    (void)arg;
    form_begin(NULL);
    limits.parts = 2;
    ck_assert_str_eq(post(PAIRS, "a=1&b=2"), "a=1;b=2;");
    ck_assert_str_eq(post(PAIRS, "a=1&b=2&c=3"), TOO_LARGE);
    limits.field = 3;
    ck_assert_str_eq(post(PAIRS, "a=123"), "a=123;");
    ck_assert_str_eq(post(PAIRS, "a=1234"), TOO_LARGE);
    ck_assert_str_eq(post(PARTS, ONE "123" LAST), "a=123;");
    ck_assert_str_eq(post(PARTS, ONE "1234" LAST), TOO_LARGE);
    ck_assert_str_eq(post(PARTS, ONE "\r\n--" LAST), TOO_LARGE);
    limits.files = 1;
    limits.file = 3;
    ck_assert_str_eq(post(PARTS, FILE_PART(f, "x") "123" LAST), "f=x(3)123;");
    ck_assert_str_eq(post(PARTS, FILE_PART(f, "x") "1234" LAST), TOO_LARGE);
    ck_assert_str_eq(
        post(PARTS, FILE_PART(f, "x") "1\r\n" FILE_PART(f, "x") "2" LAST), TOO_LARGE);
    ck_assert_str_eq(
        post(PARTS, FILE_PART(f, "") "\r\n" FILE_PART(f, "x") "2" LAST), "f=x(1)2;");
    limits.header = 50;
    ck_assert_str_eq(post(PARTS, FILE_PART(f, "a long name") LAST), TOO_LARGE);
    limits = (struct cg_http_form_limits){.memory = 500};
    ck_assert_str_eq(post(PAIRS, "a=1"), "a=1;");
    ck_assert_str_eq(post(PAIRS, "a=&b=&c=&d=&e=&f="), TOO_LARGE);
    ck_assert_str_eq(post(PARTS, ONE LONG_LINE LONG_LINE LONG_LINE LONG_LINE LONG_LINE LONG_LINE
                              LONG_LINE LONG_LINE LAST), TOO_LARGE);
    form_end();
    return 0;
}

/* A file of many blocks arrives whole; one that is kept outlives the form. */
static ssize_t large(void *arg)
{
    enum { SIZE = 150 * 1000 };
    static char body[SIZE + 1000], text[SIZE + 2000];
    char path[128], want[64];
    struct cg_sock *sock;
    size_t head, size;
    int fd;

    (void)arg;
    form_begin(NULL);
    keeps = true;
    head = (size_t)sprintf(body, "%s", FILE_PART(f, "big"));
    test_fill(body + head, SIZE, 0);
    size = head + SIZE + (size_t)sprintf(body + head + SIZE, "%s", LAST);
    size = (size_t)sprintf(text, "POST /form" V CLOSE "Content-Type: " PARTS
                                 "\r\nContent-Length: %zu\r\n\r\n", size);
    memcpy(text + size, body, head + SIZE + strlen(LAST));
    sock = serve_client();
    OK(cg_yield(cg_writeall(sock, text, size + head + SIZE + strlen(LAST))));
    snprintf(want, sizeof want, "f=big(%d)", SIZE);
    ck_assert_ptr_nonnull(strstr(receive(sock, NULL), want));
    cg_sock_close(sock);
    IS(stored(), 1);
    snprintf(path, sizeof path, "%s/kept", folder);
    fd = open(path, O_RDONLY);
    IS(read(fd, body, sizeof body), SIZE);
    test_verify(body, SIZE, 0);
    close(fd);
    IS(unlink(path), 0);
    form_end();
    return 0;
}

/* A client that leaves in the middle of a file leaves nothing on disk. */
static ssize_t leaves(void *arg)
{
    static char text[100 * 1000];
    struct cg_sock *sock;
    size_t size;

    (void)arg;
    form_begin(NULL);
    size = (size_t)sprintf(text, "POST /form" V "Content-Type: " PARTS
                                 "\r\nContent-Length: 200000\r\n\r\n" FILE_PART(f, "big"));
    memset(text + size, 'x', sizeof text - size);
    sock = serve_client();
    OK(cg_yield(cg_writeall(sock, text, sizeof text)));
    cg_sock_close(sock);
    until_handled(1);
    form_end();
    return 0;
}

/* The folder is not there: the client gets a 500, and the log says why. */
static ssize_t no_folder(void *arg)
{
    (void)arg;
    form_begin(NULL);
    rmdir(folder);
    ck_assert_str_eq(post(PARTS, FILE_PART(f, "x") "123" LAST), "500 Internal Server Error\n");
    ck_assert_ptr_nonnull(strstr(logged, "No such file"));
    IS(mkdir(folder, 0700), 0);
    form_end();
    return 0;
}

static ssize_t sees_piece(void *arg, const struct cg_http_part *part, const void *data,
                          size_t len)
{
    if (memmem(data, len, "stop", 4) != NULL)
        return -ENOSPC;
    append(arg, len > 0 ? part->filename : "end ", 100);
    append(arg, ":", 1);
    append(arg, data, len);
    return cg_yield(cg_sleep(CG_MILLISECOND));
}

/* Files go to the program, piece by piece. */
static ssize_t pieces(void *arg)
{
    (void)arg;
    form_begin(NULL);
    piece = sees_piece;
    ck_assert_str_eq(post(PARTS, ONE "x\r\n" FILE_PART(f, "y") "bytes" LAST),
                     "y:bytesend :a=x;f=y(5 m);");
    ck_assert_str_eq(post(PARTS, FILE_PART(f, "y") "stop" LAST), "500 Internal Server Error\n");
    form_end();
    return 0;
}

/* A read that times out frees what it has. */
static ssize_t impatient(struct cg_http_request *req, void *arg)
{
    struct cg_http_form *form = arg;

    IS(cg_yield(cg_http_read_form(req, &form, .folder = folder,
                                  .timeout = 5 * CG_MILLISECOND)), -ETIMEDOUT);
    ck_assert_ptr_null(form);
    IS(stored(), 0);
    return cg_yield(cg_http_send_text(req, 408, "slow\n"));
}

static ssize_t slow(void *arg)
{
    (void)arg;
    form_begin(NULL);
    OK(cg_http_server_mount(server, "/impatient", impatient, "x"));
    ck_assert_str_eq(BODY("POST /impatient" V CLOSE "Content-Type: " PARTS
                          "\r\nContent-Length: 1000\r\n\r\n" FILE_PART(f, "x") "123"),
                     "slow\n");
    form_end();
    return 0;
}

static const struct test_case cases[] = {
    CORO(pairs),
    CORO(parts),
    CORO(limited),
    CORO(no_folder),
    CORO(pieces),
    CORO(slow),
};

static const struct test_case once[] = {CORO(large), CORO(leaves)};

int main(void)
{
    return both_main("http form", cases, COUNT(cases), once, COUNT(once));
}
