/* SPDX-License-Identifier: MIT */
/* The inside of the simulated world: sim.c has the requests and the single host's clock,
 * sim_host.c worlds and their hosts, sim_run.c the run of several hosts, sim_fail.c hosts
 * that are killed, paused or cut off, sim_handle.c handles, sim_net.c messages in flight,
 * sim_conn.c connections, sim_stream.c bytes, sim_passing.c handles that are passed on,
 * sim_datagram.c datagrams that arrive, sim_datagram_send.c those that are sent,
 * sim_group.c multicast groups, sim_calls.c the calls that never wait, sim_options.c
 * options, sim_addr.c addresses, sim_trace.c chance and trace. Whatever may change a request's
 * result touches its socket, and so its handles; wait then tries the requests of the touched
 * handles, in order. */
#ifndef COGEN_REACTORS_SIM_SIM_H
#define COGEN_REACTORS_SIM_SIM_H

#include <cogen/datagram.h>
#include <cogen/passing.h>
#include <cogen/sim.h>
#include <assert.h>
#include <netinet/in.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/un.h>

#include "reactors/reactors.h"

#define CG_SIM_ACCEPT_PAUSE (100 * CG_MILLISECOND) /* as the real reactors do when there
                                                    * is no memory */

enum {
    CG_SIM_OPTIONS = 38,        /* number of known socket options (sim_options.c) */
    CG_SIM_LACKS = CG_LACKS_NAMES + 1,
    CG_SIM_HOSTS = 64,          /* most hosts of a world at a time */
    CG_SIM_BUCKETS = 1024,      /* buckets of bound addresses */
    CG_SIM_SEGMENT = 16 * 1024, /* most bytes in one message */
    CG_SIM_PORT_FIRST = 32768,  /* ports for those who ask for port 0 */
    CG_SIM_PORT_LAST = 60999,
};

struct cg_sim_addr {
    socklen_t len; /* 0: no address */
    union {
        struct sockaddr sa;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
        struct sockaddr_un un;
    };
};

enum cg_sim_kind {
    CG_SIM_DATA,
    CG_SIM_ACK, /* the peer has read `size` bytes; the same struct that carried them is sent
                 * back */
    CG_SIM_FIN,
    CG_SIM_RST,
    CG_SIM_SYN, /* stays with the connecting socket all the time, like the next two */
    CG_SIM_SYNACK,
    CG_SIM_REFUSED,
    CG_SIM_DATAGRAM,
    CG_SIM_UNREACHABLE, /* no socket was bound to the address of an earlier datagram */
};

/* A message in flight to a socket. Only DATA and the messages of datagrams are allocated:
 * the other kinds are part of the socket that will receive them, so closing and resetting
 * a connection needs no memory. */
struct cg_sim_msg {
    struct cg_sim_msg *next;
    int64_t at;   /* when it arrives */
    uint64_t seq; /* order among messages that arrive at the same moment */
    enum cg_sim_kind kind;
    bool posted;    /* is in flight, or has been */
    bool slowed;    /* waits for the end of its link's delay */
    uint8_t tries;  /* how often it was sent and did not arrive */
    uint8_t origin; /* of a datagram: the number of the host that sent it */
    size_t start, size;
    char *data;
    int *passed;  /* of DATA: descriptors that go with its first byte */
    int npassed;
};

struct cg_sim_datagram {
    struct cg_sim_msg msg; /* must be first: it is freed by this address */
    struct cg_sim_addr from, to;
    int ttl, ecn;
    char bytes[];
};

struct cg_sim_msgs {
    struct cg_sim_msg *head, *tail;
};

struct cg_sim_queue {
    struct cg_sim_sock *head, *tail;
    unsigned count;
};

/* What a program has of a socket, and its requests. A socket may have several handles, also
 * of several hosts: those that were duplicated or passed on. */
struct cg_sim_handle {
    int fd;
    struct cg_sim_sock *sock;
    struct cg_sim_host *host; /* whose requests it serves */
    bool touched;
    bool closed;    /* waits in the list of touched handles to be freed */
    bool in_flight; /* was passed on and not received yet */
    struct cg_sim_handle *next; /* of the same socket */
    struct cg_sim_handle *next_touched;
    struct cg_io *ios, *last_io; /* pending requests, oldest first */
};

