/* SPDX-License-Identifier: MIT */
/* Signed texts. */
#include "config.h"

#include "tests/support/support.h"

#include <cogen/tls_signer.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct cg_tls_secret secrets[] = {{"a secret of 16 b", 16},
                                               {"another one, of 24 bytes", 24}};

static struct cg_tls_signer *make(const struct cg_tls_secret *list, size_t count)
{
    struct cg_tls_signer *signer = NULL;

    OK(cg_tls_signer_new(list, count, &signer));
    return signer;
}

/* What is signed comes back, whatever its bytes are; the text is plain; a buffer that is a
 * byte too small is refused. */
static void round_trips(void)
{
    struct cg_tls_signer *signer = make(secrets, 1);
    char data[100], text[CG_TLS_SIGNED_SIZE(sizeof data)], back[sizeof data + 1];

    for (size_t len = 0; len <= sizeof data; len++) {
        test_fill(data, len, len);
        OK(cg_tls_signer_sign(signer, "p", data, len, text, CG_TLS_SIGNED_SIZE(len)));
        ck_assert_uint_eq(strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                       "0123456789-_."), strlen(text));
        IS(cg_tls_signer_check(signer, "p", CG_MINUTE, text, back, len + 1), (ssize_t)len);
        test_verify(back, len, len);
        IS(back[len], 0);
        IS(cg_tls_signer_check(signer, "p", CG_MINUTE, text, back, len), -EMSGSIZE);
        IS(cg_tls_signer_sign(signer, "p", data, len, text, CG_TLS_SIGNED_SIZE(len) - 1),
           -EMSGSIZE);
    }
    cg_tls_signer_free(signer);
}

/* Any change of the text, another purpose or another secret: it is not recognised. */
static void forged(void)
{
    struct cg_tls_signer *signer = make(secrets, 1), *other = make(secrets + 1, 1);
    char text[CG_TLS_SIGNED_SIZE(6)], back[16];

    OK(cg_tls_signer_sign(signer, "p", "user=7", 6, text, sizeof text));
    for (size_t i = 0; i < strlen(text); i++) {
        char was = text[i];

        text[i] = was == 'A' ? 'B' : 'A';
        IS(cg_tls_signer_check(signer, "p", CG_NEVER, text, back, sizeof back), -EBADMSG);
        text[i] = '\0';
        IS(cg_tls_signer_check(signer, "p", CG_NEVER, text, back, sizeof back), -EBADMSG);
        text[i] = was;
    }
    IS(cg_tls_signer_check(signer, "q", CG_NEVER, text, back, sizeof back), -EBADMSG);
    IS(cg_tls_signer_check(other, "p", CG_NEVER, text, back, sizeof back), -EBADMSG);
    IS(cg_tls_signer_check(signer, "p", CG_NEVER, text, back, sizeof back), 6);
    ck_assert_str_eq(back, "user=7");
    cg_tls_signer_free(signer);
    cg_tls_signer_free(other);
}

/* The signature of RFC 4231's method, so that other programs can check it: HMAC-SHA256 of
 * "p NUL dXNlcj03.0" with the first secret. A text from 1970 has expired. */
static void expires(void)
{
    struct cg_tls_signer *signer = make(secrets, 1);
    static const char old[] = "dXNlcj03.0.4VRUPEhtmeKQLcFFepW2rsS6F8rhSx71dsSQanv1iuA";
    char back[16];

    IS(cg_tls_signer_check(signer, "p", CG_NEVER, old, back, sizeof back), 6);
    ck_assert_str_eq(back, "user=7");
    IS(cg_tls_signer_check(signer, "p", CG_SECOND, old, back, sizeof back), -ETIMEDOUT);
    cg_tls_signer_free(signer);
}

/* In a simulated world a text grows old with the world. */
static ssize_t grows_old(void *arg)
{
    struct cg_tls_signer *signer = make(secrets, 1);
    char text[CG_TLS_SIGNED_SIZE(1)], back[8];

    (void)arg;
    OK(cg_tls_signer_sign(signer, "p", "x", 1, text, sizeof text));
    OK(cg_yield(cg_sleep(CG_HOUR)));
    IS(cg_tls_signer_check(signer, "p", CG_HOUR, text, back, sizeof back), 1);
    OK(cg_yield(cg_sleep(CG_SECOND)));
    IS(cg_tls_signer_check(signer, "p", CG_HOUR, text, back, sizeof back), -ETIMEDOUT);
    cg_tls_signer_free(signer);
    return 0;
}

/* A new secret in front: what the old one has signed is recognised until it is removed. */
static void rotates(void)
{
    const struct cg_tls_secret both[] = {secrets[1], secrets[0]};
    struct cg_tls_signer *old = make(secrets, 1), *now = make(both, 2), *later = make(both, 1);
    char text[CG_TLS_SIGNED_SIZE(1)], back[8];

    OK(cg_tls_signer_sign(old, "p", "x", 1, text, sizeof text));
    IS(cg_tls_signer_check(now, "p", CG_NEVER, text, back, sizeof back), 1);
    IS(cg_tls_signer_check(later, "p", CG_NEVER, text, back, sizeof back), -EBADMSG);
    OK(cg_tls_signer_sign(now, "p", "x", 1, text, sizeof text));
    IS(cg_tls_signer_check(later, "p", CG_NEVER, text, back, sizeof back), 1);
    IS(cg_tls_signer_check(old, "p", CG_NEVER, text, back, sizeof back), -EBADMSG);
    cg_tls_signer_free(old);
    cg_tls_signer_free(now);
    cg_tls_signer_free(later);
}

/* Secrets that are too short are refused. */
static void weak(void)
{
    const struct cg_tls_secret list[] = {secrets[0], {"a short secret!", 15}};
    struct cg_tls_signer *signer = NULL;

    IS(cg_tls_signer_new(list, 2, &signer), -EINVAL);
    IS(cg_tls_signer_new(list, 0, &signer), -EINVAL);
    ck_assert_ptr_null(signer);
    cg_tls_signer_free(NULL);
}

static const struct test_case cases[] = {
    PLAIN(round_trips, .where = ON_SIM), PLAIN(forged, .where = ON_SIM),
    PLAIN(expires, .where = ON_SIM),     PLAIN(rotates, .where = ON_SIM),
    PLAIN(weak, .where = ON_SIM),        CORO(grows_old, .where = ON_SIM),
};

int main(void)
{
    return test_main("tls signer", cases, COUNT(cases));
}
