/* SPDX-License-Identifier: MIT */
/* Host names and addresses in the form that certificates and SNI use. OpenSSL treats a
 * host that begins with a dot as "any name below it", and an empty host as "no check", so
 * only complete names and addresses are passed on. */
#include "config.h"

#include "tls/host.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <string.h>

enum { LABEL_MOST = 63 };

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '-' || c == '_'; /* not allowed, but some hosts have it */
}

static bool is_name(const char *text)
{
    while (*text != '\0') {
        size_t len = 0;

        while (is_letter(text[len]))
            len++;
        if (len == 0 || len > LABEL_MOST)
            return false;
        text += len;
        if (*text == '.' && *++text == '\0')
            return false;
        if (text[-1] != '.' && *text != '\0')
            return false;
    }
    return true;
}

/* "fe80::1%eth0": the zone has a meaning on this machine only. */
static bool parse_address(struct cg__tls_host *host)
{
    char *zone = strchr(host->text, '%');

    if (inet_pton(AF_INET, host->text, host->address) == 1) {
        host->address_len = 4;
        return true;
    }
    if (zone != NULL)
        *zone = '\0';
    if (inet_pton(AF_INET6, host->text, host->address) == 1)
        host->address_len = 16;
    else if (zone != NULL)
        *zone = '%'; /* no name has a zone */
    return host->address_len > 0;
}

const char *cg__tls_host_parse(const char *text, struct cg__tls_host *host)
{
    size_t size = strlen(text);

    /* "a.test." is the absolute form of "a.test"; certificates and SNI use the form
     * without the dot (RFC 6066, section 3). */
    if (size > 1 && text[size - 1] == '.')
        size--;
    if (size == 0)
        return "host: empty";
    if (size >= sizeof host->text)
        return "host: longer than a name can be";
    memcpy(host->text, text, size);
    host->text[size] = '\0';
    host->address_len = 0;
    if (parse_address(host) || is_name(host->text))
        return NULL;
    return "host: neither a name (in ASCII) nor an address";
}
