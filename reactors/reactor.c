/* SPDX-License-Identifier: MIT */
/* The table of reactors: opens one by name, and says why one is unavailable. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "lib/base/standard.h"
#include "reactors/calls.h"
#include "reactors/reactors.h"

struct entry {
    const char *name;
    const struct cg_reactor_type *type; /* NULL: not built in */
    const char *why;                    /* why it is not built in */
    bool proven;                        /* may be chosen without a name */
};

/* All reactors, in the order of preference. */
static const struct entry table[] = {
#ifdef HAVE_EPOLL
    {"epoll", &cg__reactor_epoll, NULL, true},
#else
    {"epoll", NULL, "this system has no epoll", true},
#endif
#ifdef HAVE_KQUEUE
    {"kqueue", &cg__reactor_kqueue, NULL, true},
#else
    {"kqueue", NULL, "this system has no kqueue", true},
#endif
    {"poll", &cg__reactor_poll, NULL, true},
    {"select", &cg__reactor_select, NULL, true},
#ifdef HAVE_LIBEVENT
    {"libevent", &cg__reactor_libevent, NULL, false},
#else
    {"libevent", NULL, "built without libevent", false},
#endif
#ifdef HAVE_LIBURING
    {"io_uring", &cg__reactor_io_uring, NULL, false},
#else
    {"io_uring", NULL, "built without liburing", false},
#endif
    {"sim", &cg__reactor_sim, NULL, false},
};

enum { COUNT = sizeof table / sizeof table[0] };

static int open_named(const char *name, struct cg_reactor **reactor)
{
    for (int i = 0; i < COUNT; i++)
        if (strcmp(table[i].name, name) == 0)
            return table[i].type ? table[i].type->open(reactor) : -EOPNOTSUPP;
    return CG_EREACTOR;
}

/* Opens the first reactor that this machine has. An error that every reactor would return
 * (no descriptors, no memory) is no reason to try the next one. */
static int open_best(struct cg_reactor **reactor)
{
    int error = -EOPNOTSUPP;

    for (int i = 0; i < COUNT; i++) {
        if (!table[i].proven || !table[i].type)
            continue;
        error = table[i].type->open(reactor);
        if (!cg__calls_is_missing(error) && error != -EOPNOTSUPP)
            break;
    }
    return error;
}

int cg_reactor_open(const char *name, struct cg_reactor **reactor)
{
    *reactor = NULL;
    cg__standard_take_closed();
    if (!name)
        name = getenv("COGEN_REACTOR");
    return name && *name ? open_named(name, reactor) : open_best(reactor);
}

int cg_reactor_open_libevent(void *event_base, struct cg_reactor **reactor)
{
    *reactor = NULL;
    cg__standard_take_closed();
#ifdef HAVE_LIBEVENT
    return cg__libevent_open(reactor, event_base);
#else
    (void)event_base;
    return -EOPNOTSUPP;
#endif
}

void cg_reactor_close(struct cg_reactor *reactor)
{
    if (reactor)
        reactor->type->close(reactor);
}

const char *cg_reactor_name(const struct cg_reactor *reactor)
{
    return reactor->type->name;
}

/* RLIMIT_MEMLOCK limits the rings of io_uring on kernels before 5.12, and the memory
 * registered with them on every kernel; root is exempt. */
static bool lacks_locked_memory(const struct entry *entry, int error)
{
    struct rlimit limit;

    return error == -ENOMEM && strcmp(entry->name, "io_uring") == 0 &&
           getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
}

static const char *why(const struct entry *entry, int error)
{
    if (lacks_locked_memory(entry, error))
        return "too little memory may be locked: raise RLIMIT_MEMLOCK (ulimit -l)";
    switch (error) {
    case -ENOSYS:
    case -EOPNOTSUPP:
        return "this kernel does not have it";
    case -EPERM:
    case -EACCES:
        return "not permitted here";
    }
    return strerror(-error);
}

/* Only opening a reactor shows whether it works. */
static const char *try(const struct entry *entry)
{
    struct cg_reactor *reactor;
    int error;

    if (!entry->type)
        return entry->why;
    if ((error = entry->type->open(&reactor)))
        return why(entry, error);
    cg_reactor_close(reactor);
    return NULL;
}

size_t cg_reactor_list(struct cg_reactor_info *list, size_t n)
{
    for (size_t i = 0; i < n && i < COUNT; i++)
        list[i] = (struct cg_reactor_info){.name = table[i].name, .why = try(&table[i])};
    return COUNT;
}

/* Appends a text as far as there is room. */
static int append(char *buf, size_t size, int at, const char *text)
{
    bool room = (size_t)at < size;

    return at + snprintf(room ? buf + at : NULL, room ? size - (size_t)at : 0, "%s", text);
}

int cg_reactor_why(const char *name, int code, char *buf, size_t size)
{
    const char *reason = NULL;
    int len;

    if (!name)
        name = getenv("COGEN_REACTOR");
    if (!name || !*name)
        return snprintf(buf, size, "no reactor is available: %s", cg_strerror(code));
    for (int i = 0; i < COUNT; i++)
        if (strcmp(table[i].name, name) == 0 && !(reason = try(&table[i])))
            reason = cg_strerror(code); /* it has become available */
    if (reason)
        return snprintf(buf, size, "reactor %s is not available: %s", name, reason);
    len = snprintf(buf, size, "no reactor is called \"%s\"; there are", name);
    for (int i = 0; i < COUNT; i++)
        len = append(buf, size, append(buf, size, len, " "), table[i].name);
    return len;
}
