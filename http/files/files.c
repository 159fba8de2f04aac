/* SPDX-License-Identifier: MIT */
/* The handler of static files. Its system calls may wait for the disk; that blocks the
 * scheduler. */
#include "config.h"

#include "http/coding/accept_encoding.h"
#include "http/coding/compress.h"
#include "http/files/opened.h"
#include "http/files/repeated.h"
#include "http/message/percent.h"
#include "http/server/request/request_target.h"
#include "http/server/response/response.h"
#include "http/server/response/response_head.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static atomic_uint_fast64_t trees;

int cg_http_files_open(const char *root, const struct cg_http_files_options *options,
                       struct cg_http_files **files)
{
    int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC), code;

    if (fd < 0)
        return -errno;
    *files = calloc(1, sizeof **files);
    if (*files == NULL) {
        code = -ENOMEM;
        close(fd);
        return code;
    }
    (*files)->root = fd;
    (*files)->tree = atomic_fetch_add(&trees, 1);
    if (options != NULL)
        (*files)->options = *options;
    return 0;
}

void cg_http_files_close(struct cg_http_files *files)
{
    if (files == NULL)
        return;
    close(files->root);
    free(files);
}

struct file {
    struct cg__http_opened *opened;
    enum cg__http_coding coding;
    const char *mime; /* of its content, without the coding */
    const char *etag;
    char coded[CG__HTTP_TAG_SIZE + 8]; /* the tag of a file with a coding */
    bool varies;  /* it may have compressed siblings */
    bool repeats; /* a response with all of it may repeat: see repeated.h */
};

/* Whether a part of the path begins with a dot. "/.well-known/" is not hidden: it is meant
 * for clients (RFC 8615). */
static bool is_hidden(const char *path)
{
    if (strncmp(path, ".well-known/", 12) == 0)
        path += 12;
    return *path == '.' || strstr(path, "/.") != NULL;
}

static bool try_coding(const struct cg_http_request *req, const struct cg_http_files *files,
                       const char *path, const char *index, enum cg__http_coding coding,
                       struct file *file)
{
    struct cg__http_opened *other;
    char ending[32];

    snprintf(ending, sizeof ending, "%s.%s", index, coding == CG__HTTP_BR ? "br" : "gz");
    if (cg__http_opened_get(req->server, files, path, ending, &other) < 0)
        return false;
    if (!S_ISREG(other->st.st_mode)) {
        cg__http_opened_put(other);
        return false;
    }
    cg__http_opened_put(file->opened);
    file->opened = other;
    file->coding = coding;
    return true;
}

/* Replaces a text by its compressed sibling if there is one that the client accepts. */
static void find_compressed(const struct cg_http_request *req, const struct cg_http_files *files,
                            const char *path, const char *index, struct file *file)
{
    enum cg__http_coding among[] = {CG__HTTP_BR, CG__HTTP_GZIP, CG__HTTP_IDENTITY}, coding;

    coding = cg__http_accept_encoding(&req->in, among);
    if (coding != CG__HTTP_IDENTITY && !try_coding(req, files, path, index, coding, file)) {
        among[0] = coding == CG__HTTP_BR ? CG__HTTP_GZIP : CG__HTTP_BR;
        among[1] = CG__HTTP_IDENTITY;
        coding = cg__http_accept_encoding(&req->in, among);
        if (coding != CG__HTTP_IDENTITY)
            try_coding(req, files, path, index, coding, file);
    }
}

/* Redirects to the same path with a slash at its end: relative links in a directory's page need
 * it. The target is made from the path that was looked up: the client's own spelling of it
 * may begin with "//" or "/\", which leads browsers to another host. */
static ssize_t respond_slash(struct cg_http_request *req)
{
    const char *path = cg_http_request_path(req),
               *query = strchr(cg_http_request_target(req), '?');
    char *location, *to;
    size_t len;
    int rc;

    path += strspn(path, "/");
    len = strlen(path);
    location = malloc(3 * len + (query != NULL ? strlen(query) : 0) + 3);
    if (location == NULL)
        return -ENOMEM;
    *location = '/';
    to = cg__http_percent_encode(location + 1, path, len, "/%"); /* "%2F" and "%25" stay */
    strcpy(to, "/");
    if (query != NULL)
        strcat(to, query);
    rc = cg_http_response_set_header(req, "Location", location);
    free(location);
    return rc < 0 ? rc : cg__http_response_plain(req, 301);
}

static ssize_t send_body(struct cg_http_request *req, const struct file *file,
                         uint64_t first, uint64_t length)
{
    char *to;

    if (req->framing == CG__HTTP_NO_BODY || length == 0)
        return 0;
    /* A small file is sent together with its head. */
    if (length <= CG__HTTP_SMALL_FILE && (to = req->carrier->place(req, length)) != NULL) {
        int rc = cg__http_opened_read(file->opened, to, length, first);

        if (rc < 0)
            return rc;
        req->carrier->put(req, length);
        req->left = 0;
        req->sent = length;
        return 0;
    }
    return cg_yield(cg_http_send_file(req, file->opened->fd, (int64_t)first, length));
}

