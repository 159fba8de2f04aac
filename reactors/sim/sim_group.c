/* SPDX-License-Identifier: MIT */
/* Multicast groups of the simulated world: which sockets have joined which. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "reactors/sim/sim.h"

static struct cg_sim_group **find_group(struct cg_sim_sock *sock, const struct cg_sim_group *wanted)
{
    struct cg_sim_group **link = &sock->groups;

    while (*link && !(cg__sim_addr_same(&(*link)->group, &wanted->group) &&
                      cg__sim_addr_same(&(*link)->source, &wanted->source)))
        link = &(*link)->next;
    return link;
}

static int join(struct cg_sim_sock *sock, const struct cg_sim_group *wanted)
{
    struct cg_sim_group **link = find_group(sock, wanted), *made;

    if (*link)
        return -EADDRINUSE;
    if (!(made = malloc(sizeof *made)))
        return -ENOBUFS;
    *made = *wanted;
    *link = made;
    return 0;
}

static int leave(struct cg_sim_sock *sock, const struct cg_sim_group *wanted)
{
    struct cg_sim_group **link = find_group(sock, wanted), *found = *link;

    if (!found)
        return -EADDRNOTAVAIL;
    *link = found->next;
    free(found);
    return 0;
}

/* Groups and sources have no port here. */
static int read_host(struct cg_sim_addr *to, const struct sockaddr_storage *addr)
{
    int error = cg__sim_addr_set(to, addr->ss_family, (const struct sockaddr *)addr,
                                 sizeof *addr);

    cg__sim_port_set(to, 0);
    return error;
}

ssize_t cg__sim_change_group(struct cg_sim_sock *sock, const struct cg_io *io)
{
    const struct group_source_req *one = io->value;
    const struct group_req *all = io->value;
    struct cg_sim_group wanted = {.next = NULL};
    bool sourced =
        io->name == MCAST_JOIN_SOURCE_GROUP || io->name == MCAST_LEAVE_SOURCE_GROUP;
    int error;

    if (!sock->datagram || io->size < (sourced ? sizeof *one : sizeof *all))
        return -EINVAL;
    error = read_host(&wanted.group, sourced ? &one->gsr_group : &all->gr_group);
    if (error == 0 && sourced)
        error = read_host(&wanted.source, &one->gsr_source);
    if (error < 0 || !cg__sim_addr_is_group(&wanted.group))
        return -EINVAL;
    return io->name == MCAST_JOIN_GROUP || io->name == MCAST_JOIN_SOURCE_GROUP
               ? join(sock, &wanted)
               : leave(sock, &wanted);
}

void cg__sim_leave_all(struct cg_sim_sock *sock)
{
    while (sock->groups)
        leave(sock, sock->groups);
}

bool cg__sim_is_member(const struct cg_sim_sock *sock, const struct cg_sim_addr *to,
                       const struct cg_sim_addr *from)
{
    struct cg_sim_addr group = *to, source = *from;

    cg__sim_port_set(&group, 0);
    cg__sim_port_set(&source, 0);
    for (const struct cg_sim_group *g = sock->groups; g; g = g->next)
        if (cg__sim_addr_same(&g->group, &group) &&
            (g->source.len == 0 || cg__sim_addr_same(&g->source, &source)))
            return true;
    return false;
}
