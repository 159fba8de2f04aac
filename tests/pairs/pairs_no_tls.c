/* SPDX-License-Identifier: MIT */
/* Without TLS there is nothing to race. */
#include "tests/pairs/pairs.h"

bool pairs_tls_open(void)
{
    return false;
}

void pairs_tls_close(void)
{
}

void pairs_secure(struct cg_sock **a, struct cg_sock **b)
{
    (void)a;
    (void)b;
}

const struct family pairs_tls = {NULL, 0};