/* Each coding of a file has a tag of its own. */
static void choose_etag(struct file *file)
{
    size_t len = strlen(file->opened->etag) - 1; /* without the second quote */

    file->etag = file->opened->etag;
    if (file->coding == CG__HTTP_IDENTITY)
        return;
    snprintf(file->coded, sizeof file->coded, "%.*s%s\"", (int)len, file->opened->etag,
             cg__http_coding_name(file->coding));
    file->etag = file->coded;
}

/* Sets ETag, Last-Modified, Accept-Ranges, Cache-Control and Content-Encoding. Only for responses
 * that stand for the file: a cache must not keep a refusal for as long as the file, and the text of
 * a refusal is not encoded. 0 or a negative code. */
static int set_fields(struct cg_http_request *req, const struct cg_http_files *files,
                      const struct file *file)
{
    int rc = req->begun ? -EALREADY
                        : cg__http_message_set_all(&req->out, &file->opened->fields);

    if (rc == 0 && file->coding != CG__HTTP_IDENTITY)
        rc = cg_http_response_set_header(req, "ETag", file->etag);
    if (rc == 0 && file->coding != CG__HTTP_IDENTITY)
        rc = cg_http_response_set_header(req, "Content-Encoding",
                                         cg__http_coding_name(file->coding));
    if (rc == 0 && files->options.cache != NULL)
        rc = cg_http_response_set_header(req, "Cache-Control", files->options.cache);
    return rc;
}

static ssize_t send_part(struct cg_http_request *req, const struct cg_http_files *files,
                         const struct file *file, int status, uint64_t first, uint64_t length)
{
    size_t start = req->conn->out != NULL ? req->conn->out->used : 0;
    ssize_t n = set_fields(req, files, file);

    if (n == 0)
        n = cg__http_response_head_put(req, status, (int64_t)length, file->mime, 0);
    if (n == 0 && file->repeats && status == 200)
        cg__http_repeated_keep(req, file->opened, start);
    else if (n == -ENOBUFS)
        n = cg__http_response_head_write(req, status, (int64_t)length, file->mime);
    return n < 0 ? n : send_body(req, file, first, length);
}

static ssize_t respond_unchanged(struct cg_http_request *req, const struct cg_http_files *files,
                                 const struct file *file)
{
    int rc = set_fields(req, files, file);

    return rc < 0 ? rc
                  : cg_yield(cg_http_respond(req, 304, "", (size_t)file->opened->st.st_size));
}

static ssize_t respond_range(struct cg_http_request *req, const struct cg_http_files *files,
                             const struct file *file, const char *range)
{
    uint64_t size = (uint64_t)file->opened->st.st_size, first, length;
    char text[64];
    int rc;

    switch (cg__http_conditions_range(range, size, &first, &length)) {
    case CG__HTTP_PART:
        snprintf(text, sizeof text, "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, first,
                 first + length - 1, size);
        rc = cg_http_response_set_header(req, "Content-Range", text);
        return rc < 0 ? rc : send_part(req, files, file, 206, first, length);
    case CG__HTTP_NO_PART:
        snprintf(text, sizeof text, "bytes */%" PRIu64, size);
        rc = cg_http_response_set_header(req, "Content-Range", text);
        return rc < 0 ? rc : cg__http_response_plain(req, 416);
    default:
        return send_part(req, files, file, 200, 0, size);
    }
}

static ssize_t respond_file(struct cg_http_request *req,
                            const struct cg_http_files *files, struct file *file)
{
    /* Only GET has ranges (RFC 9110, 14.2): HEAD describes the whole file. */
    const char *range = req->code == HTTP_GET ? cg__http_conditions_only(req, "Range") : NULL;
    bool ranges;
    int status;

    file->repeats = file->coding == CG__HTTP_IDENTITY && cg__http_repeated_may(req);
    choose_etag(file);
    status = cg__http_conditions(req, file->etag, file->opened->st.st_mtim.tv_sec, &ranges);
    if (!ranges)
        range = NULL;
    if (status == 0 && range == NULL && file->repeats && cg__http_repeated_put(req, file->opened))
        return 0;
    /* A layer may have named other fields. */
    if (file->varies && cg__http_message_put_text(&req->out, "Vary", "Accept-Encoding") < 0)
        return -ENOMEM;
    if (status == 304)
        return respond_unchanged(req, files, file);
    if (status != 0)
        return cg__http_response_plain(req, status);
    if (range != NULL)
        return respond_range(req, files, file, range);
    return send_part(req, files, file, 200, 0, (uint64_t)file->opened->st.st_size);
}

/* Whether st_size is right. Files that the kernel generates when they are read, in /sys or
 * /proc, have a wrong size and no blocks. A small file, or one that is all a hole, may
 * have no blocks either; but its last byte can be read. */
