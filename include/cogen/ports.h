/* SPDX-License-Identifier: MIT */
/* Ports: listening descriptors that outlive listeners, schedulers and processes. A program
 * inherits them from the service manager or from its predecessor (cogen/restart.h), or
 * binds them itself. See cg_ports(3). */
#ifndef COGEN_PORTS_H
#define COGEN_PORTS_H

#include <cogen/sock.h>

struct cg_ports;

/* Zero means the default. */
struct cg_ports_options {
    const char *name; /* under which they are inherited and handed on, such as "http";
                         required: 1 to 255 printable characters without ':'. Copied */
    unsigned members; /* how many listeners there will be, one for each worker; 0: 1. On TCP
                         each gets a descriptor of its own (SO_REUSEPORT). A port on which
                         another program listens is in use (-EADDRINUSE), even so */
    int backlog;      /* of descriptors that are bound here; 0: CG_BACKLOG */
    bool v6only;      /* a listener on [::] accepts IPv6 only */
    bool take_over;   /* removes a UNIX path first if no process listens on it any more */
    void *reserved;
};

#ifndef __cplusplus

/* cg_ports_open(addr, &ports, .name = "http"): cg_ports_open_with with its options as
 * keywords. */
#define cg_ports_open(...) cg__ports_open(__VA_ARGS__, )
#define cg__ports_open(a, out, ...)                                                        \
    cg_ports_open_with(a, CG__OPTIONS(struct cg_ports_options, __VA_ARGS__), out)

#endif

CG_EXTERN_C_BEGIN

/* Takes the inherited listening descriptors of this name, or else binds addr (the forms of
 * cg_sock_listen). The caller closes *ports. From any thread. Returns 0, the errors of
 * cg_sock_listen, or
 *   -EADDRNOTAVAIL  descriptors of this name were inherited, but they listen on another
 *                   address, or are no listeners; they stay unclaimed
 *   -EEXIST         ports of this name are open
 *   -EINVAL         the name is missing or invalid
 * Inherited are: descriptors that a predecessor hands on (cg_restart), and those of the
 * service manager (LISTEN_FDS, LISTEN_PID, LISTEN_FDNAMES, see sd_listen_fds(3)). Port 0
 * in addr matches every inherited port. On TCP members that are missing are added, if the
 * inherited descriptor has SO_REUSEPORT; otherwise all members share it. If more were
 * inherited than there are members, a member listens on several.
 * In a coroutine of a simulated host they are opened in its world: nothing is inherited, each
 * host has names of its own, and the host must live until they are closed. */
CG_API int cg_ports_open_with(const char *addr, const struct cg_ports_options *options,
                              struct cg_ports **ports);

/* Makes the listener of a member, 0 to members - 1, in a scheduler. The caller closes it;
 * that leaves the port open, with the connections in its backlog. Each time the member gets
 * a listener of its own. Called in the scheduler's thread; the ports may be shared by
 * threads, and by the hosts of their simulated world. Returns 0, -EINVAL: no such member;
 * -EMFILE, -ENOMEM; -EOPNOTSUPP: one of the two is simulated, and the other one is not. */
CG_API int cg_ports_listen(struct cg_ports *ports, unsigned member, struct cg_sched *sched,
                           struct cg_sock **listener);

/* Writes the address of the first descriptor as text. Returns 0 or -errno. */
CG_API int cg_ports_addr(const struct cg_ports *ports, char *buf, size_t size);

/* Whether they were inherited, not bound here. */
CG_API bool cg_ports_inherited(const struct cg_ports *ports);

/* Closes the descriptors. A port that no other process holds is closed then, also
 * connections in its backlog. The file of a UNIX path is removed, unless a successor has
 * taken it over or the service manager owns it. No cg_ports_listen may be running. NULL is
 * ignored. */
CG_API void cg_ports_close(struct cg_ports *ports);

/* Closes the inherited descriptors that no cg_ports_open has claimed. cg_ready does so. */
CG_API void cg_ports_close_unclaimed(void);

CG_EXTERN_C_END
#endif
