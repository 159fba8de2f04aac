/* SPDX-License-Identifier: MIT */
/* Notices that the list of name servers has changed: a laptop changes its network, a DHCP
 * client writes the file again. */
#ifndef COGEN_SOCKETS_RESOLVE_RESOLV_CONF_H
#define COGEN_SOCKETS_RESOLVE_RESOLV_CONF_H

#include <stdbool.h>
#include <stdint.h>

/* All zero at first. */
struct cg__resolv_conf {
    int64_t next; /* the moment of the next check */
    uint64_t device, inode, size;
    int64_t changed; /* ns */
    bool known;
};

/* Whether the file (NULL: the system's) has been replaced or changed since the last call.
 * Checks at most once in 5 s; the first call finds no change. */
bool cg__resolv_conf_has_changed(struct cg__resolv_conf *conf, const char *path, int64_t now);

#endif