static bool has_true_size(const struct file *file)
{
    off_t size = file->opened->st.st_size;
    char byte;

    return file->opened->st.st_blocks > 0 ||
           pread(file->opened->fd, &byte, 1, size > 0 ? size - 1 : 0) == (size > 0);
}

/* Sends a file whose size is unknown, up to its end. */
static ssize_t respond_unsized(struct cg_http_request *req, const struct file *file)
{
    bool wanted = req->code == HTTP_GET;
    char piece[4096];
    off_t at = 0;
    ssize_t n, sent;

    sent = cg_http_response_set_header(req, "Content-Type", file->mime);
    for (; wanted && sent >= 0 &&
           (n = pread(file->opened->fd, piece, sizeof piece, at)) != 0;
         at += n)
        sent = n < 0 ? -errno : cg_yield(cg_http_write(req, piece, (size_t)n));
    return sent < 0 ? sent : cg_yield(cg_http_write(req, "", 0));
}

static ssize_t respond_found(struct cg_http_request *req,
                             const struct cg_http_files *files, const char *path,
                             const char *index, struct file *file)
{
    if (!S_ISREG(file->opened->st.st_mode))
        return cg__http_response_plain(req, 403);
    file->mime = file->opened->mime;
    if (!has_true_size(file))
        return respond_unsized(req, file);
    file->varies = file->opened->is_text;
    if (file->varies)
        find_compressed(req, files, path, index, file);
    return respond_file(req, files, file);
}

/* Responds for a directory without a page of its own. */
static ssize_t respond_listing(struct cg_http_request *req,
                               const struct cg_http_files *files, const char *path)
{
    struct cg__http_opened *directory;
    int rc = cg__http_opened_get(req->server, files, path, "", &directory);
    ssize_t n;

    if (rc < 0)
        return cg__http_response_plain(req, cg__http_files_status_of(rc));
    n = files->options.listing ? cg__http_files_list(req, files, path, directory->fd)
                               : cg__http_response_plain(req, 403);
    cg__http_opened_put(directory);
    return n;
}

/* Opens the page at once, because to open the directory first would cost three more system
 * calls. */
static ssize_t respond_directory(struct cg_http_request *req,
                                 const struct cg_http_files *files, const char *path)
{
    struct file index = {.coding = CG__HTTP_IDENTITY};
    int rc = cg__http_opened_get(req->server, files, path, "index.html", &index.opened);
    ssize_t n;

    if (rc == -ENOENT)
        return respond_listing(req, files, path);
    if (rc < 0)
        return cg__http_response_plain(req, cg__http_files_status_of(rc));
    n = respond_found(req, files, path, "index.html", &index);
    cg__http_opened_put(index.opened);
    return n;
}

/* Responds with what `path` names: a file or a directory. */
static ssize_t respond_path(struct cg_http_request *req,
                            const struct cg_http_files *files, const char *path)
{
    struct file file = {.coding = CG__HTTP_IDENTITY};
    size_t size = strlen(path);
    ssize_t n;
    int rc;

    if (size == 0 || path[size - 1] == '/')
        return respond_directory(req, files, path);
    rc = cg__http_opened_get(req->server, files, path, "", &file.opened);
    if (rc < 0)
        return cg__http_response_plain(req, cg__http_files_status_of(rc));
    n = S_ISDIR(file.opened->st.st_mode) ? respond_slash(req)
                                         : respond_found(req, files, path, "", &file);
    cg__http_opened_put(file.opened);
    return n;
}

/* Like respond_path, for a path with "%25", which stands for a "%" in a name. */
static ssize_t respond_encoded(struct cg_http_request *req,
                               const struct cg_http_files *files, const char *path)
{
    char *decoded = strdup(path);
    ssize_t n = -ENOMEM;

    if (decoded != NULL) {
        decoded[cg__http_percent_decode(decoded, path, strlen(path), false, true)] = '\0';
        n = respond_path(req, files, decoded);
    }
    free(decoded);
    return n;
}

ssize_t cg_http_files_handler(struct cg_http_request *req, void *arg)
{
    const struct cg_http_files *files = arg;
    const char *method = cg_http_request_method(req),
               *path = cg_http_request_param(req, "*");
    ssize_t n;

    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) {
        n = cg_http_response_set_header(req, "Allow", "GET, HEAD");
        return n < 0 ? n : cg__http_response_plain(req, 405);
    }
    if (path == NULL)
        path = cg_http_request_path(req);
    path += strspn(path, "/");
    /* "%2F" is a slash within a name, and no file has such a name. */
    if ((!files->options.hidden && is_hidden(path)) || strstr(path, "%2F") != NULL)
        return cg__http_response_plain(req, 404);
    return strchr(path, '%') ? respond_encoded(req, files, path)
                             : respond_path(req, files, path);
}
