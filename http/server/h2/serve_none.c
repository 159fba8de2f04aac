/* SPDX-License-Identifier: MIT */
/* See serve.h: without nghttp2. */
#include "config.h"

#include "http/server/h2/serve.h"

enum cg__http_outcome cg__http_h2_serve(struct cg__http_conn *conn)
{
    (void)conn;
    return CG__HTTP_CLOSE_NOW;
}

void cg__http_h2_drain(struct cg__http_conn *conn)
{
    (void)conn;
}

void cg__http_h2_free_spare(struct cg_http_server *server)
{
    (void)server;
}

bool cg__http_h2_is_there(void)
{
    return false;
}
