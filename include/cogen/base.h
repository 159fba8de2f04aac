/* SPDX-License-Identifier: MIT */
/* The words that every other header uses: time, answers, and what is exported. */
#ifndef COGEN_BASE_H
#define COGEN_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
#define CG_EXTERN_C_BEGIN extern "C" {
#define CG_EXTERN_C_END }
#else
#define CG_EXTERN_C_BEGIN
#define CG_EXTERN_C_END
#endif

/* The version of these headers. cg_version() tells that of the library that is running. */
#define CG_VERSION_MAJOR 0
#define CG_VERSION_MINOR 1
#define CG_VERSION_PATCH 0
#define CG_VERSION_AT_LEAST(major, minor, patch)                                           \
    (CG_VERSION_MAJOR * 1000000 + CG_VERSION_MINOR * 1000 + CG_VERSION_PATCH >=            \
     (major) * 1000000 + (minor) * 1000 + (patch))

#define CG_API __attribute__((visibility("default")))

/* Time is int64_t nanoseconds of a monotonic clock: a length (timeout) or a moment
 * (deadline) of the clock that cg_sched_now() reads. */
#define CG_NANOSECOND INT64_C(1)
#define CG_MICROSECOND (1000 * CG_NANOSECOND)
#define CG_MILLISECOND (1000 * CG_MICROSECOND)
#define CG_SECOND (1000 * CG_MILLISECOND)
#define CG_MINUTE (60 * CG_SECOND)
#define CG_HOUR (60 * CG_MINUTE)

#define CG_NOWAIT INT64_C(-1)  /* as a timeout: only what can be had at once */
#define CG_NEVER INT64_MAX     /* as a timeout or a deadline: no limit */

/* Every call and every yield answers >= 0 or a negative code: -errno, or one of these. */
enum cg_error {
    CG_EOF = -4095,      /* the peer ended the stream before all that was asked for had come */
    CG_EADDR = -4094,    /* the text is not an address */
    CG_EHOST = -4093,    /* unknown host */
    CG_EREACTOR = -4092, /* no reactor has this name */
    CG_ELOOKUP = -4091,  /* a host could not be looked up; it may work later */

    /* Of HTTP clients; see cogen/http_client.h. */
    CG_EHTTP = -4063,          /* the answer is not valid HTTP */
    CG_EHTTP_URL = -4062,      /* no URL of http or https */
    CG_EHTTP_TLS = -4061,      /* https, without TLS */
    CG_EHTTP_LIMIT = -4060,    /* the answer is larger than allowed */
    CG_EHTTP_CODING = -4059,   /* a compressed body is broken, or grows beyond reason */
    CG_EHTTP_REDIRECT = -4058, /* redirected too often, or to where one must not go */
    CG_EHTTP_PROXY = -4057,    /* the proxy is none, or refuses */

    /* Of libcogen-tls. */
    CG_ETLS = -4080,         /* the peer does not speak TLS, or breaks its rules */
    CG_ETLS_CUT = -4079,     /* the stream ended without the peer having ended it */
    CG_ETLS_REFUSED = -4078, /* the peer refused, by an alert */
    CG_ETLS_CERT = -4077,    /* the peer's certificate is none, revoked, for other uses ... */
    CG_ETLS_EXPIRED = -4076, /* it has expired, or is not yet valid */
    CG_ETLS_HOST = -4075,    /* it is for another host */
    CG_ETLS_ISSUER = -4074,  /* it is by nobody whom we trust, or by its owner */
    CG_ETLS_FILE = -4073,    /* a file that has no usable certificate or key */
    CG_ETLS_HTTP = -4072,    /* the client speaks HTTP without TLS */
};

CG_EXTERN_C_BEGIN

/* The name of an answer: "end of stream", strerror's text, or "success" for code >= 0.
 * The text is static (for an unknown code: thread-local until the next call). */
CG_API const char *cg_strerror(ssize_t code);

/* The version of the library that is running, "MAJOR.MINOR.PATCH". */
CG_API const char *cg_version(void);

CG_EXTERN_C_END
#endif
