/* SPDX-License-Identifier: MIT */
/* See site.h. No path leaves the directory: segments of dots are refused, links are
 * resolved first and must end beneath it, and the file is then opened one directory at
 * a time without following a link, so that none can be slipped in between. These calls
 * may wait for a disk, and everybody with them: fine for an example. */
#include "site.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    PATH_SIZE = 4096,
};

int site_open(struct site *site, const char *directory)
{
    site->path = realpath(directory, NULL);
    if (!site->path)
        return -errno;
    site->fd = open(site->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (site->fd < 0) {
        int code = -errno;

        free(site->path);
        return code;
    }
    if (strcmp(site->path, "/") == 0)
        site->path[0] = '\0';
    return 0;
}

void site_close(struct site *site)
{
    close(site->fd);
    free(site->path);
}

static int status_of(int error)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
    case ENAMETOOLONG:
        return 404;
    case EACCES:
    case EPERM:
    case ELOOP:
    case ENXIO: /* a socket */
        return 403;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
        return 503;
    default:
        return 500;
    }
}

static const char *type_of(const char *path)
{
    static const char *const types[][2] = {
        {".html", "text/html; charset=utf-8"},
        {".htm", "text/html; charset=utf-8"},
        {".css", "text/css; charset=utf-8"},
        {".js", "text/javascript; charset=utf-8"},
        {".txt", "text/plain; charset=utf-8"},
        {".md", "text/plain; charset=utf-8"},
        {".json", "application/json"},
        {".xml", "application/xml"},
        {".pdf", "application/pdf"},
        {".wasm", "application/wasm"},
        {".svg", "image/svg+xml"},
        {".png", "image/png"},
        {".jpg", "image/jpeg"},
        {".jpeg", "image/jpeg"},
        {".gif", "image/gif"},
        {".webp", "image/webp"},
        {".ico", "image/x-icon"},
    };
    const char *dot = strrchr(path, '.');

    for (size_t i = 0; dot && i < sizeof types / sizeof *types; i++)
        if (strcasecmp(dot, types[i][0]) == 0)
            return types[i][1];
    return "application/octet-stream";
}

static bool has_dot_segments(const char *path)
{
    for (; path; path = strchr(path, '/')) {
        size_t length = strcspn(++path, "/");

        if ((length == 1 || length == 2) && memcmp(path, "..", length) == 0)
            return true;
    }
    return false;
}

/* Opens a relative path that has no links; cuts it up. A descriptor or -1.
 * Non-blocking, for else a FIFO would wait for its writer. */
static int open_beneath(int directory, char *path)
{
    int fd = directory, next;
    char *slash;

    do {
        slash = strchr(path, '/');
        if (slash)
            *slash = '\0';
        next =
            openat(fd, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
        if (fd != directory) {
            int error = errno;

            close(fd);
            errno = error;
        }
        fd = next;
        path = slash + 1;
    } while (slash && fd >= 0);
    return fd;
}

static int find_real(const struct site *site, char *real, struct site_file *file)
{
    size_t length = strlen(site->path);
    struct stat st;

    if (strncmp(real, site->path, length) != 0 || real[length] != '/')
        return 403;
    file->type = type_of(real);
    file->fd = open_beneath(site->fd, real + length + 1);
    if (file->fd < 0)
        return status_of(errno);
    if (fstat(file->fd, &st) == 0 && S_ISREG(st.st_mode)) {
        file->size = st.st_size;
        return 0;
    }
    close(file->fd);
    return S_ISDIR(st.st_mode) ? 301 : 403;
}

int site_find(const struct site *site, const char *path, struct site_file *file)
{
    const char *index = path[strlen(path) - 1] == '/' ? "index.html" : "";
    char joined[PATH_SIZE], *real;
    int status;

    if (has_dot_segments(path))
        return 403;
    if (snprintf(joined, sizeof joined, "%s%s%s", site->path, path, index) >= PATH_SIZE)
        return 404;
    real = realpath(joined, NULL);
    if (!real)
        return status_of(errno);
    status = find_real(site, real, file);
    free(real);
    return status;
}
