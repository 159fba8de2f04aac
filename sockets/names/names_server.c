/* SPDX-License-Identifier: MIT */
/* The name server of a simulated world. What it knows is a text; what is wrong with its answers
 * is the world's choice (CG_LACKS_NAMES), and whether they arrive is the network's. */
#include "config.h"

#include "lib/base/ascii.h"
#include "sockets/names/names_message.h"
#include "sockets/resolve/addr.h"
#include "sockets/resolve/resolve.h"

#include <cogen/coro.h>
#include <cogen/datagram.h>
#include <cogen/group.h>
#include <cogen/sched.h>
#include <cogen/sim.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LATEST (30 * CG_SECOND) /* of an answer that comes late */
#define PAUSE (CG_SECOND / 10)  /* after an error */

enum { TTL_MOST = 24 * 60 * 60 };

/* A reply on its way. */
struct reply {
    struct cg_sock *sock;
    struct cg_addr to;
    int64_t late;
    size_t len;
    unsigned char message[CG__NAMES_SIZE];
};

/* The next word of a line, which it passes over. False: there is none. */
static bool next_word(const char **at, const char *end, char word[static CG_HOST_SIZE])
{
    size_t len;

    while (*at < end && **at == ' ')
        ++*at;
    for (len = 0; *at + len < end && (*at)[len] != ' '; len++)
        continue;
    if (len == 0 || len >= CG_HOST_SIZE)
        return false;
    memcpy(word, *at, len);
    word[len] = '\0';
    *at += len;
    return true;
}

/* Reads a line, if it is about that host: the host, seconds, addresses. */
static bool read_line(const char *at, const char *end, const char *host,
                      struct cg__names_answer *answer)
{
    char word[CG_HOST_SIZE];
    const char *number = word;
    struct cg_addr addr;
    uint64_t ttl;

    if (!next_word(&at, end, word) || !cg__addr_same_host(word, host))
        return false;
    if (!next_word(&at, end, word) || !cg__ascii_number(&number, &ttl) || *number != '\0' ||
        ttl > TTL_MOST)
        return false;
    *answer = (struct cg__names_answer){.code = CG__NAMES_FINE, .ttl = (uint32_t)ttl};
    while (next_word(&at, end, word))
        if (cg__addr_host(word, &addr) == 1)
            cg__resolve_add(&answer->addrs, &addr.base);
    return true;
}

static void find(const char *zone, const char *host, struct cg__names_answer *answer)
{
    while (*zone != '\0') {
        const char *end = zone + strcspn(zone, "\n");

        if (read_line(zone, end, host, answer))
            return;
        zone = end + (*end == '\n');
    }
    *answer = (struct cg__names_answer){.code = CG__NAMES_UNKNOWN};
}

/* Chooses what is wrong with an answer, if the world lacks good ones. False: there is none. */
static bool spoil(struct cg__names_answer *answer, int64_t *late)
{
    struct cg_reactor *reactor = cg_sched_reactor(cg_sched_self());

    if (!cg__reactor_lacks(reactor, CG_LACKS_NAMES))
        return true;
    switch (cg_sim_random(reactor, 5)) {
    case 0:
        answer->code = CG__NAMES_FAILED;
        answer->addrs.count = 0;
        return true;
    case 1:
        answer->code = CG__NAMES_UNKNOWN;
        answer->addrs.count = 0;
        return true;
    case 2:
        *answer = (struct cg__names_answer){.code = CG__NAMES_FINE, .ttl = 1};
        answer->addrs.count = cg__addr_host("192.0.2.1", &answer->addrs.addrs[0]);
        return true;
    case 3:
        *late = 1 + (int64_t)cg_sim_random(reactor, LATEST);
        return true;
    default:
        return false;
    }
}

static void send_reply(const struct reply *reply)
{
    cg_yield(cg_send_to(reply->sock, reply->message, reply->len, &reply->to));
}

static ssize_t wait_and_send(void *arg)
{
    struct reply *reply = arg;

    if (cg_yield(cg_sleep(reply->late)) == 0)
        send_reply(reply);
    free(reply);
    return 0;
}

static void send_late(struct cg_group *group, const struct reply *reply)
{
    struct reply *copy = malloc(sizeof *copy);

    if (copy == NULL)
        return;
    *copy = *reply;
    if (cg_group_start(group, wait_and_send, copy, NULL, .name = "late answer") < 0)
        free(copy);
}

/* Answers a query. What cannot be sent is lost, as datagrams are. */
static void answer(const char *zone, struct cg_group *group, struct reply *reply)
{
    struct cg__names_question question;
    struct cg__names_answer found;

    if (!cg__names_message_read(reply->message, reply->len, &question))
        return;
    find(zone, question.host, &found);
    if (!spoil(&found, &reply->late))
        return;
    reply->len = cg__names_message_answer(reply->message, &question, &found);
    if (reply->late > 0)
        send_late(group, reply);
    else
        send_reply(reply);
}

/* Waits after an error, unless it only says that somebody did not wait for an answer. Returns
 * below 0 if the server was cancelled. */
static ssize_t pause_after(ssize_t error)
{
    if (error == -ECONNREFUSED)
        return 0;
    return error == -ECANCELED ? error : cg_yield(cg_sleep(PAUSE));
}

static ssize_t serve(const char *zone, struct cg_group *group, struct cg_sock *sock)
{
    ssize_t n;

    do {
        struct reply reply = {.sock = sock};

        n = cg_yield(cg_receive_from(sock, reply.message, sizeof reply.message, &reply.to));
        if (n >= 0) {
            reply.len = (size_t)n;
            answer(zone, group, &reply);
        } else {
            n = pause_after(n);
        }
    } while (n >= 0);
    return n;
}

ssize_t cg_sim_serve_names(void *zone)
{
    struct cg_sock *sock;
    struct cg_group group;
    ssize_t n;

    if (!cg_sched_reactor(cg_sched_self())->simulated)
        return -EOPNOTSUPP;
    while ((n = cg_datagram_open(cg_sched_self(), CG_SIM_NAME_SERVER, &sock)) < 0)
        if ((n = pause_after(n)) < 0)
            return n;
    cg_group_open(&group);
    n = serve(zone, &group, sock);
    cg_group_cancel(&group);
    cg_yield(cg_wait_group(&group));
    cg_sock_close(sock);
    return n;
}
