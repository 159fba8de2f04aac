/* SPDX-License-Identifier: MIT */
/* A page that lists a directory. A thread makes it, because reading a large directory would
 * block the scheduler for too long. */
#include "config.h"

#include "http/files/files.h"
#include "http/message/percent.h"
#include "http/server/response/response.h"
#include "lib/base/memory_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST = 100 * 1000 }; /* names on a page */

/* What the thread works on. It may outlive the request. */
struct listing {
    int root, directory; /* duplicates, owned by the listing */
    char *path, *title;
    bool hidden;
    char **names;
    size_t count, room;
    char *page; /* the result */
    size_t len;
};

static void put_html(FILE *out, const char *text)
{
    for (; *text != '\0'; text++)
        switch (*text) {
        case '&': fputs("&amp;", out); break;
        case '<': fputs("&lt;", out); break;
        case '>': fputs("&gt;", out); break;
        case '"': fputs("&quot;", out); break;
        default: putc(*text, out);
        }
}

static void put_link(FILE *out, const char *name)
{
    char code[4];

    fputs("./", out); /* so that a colon in the name does not begin a scheme */
    for (; *name != '\0'; name++) {
        cg__http_percent_encode(code, name, 1, "");
        fputs(code, out);
    }
}

/* Like stat. It follows a symbolic link as the handler would when it serves the file, so
 * it fails if the link leads out of the root. */
static int stat_entry(const struct listing *listing, const char *name, struct stat *st)
{
    size_t size = strlen(listing->path) + strlen(name) + 1;
    char *path;
    int fd, rc;

    if (fstatat(listing->directory, name, st, AT_SYMLINK_NOFOLLOW) < 0)
        return -1;
    if (!S_ISLNK(st->st_mode))
        return 0;
    path = malloc(size);
    if (path == NULL)
        return -1;
    snprintf(path, size, "%s%s", listing->path, name);
    fd = cg__http_files_open_beneath(listing->root, path);
    free(path);
    if (fd < 0)
        return -1;
    rc = fstat(fd, st);
    close(fd);
    return rc;
}

static void put_entry(FILE *out, const struct listing *listing, const char *name)
{
    struct stat st;

    if (stat_entry(listing, name, &st) < 0 ||
        (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)))
        return;
    fputs("<tr><td><a href=\"", out);
    put_link(out, name);
    fputs(S_ISDIR(st.st_mode) ? "/\">" : "\">", out);
    put_html(out, name);
    if (S_ISDIR(st.st_mode))
        fputs("/</a><td>\n", out);
    else
        fprintf(out, "</a><td>%lld\n", (long long)st.st_size);
}

static int add_name(struct listing *listing, const char *name)
{
    if (listing->count == listing->room) {
        size_t room = listing->room ? 2 * listing->room : 64;
        char **names = realloc(listing->names, room * sizeof *names);

        if (names == NULL)
            return -ENOMEM;
        listing->names = names;
        listing->room = room;
    }
    listing->names[listing->count] = strdup(name);
    return listing->names[listing->count] == NULL ? -ENOMEM : (listing->count++, 0);
}

/* Reads the names but "." and ".." and, unless wanted, hidden ones. It stops at MOST + 1
 * names, by which put_page knows that there are more. */
static int read_names(struct listing *listing)
{
    int fd = fcntl(listing->directory, F_DUPFD_CLOEXEC, 0), rc = 0;
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;

    if (dir == NULL) {
        rc = -errno;
        if (fd >= 0)
            close(fd);
        return rc;
    }
    errno = 0;
    while (rc == 0 && listing->count <= MOST && (entry = readdir(dir)) != NULL) {
        const char *name = entry->d_name;

        if (*name != '.' || (listing->hidden && strcmp(name, ".") != 0 &&
                             strcmp(name, "..") != 0))
            rc = add_name(listing, name);
        errno = 0;
    }
    if (rc == 0)
        rc = -errno;
    closedir(dir);
    return rc;
}

/* Compares bytes, unlike alphasort, which depends on the locale. */
static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void put_page(FILE *out, struct listing *listing)
{
    fputs("<!doctype html>\n<meta charset=\"utf-8\">\n<title>", out);
    put_html(out, listing->title);
    fputs("</title>\n<style>body { font-family: sans-serif; margin: 2em }\n"
          "td { padding: 0 2em 0 0 } td + td { text-align: right }</style>\n<h1>", out);
    put_html(out, listing->title);
    fputs("</h1>\n<table>\n<tr><td><a href=\"../\">../</a><td>\n", out);
    for (size_t i = 0; i < listing->count && i < MOST; i++)
        put_entry(out, listing, listing->names[i]);
    fputs("</table>\n", out);
    if (listing->count > MOST)
        fputs("<p>There are more files.\n", out);
}

/* Runs in the thread. */
static ssize_t make_page(void *arg)
{
    struct listing *listing = arg;
    struct cg__memory_file page;
    int rc = read_names(listing);

    if (rc < 0)
        return rc;
    if (listing->count > 0)
        qsort(listing->names, listing->count, sizeof *listing->names, by_name);
    rc = cg__memory_file_open(&page);
    if (rc < 0)
        return rc;
    put_page(page.file, listing);
    rc = cg__memory_file_close(&page, 0);
    listing->page = page.data;
    listing->len = page.len;
    return rc;
}

static void free_listing(void *arg)
{
    struct listing *listing = arg;

    if (listing->root >= 0)
        close(listing->root);
    if (listing->directory >= 0)
        close(listing->directory);
    for (size_t i = 0; i < listing->count; i++)
        free(listing->names[i]);
    free(listing->names);
    free(listing->path);
    free(listing->title);
    free(listing->page);
    free(listing);
}

/* Returns 0 or -errno. The caller frees *made in both cases; it may be NULL. */
static int make_listing(const struct cg_http_request *req, const struct cg_http_files *files,
                        const char *path, int directory, struct listing **made)
{
    struct listing *listing = *made = calloc(1, sizeof *listing);
    char *title;

    if (listing == NULL)
        return -ENOMEM;
    listing->directory = -1;
    listing->hidden = files->options.hidden;
    listing->root = fcntl(files->root, F_DUPFD_CLOEXEC, 0);
    if (listing->root >= 0)
        listing->directory = fcntl(directory, F_DUPFD_CLOEXEC, 0);
    if (listing->directory < 0)
        return -errno;
    listing->path = strdup(path);
    listing->title = title = strdup(cg_http_request_path(req));
    if (listing->path == NULL || title == NULL)
        return -ENOMEM;
    title[cg__http_percent_decode(title, title, strlen(title), false, true)] = '\0';
    return 0;
}

ssize_t cg__http_files_list(struct cg_http_request *req,
                            const struct cg_http_files *files, const char *path,
                            int directory)
{
    enum cg_fate fate = CG_FATE_NOT_RUN;
    struct listing *listing;
    ssize_t n = make_listing(req, files, path, directory, &listing);

    if (n == 0)
        n = cg_yield(cg_offload(make_page, listing, .abandon = free_listing, .fate = &fate));
    if (n == 0)
        n = cg_yield(cg_http_respond(req, 200, listing->page, listing->len,
                                     .mime = "text/html; charset=utf-8"));
    else if (n != -ECANCELED)
        n = cg__http_response_plain(req, cg__http_files_status_of((int)n));
    if (listing != NULL && fate != CG_FATE_LEFT)
        free_listing(listing);
    return n;
}
