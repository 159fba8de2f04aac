/* SPDX-License-Identifier: MIT */
/* The file of a listener on a UNIX path: bind makes it, closing the listener removes it. */
#include "config.h"

#include "lib/base/fork.h"
#include "sockets/listen/owner.h"
#include "sockets/listen/unix_path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* The flag that opens a directory that may be searched but not read. */
enum { OPEN_UNREADABLE = CG__OPEN_UNREADABLE };

enum { PATH_SIZE = sizeof((struct sockaddr_un *)NULL)->sun_path + 1 };

struct cg__path {
    int folder; /* the directory; -1: it does not exist, so bind will fail too */
    bool locked;
    bool was_there; /* The file existed before the bind. A reactor may keep names of its
                     * own (sim): then the file is not ours even if bind succeeds. */
    bool stays;     /* another process uses the file now, so it is not removed */
    bool made;      /* bind made the file; the next three fields identify it */
    dev_t dev;
    ino_t ino;
    unsigned forks; /* lib/base/fork.h's count in the process that made it; a child
                     * leaves the file */
    char name[PATH_SIZE]; /* in the directory */
};

static int open_folder(const char *text, size_t length)
{
    char folder[PATH_SIZE + 1];
    int fd;

    memcpy(folder, text, length);
    strcpy(folder + length, length > 0 ? "" : ".");
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 && errno == EACCES)
        fd = open(folder, OPEN_UNREADABLE | O_DIRECTORY | O_CLOEXEC);
    return fd;
}

static bool find(const struct cg__path *path, struct stat *found)
{
    return fstatat(path->folder, path->name, found, AT_SYMLINK_NOFOLLOW) == 0;
}

int cg__unix_path_new(const struct cg_addr *addr, struct cg__path **path)
{
    char text[PATH_SIZE] = ""; /* sun_path may have no NUL */
    const char *slash;
    struct stat before;
    struct cg__path *made = calloc(1, sizeof *made);

    if (made == NULL)
        return -ENOMEM;
    memcpy(text, addr->un.sun_path, sizeof addr->un.sun_path);
    slash = strrchr(text, '/');
    made->folder = open_folder(text, slash != NULL ? (size_t)(slash - text) + 1 : 0);
    if (made->folder < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM)) {
        int error = -errno;

        free(made);
        return error;
    }
    strcpy(made->name, slash != NULL ? slash + 1 : text);
    made->was_there = find(made, &before);
    *path = made;
    return 0;
}

/* Whether nobody listens on the path. Calls the kernel directly: a request to the reactor
 * may wait, and connect on a UNIX socket never does if it is non-blocking. A process that
 * does listen there accepts a connection that ends at once. */
static bool is_deserted(const struct cg_addr *addr, int type)
{
    int fd = socket(AF_UNIX, type, 0);
    bool refused;

    if (fd < 0)
        return false;
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    refused = connect(fd, &addr->base, addr->len) < 0 && errno == ECONNREFUSED;
    close(fd);
    return refused;
}

int cg__unix_path_clear(struct cg__path *path, const struct cg_addr *addr, int type)
{
    struct stat found;

    if (path->folder < 0)
        return 0;
    path->locked = flock(path->folder, LOCK_EX | LOCK_NB) == 0;
    if (!path->locked && errno == EWOULDBLOCK)
        return -EADDRINUSE;
    if (!find(path, &found))
        return 0;
    if (!S_ISSOCK(found.st_mode) || !is_deserted(addr, type))
        return -EADDRINUSE;
    if (unlinkat(path->folder, path->name, 0) < 0 && errno != ENOENT)
        return -errno;
    path->was_there = false;
    return 0;
}

void cg__unix_path_unlock(struct cg__path *path)
{
    if (path->locked)
        flock(path->folder, LOCK_UN);
    path->locked = false;
}

void cg__unix_path_made(struct cg__path *path)
{
    struct stat found;

    if (path == NULL || path->was_there || !find(path, &found) || !S_ISSOCK(found.st_mode))
        return;
    path->made = true;
    path->forks = cg__fork_watch();
    path->dev = found.st_dev;
    path->ino = found.st_ino;
}

void cg__unix_path_set_stays(struct cg__path *path, bool stays)
{
    path->stays = stays;
}

/* The socket does not listen yet, so nobody has connected with the permissions of before.
 * Nobody else should be able to write to the directory: whoever can may put another file in
 * the place of this one. */
int cg__unix_path_protect(const struct cg__path *path, unsigned mode, const char *owner)
{
    uid_t uid = (uid_t)-1;
    gid_t gid = (gid_t)-1;
    int rc = owner != NULL ? cg__owner_parse(owner, &uid, &gid) : 0;

    if (rc < 0 || !path->made)
        return rc;
    if (owner != NULL && fchownat(path->folder, path->name, uid, gid, AT_SYMLINK_NOFOLLOW) < 0)
        return -errno;
    if (mode != 0 && fchmodat(path->folder, path->name, mode, 0) < 0)
        return -errno;
    return 0;
}

struct cg__path *cg__unix_path_adopt(const struct cg_addr *addr)
{
    struct cg__path *path;

    if (cg__unix_path_new(addr, &path) < 0)
        return NULL;
    path->was_there = false;
    cg__unix_path_made(path);
    return path;
}

void cg__unix_path_remove(struct cg__path *path)
{
    struct stat found;

    if (path == NULL)
        return;
    if (path->made && !path->stays && path->forks == cg__fork_count() && find(path, &found) &&
        found.st_dev == path->dev && found.st_ino == path->ino)
        unlinkat(path->folder, path->name, 0);
    cg__unix_path_free(path);
}

void cg__unix_path_free(struct cg__path *path)
{
    if (path == NULL)
        return;
    if (path->folder >= 0)
        close(path->folder);
    free(path);
}
