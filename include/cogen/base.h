/* SPDX-License-Identifier: MIT */
/* What every other header uses: units of time, error codes, the version. */
#ifndef COGEN_BASE_H
#define COGEN_BASE_H

#include <cogen/system.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define CG_EXTERN_C_BEGIN extern "C" {
#define CG_EXTERN_C_END }
#else
#define CG_EXTERN_C_BEGIN
#define CG_EXTERN_C_END
#endif

/* The version of these headers. cg_version() returns the version of the library in use. */
#define CG_VERSION_MAJOR 0
#define CG_VERSION_MINOR 1
#define CG_VERSION_PATCH 0
#define CG_VERSION_AT_LEAST(major, minor, patch)                                           \
    (CG_VERSION_MAJOR * 1000000 + CG_VERSION_MINOR * 1000 + CG_VERSION_PATCH >=            \
     (major) * 1000000 + (minor) * 1000 + (patch))

#define CG_API __attribute__((visibility("default")))

/* Times are int64_t nanoseconds of a monotonic clock: either a length (a timeout) or a
 * moment (a deadline) of the clock that cg_sched_now() returns. */
#define CG_NANOSECOND INT64_C(1)
#define CG_MICROSECOND (1000 * CG_NANOSECOND)
#define CG_MILLISECOND (1000 * CG_MICROSECOND)
#define CG_SECOND (1000 * CG_MILLISECOND)
#define CG_MINUTE (60 * CG_SECOND)
#define CG_HOUR (60 * CG_MINUTE)

#define CG_NOWAIT INT64_C(-1)  /* as a timeout: take only what is available at once */
#define CG_NEVER INT64_MAX     /* as a timeout or a deadline: no limit */

/* Functions return, and operations complete with, a result >= 0 or a negative error code:
 * -errno or one of these. */
enum cg_error {
    CG_EOF = -4095,      /* the stream ended before all requested bytes had arrived */
    CG_EADDR = -4094,    /* the text is not a valid address */
    CG_EHOST = -4093,    /* unknown host */
    CG_EREACTOR = -4092, /* no reactor has this name */
    CG_ELOOKUP = -4091,  /* a host could not be looked up now; try again later */

    /* Of HTTP clients; see cogen/http_client.h. */
    CG_EHTTP = -4063,          /* the response is not valid HTTP */
    CG_EHTTP_URL = -4062,      /* not a valid http or https URL */
    CG_EHTTP_TLS = -4061,      /* an https URL, but the client has no TLS */
    CG_EHTTP_LIMIT = -4060,    /* the response exceeds a limit */
    CG_EHTTP_CODING = -4059,   /* a compressed body is corrupt, or expands too much */
    CG_EHTTP_REDIRECT = -4058, /* too many redirects, or one that may not be followed */
    CG_EHTTP_PROXY = -4057,    /* the proxy is invalid, or refuses */
    CG_EWS = -4056,            /* the peer refuses or violates WebSocket */

    /* Of libcogen-tls. */
    CG_ETLS = -4080,         /* the peer does not speak TLS, or violates the protocol */
    CG_ETLS_CUT = -4079,     /* the stream was truncated: it ended without close_notify */
    CG_ETLS_REFUSED = -4078, /* the peer sent an alert that ends the handshake */
    CG_ETLS_CERT = -4077,    /* the peer's certificate is missing, or otherwise invalid */
    CG_ETLS_EXPIRED = -4076, /* the peer's certificate has expired, or is not yet valid */
    CG_ETLS_HOST = -4075,    /* the peer's certificate is for another host */
    CG_ETLS_ISSUER = -4074,  /* the peer's certificate has no trusted issuer */
    CG_ETLS_FILE = -4073,    /* a file has no usable certificate or key */
    CG_ETLS_HTTP = -4072,    /* the peer speaks HTTP without TLS */
    CG_ETLS_PIN = -4071,     /* the peer's public key is none of those that are pinned */
};

CG_EXTERN_C_BEGIN

/* Describes a code: for an -errno what strerror says, for an enum cg_error a phrase such as
 * "end of stream", for code >= 0 "success". The text is static; for an unknown code it is
 * thread-local and valid until the thread's next call. */
CG_API const char *cg_strerror(ssize_t code);

/* The version of the library in use, "MAJOR.MINOR.PATCH". */
CG_API const char *cg_version(void);

CG_EXTERN_C_END
#endif
