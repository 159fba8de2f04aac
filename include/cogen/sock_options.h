/* SPDX-License-Identifier: MIT */
/* Options of streams, set before they are bound: for cg_sock_listen as keywords, for
 * cg_connect as .options. See cg_connect_options(3). */
#ifndef COGEN_SOCK_OPTIONS_H
#define COGEN_SOCK_OPTIONS_H

#include <cogen/base.h>

/* Options that listeners and connecting sockets share. 0, false and NULL leave what the
 * system, or the library, does by default.
 *   device              uses this interface only (SO_BINDTODEVICE)
 *   keepalive           ns without a byte after which the peer is probed (SO_KEEPALIVE)
 *   keepalive_interval  ns between two probes
 *   keepalive_count     probes without a response after which the connection has failed
 *   user_timeout        ns after which unacknowledged bytes fail the connection
 *   priority            SO_PRIORITY, from 1 on
 *   tos                 the TOS byte or traffic class of what is sent
 *   send_buffer, receive_buffer  the kernel's, in bytes
 *   mark                SO_MARK, for routing and firewalls
 *   transparent         may be bound to, or accept for, addresses of others (a proxy)
 *   fast_open           TCP Fast Open: a connecting socket sends its first bytes with the
 *                       SYN, and learns only then whether it is refused
 *   nagle               Nagle's algorithm: no TCP_NODELAY
 * Lengths are rounded up to what the system counts in, seconds or ms. A UNIX socket has
 * only the buffers; others are -EINVAL. -ENOPROTOOPT: this system, or the simulator, lacks
 * an option; -EPERM: not for this user; -ENODEV: no such device; -EINVAL: out of range. */
#define CG__STREAM_OPTIONS                                                                 \
    const char *device;                                                                    \
    int64_t keepalive;                                                                     \
    int64_t keepalive_interval;                                                            \
    int64_t user_timeout;                                                                  \
    int keepalive_count;                                                                   \
    int priority;                                                                          \
    int tos;                                                                               \
    int send_buffer;                                                                       \
    int receive_buffer;                                                                    \
    unsigned mark;                                                                         \
    bool transparent;                                                                      \
    bool fast_open;                                                                        \
    bool nagle;

struct cg_connect_options {
    CG__STREAM_OPTIONS
    bool reuse_addr;   /* sets SO_REUSEADDR: .local may have a port that was just used */
    const char *local; /* binds to this address first: "127.0.0.2:0", "[::1]:1234",
                        * "unix:@name". Port 0: any. CG_EADDR: not numeric. An attempt at an
                        * address of another family fails with -EAFNOSUPPORT */
    void *reserved;
};

#ifndef __cplusplus

/* A struct cg_connect_options on the caller's stack, from keywords. */
#define cg_connect_options(...) CG__OPTIONS(struct cg_connect_options, __VA_ARGS__)

#endif
#endif
