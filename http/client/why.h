/* SPDX-License-Identifier: MIT */
/* Messages of failed requests. */
#ifndef COGEN_HTTP_CLIENT_WHY_H
#define COGEN_HTTP_CLIENT_WHY_H

#include <cogen/http_client.h>

#include <errno.h>
#include <stdbool.h>
#include <sys/types.h>

/* Formats the message of a failure into why, as printable ASCII, and returns the code.
 * why has CG_HTTP_WHY_SIZE bytes; it may be NULL, or one of the arguments. */
__attribute__((format(printf, 3, 4))) ssize_t
cg__http_client_because(char *why, ssize_t code, const char *format, ...);

/* The result of a request if its proxy cannot be used because of `code`. What is lacking here is
 * not the fault of the proxy. */
static inline ssize_t cg__http_client_why_proxy(ssize_t code)
{
    bool ours = code == -ETIMEDOUT || code == -ECANCELED || code == -ENOMEM || code == -ENOBUFS ||
                code == -ENOSPC || code == -EMFILE || code == -ENFILE;

    return ours ? code : CG_EHTTP_PROXY;
}

#endif
