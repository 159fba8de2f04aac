/* SPDX-License-Identifier: MIT */
/* getentropy, wherever the system declares it. */
#ifndef COGEN_LIB_BASE_RANDOM_H
#define COGEN_LIB_BASE_RANDOM_H

#include <unistd.h>
#ifdef HAVE_SYS_RANDOM_H
#include <sys/random.h>
#endif

#endif
