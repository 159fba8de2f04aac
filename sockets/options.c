/* SPDX-License-Identifier: MIT */
/* Sets socket options. */
#include "config.h"

#include "sockets/options.h"
#include "sockets/plain.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>

int cg__options_set_value(struct cg_reactor *reactor, int fd, int level, int name,
                          const void *value, size_t size)
{
    struct cg_io io = {.code = CG_IO_SETOPT, .fd = fd};

    if (name < 0)
        return -ENOPROTOOPT;
    io.level = level;
    io.name = name;
    io.value = (void *)value; /* only read */
    io.size = (socklen_t)size;
    return (int)cg__plain_call(reactor, &io);
}

int cg__options_set(struct cg_reactor *reactor, int fd, const struct cg__option *list,
                    size_t n)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < n; i++)
        if (list[i].wanted)
            rc = cg__options_set_value(reactor, fd, list[i].level, list[i].name,
                                       &list[i].value, sizeof list[i].value);
    return rc;
}

int cg__options_set_device(struct cg_reactor *reactor, int fd, const char *device)
{
    return device == NULL ? 0
                          : cg__options_set_value(reactor, fd, SOL_SOCKET,
                                                  CG__SO_BINDTODEVICE, device,
                                                  strlen(device));
}

int cg__options_interface(const char *name, unsigned *index)
{
    *index = name != NULL ? if_nametoindex(name) : 0;
    return name != NULL && *index == 0 ? -ENODEV : 0;
}