struct cg_sim_handles {
    struct cg_sim_handle *head, *tail;
};

/* A multicast group that a socket has joined. */
struct cg_sim_group {
    struct cg_sim_group *next;
    struct cg_sim_addr group, source; /* source.len 0: every source */
};

enum cg_sim_state {
    CG_SIM_FRESH,
    CG_SIM_LISTENING,
    CG_SIM_CONNECTING,
    CG_SIM_CONNECTED, /* it is or was connected */
};

struct cg_sim_sock {
    struct cg_sim_handle *handles; /* NULL: not accepted yet */
    struct cg_sim_handle *spare;   /* for its first handle: an accept needs no memory for it */
    struct cg_sim_host *host;      /* where it is in the network: that of its first handle */
    unsigned far;                  /* the number of its peer's host, which may be gone */
    int fd;                        /* of its first handle, for the trace; or -1 */
    int domain;
    bool datagram; /* stays FRESH; with a peer, remote is set */
    enum cg_sim_state state;
    bool bound;
    bool fin;   /* the end of the peer's stream has arrived */
    bool reset; /* the connection was reset; of a UNIX datagram socket: its peer is gone */
    bool rd_shut, wr_shut;
    int error; /* an errno, returned once */
    struct linger linger;
    int options[CG_SIM_OPTIONS];
    struct cg_sim_addr local, remote;
    struct cg_sim_sock *peer; /* NULL: closed or reset */
    struct cg_sim_sock *next; /* in a listener's queue */
    struct cg_sim_sock *next_bound;
    struct cg_io *connector;     /* the request that started the connect */
    struct cg_sim_msgs incoming; /* in flight, by arrival */
    struct cg_sim_msgs input;    /* arrived and unread */
    int64_t last_at;             /* when the last message sent arrives */
    size_t unacked;              /* bytes sent that the peer has not read */
    size_t unread; /* a datagram socket's: what counts against its limit; of UNIX sockets the
                    * number of datagrams, also of those in flight */
    struct cg_sim_group *groups;
    size_t place;                /* in the heap, from 1 on; 0: no message is in flight to
                                  * it */
    struct cg_sim_msg syn, end, rst;
    struct cg_sim_sock *listener; /* for whose backlog it waits */
    struct cg_sim_queue backlog;  /* connections to be accepted */
    struct cg_sim_queue waiting;  /* connecting while the backlog is full */
    unsigned limit;               /* length limit of backlog */
};

/* Somebody who follows a world, and decides about it. `host` counts the hosts in the order in
 * which they were made. Functions that are NULL are not called. */
struct cg__sim_watch {
    /* As ask of struct cg_order. */
    size_t (*ask)(struct cg__sim_watch *watch, unsigned host, uint64_t step, size_t count,
                  size_t chosen);
    void (*waits)(struct cg__sim_watch *watch, int64_t now); /* a host waits */
};

/* A host: a reactor, and the program that runs on it. In a world with several hosts each
 * program runs in a generator, which yields where its reactor waits. */
struct cg_sim_host {
    struct cg_reactor base; /* must be first */
    struct cg_sim *sim;
    struct cg_order order;       /* of its scheduler; base.order points to it, or is NULL */
    unsigned number;             /* its place in the world's table */
    unsigned serial;             /* how many hosts were made before it */
    struct cg_sim_handles touched; /* its handles, linked by next_touched */
    atomic_bool woken;
    struct cg_gen *gen; /* NULL: the host has always been alone */
    ssize_t (*program)(void *arg); /* NULL: runs the scheduler, whenever that has work */
    void *arg;
    bool begun;     /* it has run since cg_sim_run was called, and need not begin again */
    bool running;   /* the program has begun and not returned */
    bool resting;   /* its scheduler's run has ended; it waits for others to give it work */
    bool stuck;     /* its wait returns -EDEADLK */
    bool paused;
    bool dead;      /* it was killed, and its program still cleans up */
    int64_t delays[CG_SIM_HOSTS]; /* by their numbers: how long each message from there takes
                                   * on top */
    uint64_t deaf;  /* the numbers of the hosts from which nothing arrives here */
    ssize_t result; /* of the program */
    int64_t until;  /* while it waits: its time limit */
};

