/* SPDX-License-Identifier: MIT */
/* OpenSSL's errors as codes and words. Its queue of errors belongs to the thread, not to
 * the coroutine: whoever calls OpenSSL clears it before and asks for it at once after. */
#ifndef COGEN_TLS_WHY_H
#define COGEN_TLS_WHY_H

#include <cogen/tls.h>

#include <openssl/ssl.h>

/* A reason of our own in OpenSSL's queue of errors, of the library ERR_LIB_USER. */
enum { CG__TLS_NO_HOST = 1 };

/* The code for what has just failed, in words in why (CG_TLS_WHY_SIZE bytes; NULL: not
 * wanted); the queue is empty then. ssl: whose handshake or record it was. */
int cg__tls_why(SSL *ssl, char *why);

/* The same for a file, or PEM in memory, that could not be used. none: what to say if it
 * has nothing of what was looked for. Returns CG_ETLS_FILE. */
int cg__tls_why_file(const char *source, const char *none, char *why);

/* Words of our own about a file. Returns CG_ETLS_FILE. */
int cg__tls_why_named(const char *source, const char *text, char *why);

/* Whether the last failure is one of a system call. */
bool cg__tls_why_system(void);

/* Words of our own. Returns the code. */
int cg__tls_why_say(char *why, int code, const char *text);

#endif
