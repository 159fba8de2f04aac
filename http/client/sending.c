/* SPDX-License-Identifier: MIT */
/* See sending.h. The coroutine is a member of a group, so that it never outlives the
 * request. If it fails while the response is read, it ends the group, and with it that
 * reading. */
#include "config.h"

#include "http/client/sending.h"
#include "http/client/why.h"

#include <errno.h>
#include <stdlib.h>

static ssize_t run(void *arg)
{
    struct cg__sending *sending = arg;

    sending->result = sending->carrier->send_body(sending);
    sending->ended = true;
    cg_event_set(&sending->over);
    if (sending->result < 0)
        cg_group_cancel(&sending->group);
    return 0;
}

ssize_t cg__http_client_sending_begin(struct cg__asking *ask, const struct cg__link *link)
{
    struct cg__sending *sending = calloc(1, sizeof *sending);
    ssize_t n;

    if (sending == NULL)
        return -ENOMEM;
    sending->ask = ask;
    sending->sock = link->sock;
    sending->stream = link->stream;
    sending->carrier = link->carrier;
    cg_group_open(&sending->group);
    ask->sending = sending;
    n = cg_yield(cg_add_to_group(&sending->group, run, sending, .name = "http body"));
    if (n == 0)
        return 0;
    sending->ended = true;
    sending->result = n;
    return cg__http_client_sending_end(ask, n);
}

ssize_t cg__http_client_sending_wait(struct cg__asking *ask)
{
    ssize_t n = 0;

    while (n == 0 && !ask->sending->ended)
        n = ask->sending->carrier->listen(ask->sending);
    if (n < 0 || ask->sending->ended)
        n = cg__http_client_sending_end(ask, n);
    return n < 0 ? n : 0;
}

ssize_t cg__http_client_sending_end(struct cg__asking *ask, ssize_t result)
{
    struct cg__sending *sending = ask->sending;
    bool cut;

    if (sending == NULL)
        return result;
    cut = !sending->ended;
    if (cut)
        cg_group_cancel(&sending->group);
    cg_yield(cg_wait_group(&sending->group));
    ask->sending = NULL;
    ask->unsent = sending->result != 0;
    ask->broken = sending->broken;
    if (!cut && sending->result < 0 && sending->result != -ECANCELED)
        result = cg__http_client_because(
            ask->why, sending->result, "%s",
            sending->why[0] != '\0' ? sending->why : cg_strerror(sending->result));
    free(sending);
    return result;
}

ssize_t cg__http_client_sending_finish(struct cg__asking *ask, ssize_t result)
{
    struct cg__sending *sending = ask->sending;
    ssize_t n = 0;

    while (sending != NULL && n == 0 && result >= 0 && !sending->ended && ask->reply->ended)
        n = sending->carrier->listen(sending);
    return cg__http_client_sending_end(ask, n < 0 ? n : result);
}
