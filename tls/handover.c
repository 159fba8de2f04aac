/* SPDX-License-Identifier: MIT */
/* The keys of session tickets go to a successor (cogen/restart.h), so that clients resume
 * their sessions there. As at a reload, a key does not outlive the certificates with which
 * it was made: what is handed over is named after them, and a successor with others does not
 * find it. A configuration that asks clients for certificates hands nothing over, since the
 * successor may trust others. */
#include "config.h"

#include "tls/keys.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* What passes through the pipe. */
struct parcel {
    char form[16]; /* another version of this library may have another one */
    int64_t since;
    struct cg__tls_ticket_key now, before;
};

static const char form[16] = "cogen tickets 1";

_Static_assert(sizeof(struct parcel) <= CG_HANDOVER_SIZE, "it is handed over at once");

/* Hashes all certificates. */
static bool digest(const struct cg__tls_keys *keys, unsigned char *sum)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool ok = context != NULL && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1;

    for (size_t i = 0; ok && i < keys->count; i++) {
        unsigned char one[EVP_MAX_MD_SIZE];
        unsigned size;

        ok = X509_digest(keys->identities[i].cert, EVP_sha256(), one, &size) == 1 &&
             EVP_DigestUpdate(context, one, size) == 1;
    }
    ok = ok && EVP_DigestFinal_ex(context, sum, NULL) == 1;
    EVP_MD_CTX_free(context);
    return ok;
}

/* Called by cg_restart. */
static size_t fill(void *arg, void *buf)
{
    struct cg__tls_tickets *tickets = arg;
    struct parcel *parcel = buf;
    bool made;

    pthread_mutex_lock(&tickets->lock);
    memcpy(parcel->form, form, sizeof form);
    parcel->since = tickets->since;
    parcel->now = tickets->now;
    parcel->before = tickets->before;
    made = tickets->now.made;
    pthread_mutex_unlock(&tickets->lock);
    return made ? sizeof *parcel : 0;
}

void cg__tls_handover_name(struct cg__tls_keys *keys)
{
    unsigned char sum[EVP_MAX_MD_SIZE];
    int used;

    if (keys->count == 0 || !digest(keys, sum))
        return;
    used = snprintf(keys->handover_name, sizeof keys->handover_name, "tls-");
    for (int i = 0; i < 16; i++, used += 2)
        snprintf(keys->handover_name + used, 3, "%02x", sum[i]);
    keys->handover = (struct cg_handover){
        .name = keys->handover_name, .fill = fill, .arg = &keys->tickets};
}

/* Whether the keys were made before this moment, by the clock that all processes and all
 * schedulers share. Their age decides when they end. */
static bool is_past(int64_t since)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return since <= now.tv_sec * CG_SECOND + now.tv_nsec;
}

void cg__tls_handover_take(struct cg__tls_keys *keys)
{
    struct cg__tls_tickets *tickets = &keys->tickets;
    struct parcel parcel;

    if (keys->handover.name != NULL &&
        cg_handover_take(keys->handover.name, &parcel, sizeof parcel) == sizeof parcel &&
        memcmp(parcel.form, form, sizeof form) == 0 && is_past(parcel.since)) {
        tickets->since = parcel.since;
        tickets->now = parcel.now;
        tickets->before = parcel.before;
    }
    OPENSSL_cleanse(&parcel, sizeof parcel);
}

void cg__tls_handover_begin(struct cg__tls_keys *keys)
{
    if (keys->handover.name != NULL)
        cg_handover_add(&keys->handover);
}

void cg__tls_handover_end(struct cg__tls_keys *keys)
{
    if (keys->handover.name != NULL)
        cg_handover_remove(&keys->handover);
}
