/* SPDX-License-Identifier: MIT */
/* The names for which a certificate is valid: its alternative names or, in old
 * certificates, the common name. A name with a character that is not printable ASCII is
 * left out: with a NUL or a line end inside, a program could read it as another name. */
#include "config.h"

#include "tls/names.h"

#include <arpa/inet.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_printable(const unsigned char *data, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (data[i] <= ' ' || data[i] >= 0x7f)
            return false;
    return size > 0;
}

/* Prints one name as snprintf does. Returns 0 if names of this kind are left out. */
static int print_text(const char *kind, const ASN1_STRING *text, char *buf, size_t size)
{
    const unsigned char *data = ASN1_STRING_get0_data(text);
    int len = ASN1_STRING_length(text);

    if (len < 0 || !is_printable(data, (size_t)len))
        return 0;
    return snprintf(buf, size, "%s:%.*s", kind, len, (const char *)data);
}

static int print_address(const ASN1_STRING *address, char *buf, size_t size)
{
    int len = ASN1_STRING_length(address);
    char text[INET6_ADDRSTRLEN];

    if ((len != 4 && len != 16) ||
        inet_ntop(len == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(address), text,
                  sizeof text) == NULL)
        return 0;
    return snprintf(buf, size, "IP:%s", text);
}

static int print(const GENERAL_NAME *name, char *buf, size_t size)
{
    switch (name->type) {
    case GEN_DNS:
        return print_text("DNS", name->d.dNSName, buf, size);
    case GEN_EMAIL:
        return print_text("email", name->d.rfc822Name, buf, size);
    case GEN_URI:
        return print_text("URI", name->d.uniformResourceIdentifier, buf, size);
    case GEN_IPADD:
        return print_address(name->d.iPAddress, buf, size);
    default:
        return 0;
    }
}

char **cg__tls_names_alt(X509 *cert)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    int count = sk_GENERAL_NAME_num(names), at = 0;
    size_t size = 0;
    char **list, *text;

    for (int i = 0; i < count; i++)
        size += (size_t)print(sk_GENERAL_NAME_value(names, i), NULL, 0) + 1;
    list = size > 0 ? malloc((size_t)(count + 1) * sizeof *list + size) : NULL;
    text = list != NULL ? (char *)(list + count + 1) : NULL;
    for (int i = 0; list != NULL && i < count; i++) {
        int len = print(sk_GENERAL_NAME_value(names, i), text, size);

        if (len == 0)
            continue;
        list[at++] = text;
        text += len + 1;
        size -= (size_t)len + 1;
    }
    if (list != NULL)
        list[at] = NULL;
    GENERAL_NAMES_free(names);
    return list;
}

static char *copy_common(const ASN1_STRING *common)
{
    unsigned char *text;
    int size = ASN1_STRING_to_UTF8(&text, common);
    char *copy = NULL;
    bool ok = size > 0;

    for (int i = 0; i < size; i++)
        ok &= text[i] >= ' ' && text[i] != 0x7f;
    if (ok)
        copy = strndup((char *)text, (size_t)size);
    if (size >= 0)
        OPENSSL_free(text);
    return copy;
}

char *cg__tls_names_common(X509 *cert)
{
    X509_NAME *subject = X509_get_subject_name(cert);
    int at = -1, next;

    while ((next = X509_NAME_get_index_by_NID(subject, NID_commonName, at)) >= 0)
        at = next;
    if (at < 0)
        return NULL;
    return copy_common(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
}
