/* SPDX-License-Identifier: MIT */
/* OpenSSL's errors as codes and words. Its error queue belongs to the thread, not to the
 * coroutine. So clear it before each call of OpenSSL, and read it right after the call. */
#ifndef COGEN_TLS_WHY_H
#define COGEN_TLS_WHY_H

#include <cogen/tls.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

/* A reason of ours in OpenSSL's error queue, of the library ERR_LIB_USER. */
enum { CG__TLS_NO_HOST = 1 };

/* Returns the code for the last failure, with words in why (CG_TLS_WHY_SIZE bytes; NULL:
 * not wanted), and empties the queue. ssl: the connection that failed. */
int cg__tls_why(SSL *ssl, char *why);

/* Like cg__tls_why, for a file, or PEM in memory, that could not be used. none: the text
 * if it contains nothing of the expected kind. Returns CG_ETLS_FILE. */
int cg__tls_why_file(const char *source, const char *none, char *why);

/* Stores words of our own about a file. Returns CG_ETLS_FILE. */
int cg__tls_why_named(const char *source, const char *text, char *why);

/* Whether the last failure is that of a system call. */
bool cg__tls_why_system(void);

/* Stores words of our own. Returns the code. */
int cg__tls_why_say(char *why, int code, const char *text);

/* Empties OpenSSL's error queue. It is usually empty, and checking that costs far less than
 * clearing each of its sixteen entries. */
static inline void cg__tls_why_clear(void)
{
    if (ERR_peek_error() != 0)
        ERR_clear_error();
}

#endif