struct cg_sim {
    struct cg_sim_options opt;
    struct cg_sim_host *hosts[CG_SIM_HOSTS];
    struct cg__sim_watch *watch; /* NULL: none */
    unsigned made;       /* hosts, ever */
    unsigned host_count; /* and one more while it runs: at 0 the world is freed */
    bool running;        /* within cg_sim_run */
    int64_t now;
    uint64_t random;
    uint64_t seq;                /* of messages */
    uintptr_t pass;              /* counts the passes over a touched socket's requests */
    struct cg_sim_sock *
        *heap; /* sockets with messages in flight, earliest arrival first, from 1 on */
    size_t heap_count, heap_room;
    size_t socks; /* number of sockets; the heap has room for all */
    struct cg_sim_handle **handles;
    int *holes; /* free handles, most recently freed last */
    size_t handle_count, hole_count, handle_room;
    unsigned lacks[CG_SIM_LACKS]; /* permille */
    bool starved;  /* an accept waits for a handle */
    bool crowded;  /* a UNIX datagram waits for room in its receiver */
    int64_t retry; /* when accepts that lacked memory try again; 0: none does */
    unsigned next_port;
    struct cg_sim_sock *names[CG_SIM_BUCKETS];
    cg_sim_tracer *tracer;
    void *tracer_arg;
    sem_t wakes; /* with .threads: posted once each time a host's woken is set */
};

static inline struct cg_sim_host *cg__sim_host_of(struct cg_reactor *reactor)
{
    assert(reactor->type->open == cg__reactor_sim.open); /* it may be a copy: observe.h */
    return (struct cg_sim_host *)reactor;
}

static inline struct cg_sim *cg__sim_of(struct cg_reactor *reactor)
{
    return cg__sim_host_of(reactor)->sim;
}

/* Whether it has a peer: not before a connect, or when a TCP connection was reset or has ended
 * in both directions. */
static inline bool cg__sim_is_connected(const struct cg_sim_sock *sock)
{
    if (sock->datagram)
        return sock->remote.len > 0;
    return sock->state == CG_SIM_CONNECTED &&
           (sock->domain == AF_UNIX || (!sock->reset && (!sock->fin || !sock->wr_shut)));
}

/* sim.c: tries the requests of a host's touched handles; returns how many have completed. */
size_t cg__sim_serve_touched(struct cg_sim_host *host);

/* sim_handle.c: something changed that a socket's requests, or those of one handle, may wait
 * for. */
void cg__sim_touch(struct cg_sim_sock *sock);
void cg__sim_touch_handle(struct cg_sim_handle *handle);
/* Makes a handle of a host. Returns its number, -ENOMEM, or -EMFILE: the world's limit does not
 * allow it. cg__sim_handle_add does not look at the limit: it is for handles in flight, and
 * their receiver looks. */
int cg__sim_handle_new(struct cg_sim *sim, struct cg_sim_sock *sock, struct cg_sim_host *host);
int cg__sim_handle_add(struct cg_sim *sim, struct cg_sim_sock *sock, struct cg_sim_host *host);
/* Whether the limit allows so many handles in addition to those that there are. */
bool cg__sim_handle_fits(const struct cg_sim *sim, unsigned more);
struct cg_sim_handle *cg__sim_handle(struct cg_sim *sim, int fd);
struct cg_sim_sock *cg__sim_find(struct cg_sim *sim, int fd);
/* Gives a handle to a host. A listener's backlog comes with it. */
void cg__sim_handle_move(struct cg_sim_handle *handle, struct cg_sim_host *host);
/* Closes a handle, and its socket if it was the last one. */
void cg__sim_handle_close(struct cg_sim *sim, struct cg_sim_handle *handle);
/* Lets accepts that lacked a handle or memory try again. */
void cg__sim_feed(struct cg_sim *sim);

