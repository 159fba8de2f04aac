/* SPDX-License-Identifier: MIT */
/* See http_client_file.h. */
#include "http_client_file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static FILE *shared; /* the output that transfers share; NULL: not yet opened */

/* The last part of the URL's path. It never contains a slash. */
static char *name_in(const char *url)
{
    const char *path = strstr(url, "://"), *name, *end;

    path = path ? path + 3 : url;
    name = end = path + strcspn(path, "?#");
    while (name > path && name[-1] != '/')
        name--;
    if (name == path || name == end) /* the URL has only a host, or names a directory */
        return strdup("index.html");
    if (!strncmp(name, ".", (size_t)(end - name)) ||
        !strncmp(name, "..", (size_t)(end - name)))
        return strdup("index.html");
    return strndup(name, (size_t)(end - name));
}

void transfer_init(struct transfer *transfer, int number, const char *url,
                   const char *out_name, bool own_names, bool alone)
{
    *transfer = (struct transfer){.url = url, .number = number, .length = -1};
    transfer->shared = !own_names;
    transfer->keeps_tag = own_names || (out_name && alone);
    transfer->name = out_name ? out_name : "stdout";
    if (own_names)
        transfer->name = transfer->own_name = name_in(url);
}

void transfers_free(struct transfer *transfers, int count)
{
    for (int i = 0; i < count; i++)
        free(transfers[i].own_name);
    free(transfers);
}

/* Only a strong entity tag says that two pages are equal byte by byte. */
static bool is_strong(const char *tag)
{
    size_t len = tag ? strlen(tag) : 0;

    return len >= 2 && len < TAG_SIZE && tag[0] == '"' && tag[len - 1] == '"' &&
           !strpbrk(tag, "\r\n");
}

static FILE *open_tag(const struct transfer *transfer, const char *mode)
{
    char name[4096];

    if (snprintf(name, sizeof name, "%s.etag", transfer->name) >= (int)sizeof name)
        return NULL;
    if (mode)
        return fopen(name, mode);
    unlink(name);
    return NULL;
}

/* Removes the tag: the file is complete, or has another page now. */
static void forget_tag(const struct transfer *transfer)
{
    if (transfer->keeps_tag)
        open_tag(transfer, NULL);
}

/* Keeps the tag of the page that is about to be written, in case only a part arrives. */
static void keep_tag(const struct transfer *transfer, struct cg_http_reply *reply)
{
    const char *tag = cg_http_reply_header(reply, "ETag");
    struct stat st;
    FILE *file;

    if (!transfer->keeps_tag || fstat(fileno(transfer->file), &st) < 0 || !S_ISREG(st.st_mode))
        return;
    forget_tag(transfer);
    if (!is_strong(tag) || cg_http_reply_header(reply, "Content-Encoding") ||
        !(file = open_tag(transfer, "w")))
        return;
    fputs(tag, file);
    if (fclose(file) != 0)
        forget_tag(transfer);
}

static void read_tag(struct transfer *transfer)
{
    FILE *file = transfer->keeps_tag ? open_tag(transfer, "r") : NULL;
    size_t n = 0;

    if (file) {
        n = fread(transfer->tag, 1, TAG_SIZE - 1, file);
        fclose(file);
    }
    transfer->tag[n] = '\0';
    if (!is_strong(transfer->tag))
        transfer->tag[0] = '\0';
}

void file_resume(struct transfer *transfer, struct cg_http_field *fields)
{
    struct stat st;

    if (stat(transfer->name, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size == 0)
        return;
    transfer->from = st.st_size;
    snprintf(transfer->range, sizeof transfer->range, "bytes=%" PRId64 "-",
             transfer->from);
    transfer->modified = st.st_mtime;
    cg_http_date_print(st.st_mtime, transfer->date);
    fields[0] = (struct cg_http_field){"Range", transfer->range};
    read_tag(transfer);
    if (transfer->tag[0])
        fields[1] = (struct cg_http_field){"If-Range", transfer->tag};
    else
        fields[1] = (struct cg_http_field){"If-Unmodified-Since", transfer->date};
}

static bool has_other_tag(const struct transfer *transfer, struct cg_http_reply *reply)
{
    const char *tag = cg_http_reply_header(reply, "ETag");

    return !tag || strcmp(tag, transfer->tag) != 0;
}

static bool has_other_date(const struct transfer *transfer, struct cg_http_reply *reply)
{
    const char *date = cg_http_reply_header(reply, "Last-Modified");
    int64_t modified;

    return !date || !cg_http_date_parse(date, &modified) || modified != transfer->modified;
}

bool file_has_changed(const struct transfer *transfer, struct cg_http_reply *reply)
{
    int code = cg_http_reply_status(reply);

    if (transfer->from == 0 || code != 206)
        return transfer->from > 0 && code == 412;
    return transfer->tag[0] ? has_other_tag(transfer, reply) : has_other_date(transfer, reply);
}

bool file_is_complete(const struct transfer *transfer, struct cg_http_reply *reply)
{
    const char *range = cg_http_reply_header(reply, "Content-Range");
    int64_t whole;

    if (transfer->from == 0 || !range || sscanf(range, "bytes */%" SCNd64, &whole) != 1 ||
        whole != transfer->from)
        return false;
    forget_tag(transfer);
    return true;
}

const char *file_position(struct transfer *transfer, struct cg_http_reply *reply)
{
    const char *range = cg_http_reply_header(reply, "Content-Range");
    int64_t first;

    if (cg_http_reply_status(reply) != 206) {
        transfer->from = 0; /* the page has changed, and this is all of it */
        return NULL;
    }
    if (transfer->from == 0)
        return NULL; /* the user asked for a part by a header field */
    if (!range || sscanf(range, "bytes %" SCNd64 "-", &first) != 1 ||
        first != transfer->from)
        return "the response is not the requested part";
    return NULL;
}

ssize_t file_open(struct transfer *transfer, struct cg_http_reply *reply)
{
    const char *mode = transfer->from > 0 ? "ab" : "wb";

    if (transfer->shared && !shared)
        shared =
            strcmp(transfer->name, "stdout") ? fopen(transfer->name, mode) : stdout;
    transfer->file = transfer->shared ? shared : fopen(transfer->name, mode);
    if (!transfer->file)
        return -errno;
    if (transfer->from == 0)
        keep_tag(transfer, reply);
    return 0;
}

ssize_t file_write(struct transfer *transfer, const void *data, size_t size)
{
    errno = 0;
    if (fwrite(data, 1, size, transfer->file) == size)
        return 0;
    return errno ? -errno : -EIO;
}

/* Gives the file the date of the page, so that a later run can ask whether the page has
 * changed since. */
static void set_date(FILE *file, const char *date)
{
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}};
    int64_t moment;

    if (date && cg_http_date_parse(date, &moment)) {
        times[1].tv_sec = (time_t)moment;
        futimens(fileno(file), times);
    }
}

ssize_t file_close(struct transfer *transfer, struct cg_http_reply *reply, bool whole)
{
    FILE *file = transfer->file;
    int error = 0;

    transfer->file = NULL;
    if (!file)
        return 0;
    errno = 0;
    if (fflush(file) != 0)
        error = errno ? errno : EIO;
    if (file != stdout)
        set_date(file, cg_http_reply_header(reply, "Last-Modified"));
    if (!transfer->shared && fclose(file) != 0 && !error)
        error = errno ? errno : EIO;
    if (whole && !error)
        forget_tag(transfer);
    return -error;
}
