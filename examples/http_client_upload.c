/* SPDX-License-Identifier: MIT */
/* See http_client_upload.h. Standard input is polled and read with read(2), as in
 * http_client_talk.c. */
#include "http_client_upload.h"

#include <cogen.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int file = -1;
static struct stat is;

int upload_open(const char *name)
{
    file = strcmp(name, "-") == 0 ? STDIN_FILENO : open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0 || fstat(file, &is) < 0)
        return -errno;
    return S_ISDIR(is.st_mode) ? -EISDIR : 0;
}

void upload_close(void)
{
    if (file > STDIN_FILENO)
        close(file);
}

bool upload_is_stream(void)
{
    return file == STDIN_FILENO || !S_ISREG(is.st_mode);
}

/* A file cannot be polled, and is always ready. */
static ssize_t type(void *arg, void *buf, size_t size)
{
    ssize_t n;

    (void)arg;
    do {
        n = cg_yield(cg_poll(file, CG_IN, .timeout = CG_NEVER));
        if (n < 0 && n != -EPERM)
            return n;
        n = read(file, buf, size);
    } while (n < 0 && (errno == EAGAIN || errno == EINTR));
    return n < 0 ? -errno : n;
}

void upload_add(struct cg_http_fetch *fetch)
{
    static const struct cg_http_source typed = {.read = type, .len = -1};

    if (file < 0)
        return;
    if (upload_is_stream()) {
        fetch->source = &typed;
    } else {
        fetch->file = &file;
        fetch->len = (size_t)is.st_size;
    }
    fetch->method = fetch->method != NULL ? fetch->method : "PUT";
}
