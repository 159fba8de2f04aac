/* SPDX-License-Identifier: MIT */
/* Jars in files: Netscape's format, a cookie a line, its columns separated by tabs: domain,
 * whether hosts beneath it get it, path, whether it is secure, when it expires, name, value. */
#include "config.h"

#include "http/cookies/jar.h"
#include "http/message/message.h"
#include "lib/base/ascii.h"

#include <cogen/http_cookie.h>
#include <cogen/os_signal.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    DOMAIN,
    BENEATH,
    PATH,
    SECURE,
    EXPIRES,
    NAME,
    VALUE,
    COLUMNS
};
enum {
    LINE = 16 * 1024
}; /* bytes of a line; longer ones are skipped */

static const char http_only[] = "#HttpOnly_";

/* Splits a line in place. The value may be missing, if it is empty. */
static bool split(char *line, char *columns[COLUMNS])
{
    int count = 0;

    while (count < COLUMNS && line != NULL)
        columns[count++] = strsep(&line, "\t");
    if (count == VALUE)
        columns[VALUE] = columns[NAME] + strlen(columns[NAME]);
    return count >= VALUE && line == NULL;
}

static bool is_flag(const char *text, bool *flag)
{
    *flag = cg__ascii_equal(text, "TRUE");
    return *flag || cg__ascii_equal(text, "FALSE");
}

/* Changes a domain to lower case. False: it is none. */
static bool is_domain(char *text)
{
    char *at = text;

    for (; *at != '\0'; at++) {
        *at = cg__ascii_lower(*at);
        if (!cg__ascii_is_letter(*at) && !cg__ascii_is_digit(*at) &&
            strchr("-._:", *at) == NULL)
            return false;
    }
    return at > text && *text != '.';
}

static bool is_text(const char *text)
{
    return strchr(text, ';') == NULL && cg__http_message_is_value(text, strlen(text));
}

/* Reads a cookie from a line without its end, which is changed. */
static bool read_cookie(char *line, struct cg_http_jar_cookie *is)
{
    char *columns[COLUMNS];
    bool beneath;
    uint64_t expires;

    *is = (struct cg_http_jar_cookie){.http_only = cg__ascii_begins(line, http_only)};
    if (!split(line + (is->http_only ? sizeof http_only - 1 : 0), columns) ||
        !is_flag(columns[BENEATH], &beneath) ||
        !is_flag(columns[SECURE], &is->secure) ||
        !cg__ascii_is_number(columns[EXPIRES], &expires))
        return false;
    columns[DOMAIN] += *columns[DOMAIN] == '.';
    is->domain = columns[DOMAIN];
    is->host_only = !beneath;
    is->path = columns[PATH];
    is->expires = expires < INT64_MAX ? (int64_t)expires : INT64_MAX;
    is->name = columns[NAME];
    is->value = columns[VALUE];
    return is_domain(columns[DOMAIN]) && is->path[0] == '/' && is_text(is->path) &&
           is_text(is->name) && strchr(is->name, '=') == NULL && is_text(is->value) &&
           strlen(is->name) + strlen(is->value) <= CG_HTTP_COOKIE_LIMIT &&
           (*is->name != '\0' || *is->value != '\0') && cg__http_jar_keeps_rules(is);
}

static bool is_comment(const char *line)
{
    return *line == '\0' || (*line == '#' && !cg__ascii_begins(line, http_only));
}

/* The next byte of a file of which so many bytes are left to be read; or EOF. */
static int next_byte(FILE *file, size_t *left)
{
    if (*left == 0)
        return EOF;
    --*left;
    return getc(file);
}

/* Reads a line without its end; what exceeds the buffer is skipped, and *whole is false.
 * Returns false at the end of the file. */
static bool read_line(FILE *file, size_t *left, char line[LINE], bool *whole)
{
    size_t len = 0;
    int c;

    *whole = true;
    while ((c = next_byte(file, left)) != EOF && c != '\n') {
        *whole &= c != '\0' && len < LINE - 1;
        if (*whole)
            line[len++] = (char)c;
    }
    len -= len > 0 && line[len - 1] == '\r';
    line[len] = '\0';
    return c != EOF || len > 0 || !*whole;
}

