/* SPDX-License-Identifier: MIT */
/* Configurations: makes, reloads and frees them. */
#include "config.h"

#include "tls/tls.h"
#include "tls/why.h"

#include <errno.h>
#include <stdlib.h>

static int load(struct cg_tls *tls, struct cg__tls_keys **keys, char *why)
{
    int rc = cg__tls_keys_new(&tls->options, keys, why);

    if (rc == 0)
        cg__tls_session_keep((*keys)->context);
    else if (rc == -ENOMEM)
        cg__tls_why_say(why, rc, "no memory");
    return rc;
}

int cg_tls_new_with(const struct cg_tls_options *options, struct cg_tls **out)
{
    struct cg_tls *tls;
    int rc;

    if (options->why != NULL)
        *options->why = '\0';
    rc = cg__tls_options_check(options);
    if (rc < 0)
        return rc;
    tls = calloc(1, sizeof *tls);
    if (tls == NULL)
        return -ENOMEM;
    tls->refs = 1;
    rc = -ENOMEM;
    if (cg__tls_options_copy(&tls->options, options))
        rc = load(tls, &tls->keys, options->why);
    if (rc < 0) {
        cg_tls_free(tls);
        return rc;
    }
    *out = tls;
    return 0;
}

int cg_tls_reload(struct cg_tls *tls, char *why)
{
    struct cg__tls_keys *keys;
    int rc;

    if (why != NULL)
        *why = '\0';
    rc = load(tls, &keys, why);
    if (rc < 0)
        return rc;
    cg__tls_keys_unref(tls->keys);
    tls->keys = keys;
    cg__tls_session_clear(tls); /* their trust may have been withdrawn */
    return 0;
}

struct cg_tls *cg__tls_ref(struct cg_tls *tls)
{
    tls->refs++;
    return tls;
}

void cg_tls_free(struct cg_tls *tls)
{
    if (tls == NULL || --tls->refs > 0)
        return;
    cg__tls_session_clear(tls);
    if (tls->keys != NULL)
        cg__tls_keys_unref(tls->keys);
    cg__tls_options_drop(&tls->options);
    free(tls);
}
