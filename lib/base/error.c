/* SPDX-License-Identifier: MIT */
/* What error codes mean, and the version. */
#include "config.h"

#include <cogen/base.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* A number that is neither an errno nor a code of ours. */
static const char *unknown(ssize_t code)
{
    static _Thread_local char text[48];

    snprintf(text, sizeof text, "unknown code %zd", code);
    return text;
}

const char *cg_strerror(ssize_t code)
{
    if (code >= 0)
        return "success";
    switch (code) {
    case CG_EOF:
        return "end of stream";
    case CG_EADDR:
        return "not a valid address, or its port is missing";
    case CG_EHOST:
        return "unknown host";
    case CG_EREACTOR:
        return "no reactor has this name";
    case CG_ELOOKUP:
        return "host look-up failed, try again later";
    case CG_EHTTP:
        return "the response is not valid HTTP";
    case CG_EHTTP_URL:
        return "not a valid http or https URL";
    case CG_EHTTP_TLS:
        return "https needs TLS, which this client does not have";
    case CG_EHTTP_LIMIT:
        return "the response is larger than allowed";
    case CG_EHTTP_CODING:
        return "the compressed body is corrupt, or expands too much";
    case CG_EHTTP_REDIRECT:
        return "too many redirects, or one that must not be followed";
    case CG_EHTTP_PROXY:
        return "the proxy is invalid, or refuses";
    case CG_EWS:
        return "the peer refuses or violates WebSocket";
    case CG_ETLS:
        return "TLS failed";
    case CG_ETLS_CUT:
        return "TLS stream ended without close_notify";
    case CG_ETLS_REFUSED:
        return "the TLS peer refused the handshake";
    case CG_ETLS_CERT:
        return "certificate missing or invalid";
    case CG_ETLS_EXPIRED:
        return "certificate expired or not yet valid";
    case CG_ETLS_HOST:
        return "certificate is for another host";
    case CG_ETLS_ISSUER:
        return "certificate has no trusted issuer";
    case CG_ETLS_PIN:
        return "the public key of the certificate is not pinned";
    case CG_ETLS_FILE:
        return "no usable certificate or key in the file";
    case CG_ETLS_HTTP:
        return "the peer speaks HTTP without TLS";
    case -ETIMEDOUT: /* of any operation; the system's text speaks of a connection */
        return "timed out";
    default:
        return code > CG_EOF ? strerror((int)-code) : unknown(code);
    }
}

const char *cg_version(void)
{
    return PACKAGE_VERSION;
}
