/* SPDX-License-Identifier: MIT */
/* What the files of reactors/ share: the types of the backends, and the pool. The system
 * calls are in calls.h, the common half of the readiness backends is in readiness.h. No
 * file outside reactors/ includes this one. */
#ifndef COGEN_REACTORS_REACTORS_H
#define COGEN_REACTORS_REACTORS_H

#include <cogen/reactor.h>

/* Each is defined in the file of its name, if configure found what it needs. */
extern const struct cg_reactor_type cg__reactor_epoll;    /* HAVE_EPOLL */
extern const struct cg_reactor_type cg__reactor_kqueue;   /* HAVE_KQUEUE */
extern const struct cg_reactor_type cg__reactor_poll;
extern const struct cg_reactor_type cg__reactor_select;
extern const struct cg_reactor_type cg__reactor_libevent; /* HAVE_LIBEVENT */
extern const struct cg_reactor_type cg__reactor_io_uring; /* HAVE_LIBURING */
extern const struct cg_reactor_type cg__reactor_sim;

/* Opens the libevent reactor on a caller's base, or on its own (NULL). HAVE_LIBEVENT. */
int cg__libevent_open(struct cg_reactor **reactor, void *event_base);

/* Frees the free chunks of a reactor's pool. A backend's close calls it last, before it
 * frees the reactor. Chunks in use belong to their holders, who free them with free(). */
void cg__chunk_free_all(struct cg_reactor *reactor);

#endif
