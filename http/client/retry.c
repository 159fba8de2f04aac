/* SPDX-License-Identifier: MIT */
/* See retry.h. The pauses grow, and are random within limits, so that clients which a
 * server has lost together do not come back together. */
#include "config.h"

#include "http/client/retry.h"
#include "http/message/date.h"
#include "lib/base/ascii.h"
#include "lib/base/random.h"

#include <cogen/clock.h>
#include <cogen/reactor.h>
#include <cogen/sim.h>

#include <errno.h>
#include <string.h>

/* A response that says that a later request may succeed. */
static bool may_pass(unsigned status)
{
    return status == 408 || status == 429 || status == 502 || status == 503 ||
           status == 504;
}

/* An error of the network or of the server. A cancelled request has -ECANCELED, also if its
 * own timeout has passed. */
static bool is_transient(ssize_t code)
{
    static const ssize_t list[] = {
        CG_EOF,      CG_ETLS_CUT,   CG_ELOOKUP, -ETIMEDOUT,   -EPIPE,
        -ECONNRESET, -ECONNREFUSED, -ENETDOWN,  -ENETUNREACH, -EHOSTUNREACH,
        -ECONNABORTED};

    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        if (code == list[i])
            return true;
    return false;
}

/* A number below `below`; in a simulated world it depends on the seed. */
static uint64_t chance(struct cg_sched *sched, uint64_t below)
{
    struct cg_reactor *reactor = cg_sched_reactor(sched);
    uint64_t number = below / 2;

    if (reactor->simulated)
        return cg_sim_random(reactor, below);
    return getentropy(&number, sizeof number) == 0 ? number % below : below / 2;
}

/* Between a half and all of .retry_pause, which doubles with each attempt. */
static int64_t back_off(const struct cg__asking *ask)
{
    const struct cg_http_fetch *fetch = ask->fetch;
    int64_t pause = fetch->retry_pause > 0 ? fetch->retry_pause : CG_HTTP_RETRY_PAUSE;

    for (unsigned i = 1; i < ask->retries && pause < CG_HTTP_RETRY_LONGEST; i++)
        pause *= 2;
    pause = pause < CG_HTTP_RETRY_LONGEST ? pause : CG_HTTP_RETRY_LONGEST;
    return pause / 2 + (int64_t)chance(ask->client->sched, (uint64_t)(pause / 2) + 1);
}

/* What the field Retry-After asks for, in ns: a number of seconds, or a date. 0: nothing. */
static int64_t retry_after(const struct cg__asking *ask)
{
    const char *text = cg_http_reply_header(ask->reply, "Retry-After");
    int64_t moment, now = cg_clock_now(ask->client->sched, CG_CLOCK_WALL) / CG_SECOND;
    uint64_t seconds = 0;

    if (text == NULL)
        return 0;
    if (!cg__ascii_is_number(text, &seconds) && cg__http_date_parse(text, now, &moment))
        seconds = moment > now ? (uint64_t)(moment - now) : 0;
    return seconds < (uint64_t)(CG_NEVER / CG_SECOND) ? (int64_t)seconds * CG_SECOND
                                                      : CG_NEVER;
}

/* What was not sent may be sent again by any method. */
static bool is_worth(const struct cg__asking *ask, ssize_t result)
{
    bool again = result == 0 ? may_pass(ask->reply->head.status) : is_transient(result);

    return again && (!ask->connected || cg__http_message_is_idempotent(ask->method));
}

bool cg__http_client_retry_wants(struct cg__asking *ask, ssize_t result, int64_t *pause)
{
    const struct cg_http_fetch *fetch = ask->fetch;
    int64_t now = cg_sched_now(ask->client->sched), after;

    if (ask->retries >= fetch->retries || !is_worth(ask, result))
        return false;
    ask->retries++;
    *pause = back_off(ask);
    after = result == 0 ? retry_after(ask) : 0;
    *pause = *pause > after ? *pause : after;
    return *pause <= (fetch->retry_time > 0 ? fetch->retry_time : CG_HTTP_RETRY_TIME) -
                         (now - ask->begun_at);
}
