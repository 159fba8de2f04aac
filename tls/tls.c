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
    static const struct cg_tls_options none;
    struct cg_tls *tls;
    int rc;

    if (options == NULL)
        options = &none;
    if (options->why != NULL)
        *options->why = '\0';
    rc = cg__tls_options_check(options);
    if (rc < 0)
        return rc;
    tls = calloc(1, sizeof *tls);
    if (tls == NULL)
        return -ENOMEM;
    atomic_init(&tls->refs, 1);
    pthread_mutex_init(&tls->lock, NULL);
    rc = -ENOMEM;
    if (cg__tls_options_copy(&tls->options, options))
        rc = load(tls, &tls->keys, options->why);
    if (rc < 0) {
        cg_tls_free(tls);
        return rc;
    }
    cg__tls_handover_take(tls->keys);
    cg__tls_handover_begin(tls->keys);
    *out = tls;
    return 0;
}

/* Another thread may have begun to load later and be ready first: its keys stay. */
static void use(struct cg_tls *tls, struct cg__tls_keys *keys, unsigned number)
{
    struct cg__tls_keys *old = keys;
    struct cg__tls_session *sessions = NULL;

    cg__tls_handover_begin(keys);
    pthread_mutex_lock(&tls->lock);
    if (number > tls->loaded) {
        old = tls->keys;
        tls->keys = keys;
        tls->loaded = number;
        sessions = cg__tls_session_take_all(tls); /* their trust may have been withdrawn */
    }
    pthread_mutex_unlock(&tls->lock);
    cg__tls_session_free_all(sessions);
    cg__tls_handover_end(old);
    cg__tls_keys_unref(old);
}

int cg_tls_reload(struct cg_tls *tls, char *why)
{
    struct cg__tls_keys *keys;
    unsigned number;
    int rc;

    if (why != NULL)
        *why = '\0';
    pthread_mutex_lock(&tls->lock);
    number = ++tls->begun;
    pthread_mutex_unlock(&tls->lock);
    rc = load(tls, &keys, why);
    if (rc == 0)
        use(tls, keys, number);
    return rc;
}

struct cg_tls *cg__tls_ref(struct cg_tls *tls)
{
    atomic_fetch_add(&tls->refs, 1);
    return tls;
}

struct cg__tls_keys *cg__tls_keys_now(struct cg_tls *tls)
{
    struct cg__tls_keys *keys;

    pthread_mutex_lock(&tls->lock);
    keys = cg__tls_keys_ref(tls->keys);
    pthread_mutex_unlock(&tls->lock);
    return keys;
}

void cg_tls_free(struct cg_tls *tls)
{
    if (tls == NULL || atomic_fetch_sub(&tls->refs, 1) > 1)
        return;
    cg__tls_session_free_all(tls->sessions);
    if (tls->keys != NULL) {
        cg__tls_handover_end(tls->keys);
        cg__tls_keys_unref(tls->keys);
    }
    cg__tls_options_drop(&tls->options);
    pthread_mutex_destroy(&tls->lock);
    free(tls);
}
