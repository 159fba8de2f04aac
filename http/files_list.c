/* SPDX-License-Identifier: MIT */
/* A page that lists a directory. */
#include "config.h"

#include "http/files.h"
#include "lib/ascii.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
    fputs("./", out); /* a colon in a name begins no scheme */
    for (; *name != '\0'; name++) {
        unsigned char c = (unsigned char)*name;

        if (cg__ascii_is_digit(*name) || cg__ascii_is_letter(*name) ||
            strchr("-._~", c) != NULL)
            putc(c, out);
        else
            fprintf(out, "%%%02X", c);
    }
}

static void put_entries(FILE *out, int directory, struct dirent **entries, int count)
{
    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;
        struct stat st;

        if (*name == '.' || fstatat(directory, name, &st, 0) < 0 ||
            (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)))
            continue;
        fputs("<tr><td><a href=\"", out);
        put_link(out, name);
        fputs(S_ISDIR(st.st_mode) ? "/\">" : "\">", out);
        put_html(out, name);
        if (S_ISDIR(st.st_mode))
            fputs("/</a><td>\n", out);
        else
            fprintf(out, "</a><td>%lld\n", (long long)st.st_size);
    }
}

/* alphasort compares as the locale does. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int make_page(FILE *out, const char *path, int directory)
{
    struct dirent **entries;
    int count = scandirat(directory, ".", &entries, NULL, by_name);

    if (count < 0)
        return -errno;
    fputs("<!doctype html>\n<meta charset=\"utf-8\">\n<title>", out);
    put_html(out, path);
    fputs("</title>\n<style>body { font-family: sans-serif; margin: 2em }\n"
          "td { padding: 0 2em 0 0 } td + td { text-align: right }</style>\n<h1>", out);
    put_html(out, path);
    fputs("</h1>\n<table>\n<tr><td><a href=\"../\">../</a><td>\n", out);
    put_entries(out, directory, entries, count);
    fputs("</table>\n", out);
    for (int i = 0; i < count; i++)
        free(entries[i]);
    free(entries);
    return 0;
}

ssize_t cg__http_list(struct cg_http_request *req, int directory)
{
    char *page = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&page, &size);
    int rc = directory < 0 || out == NULL ? -ENOMEM
                                          : make_page(out, cg_http_path(req), directory);
    ssize_t n;

    if (directory >= 0)
        close(directory);
    if (out != NULL && fclose(out) != 0 && rc == 0)
        rc = -ENOMEM;
    n = rc < 0 ? rc
               : cg_yield(cg_http_answer(req, 200, page, size,
                                         .mime = "text/html; charset=utf-8"));
    free(page);
    return n;
}
