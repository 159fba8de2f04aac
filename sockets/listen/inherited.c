/* SPDX-License-Identifier: MIT */
/* The registry of inherited descriptors, made when it is first needed. The environment is
 * only read and never changed, since other threads may read it. */
#include "config.h"

#include "lib/base/ascii.h"
#include "sockets/listen/inherited.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST = 1024 }; /* descriptors; more are left alone */

struct entry {
    const char *name; /* in the environment, not terminated */
    size_t len;
    int fd; /* -1: closed */
    char kind; /* the first character of its name; 0: from the service manager */
    bool claimed;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool parsed;
static struct entry *entries;
static int count, parent = -1;

/* Sets close-on-exec, so that programs that this one starts do not inherit the descriptor.
 * False: it is not open. */
static bool is_open(int fd)
{
    return fcntl(fd, F_SETFD, FD_CLOEXEC) == 0;
}

/* Adds the descriptors that follow `from`; their names are separated by colons. n: how many
 * there are, or -1: one for each name. */
static void add_all(const char *names, int from, int n, bool marked)
{
    int most = n < 0 || n > MOST ? MOST : n;

    entries = calloc((size_t)most, sizeof *entries);
    for (int i = 0; entries != NULL && i < most && (n >= 0 || names != NULL); i++) {
        struct entry entry = {.name = "unknown", .len = 7, .fd = from + i};

        if (names != NULL) {
            entry.name = names;
            entry.len = strcspn(names, ":");
            names += entry.len;
            names = *names == ':' ? names + 1 : NULL;
        }
        if (marked && entry.len > 0) {
            entry.kind = *entry.name++;
            entry.len--;
        }
        if (is_open(entry.fd))
            entries[count++] = entry;
    }
}

/* Whether the variable is meant for this process. Any process that this one starts
 * inherits the variable, but not the pipe. */
static bool from_predecessor(void)
{
    const char *text = getenv(CG__INHERITED_ENV);
    struct stat found;
    uint64_t inode;

    if (text == NULL || fstat(CG__INHERITED_PIPE, &found) < 0 || !S_ISFIFO(found.st_mode) ||
        !cg__ascii_number(&text, &inode) || inode != found.st_ino)
        return false;
    parent = CG__INHERITED_PIPE;
    is_open(parent);
    if (*text == ':')
        add_all(text + 1, CG__INHERITED_PIPE + 1, -1, true);
    return true;
}

static void from_manager(void)
{
    uint64_t pid, n;

    if (cg__ascii_is_number(getenv("LISTEN_PID"), &pid) && pid == (uint64_t)getpid() &&
        cg__ascii_is_number(getenv("LISTEN_FDS"), &n) && n > 0)
        add_all(getenv("LISTEN_FDNAMES"), 3, n < MOST ? (int)n : MOST, false);
}

static void begin(void)
{
    pthread_mutex_lock(&lock);
    if (!parsed && !from_predecessor())
        from_manager();
    parsed = true;
}

static bool matches(const struct entry *entry, const char *name, bool bytes)
{
    size_t len = strlen(name);

    return !entry->claimed && entry->fd >= 0 && entry->len == len &&
           memcmp(entry->name, name, len) == 0 &&
           (entry->kind == CG__INHERITED_BYTES) == bytes;
}

int cg__inherited_claim(const char *name, struct cg__inherited *list, int most)
{
    int found = 0;

    begin();
    for (int i = 0; i < count && found < most; i++) {
        struct entry *entry = &entries[i];

        if (!matches(entry, name, false))
            continue;
        entry->claimed = true;
        list[found++] = (struct cg__inherited){.fd = entry->fd,
                                               .path = entry->kind == CG__INHERITED_PATH};
    }
    pthread_mutex_unlock(&lock);
    return found;
}

int cg__inherited_take_bytes(const char *name)
{
    int fd = -1;

    begin();
    for (int i = 0; i < count && fd < 0; i++)
        if (matches(&entries[i], name, true)) {
            entries[i].claimed = true;
            fd = entries[i].fd;
        }
    pthread_mutex_unlock(&lock);
    return fd;
}

void cg__inherited_unclaim(const struct cg__inherited *list, int n)
{
    begin();
    for (int i = 0; i < count; i++)
        for (int k = 0; k < n; k++)
            if (entries[i].fd == list[k].fd)
                entries[i].claimed = false;
    pthread_mutex_unlock(&lock);
}

bool cg__inherited_is_name(const char *name)
{
    if (name == NULL || *name == '\0' || strlen(name) > CG__INHERITED_NAME)
        return false;
    for (; *name != '\0'; name++)
        if (*name <= ' ' || *name > '~' || *name == ':')
            return false;
    return true;
}

int cg__inherited_take_pipe(void)
{
    int fd;

    begin();
    fd = parent;
    parent = -1;
    pthread_mutex_unlock(&lock);
    return fd;
}

void cg__inherited_close_rest(void)
{
    begin();
    for (int i = 0; i < count; i++) {
        if (entries[i].claimed || entries[i].fd < 0)
            continue;
        close(entries[i].fd);
        entries[i].fd = -1;
    }
    pthread_mutex_unlock(&lock);
}
