/* SPDX-License-Identifier: MIT */
/* Lists of records: what is added to them, and what of them is in use. */
#include "config.h"

#include "sockets/resolve/records.h"
#include "sockets/resolve/resolve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static size_t txts_len(const struct cg_txt_list *list)
{
    size_t len = 0;

    for (int i = 0; i < list->count; i++)
        len += list->lens[i] + 1u;
    return len;
}

const char *cg_txt_list_text(const struct cg_txt_list *list, int i)
{
    const char *text = list->data;

    for (int k = 0; k < i; k++)
        text += list->lens[k] + 1;
    return text;
}

size_t cg__records_len(enum cg_resolve_kind kind, const void *list)
{
    const union cg__records *of = list;
    size_t count = (size_t)of->count;

    switch (kind) {
    case CG_RESOLVE_SRV:
        return offsetof(struct cg_srv_list, srvs) + count * sizeof of->srvs.srvs[0];
    case CG_RESOLVE_PTR:
        return offsetof(struct cg_name_list, names) + count * sizeof of->names.names[0];
    case CG_RESOLVE_TXT:
        return offsetof(struct cg_txt_list, data) + txts_len(&of->txts);
    default:
        return offsetof(struct cg_addr_list, addrs) + count * sizeof of->addrs.addrs[0];
    }
}

int cg__records_store(struct cg_resolve_op *op, const void *list)
{
    memcpy(op->found, list, cg__records_len(op->kind, list));
    if (op->kind == CG_RESOLVE_ADDR)
        cg__resolve_set_port(op->list, op->port);
    return ((const union cg__records *)list)->count;
}

static bool is_host(const char *name)
{
    struct cg_addr addr;

    return name[0] != '.' && cg__addr_host(name, &addr) == 0;
}

void cg__records_add_srv(struct cg_srv_list *list, const struct cg_srv *srv)
{
    struct cg_srv *worst = &list->srvs[0];

    if (!is_host(srv->host))
        return;
    if (list->count < CG_SRVS_MOST) {
        list->srvs[list->count++] = *srv;
        return;
    }
    for (int i = 1; i < list->count; i++)
        if (list->srvs[i].priority > worst->priority)
            worst = &list->srvs[i];
    if (srv->priority < worst->priority)
        *worst = *srv;
}

void cg__records_add_name(struct cg_name_list *list, const char *name)
{
    if (list->count < CG_NAMES_MOST && is_host(name))
        strcpy(list->names[list->count++], name);
}

int cg__records_add_txt(struct cg_txt_list *list, const char *text, size_t len, bool parts)
{
    size_t used = txts_len(list), room = sizeof list->data - used;
    char *to = list->data + used, *end = to;

    if (list->count == CG_TXTS_MOST || len >= room)
        return -EMSGSIZE;
    while (len > 0) {
        size_t part = parts ? (unsigned char)*text : len;

        text += parts;
        len -= parts;
        if (part > len) /* a malformed record: its last part ends with it */
            part = len;
        memcpy(end, text, part);
        end += part;
        text += part;
        len -= part;
    }
    *end = '\0';
    list->lens[list->count++] = (uint16_t)(end - to);
    return 0;
}

/* Addresses as names */

/* Reads an address with a port. */
static int read_with_port(const char *text, struct cg_addr *addr)
{
    char host[CG_HOST_SIZE];
    const char *colon = strrchr(text, ':');
    size_t bracket = text[0] == '[', len = colon != NULL ? (size_t)(colon - text) : 0;

    if (len <= 2 * bracket || len >= sizeof host || cg__addr_port(colon + 1) < 0 ||
        (bracket && colon[-1] != ']'))
        return CG_EADDR;
    len -= 2 * bracket;
    memcpy(host, text + bracket, len);
    host[len] = '\0';
    if (cg__addr_host(host, addr) != 1 || (addr->base.sa_family == AF_INET6) != bracket)
        return CG_EADDR;
    return 0;
}

int cg__records_addr(const char *text, struct cg_addr *addr)
{
    int rc = cg__addr_host(text, addr) == 1 ? 0 : read_with_port(text, addr);
    struct in6_addr in6 = addr->in6.sin6_addr;

    if (rc == 0 && addr->base.sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&in6)) {
        *addr = (struct cg_addr){.in = {.sin_family = AF_INET}, .len = sizeof addr->in};
        memcpy(&addr->in.sin_addr, in6.s6_addr + 12, 4);
    }
    return rc;
}

void cg__records_reverse(const struct cg_addr *addr, char name[static CG_HOST_SIZE])
{
    const uint8_t *bytes = addr->in6.sin6_addr.s6_addr;
    char *to = name;

    if (addr->base.sa_family == AF_INET)
        bytes = (const uint8_t *)&addr->in.sin_addr;
    else {
        for (int i = 15; i >= 0; i--)
            to += sprintf(to, "%x.%x.", bytes[i] & 15u, bytes[i] >> 4);
        strcpy(to, "ip6.arpa.");
        return;
    }
    sprintf(name, "%u.%u.%u.%u.in-addr.arpa.", bytes[3], bytes[2], bytes[1], bytes[0]);
}

int cg__records_check(const struct cg_resolve_op *op)
{
    struct cg_addr addr;

    if (op->kind == CG_RESOLVE_PTR)
        return cg__records_addr(op->host, &addr);
    return cg__addr_host(op->host, &addr) == 0 ? 0 : CG_EADDR;
}

void cg__records_question(const struct cg_resolve_op *op, char name[static CG_HOST_SIZE])
{
    struct cg_addr addr;

    if (op->kind == CG_RESOLVE_PTR && cg__records_addr(op->host, &addr) == 0)
        cg__records_reverse(&addr, name);
    else
        strcpy(name, op->host); /* fits: the caller has checked its length */
}
