/* SPDX-License-Identifier: MIT */
/* What the files of reactors/ share: the backends' types and what every backend needs. The
 * calls that never wait are in calls.h, the common half of the readiness backends is in
 * readiness.h. Nothing outside reactors/ includes this. */
#ifndef COGEN_REACTORS_REACTORS_H
#define COGEN_REACTORS_REACTORS_H

#include <cogen/reactor.h>

/* Each is defined by the file of its name, if configure found what it needs. */
extern const struct cg_reactor_type cg__reactor_epoll;    /* HAVE_EPOLL */
extern const struct cg_reactor_type cg__reactor_kqueue;   /* HAVE_KQUEUE */
extern const struct cg_reactor_type cg__reactor_poll;
extern const struct cg_reactor_type cg__reactor_select;
extern const struct cg_reactor_type cg__reactor_libevent; /* HAVE_LIBEVENT */
extern const struct cg_reactor_type cg__reactor_io_uring; /* HAVE_LIBURING */
extern const struct cg_reactor_type cg__reactor_sim;

/* Opens the libevent reactor on a caller's base (NULL: its own). HAVE_LIBEVENT. */
int cg__libevent_open(struct cg_reactor **reactor, void *event_base);

/* Frees the free chunks of a reactor's pool; the last thing a backend's close calls before
 * it frees itself. Chunks still handed out stay their holders', who free them with
 * free(). */
void cg__chunk_free_all(struct cg_reactor *reactor);

#endif
