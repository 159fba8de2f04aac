/* SPDX-License-Identifier: MIT */
/* cg_http_upgrade: 101 and CONNECT, after which the handler owns the connection. */
#include "config.h"

#include "http/server/response/response_head.h"

#include <errno.h>
#include <string.h>

/* Sets Upgrade to the first protocol in the client's list. */
static int name_protocol(struct cg_http_request *req)
{
    const char *asked = cg_http_headers_get(&req->in, "Upgrade");
    size_t size = strcspn(asked += strspn(asked, ", \t"), ", \t");
    char name[64];

    if (size == 0 || size >= sizeof name)
        return -EINVAL;
    memcpy(name, asked, size);
    name[size] = '\0';
    return cg_http_headers_set(&req->out, "Upgrade", name);
}

/* The Upgrade field of a 101 must name a protocol that the client has asked for; HTTP/1.0
 * has no upgrades (RFC 9110, 7.8). */
static int set_upgrade(struct cg_http_request *req)
{
    const char *set = cg_http_headers_get(&req->out, "Upgrade");
    int rc = 0;

    if (!req->upgrade || req->code == HTTP_CONNECT || req->minor == 0)
        return -EINVAL;
    if (set == NULL)
        rc = name_protocol(req);
    else if (!cg_http_headers_has(&req->in, "Upgrade", set))
        return -EINVAL;
    if (rc == 0 && !cg_http_headers_has(&req->out, "Connection", "upgrade"))
        rc = cg_http_headers_add(&req->out, "Connection", "upgrade");
    return rc;
}

static int check_upgrade(struct cg_http_request *req, int status)
{
    if (req->begun)
        return -EALREADY;
    if (req->carrier->give == NULL)
        return -EOPNOTSUPP;
    if (!req->body_done)
        return -EINVAL; /* the unread bytes are the body, not the new protocol */
    if (status == 101)
        return set_upgrade(req);
    return req->code == HTTP_CONNECT && status / 100 == 2 ? 0 : -EINVAL;
}

static ssize_t upgrade_run(struct cg_op *op)
{
    struct cg_http_upgrade_op *upgrade = (struct cg_http_upgrade_op *)op;
    struct cg_http_request *req = upgrade->req;
    ssize_t n = check_upgrade(req, upgrade->status);
    bool keep = req->keep;

    if (n < 0)
        return n;
    req->switches = true;
    req->keep = true; /* so that the head has no Connection: close */
    n = cg__http_response_head_write(req, upgrade->status, -1, NULL);
    if (n < 0) { /* the handler may still respond otherwise */
        req->switches = false;
        req->keep = keep;
    }
    if (n == 0)
        n = req->carrier->give(req, upgrade->sock);
    if (n == 0)
        req->ended = true;
    return n;
}

const struct cg_op_type cg_http_upgrade_type = {
    .name = "http_upgrade",
    .run = upgrade_run,
};
