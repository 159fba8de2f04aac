/* SPDX-License-Identifier: MIT */
/* The options of a configuration: checks, copies, frees them. */
#include "config.h"

#include "tls/pins.h"
#include "tls/tls.h"
#include "tls/why.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

int cg__tls_options_check(const struct cg_tls_options *options)
{
    const char *wrong = NULL;

    if (options->verify_client > CG_TLS_REQUIRED)
        wrong = "verify_client: unknown value";
    else if (options->min_version > CG_TLS_1_3)
        wrong = "min_version: unknown value";
    else if (options->key != NULL && options->cert == NULL)
        wrong = "key: without a cert";
    else if (options->pins != NULL && !cg__tls_pins_are_valid(options->pins))
        wrong = "pins: not a list of sha256//BASE64";
    return wrong != NULL ? cg__tls_why_say(options->why, -EINVAL, wrong) : 0;
}

/* Copies a text; NULL stays NULL. Sets *failed if there is no memory. */
static const char *copy(const char *text, bool *failed)
{
    char *made = text != NULL ? strdup(text) : NULL;

    if (text != NULL && made == NULL)
        *failed = true;
    return made;
}

/* Overwrites a text that may be a private key. */
static void erase(const char *text)
{
    if (text != NULL)
        OPENSSL_cleanse((char *)text, strlen(text));
    free((char *)text);
}

static size_t count_pairs(const struct cg_tls_pair *pairs)
{
    size_t count = 0;

    while (pairs != NULL && pairs[count].cert != NULL)
        count++;
    return count;
}

static struct cg_tls_pair *copy_pairs(const struct cg_tls_pair *pairs, bool *failed)
{
    size_t count = count_pairs(pairs);
    struct cg_tls_pair *made = pairs != NULL ? calloc(count + 1, sizeof *made) : NULL;

    *failed |= made == NULL && pairs != NULL;
    for (size_t i = 0; made != NULL && i < count && !*failed; i++) {
        made[i].cert = copy(pairs[i].cert, failed);
        if (!*failed)
            made[i].key = copy(pairs[i].key, failed);
    }
    return made;
}

bool cg__tls_options_copy(struct cg_tls_options *to, const struct cg_tls_options *from)
{
    bool failed = false;

    *to = *from;
    to->why = NULL;
    to->reserved = NULL;
    to->cert = copy(from->cert, &failed);
    to->key = copy(from->key, &failed);
    to->pairs = copy_pairs(from->pairs, &failed);
    to->ca_file = copy(from->ca_file, &failed);
    to->ca_path = copy(from->ca_path, &failed);
    to->alpn = copy(from->alpn, &failed);
    to->groups = copy(from->groups, &failed);
    to->ciphers = copy(from->ciphers, &failed);
    to->suites = copy(from->suites, &failed);
    to->key_log = copy(from->key_log, &failed);
    to->pins = copy(from->pins, &failed);
    return !failed;
}

void cg__tls_options_drop(struct cg_tls_options *options)
{
    for (size_t i = count_pairs(options->pairs); i-- > 0;) {
        erase(options->pairs[i].cert);
        erase(options->pairs[i].key);
    }
    free((struct cg_tls_pair *)options->pairs);
    erase(options->cert);
    erase(options->key);
    free((char *)options->ca_file);
    free((char *)options->ca_path);
    free((char *)options->alpn);
    free((char *)options->groups);
    free((char *)options->ciphers);
    free((char *)options->suites);
    free((char *)options->key_log);
    free((char *)options->pins);
    *options = (struct cg_tls_options){.reserved = NULL};
}
