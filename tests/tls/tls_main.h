/* SPDX-License-Identifier: MIT */
/* The main of a test program with certificates. */
#ifndef COGEN_TESTS_TLS_TLS_MAIN_H
#define COGEN_TESTS_TLS_TLS_MAIN_H

#include "tests/support/support.h"
#include "tests/tls/tls_certs.h"

/* Like test_main, while the files of certs_open exist. */
static inline int tls_main(const char *theme, const struct test_case *cases, size_t n)
{
    int result;

    certs_open();
    result = test_main(theme, cases, n);
    certs_close();
    return result;
}

#endif
