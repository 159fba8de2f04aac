/* SPDX-License-Identifier: MIT */
/* See http_client_cookies.h. */
#include "http_client_cookies.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common.h"

struct cg_http_jar *cookies_jar;

void cookies_use(void)
{
    if (cookies_jar == NULL)
        cookies_jar = cg_http_jar_new();
    if (cookies_jar == NULL) {
        example_fail("memory", -ENOMEM);
        exit(1);
    }
}

void cookies_load(const char *path)
{
    unsigned wrong;
    ssize_t n;
    char why[64];

    cookies_use();
    n = cg_http_jar_load(cookies_jar, path, &wrong);
    if (n < 0 && n != -ENOENT)
        example_warn(path, n);
    snprintf(why, sizeof why, "line %u is not a cookie", wrong);
    if (wrong > 0)
        example_complain(path, why);
}

int cookies_end(const char *path)
{
    int rc = 0;

    if (path != NULL && strcmp(path, "-") == 0)
        cg_http_jar_print(cookies_jar, stdout);
    else if (path != NULL)
        rc = cg_http_jar_save(cookies_jar, path);
    if (rc < 0)
        example_fail(path, rc);
    cg_http_jar_free(cookies_jar);
    return rc;
}
