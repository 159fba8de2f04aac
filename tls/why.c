/* SPDX-License-Identifier: MIT */
/* OpenSSL's errors as codes and words. */
#include "config.h"

#include "tls/keys.h"
#include "tls/why.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <string.h>

int cg__tls_why_say(char *why, int code, const char *text)
{
    if (why != NULL)
        snprintf(why, CG_TLS_WHY_SIZE, "%s", text);
    return code;
}

static int code_of_verdict(long verdict)
{
    switch (verdict) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return CG_ETLS_EXPIRED;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        return CG_ETLS_HOST;
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_UNTRUSTED:
        return CG_ETLS_ISSUER;
    default:
        return CG_ETLS_CERT;
    }
}

/* The first error says what went wrong; later ones say which callers noticed. */
int cg__tls_why(SSL *ssl, char *why)
{
    unsigned long error = ERR_peek_error();
    int reason = ERR_GET_REASON(error), code = CG_ETLS;
    const char *text = ERR_reason_error_string(error);

    if (ERR_GET_LIB(error) == ERR_LIB_SSL) {
        if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED && ssl != NULL) {
            code = code_of_verdict(SSL_get_verify_result(ssl));
            text = X509_verify_cert_error_string(SSL_get_verify_result(ssl));
        } else if (reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE) {
            code = CG_ETLS_CERT;
        } else if (reason == SSL_R_WRONG_VERSION_NUMBER) { /* of a record, not of the protocol */
            text = "the peer does not speak TLS";
        } else if (reason >= SSL_AD_REASON_OFFSET) { /* an alert from the peer */
            code = CG_ETLS_REFUSED;
        }
    } else if (ERR_GET_LIB(error) == ERR_LIB_USER && reason == CG__TLS_NO_HOST) {
        code = CG_ETLS_HOST;
        text = "the client names no host of this server";
    } else if (reason == ERR_R_MALLOC_FAILURE) {
        code = -ENOMEM;
    }
    ERR_clear_error();
    return cg__tls_why_say(why, code, text != NULL ? text : "no reason given");
}

bool cg__tls_why_system(void)
{
    return ERR_SYSTEM_ERROR(ERR_peek_error());
}

int cg__tls_why_named(const char *source, const char *text, char *why)
{
    if (why != NULL)
        snprintf(why, CG_TLS_WHY_SIZE, "%s: %s", cg__tls_identity_pem_name(source),
                 text);
    ERR_clear_error();
    return CG_ETLS_FILE;
}

int cg__tls_why_file(const char *source, const char *none, char *why)
{
    unsigned long error = ERR_peek_error();
    const char *text = ERR_reason_error_string(error);

    /* For errors of the system OpenSSL has no text. */
    if (ERR_SYSTEM_ERROR(error))
        text = cg_strerror(-ERR_GET_REASON(error));
    else if (ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE)
        text = none;
    return cg__tls_why_named(source, text != NULL ? text : "not usable", why);
}
