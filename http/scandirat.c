/* SPDX-License-Identifier: MIT */
/* scandirat where the C library has none (musl). */
#include "config.h"

#include "http/scandirat.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct dirent *copy(const struct dirent *entry)
{
    struct dirent *made = malloc(sizeof *made);

    if (made != NULL)
        *made = *entry;
    return made;
}

/* Makes room for another entry, by doubling. */
static struct dirent **grow(struct dirent **list, int count)
{
    if (count > 0 && (count & (count - 1)) != 0)
        return list;
    return realloc(list, (count > 0 ? 2 * (size_t)count : 1) * sizeof *list);
}

/* Reads all entries; 0 or an errno, with what there is by then. */
static int read_all(DIR *dir, struct dirent ***list, int *count,
                    int (*wanted)(const struct dirent *))
{
    struct dirent *entry, **more;

    while ((errno = 0, entry = readdir(dir)) != NULL) {
        if (wanted != NULL && !wanted(entry))
            continue;
        more = grow(*list, *count);
        if (more == NULL)
            return ENOMEM;
        *list = more;
        more[*count] = copy(entry);
        if (more[*count] == NULL)
            return ENOMEM;
        ++*count;
    }
    return errno;
}

int cg__scandirat(int directory, const char *path, struct dirent ***list,
                  int (*wanted)(const struct dirent *),
                  int (*compare)(const struct dirent **, const struct dirent **))
{
    int fd = openat(directory, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    int count = 0, error = errno;

    *list = NULL;
    if (dir != NULL) {
        error = read_all(dir, list, &count, wanted);
        closedir(dir);
    } else if (fd >= 0) {
        close(fd);
    }
    if (error == 0 && dir != NULL) {
        if (count > 1)
            qsort(*list, (size_t)count, sizeof **list,
                  (int (*)(const void *, const void *))compare);
        return count;
    }
    while (count > 0)
        free((*list)[--count]);
    free(*list);
    errno = error;
    return -1;
}
