/* SPDX-License-Identifier: MIT */
/* Stores the files of a form while they come: in blocks, by threads, so that the disk keeps
 * nobody else waiting. */
#include "config.h"

#include "http/web/form.h"

#include <cogen/disk.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A file that has a name until the form is freed, for file systems that have no other. */
static ssize_t open_named(struct cg__http_form_part *part, const char *folder)
{
    size_t size = strlen(folder) + 64;
    struct timespec now;
    ssize_t fd = -EEXIST;

    part->temporary = malloc(size);
    if (part->temporary == NULL)
        return -ENOMEM;
    for (int i = 0; fd == -EEXIST && i < 100; i++) {
        clock_gettime(CLOCK_REALTIME, &now);
        snprintf(part->temporary, size, "%s/.upload-%lx-%lx-%d", folder, (unsigned long)getpid(),
                 (unsigned long)now.tv_nsec, i);
        fd = cg_yield(
            cg_open_file(part->temporary, O_RDWR | O_CREAT | O_EXCL, .mode = 0600));
    }
    if (fd < 0) { /* it is somebody else's, or there is none */
        free(part->temporary);
        part->temporary = NULL;
    }
    return fd;
}

/* What open says where files need a name: an old kernel takes O_TMPFILE for O_DIRECTORY. */
static bool needs_name(ssize_t code)
{
    return code == -EOPNOTSUPP || code == -EISDIR || code == -EINVAL;
}

static ssize_t open_file(struct cg__http_form_part *part, const char *folder)
{
    ssize_t fd = -EOPNOTSUPP;

    if (CG__OPEN_NAMELESS != 0)
        fd = cg_yield(cg_open_file(folder, CG__OPEN_NAMELESS | O_RDWR, .mode = 0600));
    if (needs_name(fd))
        fd = open_named(part, folder);
    if (fd >= 0)
        part->it.file = (int)fd;
    return fd;
}

static ssize_t flush(struct cg_http_form *form, const char *folder)
{
    struct cg__http_form_part *part = &form->parts[form->count - 1];
    ssize_t n = 0;

    if (part->it.file < 0)
        n = open_file(part, folder);
    if (n >= 0 && form->block_len > 0)
        n = cg_yield(cg_write_file(part->it.file, form->block, form->block_len,
                                   (int64_t)(part->it.size - form->block_len)));
    form->block_len = 0;
    return n < 0 ? n : 0;
}

ssize_t cg__http_form_store(struct cg_http_form *form, const char *folder, const char *data,
                            size_t len)
{
    struct cg_http_part *part = &form->parts[form->count - 1].it;
    ssize_t n = 0;

    if (form->block == NULL && (form->block = malloc(CG__HTTP_FORM_BLOCK)) == NULL)
        return -ENOMEM;
    while (len > 0 && n >= 0) {
        size_t room = CG__HTTP_FORM_BLOCK - form->block_len, some = len < room ? len : room;

        memcpy(form->block + form->block_len, data, some);
        form->block_len += some;
        part->size += some;
        data += some;
        len -= some;
        if (form->block_len == CG__HTTP_FORM_BLOCK)
            n = flush(form, folder);
    }
    return n;
}

ssize_t cg__http_form_store_end(struct cg_http_form *form, const char *folder)
{
    ssize_t n = flush(form, folder);

    free(form->block);
    form->block = NULL;
    return n;
}
