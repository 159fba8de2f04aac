/* SPDX-License-Identifier: MIT */
/* The operating system's types that the public headers use: ssize_t, pid_t, struct iovec,
 * struct sockaddr and its kin, socklen_t, in_port_t. No other public header includes a
 * header of the system, so that a port to a system without these headers changes only this
 * file. */
#ifndef COGEN_SYSTEM_H
#define COGEN_SYSTEM_H

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/un.h>

#endif
