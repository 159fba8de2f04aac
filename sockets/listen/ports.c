/* SPDX-License-Identifier: MIT */
/* Ports. A listener of a member has a duplicate of the member's descriptor, so that closing
 * it leaves the queue of the port alone: closing one member of a SO_REUSEPORT group would
 * reset the connections in its queue. */
#include "config.h"

#include "lib/base/memory_file.h"
#include "sockets/listen/inherited.h"
#include "sockets/listen/listen.h"
#include "sockets/listen/ports.h"
#include "sockets/plain.h"

#include <cogen/ports.h>

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    FDS_MOST = 256, /* descriptors of one port */
};

struct cg_ports {
    struct cg_ports *next; /* in the list of all ports */
    struct cg_reactor *reactor; /* makes the calls on descriptors; used by one thread */
    bool simulated;             /* it is a simulated host, where the ports were opened */
    struct cg__path *path;
    bool opened;     /* complete: until then only the thread that opens them uses them */
    bool inherited;
    bool owns;       /* the program, and not the service manager, owns the UNIX path's file */
    unsigned members;
    int count;
    int fds[FDS_MOST];
    int group[FDS_MOST]; /* the first descriptor with the same address */
    char name[CG__INHERITED_NAME + 1];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct cg_ports *all;
static bool follows;     /* this process has succeeded its predecessor */
static bool handed_over;     /* a successor owns all paths */

static bool is_same_port(in_port_t wanted, in_port_t port)
{
    return wanted == 0 || wanted == port;
}

static bool is_same(const struct cg_addr *wanted, const struct cg_addr *name)
{
    if (wanted->base.sa_family != name->base.sa_family)
        return false;
    switch (name->base.sa_family) {
    case AF_INET:
        return wanted->in.sin_addr.s_addr == name->in.sin_addr.s_addr &&
               is_same_port(wanted->in.sin_port, name->in.sin_port);
    case AF_INET6:
        return memcmp(&wanted->in6.sin6_addr, &name->in6.sin6_addr,
                      sizeof name->in6.sin6_addr) == 0 &&
               is_same_port(wanted->in6.sin6_port, name->in6.sin6_port);
    default:
        return memcmp(wanted->un.sun_path, name->un.sun_path, sizeof name->un.sun_path) == 0;
    }
}

/* Whether the descriptor listens on one of these addresses. */
static bool listens_on(struct cg_reactor *reactor, int fd, const struct cg_addr *list, int n)
{
    struct cg_addr name;
    int listening = 0;

    if (cg__plain_get(reactor, fd, SOL_SOCKET, SO_ACCEPTCONN, &listening) < 0 || !listening ||
        cg__plain_name(reactor, fd, CG_IO_SOCKNAME, &name) < 0)
        return false;
    for (int i = 0; i < n; i++)
        if (is_same(&list[i], &name))
            return true;
    return false;
}

static void add(struct cg_ports *ports, int fd)
{
    struct cg_addr name, other;
    int at = ports->count++;

    ports->fds[at] = fd;
    ports->group[at] = at;
    if (cg__plain_name(ports->reactor, fd, CG_IO_SOCKNAME, &name) < 0)
        return;
    for (int i = 0; i < at; i++)
        if (cg__plain_name(ports->reactor, ports->fds[i], CG_IO_SOCKNAME, &other) ==
                0 &&
            is_same(&name, &other)) {
            ports->group[at] = ports->group[i];
            return;
        }
}

/* Claims the inherited descriptors. Returns how many, or -EADDRNOTAVAIL. */
static int inherit(struct cg_ports *ports, const char *addr)
{
    struct cg__inherited list[FDS_MOST];
    struct cg_addr addrs[CG__ADDRS_MOST];
    int n = cg__inherited_claim(ports->name, list, FDS_MOST), naddrs;
    bool path = false;

    if (n == 0)
        return 0;
    naddrs = cg__addr_parse(addr, true, addrs, CG__ADDRS_MOST);
    for (int i = 0; i < n; i++) {
        if (naddrs < 0 || !listens_on(ports->reactor, list[i].fd, addrs, naddrs)) {
            cg__inherited_unclaim(list, n);
            return naddrs < 0 ? naddrs : -EADDRNOTAVAIL;
        }
    }
    for (int i = 0; i < n; i++) {
        cg__plain_set_nodelay(ports->reactor, list[i].fd);
        add(ports, list[i].fd);
        path |= list[i].path;
    }
    ports->inherited = true;
    ports->owns = path;
    if (path)
        ports->path = cg__unix_path_adopt(&addrs[0]);
    return n;
}

/* Binds without SO_REUSEPORT, so that a port on which another process listens is an error even if
 * that one would share it. The option is set afterwards, for the members to come; a UNIX socket,
 * which they share, may refuse it. */
static int bind_new(struct cg_ports *ports, const char *addr,
                    const struct cg_listen_options *options)
{
    int fds[CG__ADDRS_MOST];
    int n = cg__listen_open(ports->reactor, addr, options, fds, &ports->path);

    for (int i = 0; i < n; i++) {
        cg__plain_set(ports->reactor, fds[i], SOL_SOCKET, SO_REUSEPORT, 1);
        add(ports, fds[i]);
    }
    ports->owns = ports->path != NULL;
    return n;
}

static bool may_grow(struct cg_ports *ports, int fd)
{
    struct cg_addr name;
    int reuse = 0;

    return cg__plain_name(ports->reactor, fd, CG_IO_SOCKNAME, &name) == 0 &&
           name.base.sa_family != AF_UNIX &&
           cg__plain_get(ports->reactor, fd, SOL_SOCKET, SO_REUSEPORT, &reuse) == 0 &&
           reuse;
}

/* Adds descriptors to each address until it has one for each member. */
static int grow(struct cg_ports *ports, const struct cg_listen_options *options)
{
    int before = ports->count;

    for (int first = 0; first < before; first++) {
        unsigned there = 0;

        if (ports->group[first] != first || !may_grow(ports, ports->fds[first]))
            continue;
        for (int i = 0; i < before; i++)
            there += ports->group[i] == first;
        for (; there < ports->members && ports->count < FDS_MOST; there++) {
            int fd = cg__listen_again(ports->reactor, ports->fds[first], options);

            if (fd < 0)
                return fd;
            add(ports, fd);
        }
    }
    return 0;
}

/* Each simulated host stands for a process, with names of its own. NULL: this process. */
static const struct cg_reactor *world_of(const struct cg_ports *ports)
{
    return ports->simulated ? ports->reactor : NULL;
}

static bool enlist(struct cg_ports *ports)
{
    struct cg_ports *each;

    pthread_mutex_lock(&lock);
    for (each = all; each != NULL; each = each->next)
        if (strcmp(each->name, ports->name) == 0 && world_of(each) == world_of(ports))
            break;
    if (each == NULL) {
        ports->next = all;
        all = ports;
    }
    pthread_mutex_unlock(&lock);
    return each == NULL;
}

/* Removes ports from the list. Returns whether this process must remove the file of their
 * UNIX path. */
static bool delist(struct cg_ports *ports)
{
    struct cg_ports **at = &all;
    bool last;

    pthread_mutex_lock(&lock);
    while (*at != NULL && *at != ports)
        at = &(*at)->next;
    if (*at != NULL)
        *at = ports->next;
    last = ports->owns && !handed_over && (!ports->inherited || follows);
    pthread_mutex_unlock(&lock);
    return last;
}

int cg_ports_open_with(const char *addr, const struct cg_ports_options *options,
                       struct cg_ports **ports)
{
    struct cg_listen_options listen = {.backlog = 0};
    struct cg_sched *self = cg_sched_self();
    struct cg_ports *made;
    int rc;

