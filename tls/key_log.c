/* SPDX-License-Identifier: MIT */
/* Writes the secrets of connections to a file in the format of NSS, for tools that decrypt
 * captured traffic. */
#include "config.h"

#include "tls/keys.h"
#include "tls/why.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

/* One write per line, so that several processes can share a file. A failure is ignored:
 * nobody can be told, and the connection works without the log. */
static void log_line(const SSL *ssl, const char *line)
{
    const struct cg__tls_keys *keys = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    struct iovec parts[] = {{(void *)line, strlen(line)}, {(void *)"\n", 1}};

    if (writev(keys->log, parts, 2) < 0)
        return;
}

int cg__tls_key_log_open(struct cg__tls_keys *keys, const char *path, char *why)
{
    struct stat stat;

    keys->log = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0600);
    if (keys->log < 0 || fstat(keys->log, &stat) < 0)
        return cg__tls_why_named(path, cg_strerror(-errno), why);
    /* A write to a pipe could block, or raise SIGPIPE. */
    if (!S_ISREG(stat.st_mode))
        return cg__tls_why_named(path, "not a regular file", why);
    SSL_CTX_set_app_data(keys->context, keys);
    SSL_CTX_set_keylog_callback(keys->context, log_line);
    return 0;
}