static ssize_t load(struct cg_http_jar *jar, FILE *file, char *line, unsigned *wrong)
{
    int64_t now = cg__http_jar_now();
    struct cg_http_jar_cookie is;
    size_t left = CG_HTTP_JAR_FILE_LIMIT + 1; /* the last one finds the end */
    ssize_t count = 0;
    bool whole;

    for (unsigned number = 1; read_line(file, &left, line, &whole); number++) {
        if (whole && is_comment(line))
            continue;
        if (!whole || !read_cookie(line, &is)) {
            *wrong = *wrong == 0 ? number : *wrong;
            continue;
        }
        if (cg__http_jar_put(jar, &is, now) < 0)
            return -ENOMEM;
        count++;
    }
    if (ferror(file))
        return -errno;
    return left == 0 && !feof(file) ? -EFBIG : count;
}

ssize_t cg_http_jar_load(struct cg_http_jar *jar, const char *path, unsigned *wrong)
{
    unsigned unused;
    char *line = malloc(LINE);
    FILE *file = line ? fopen(path, "re") : NULL;
    ssize_t n = line == NULL ? -ENOMEM : file == NULL ? -errno : 0;

    wrong = wrong != NULL ? wrong : &unused;
    *wrong = 0;
    if (n == 0)
        n = load(jar, file, line, wrong);
    if (file != NULL)
        fclose(file);
    free(line);
    return n;
}

static int by_number(const void *a, const void *b)
{
    const struct cg__jar_cookie *const *one = a, *const *other = b;

    return ((*one)->number > (*other)->number) - ((*one)->number < (*other)->number);
}

/* The cookies in the order of their creation, which the lines of a file keep: the order in
 * a request depends on it. NULL: no memory, or no cookies. */
static const struct cg__jar_cookie **sorted(const struct cg_http_jar *jar)
{
    const struct cg__jar_cookie **list =
        jar->count > 0 ? malloc(jar->count * sizeof *list) : NULL, *at = jar->oldest;

    for (unsigned i = 0; list != NULL && i < jar->count; i++, at = at->newer)
        list[i] = at;
    if (list != NULL)
        qsort(list, jar->count, sizeof *list, by_number);
    return list;
}

/* Without memory the order is that of the list. */
void cg_http_jar_print(const struct cg_http_jar *jar, FILE *file)
{
    const struct cg__jar_cookie **list = sorted(jar), *at = jar->oldest;
    int before = cg_sigpipe_block();

    fputs("# Netscape HTTP Cookie File\n# Written by libcogen; edit at your own "
          "risk.\n\n",
          file);
    for (unsigned i = 0; i < jar->count; i++, at = at->newer) {
        const struct cg_http_jar_cookie *is = list != NULL ? &list[i]->is : &at->is;

        fprintf(file, "%s%s%s\t%s\t%s\t%s\t%" PRId64 "\t%s\t%s\n",
                is->http_only ? http_only : "", is->host_only ? "" : ".", is->domain,
                is->host_only ? "FALSE" : "TRUE", is->path,
                is->secure ? "TRUE" : "FALSE", is->expires, is->name, is->value);
    }
    cg_sigpipe_unblock(before, ferror(file));
    free(list);
}

/* Prints into a file, and closes it. */
static int print_to(const struct cg_http_jar *jar, FILE *file)
{
    bool failed;

    if (file == NULL)
        return -errno;
    cg_http_jar_print(jar, file);
    failed = ferror(file) != 0;
    return fclose(file) != 0 || failed ? (errno ? -errno : -EIO) : 0;
}

/* A file beside the old one becomes it when it is complete. */
static int replace(const struct cg_http_jar *jar, const char *path)
{
    char *other = malloc(strlen(path) + sizeof ".XXXXXX");
    int fd, rc;
    FILE *file;

    if (other == NULL)
        return -ENOMEM;
    strcpy(stpcpy(other, path), ".XXXXXX");
    fd = mkstemp(other); /* only the owner may read it */
    file = fd >= 0 ? fdopen(fd, "w") : NULL;
    rc = print_to(jar, file);
    if (fd >= 0 && file == NULL)
        close(fd);
    if (rc == 0 && rename(other, path) < 0)
        rc = -errno;
    if (rc < 0 && fd >= 0)
        unlink(other);
    free(other);
    return rc;
}

int cg_http_jar_save(const struct cg_http_jar *jar, const char *path)
{
    struct stat st;

    /* Replacing /dev/stdout, a symbolic link, would take it from all programs. */
    if (lstat(path, &st) == 0 && !S_ISREG(st.st_mode))
        return print_to(jar, fopen(path, "we"));
    return replace(jar, path);
}
