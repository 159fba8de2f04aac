/* SPDX-License-Identifier: MIT */
/* Programs with oracles for many simulated worlds: see worlds.c. */
#ifndef COGEN_TESTS_WORLDS_WORLDS_H
#define COGEN_TESTS_WORLDS_WORLDS_H

#include <cogen.h>
#include <cogen/explore.h>

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct subject {
    const char *name;
    cg_fn *fn;
    const struct cg_sim_program *programs;
    const char *names; /* a zone, or NULL */
    unsigned faults;
    unsigned share;     /* of the worlds; 10 is the usual */
    void (*open)(void); /* called once; NULL: nothing to do */
};

/* line_worlds.c, http_worlds.c, ws_worlds.c, tls_worlds.c, proxy_worlds.c, restart_worlds.c,
 * names_worlds.c, offload_worlds.c */
extern const struct subject echo_subject, room_subject;
extern const struct subject http_subject, h2_subject, gateway_subject;
extern const struct subject ws_subject;
extern const struct subject https_subject;
extern const struct subject proxy_subject;
extern const struct subject restarts_subject, restart_subject;
extern const struct subject names_subject;
extern const struct subject offload_subject;

/* What must hold in a world; unlike assert it is always checked. */
#define MUST(expr)                                                                         \
    do {                                                                                   \
        if (!(expr)) {                                                                     \
            fprintf(stderr, "%s:%d: Assertion `%s' failed.\n", __FILE__, __LINE__, #expr); \
            abort();                                                                       \
        }                                                                                  \
    } while (0)

/* A random number of the world, 0 to below - 1. */
static inline unsigned chance(unsigned below)
{
    return (unsigned)cg_sim_random(cg_sched_reactor(cg_sched_self()), below);
}

/* Whether the storm of faults may go on. */
static inline bool stormy(void)
{
    return cg_sched_now(cg_sched_self()) < 12 * CG_SECOND;
}

/* Waits for a while, sometimes not at all. */
static inline ssize_t dawdle(void)
{
    switch (chance(4)) {
    case 0:
        return 0;
    case 1:
        return cg_yield(cg_pass());
    case 2:
        return cg_yield(cg_sleep(chance(1000) * CG_MICROSECOND));
    default:
        return cg_yield(cg_sleep(chance(2000) * CG_MILLISECOND));
    }
}

/* Listens as soon as that is possible. Negative: cancelled. */
static inline ssize_t listen_at(const char *addr, struct cg_sock **listener)
{
    ssize_t n;

    while ((n = cg_sock_listen(cg_sched_self(), addr, listener)) < 0)
        if ((n = cg_yield(cg_sleep(CG_SECOND / 10))) < 0)
            return n;
    return 0;
}

/* line_worlds.c: an echo at addr until it is cancelled; and a client's exchange with it, which
 * closes the connection. `relayed`: not directly. */
ssize_t worlds_echo_server(void *addr);
ssize_t worlds_converse(struct cg_sock *conn, unsigned id, bool relayed);

/* A byte of the content with this number. */
static inline char byte_of(unsigned id, size_t at)
{
    return (char)('a' + (id * 7 + at * 13 + at / 26) % 26);
}

static inline void fill(char *buf, size_t len, unsigned id, size_t at)
{
    for (size_t i = 0; i < len; i++)
        buf[i] = byte_of(id, at + i);
}

static inline void verify(const char *buf, size_t len, unsigned id, size_t at)
{
    for (size_t i = 0; i < len; i++)
        MUST(buf[i] == byte_of(id, at + i));
}

#endif
