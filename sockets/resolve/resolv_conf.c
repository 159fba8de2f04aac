/* SPDX-License-Identifier: MIT */
/* Checks resolv.conf from time to time, before a look-up. If the file appears or
 * disappears, that counts as a change, too. */
#include "config.h"

#include "sockets/resolve/resolv_conf.h"

#include <cogen/base.h>

#include <sys/stat.h>

#define INTERVAL (5 * CG_SECOND)

bool cg__resolv_conf_has_changed(struct cg__resolv_conf *conf, const char *path, int64_t now)
{
    struct cg__resolv_conf before = *conf;
    struct stat st;

    if (before.known && now < before.next)
        return false;
    *conf = (struct cg__resolv_conf){.next = now + INTERVAL, .known = true};
    if (stat(path ? path : "/etc/resolv.conf", &st) == 0) {
        conf->device = st.st_dev;
        conf->inode = st.st_ino;
        conf->size = (uint64_t)st.st_size;
        conf->changed = st.st_mtim.tv_sec * CG_SECOND + st.st_mtim.tv_nsec;
    }
    return before.known && (conf->device != before.device || conf->inode != before.inode ||
                            conf->size != before.size || conf->changed != before.changed);
}
