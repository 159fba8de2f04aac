/* SPDX-License-Identifier: MIT */
/* A channel of c-ares: see cares_channel.h. */
#include "config.h"

#include "lib/base/fork.h"
#include "sockets/resolve/cares_answer.h"
#include "sockets/resolve/cares_channel.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

static int copy_text(char **to, const char *text)
{
    if (text != NULL && (*to = strdup(text)) == NULL)
        return -ENOMEM;
    return 0;
}

int cg__cares_channel_init(struct cg__cares_channel *channel,
                           const struct cg_resolver_options *options)
{
    channel->options = *options;
    if (copy_text(&channel->servers, options->servers) < 0)
        return -ENOMEM;
    return copy_text(&channel->resolv_conf, options->resolv_conf);
}

void cg__cares_channel_free(struct cg__cares_channel *channel)
{
    if (channel->is_open)
        ares_destroy(channel->ares);
    free(channel->servers);
    free(channel->resolv_conf);
}

/* Sets the servers that the options name. If that fails, destroys the channel, because it
 * would ask the system's servers. */
static int set_servers(struct cg__cares_channel *channel)
{
    int status = ARES_SUCCESS;

    if (channel->servers != NULL)
        status = ares_set_servers_ports_csv(channel->ares, channel->servers);
    if (status == ARES_SUCCESS)
        return 0;
    ares_destroy(channel->ares);
    return cg__cares_code(status);
}

/* A time in milliseconds, at least one for any time. */
static int milliseconds(int64_t time)
{
    int64_t whole = time / CG_MILLISECOND + (time % CG_MILLISECOND > 0);

    return whole < INT_MAX ? (int)whole : INT_MAX;
}

int cg__cares_channel_open(struct cg__cares_channel *channel, struct cg_sched *sched)
{
    struct ares_options options = {
        .timeout = milliseconds(channel->options.timeout),
        .tries = channel->options.tries,
        .resolvconf_path = channel->resolv_conf,
    };
    int mask = ARES_OPT_SOCK_STATE_CB | (options.timeout > 0 ? ARES_OPT_TIMEOUTMS : 0) |
               (options.tries > 0 ? ARES_OPT_TRIES : 0) |
               (channel->resolv_conf != NULL ? ARES_OPT_RESOLVCONF : 0);
    int status;

    if (channel->is_open)
        return 0;
    channel->sockets.sched = sched;
    cg__cares_sockets_prepare(&channel->sockets, &options);
    status = ares_init_options(&channel->ares, &options, mask);
    if (status != ARES_SUCCESS)
        return status == ARES_ENOMEM ? -ENOMEM : CG_ELOOKUP;
    cg__cares_sockets_attach(&channel->sockets, channel->ares);
    status = set_servers(channel);
    channel->is_open = status == 0;
    channel->forks = cg__fork_count();
    return status;
}

bool cg__cares_channel_is_parents(const struct cg__cares_channel *channel)
{
    return channel->is_open && channel->forks != cg__fork_count();
}

bool cg__cares_channel_is_old(const struct cg__cares_channel *channel)
{
    return cg__cares_channel_is_parents(channel) || channel->outdated;
}

void cg__cares_channel_close(struct cg__cares_channel *channel)
{
    ares_destroy(channel->ares);
    channel->is_open = false;
    channel->outdated = false;
    channel->sockets.broken = false;
}

/* c-ares counts whole milliseconds and rounds the last one down to 0. */
int64_t cg__cares_channel_patience(struct cg__cares_channel *channel)
{
    struct timeval space, *left = ares_timeout(channel->ares, NULL, &space);
    int64_t ns;

    if (left == NULL)
        return CG_NEVER;
    ns = left->tv_sec * CG_SECOND + left->tv_usec * CG_MICROSECOND;
    return ns > 0 ? ns : CG_MILLISECOND;
}