    if (options == NULL || !cg__inherited_is_name(options->name))
        return -EINVAL;
    made = calloc(1, sizeof *made);
    if (made == NULL)
        return -ENOMEM;
    strcpy(made->name, options->name);
    made->members = options->members > 0 ? options->members : 1;
    listen = (struct cg_listen_options){.backlog = options->backlog,
                                        .v6only = options->v6only,
                                        .take_over = options->take_over};
    made->simulated = self != NULL && cg_sched_reactor(self)->simulated;
    if (made->simulated)
        made->reactor = cg_sched_reactor(self);
    if (!enlist(made)) {
        free(made);
        return -EEXIST;
    }
    rc = made->simulated ? 0 : cg_reactor_open("poll", &made->reactor);
    if (rc == 0 && !made->simulated)
        rc = inherit(made, addr);
    if (rc == 0)
        rc = bind_new(made, addr, &listen);
    if (rc > 0)
        rc = grow(made, &listen);
    if (rc < 0) {
        cg_ports_close(made);
        return rc;
    }
    pthread_mutex_lock(&lock);
    made->opened = true;
    pthread_mutex_unlock(&lock);
    *ports = made;
    return 0;
}

/* Whether a member listens on a descriptor: the k-th of n with its address. If there are
 * fewer than members, members share them. */
static bool is_members(const struct cg_ports *ports, unsigned member, unsigned k, unsigned n)
{
    return n >= ports->members ? k % ports->members == member : member % n == k;
}

static int collect(const struct cg_ports *ports, unsigned member, int *fds)
{
    int count = 0;

    for (int i = 0; i < ports->count; i++) {
        unsigned k = 0, n = 0;

        for (int j = 0; j < ports->count; j++)
            if (ports->group[j] == ports->group[i]) {
                k += j < i;
                n++;
            }
        if (is_members(ports, member, k, n))
            fds[count++] = ports->fds[i];
    }
    return count;
}

static void close_copies(struct cg_reactor *reactor, const int *fds, int count)
{
    for (int i = 0; i < count; i++)
        cg__plain_close_fd(reactor, fds[i]);
}

static int copy(struct cg_reactor *reactor, const int *fds, int count, int *copies)
{
    for (int i = 0; i < count; i++) {
        struct cg_io io = {.code = CG_IO_DUPLICATE, .fd = fds[i]};

        copies[i] = (int)cg__plain_call(reactor, &io);
        if (copies[i] < 0) {
            close_copies(reactor, copies, i);
            return copies[i];
        }
    }
    return count;
}

int cg_ports_listen(struct cg_ports *ports, unsigned member, struct cg_sched *sched,
                    struct cg_sock **listener)
{
    int fds[FDS_MOST] = {0}, copies[FDS_MOST];
    struct cg_reactor *reactor = cg_sched_reactor(sched);
    int count, rc;

