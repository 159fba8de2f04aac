/* SPDX-License-Identifier: MIT */
/* A body that is sent by a coroutine of its own, while that of the request waits for the
 * response or reads it. */
#ifndef COGEN_HTTP_CLIENT_SENDING_H
#define COGEN_HTTP_CLIENT_SENDING_H

#include "http/client/client.h"

#include <cogen/group.h>
#include <cogen/sync.h>

enum { CG__SENT_ALONE = 16 * 1024 }; /* a body in memory up to this needs no coroutine */

struct cg__sending {
    struct cg_group group;  /* of the coroutine; its owner is that of the request */
    struct cg_event over;   /* it has ended */
    struct cg__asking *ask;
    struct cg_sock *sock;         /* of HTTP/1.1 */
    struct cg__h2_stream *stream; /* of HTTP/2 */
    const struct cg__carrier *carrier;
    ssize_t result; /* 0: all was sent; 1: the server did not take it; negative */
    ssize_t broken; /* with 1: why it could not be written; 0: the server did not want it */
    bool ended;
    char why[CG_HTTP_WHY_SIZE];
};

/* Whether the body is sent by a coroutine. */
static inline bool cg__http_client_sending_wants(const struct cg__asking *ask)
{
    return ask->fetch->source != NULL || ask->fetch->file != NULL ||
           ask->fetch->len > CG__SENT_ALONE;
}

/* Whether the body goes on being sent after the final head: the response is successful, and
 * the operation lasts until it has been read. */
static inline bool cg__http_client_sending_goes_on(const struct cg__asking *ask)
{
    return ask->reply->head.status / 100 == 2 &&
           (ask->fetch->receive != NULL || !ask->fetch->stream);
}

/* Starts the coroutine: ask->sending. 0 or a negative code. */
ssize_t cg__http_client_sending_begin(struct cg__asking *ask, const struct cg__link *link);

/* Waits until the body was sent, or a response comes. 0 or a negative code. */
ssize_t cg__http_client_sending_wait(struct cg__asking *ask);

/* Ends the coroutine, if there is one: cancels it unless it has ended. Returns the failure of
 * the sending if it had failed before, else `result`. Sets ask->unsent and ask->broken. */
ssize_t cg__http_client_sending_end(struct cg__asking *ask, ssize_t result);

/* Called when the response was received with `result`. If it is complete, waits until the
 * rest of the body is sent or the server does not take it. Ends the coroutine, and returns
 * as cg__http_client_sending_end does. */
ssize_t cg__http_client_sending_finish(struct cg__asking *ask, ssize_t result);

/* Whether the server may be slow to read the body: it is responding. */
static inline bool cg__http_client_sending_is_patient(const struct cg__sending *sending)
{
    return sending->ask->responded && !sending->ask->reply->ended;
}

#endif
