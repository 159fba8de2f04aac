/* SPDX-License-Identifier: MIT */
/* Bytes for the successor. Each struct cg_handover gets a pipe. The pipe is filled before the
 * successor starts, which inherits it by its name, as it inherits the ports. */
#include "config.h"

#include "lib/base/memory_file.h"
#include "lib/base/pipe.h"
#include "sockets/listen/inherited.h"
#include "system/handover.h"

#include <cogen/restart.h>

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct cg_handover *all; /* the newest is the last */

int cg_handover_add(struct cg_handover *handover)
{
    struct cg_handover **link = &all;

    if (!cg__inherited_is_name(handover->name))
        return -EINVAL;
    pthread_mutex_lock(&lock);
    while (*link != NULL)
        link = &(*link)->next;
    handover->next = NULL;
    *link = handover;
    pthread_mutex_unlock(&lock);
    return 0;
}

void cg_handover_remove(struct cg_handover *handover)
{
    struct cg_handover **link = &all;

    pthread_mutex_lock(&lock);
    while (*link != NULL && *link != handover)
        link = &(*link)->next;
    if (*link != NULL)
        *link = handover->next;
    pthread_mutex_unlock(&lock);
}

/* The bytes may be secrets. A plain memset before the end of a function may be optimised
 * away. */
static void erase(volatile char *bytes, size_t size)
{
    while (size > 0)
        bytes[--size] = 0;
}

/* Returns a pipe with these bytes in it, or -errno. They fit in: nobody waits. */
static int make_pipe(const char *bytes, size_t size)
{
    int ends[2], rc = cg__pipe_open(ends);
    ssize_t n;

    if (rc < 0)
        return rc;
    n = write(ends[1], bytes, size);
    if (n != (ssize_t)size)
        rc = n < 0 ? -errno : -EIO;
    close(ends[1]);
    if (rc == 0)
        return ends[0];
    close(ends[0]);
    return rc;
}

/* Returns a pipe with what is to be handed over, 0 if there is nothing, or -errno. */
static int collect(const struct cg_handover *handover)
{
    char bytes[CG_HANDOVER_SIZE];
    size_t size = handover->fill(handover->arg, bytes);
    int fd = 0;

    if (size > sizeof bytes)
        fd = -EINVAL;
    else if (size > 0)
        fd = make_pipe(bytes, size);
    erase(bytes, sizeof bytes);
    return fd;
}

/* Adds to `count` descriptors, and their names to a file. Returns how many there are then, or
 * -errno: then *count are to be closed. */
static int collect_all(int *fds, int *count, int most, FILE *names)
{
    for (const struct cg_handover *each = all; each != NULL; each = each->next) {
        int fd = *count < most ? collect(each) : -EMFILE;

        if (fd < 0)
            return fd;
        if (fd == 0)
            continue;
        fds[(*count)++] = fd;
        fprintf(names, ":%c%s", CG__INHERITED_BYTES, each->name);
    }
    return *count;
}

int cg__handover_collect(int *fds, int n, int most, char **names)
{
    struct cg__memory_file longer;
    int count = n, rc = cg__memory_file_open(&longer);

    if (rc < 0)
        return rc;
    fputs(*names, longer.file);
    pthread_mutex_lock(&lock);
    rc = collect_all(fds, &count, most, longer.file);
    pthread_mutex_unlock(&lock);
    rc = cg__memory_file_close(&longer, rc);
    if (rc >= 0) {
        free(*names);
        *names = longer.data;
    }
    while (rc < 0 && count > n)
        close(fds[--count]);
    return rc;
}

ssize_t cg_handover_take(const char *name, void *buf, size_t size)
{
    int fd = cg__inherited_take_bytes(name);
    size_t done = 0;
    ssize_t n;

    if (fd < 0)
        return -ENOENT;
    do {
        n = read(fd, (char *)buf + done, size - done);
        if (n > 0)
            done += (size_t)n;
    } while ((n > 0 && done < size) || (n < 0 && errno == EINTR));
    close(fd);
    return (ssize_t)done;
}