    if (member >= ports->members)
        return -EINVAL;
    if (reactor->simulated != ports->simulated)
        return -EOPNOTSUPP;
    count = collect(ports, member, fds);
    rc = copy(reactor, fds, count, copies);
    for (int i = 0; rc >= 0 && i < count; i++) {
        struct cg_io io = {.code = CG_IO_ATTACH, .fd = copies[i]};

        rc = (int)cg__plain_call(reactor, &io);
        if (rc < 0)
            close_copies(reactor, copies, count);
    }
    if (rc < 0)
        return rc;
    *listener = cg__listen_new(sched, copies, count);
    if (*listener != NULL)
        return 0;
    close_copies(reactor, copies, count);
    return -ENOMEM;
}

int cg_ports_addr(const struct cg_ports *ports, char *buf, size_t size)
{
    struct cg_addr name;
    int rc = cg__plain_name(ports->reactor, ports->fds[0], CG_IO_SOCKNAME, &name);

    return rc < 0 ? rc : cg__addr_print(&name.base, name.len, buf, size);
}

bool cg_ports_inherited(const struct cg_ports *ports)
{
    return ports->inherited;
}

void cg_ports_close(struct cg_ports *ports)
{
    if (ports == NULL)
        return;
    if (delist(ports))
        cg__unix_path_remove(ports->path);
    else
        cg__unix_path_free(ports->path);
    for (int i = 0; i < ports->count; i++)
        cg__plain_close_fd(ports->reactor, ports->fds[i]);
    if (!ports->simulated)
        cg_reactor_close(ports->reactor);
    free(ports);
}

void cg_ports_close_unclaimed(void)
{
    cg__inherited_close_rest();
}

/* For restarts; the caller holds the lock. */
static int collect_all(int *fds, int n, FILE *names)
{
    int count = 0;

    for (const struct cg_ports *each = all; each != NULL; each = each->next) {
        if (each->simulated || !each->opened)
            continue;
        if (each->count > n - count) {
            close_copies(each->reactor, fds, count);
            return -E2BIG;
        }
        if (copy(each->reactor, each->fds, each->count, fds + count) < 0) {
            close_copies(each->reactor, fds, count);
            return -EMFILE;
        }
        count += each->count;
        for (int i = 0; i < each->count; i++)
            fprintf(names, ":%c%s", each->owns ? CG__INHERITED_PATH : CG__INHERITED_PLAIN,
                    each->name);
    }
    return count;
}

int cg__ports_collect(int *fds, int n, char **names)
{
    struct cg__memory_file text;
    int count = cg__memory_file_open(&text), rc;

    if (count < 0)
        return count;
    pthread_mutex_lock(&lock);
    count = collect_all(fds, n, text.file);
    pthread_mutex_unlock(&lock);
    rc = cg__memory_file_close(&text, count);
    while (rc < 0 && count > 0)
        close(fds[--count]);
    *names = text.data;
    return rc;
}

void cg__ports_hand_over(void)
{
    pthread_mutex_lock(&lock);
    handed_over = true;
    pthread_mutex_unlock(&lock);
}

void cg__ports_take_over(void)
{
    pthread_mutex_lock(&lock);
    follows = true;
    pthread_mutex_unlock(&lock);
}
