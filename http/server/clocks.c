/* SPDX-License-Identifier: MIT */
/* See clocks.h. */
#include "config.h"

#include "http/server/clocks.h"

/* A head may fall behind its rate by this: some are typed, and packets get lost. */
#define HEADER_GRACE (5 * CG_SECOND)

int64_t cg__http_clocks_head(const struct cg__http_conn *conn, size_t size)
{
    const struct cg_http_server_options *options = &conn->server->options;
    int64_t paid = HEADER_GRACE + CG_SECOND * (int64_t)(size / options->header_rate);

    return cg__moment_after(
        conn->since, paid < options->header_timeout ? paid : options->header_timeout);
}

int64_t cg__http_clocks_begin(const struct cg__http_conn *conn)
{
    return cg__moment_after(conn->since, conn->server->options.header_timeout);
}
