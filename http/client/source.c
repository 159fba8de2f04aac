/* SPDX-License-Identifier: MIT */
/* See source.h. */
#include "config.h"

#include "http/client/source.h"
#include "http/client/why.h"

#include <errno.h>
#include <unistd.h>

static ssize_t read_source(struct cg__asking *ask, char *buf, size_t size, bool *last,
                           char *why)
{
    const struct cg_http_source *source = ask->fetch->source;
    uint64_t left = source->len < 0 ? UINT64_MAX : (uint64_t)source->len - ask->sent;
    ssize_t len;

    ask->begun = true;
    len = source->read(source->arg, buf, size);
    if (len < 0)
        return cg__http_client_because(why, len, "the source of the body: %s",
                                       cg_strerror(len));
    if ((uint64_t)len > left)
        return cg__http_client_because(why, -EIO,
                                       "the source of the body has more than announced");
    if (len == 0 && source->len >= 0 && left > 0)
        return cg__http_client_because(why, -EIO,
                                       "the source of the body has less than announced");
    *last = len == 0 || (uint64_t)len == left;
    return len;
}

static ssize_t read_file(struct cg__asking *ask, char *buf, size_t size, bool *last,
                         char *why)
{
    const struct cg_http_fetch *fetch = ask->fetch;
    size_t left = fetch->len - (size_t)ask->sent;
    ssize_t len;

    size = size < left ? size : left;
    do
        len = pread(*fetch->file, buf, size, fetch->offset + (int64_t)ask->sent);
    while (len < 0 && errno == EINTR);
    if (len < 0)
        return cg__http_client_because(why, -errno, "the file: %s",
                                       cg_strerror(-errno));
    if (len == 0 && left > 0)
        return cg__http_client_because(why, -EIO,
                                       "the file is shorter than announced");
    *last = (size_t)len == left;
    return len;
}

ssize_t cg__http_client_source_read(struct cg__asking *ask, char *buf, size_t size,
                                    bool *last, char *why)
{
    return ask->fetch->source != NULL ? read_source(ask, buf, size, last, why)
                                      : read_file(ask, buf, size, last, why);
}

bool cg__http_client_source_rewind(struct cg__asking *ask)
{
    const struct cg_http_source *source = ask->fetch->source;

    if (source == NULL || !ask->begun)
        return true;
    if (source->rewind == NULL || source->rewind(source->arg) < 0)
        return false;
    ask->begun = false;
    return true;
}