/* sim_host.c: open and close are those of the reactor's type. release gives up one of the
 * world's references. */
int cg__sim_open(struct cg_reactor **reactor);
/* Called for a new world, before it has a scheduler. */
void cg__sim_watch(struct cg_reactor *world, struct cg__sim_watch *watch);
void cg__sim_close_host(struct cg_reactor *reactor);
/* Whether no world can have these options. */
bool cg__sim_is_bad(const struct cg_sim_options *options);
void cg__sim_release(struct cg_sim *sim);

/* sim_run.c. cg__sim_start gives a host a program of its own, for cg_sim_run.
 * cg__sim_in_turn says whether the calling program runs in cg_sim_run; then
 * cg__sim_let_others lets other hosts run, until it is this one's turn. Returns 0 or
 * -EDEADLK. */
int cg__sim_animate(struct cg_sim_host *host);
void cg__sim_start(struct cg_reactor *host, ssize_t (*program)(void *arg), void *arg);
bool cg__sim_in_turn(const struct cg_sim_host *host);
int cg__sim_let_others(struct cg_sim_host *host);

/* sim_trace.c */
bool cg__sim_chance(struct cg_sim *sim, unsigned permille);
uint64_t cg__sim_below(struct cg_sim *sim, uint64_t below);
void cg__sim_note(struct cg_sim *sim, int fd, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void cg__sim_note_result(struct cg_sim *sim, const struct cg_io *io, ssize_t result);

/* sim_net.c */
struct cg_sim_sock *cg__sim_sock_new(struct cg_sim_host *host, int domain);
void cg__sim_sock_free(struct cg_sim *sim, struct cg_sim_sock *sock);
/* Drops the messages in flight to a socket and its unread input. */
void cg__sim_drop(struct cg_sim *sim, struct cg_sim_sock *sock);
/* Sends a message, as if at the moment `since`. */
void cg__sim_post(struct cg_sim *sim, struct cg_sim_sock *to, struct cg_sim_msg *msg,
                  enum cg_sim_kind kind, int64_t since);
/* Like cg__sim_post, for a datagram, which may overtake others: by jitter, or by
 * chance. */
void cg__sim_post_datagram(struct cg_sim *sim, struct cg_sim_sock *to, struct cg_sim_msg *msg,
                           enum cg_sim_kind kind, int64_t since);
/* Sends a message again that was in flight to a socket: before all others, but datagrams do not
 * wait for each other. */
void cg__sim_repost(struct cg_sim *sim, struct cg_sim_sock *to, struct cg_sim_msg *msg,
                    int64_t at);
void cg__sim_deliver(struct cg_sim *sim);
/* When the next message arrives or an accept tries again; CG_NEVER: nothing is due. */
int64_t cg__sim_next(const struct cg_sim *sim);

/* sim_conn.c. A function that returns bool tries a request; false: the request has to
 * wait. */
void cg__sim_arrive(struct cg_sim *sim, struct cg_sim_sock *sock,
                    struct cg_sim_msg *msg);
bool cg__sim_accept(struct cg_sim *sim, struct cg_sim_sock *sock, const struct cg_io *io,
                    ssize_t *result);
bool cg__sim_connect(struct cg_sim *sim, struct cg_sim_sock *sock, struct cg_io *io,
                     ssize_t *result);
void cg__sim_reset(struct cg_sim *sim, struct cg_sim_sock *sock);
ssize_t cg__sim_shutdown(struct cg_sim *sim, struct cg_sim_sock *sock, int how);
/* Closes a socket that has no handle any more, or none yet. */
void cg__sim_close(struct cg_sim *sim, struct cg_sim_sock *sock);
/* Takes a socket off the network, with a reset or an end for its peer. It keeps its
 * handles. */
void cg__sim_leave(struct cg_sim *sim, struct cg_sim_sock *sock, bool reset);
/* A connect has failed; the socket may connect again, from another name. */
void cg__sim_connect_failed(struct cg_sim_sock *sock, int error);

/* sim_fail.c: that of the reactor. */
bool cg__sim_lacks(struct cg_reactor *reactor, enum cg_lack what);
/* sim_fail.c: whether messages from that host do not arrive at this one; and what happens to
 * a message that does not arrive. */
bool cg__sim_is_cut(const struct cg_sim_host *host, unsigned from);
void cg__sim_miss(struct cg_sim *sim, struct cg_sim_sock *sock, struct cg_sim_msg *msg);
/* Sends a message again that has arrived over a link with this delay, unless it has waited. */
bool cg__sim_slow(struct cg_sim *sim, struct cg_sim_sock *sock, struct cg_sim_msg *msg,
                  int64_t delay);

/* sim_stream.c */
void cg__sim_append(struct cg_sim_msgs *list, struct cg_sim_msg *msg);
struct cg_sim_msg *cg__sim_pop(struct cg_sim_msgs *list);
bool cg__sim_recv(struct cg_sim *sim, struct cg_sim_sock *sock, struct cg_io *io,
                  ssize_t *result);
bool cg__sim_send(struct cg_sim *sim, struct cg_sim_sock *sock, struct cg_io *io,
                  ssize_t *result);
bool cg__sim_poll(struct cg_sim *sim, struct cg_sim_sock *sock, struct cg_io *io,
                  ssize_t *result);

/* sim_stream.c: receives bytes, up to the end of those with which descriptors came. */
bool cg__sim_recv_into(struct cg_sim *sim, struct cg_sim_sock *sock, void *buf, size_t size,
                       struct cg_fds *into, ssize_t *result);
/* sim_stream.c: returns the error of a socket, once; 0: it has none. */
ssize_t cg__sim_take_error(struct cg_sim_sock *sock);
/* Makes a message with room for bytes and for descriptors; NULL: no memory. */
struct cg_sim_msg *cg__sim_msg_new(size_t room, int npassed);

/* sim_passing.c: what a message passes on is received by `into`, or lost if that is NULL, or
 * closed. Returns 0 or -EMFILE. */
int cg__sim_take_passed(struct cg_sim *sim, struct cg_sim_sock *sock, struct cg_sim_msg *msg,
                        struct cg_fds *into);
bool cg__sim_send_passed(struct cg_sim *sim, struct cg_sim_sock *sock, struct cg_io *io,
                         ssize_t *result);
bool cg__sim_recv_passed(struct cg_sim *sim, struct cg_sim_sock *sock, struct cg_io *io,
                         ssize_t *result);

/* sim_datagram.c */
bool cg__sim_recv_datagrams(struct cg_sim *sim, struct cg_sim_sock *sock, struct cg_io *io,
                            ssize_t *result);
void cg__sim_datagram_arrives(struct cg_sim *sim, struct cg_sim_sock *sock,
                              struct cg_sim_msg *msg);
void cg__sim_unreachable(struct cg_sim *sim, struct cg_sim_sock *sock, struct cg_sim_msg *msg);
/* Called when a UNIX socket has room again, or is closed. */
void cg__sim_uncrowd(struct cg_sim *sim);
/* Called when a UNIX datagram socket is closed: tells those whose peer it is. */
void cg__sim_bereave(struct cg_sim *sim, const struct cg_sim_sock *gone);
/* Returns how many datagrams a request may move: all, or fewer by chance. */
size_t cg__sim_most_datagrams(struct cg_sim *sim, const struct cg_io *io);

/* sim_datagram_send.c */
bool cg__sim_send_datagrams(struct cg_sim *sim, struct cg_sim_sock *sock, struct cg_io *io,
                            ssize_t *result);
ssize_t cg__sim_set_peer(struct cg_sim *sim, struct cg_sim_sock *sock, const struct cg_io *io);

/* sim_group.c. cg__sim_change_group joins or leaves a group; cg__sim_is_member says whether a
 * socket has joined the group `to`, for what `from` sends. */
ssize_t cg__sim_change_group(struct cg_sim_sock *sock, const struct cg_io *io);
void cg__sim_leave_all(struct cg_sim_sock *sock);
bool cg__sim_is_member(const struct cg_sim_sock *sock, const struct cg_sim_addr *to,
                       const struct cg_sim_addr *from);

/* sim_calls.c. cg__sim_give copies a value to where a request wants it, as much as fits, and
 * returns the size. */
ssize_t cg__sim_call(struct cg_sim_host *host, struct cg_io *io);
ssize_t cg__sim_give(const struct cg_io *io, const void *value, size_t size);

/* sim_options.c */
ssize_t cg__sim_set_option(struct cg_sim_sock *sock, const struct cg_io *io);
ssize_t cg__sim_get_option(struct cg_sim_sock *sock, const struct cg_io *io);
int cg__sim_option(const struct cg_sim_sock *sock, int level, int name);
bool cg__sim_reuse_port(const struct cg_sim_sock *sock);
bool cg__sim_v6only(const struct cg_sim_sock *sock);
/* Called when a socket has got its local address: one of IPv6 cannot reach IPv4. */
void cg__sim_note_v6only(struct cg_sim_sock *sock);
void cg__sim_options_init(struct cg_sim *sim, struct cg_sim_sock *sock);

/* sim_addr.c */
int cg__sim_addr_set(struct cg_sim_addr *to, int domain, const struct sockaddr *addr,
                     socklen_t len);
/* Whether it is a multicast address. */
bool cg__sim_addr_is_group(const struct cg_sim_addr *addr);
bool cg__sim_addr_is_broadcast(const struct cg_sim_addr *addr);
bool cg__sim_addr_same(const struct cg_sim_addr *a, const struct cg_sim_addr *b);
/* Whether the address stands for every address of this host. */
bool cg__sim_addr_is_any(const struct cg_sim_addr *addr);
/* The address as a socket of that domain sees it: IPv4 mapped into IPv6, or back. */
struct cg_sim_addr cg__sim_addr_in(const struct cg_sim_addr *addr, int domain);
/* Replaces the unspecified address (0.0.0.0, ::) by this host's. */
void cg__sim_addr_settle(struct cg_sim_addr *addr);
/* Gives a connected socket that is bound to every address the one from which its peer is
 * reached: the peer's own. */
void cg__sim_set_local(struct cg_sim_sock *sock);
unsigned cg__sim_port(const struct cg_sim_addr *addr);
void cg__sim_port_set(struct cg_sim_addr *addr, unsigned port);
/* Room for the longest text: "unix:" and a path. */
#define CG_SIM_TEXT 128
const char *cg__sim_text(const struct cg_sim_addr *addr, char buf[CG_SIM_TEXT]);
/* Gives a socket its local name; chooses a port if it is 0. Returns 0 or -EADDRINUSE. */
int cg__sim_name(struct cg_sim *sim, struct cg_sim_sock *sock,
                 const struct cg_sim_addr *addr);
void cg__sim_unname(struct cg_sim *sim, struct cg_sim_sock *sock);
/* cg__sim_bound returns a list of sockets, linked by next_bound. It contains all that are
 * bound to this address or its port, and others. cg__sim_fit says how well a socket's name
 * matches the address to which something is sent; 0: not at all. */
struct cg_sim_sock *cg__sim_bound(struct cg_sim *sim, const struct cg_sim_addr *addr);
int cg__sim_fit(const struct cg_sim_sock *sock, const struct cg_sim_addr *addr);
/* Whether a bound socket is in the way of sockets of this kind: TCP and UDP have ports of their
 * own, and UNIX streams and datagrams have abstract names of their own, but paths in common. */
bool cg__sim_share_names(const struct cg_sim_sock *held, bool datagram);
/* Chooses a port that no socket is bound to and stores it in addr. Returns 0 or
 * -EADDRINUSE. */
int cg__sim_port_pick(struct cg_sim *sim, const struct cg_sim_sock *sock,
                      struct cg_sim_addr *addr);
/* Finds the listener at an address: the most specific one, in turn if several share the
 * address. If there is none, returns NULL and sets *error: ECONNREFUSED, or ENOENT for a
 * UNIX path to which nothing is bound. */
struct cg_sim_sock *cg__sim_listener(struct cg_sim *sim, const struct cg_sim_addr *addr,
                                     int *error);

#endif
