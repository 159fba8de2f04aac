/* SPDX-License-Identifier: MIT */
/* Completes a response after its handler has returned. */
#include "config.h"

#include "http/server/access_log.h"
#include "http/server/response/response.h"
#include "http/server/response/response_end.h"
#include "http/server/response/response_write.h"

#include <errno.h>

/* Errors that the peer or a shutdown causes are not failures of the handler. */
static bool is_usual(ssize_t n)
{
    return n == -EPIPE || n == -ECONNRESET || n == -ECANCELED || n == -ETIMEDOUT ||
           n == CG_EOF || n == CG_ETLS_CUT;
}

/* Responds in the place of a handler that has not. */
static ssize_t instead(struct cg_http_request *req, ssize_t n)
{
    if (n >= 0 && req->status != 0) {
        n = cg_yield(cg_http_respond(req, req->status, "", 0));
        if (n != -EINVAL)
            return n;
    }
    if (n < 0 && req->failure != 0) {
        req->keep = false;
        return cg__http_response_plain(req, req->failure);
    }
    if (n >= 0 || !is_usual(n))
        cg__http_access_log_failure(req, n);
    cg__http_message_reset(&req->out, CG__HTTP_KEEP);
    return cg__http_response_plain(req, n == -ECANCELED ? 503 : 500);
}

void cg__http_response_end_rest(struct cg_http_request *req, ssize_t n)
{
    if (req->cut || req->carrier->is_lost(req))
        return;
    if (!req->begun) {
        if (instead(req, n) < 0)
            req->cut = true;
        return;
    }
    if (n < 0 && !is_usual(n))
        cg__http_access_log_failure(req, n);
    if (req->ended)
        return;
    if (n >= 0) {
        cg__http_response_write_end(req);
        return;
    }
    req->ended = true;
    req->cut = req->framing != CG__HTTP_NO_BODY;
}
