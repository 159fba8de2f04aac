/* SPDX-License-Identifier: MIT */
/* DNS messages: see names_message.h. */
#include "config.h"

#include "sockets/names/names_message.h"
#include "sockets/resolve/addr.h"
#include "sockets/resolve/resolve.h"

#include <string.h>

enum {
    HEADER = 12,
    RECORD = 10,    /* bytes of a record between its name and its data */
    LABEL = 63,     /* the longest part of a name */
    CLASS_IN = 1,
    RESPONSE = 0x80, TRUNCATED = 0x02, OPCODE = 0x78, /* in byte 2 */
    CODE = 0x0f,                                      /* in byte 3 */
    POINTER = 0xc0, /* a name goes on elsewhere */
};

static unsigned two(const unsigned char *at)
{
    return (unsigned)at[0] << 8 | at[1];
}

static unsigned char *put_two(unsigned char *at, unsigned value)
{
    at[0] = (unsigned char)(value >> 8);
    at[1] = (unsigned char)value;
    return at + 2;
}

/* Writes a host as labels. Returns where they end; NULL: it has one that cannot be. */
static unsigned char *put_host(unsigned char *at, const char *host)
{
    while (*host != '\0') {
        size_t len = strcspn(host, ".");

        if (len == 0 || len > LABEL)
            return NULL;
        *at++ = (unsigned char)len;
        memcpy(at, host, len);
        at += len;
        host += len;
        host += *host == '.';
    }
    *at++ = 0;
    return at;
}

size_t cg__names_message_ask(unsigned char buf[static CG__NAMES_SIZE],
                             const struct cg__names_question *question)
{
    unsigned char *at = put_host(buf + HEADER, question->host);

    if (at == NULL)
        return 0;
    memset(buf, 0, HEADER);
    put_two(buf, question->id);
    buf[2] = 1; /* recursion desired */
    buf[5] = 1;
    at = put_two(at, question->type);
    return (size_t)(put_two(at, CLASS_IN) - buf);
}

static unsigned char *put_record(unsigned char *at, unsigned type, uint32_t ttl,
                                 const struct cg_addr *addr)
{
    const void *data = type == CG__NAMES_A ? (const void *)&addr->in.sin_addr
                                           : &addr->in6.sin6_addr;
    unsigned len = type == CG__NAMES_A ? 4 : 16;

    at = put_two(at, POINTER << 8 | HEADER); /* the name of the question */
    at = put_two(at, type);
    at = put_two(at, CLASS_IN);
    at = put_two(at, ttl >> 16);
    at = put_two(at, ttl & 0xffff);
    at = put_two(at, len);
    memcpy(at, data, len);
    return at + len;
}

size_t cg__names_message_answer(unsigned char buf[static CG__NAMES_SIZE],
                                const struct cg__names_question *question,
                                const struct cg__names_answer *answer)
{
    unsigned char *at = buf + cg__names_message_ask(buf, question);
    int family = question->type == CG__NAMES_A ? AF_INET : AF_INET6;
    unsigned count = 0;

    for (int i = 0; i < answer->addrs.count; i++) {
        const struct cg_addr *addr = &answer->addrs.addrs[i];

        if (addr->base.sa_family != family)
            continue;
        at = put_record(at, question->type, answer->ttl, addr);
        count++;
    }
    buf[2] |= RESPONSE;
    buf[3] = (unsigned char)(0x80 | answer->code); /* recursion available */
    put_two(buf + 6, count);
    return (size_t)(at - buf);
}

/* Passes over a name, which may end with a pointer. Returns NULL if the message ends first. */
static const unsigned char *skip_name(const unsigned char *at, const unsigned char *end)
{
    while (at < end && *at != 0 && *at < POINTER)
        at += *at + 1;
    if (at >= end)
        return NULL;
    at += *at == 0 ? 1 : 2;
    return at <= end ? at : NULL;
}

/* Reads the name of a question, which has no pointers. */
static const unsigned char *get_host(const unsigned char *at, const unsigned char *end,
                                     char host[static CG_HOST_SIZE])
{
    size_t len = 0;

    for (; at < end && *at != 0; at += *at + 1) {
        if (*at > LABEL || *at >= end - at || len + *at + 2 > CG_HOST_SIZE ||
            memchr(at + 1, '.', *at) != NULL) /* as text it would be two labels */
            return NULL;
        if (len > 0)
            host[len++] = '.';
        memcpy(host + len, at + 1, *at);
        len += *at;
    }
    host[len] = '\0';
    return at < end && strlen(host) == len ? at + 1 : NULL;
}

/* Reads the header and the question. Returns where that ends, or NULL. */
static const unsigned char *read_question(const unsigned char *buf, size_t len,
                                          struct cg__names_question *question)
{
    const unsigned char *at;

    if (len < HEADER || (buf[2] & OPCODE) || two(buf + 4) != 1)
        return NULL;
    at = get_host(buf + HEADER, buf + len, question->host);
    if (at == NULL || buf + len - at < 4 || two(at + 2) != CLASS_IN)
        return NULL;
    question->id = (uint16_t)two(buf);
    question->type = (uint16_t)two(at);
    return at + 4;
}

bool cg__names_message_read(const unsigned char *buf, size_t len,
                            struct cg__names_question *question)
{
    return read_question(buf, len, question) != NULL && !(buf[2] & RESPONSE);
}

/* Stores an address, if the record is one of this type. The record may also be an alias of the
 * host: the answer lives as long as all of its records. */
static void add_record(struct cg__names_answer *answer, unsigned type, unsigned len,
                       const unsigned char *record)
{
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
    struct sockaddr_in in = {.sin_family = AF_INET};
    uint32_t ttl = (uint32_t)two(record + 4) << 16 | two(record + 6);

    if (ttl < answer->ttl)
        answer->ttl = ttl;
    if (two(record) != type || len != (type == CG__NAMES_A ? 4 : 16))
        return;
    memcpy(type == CG__NAMES_A ? (void *)&in.sin_addr : &in6.sin6_addr, record + RECORD, len);
    cg__resolve_add(&answer->addrs, type == CG__NAMES_A ? (const struct sockaddr *)&in
                                                        : (const struct sockaddr *)&in6);
}

bool cg__names_message_read_answer(const unsigned char *buf, size_t len,
                                   const struct cg__names_question *question,
                                   struct cg__names_answer *answer)
{
    const unsigned char *at, *end = buf + len;
    struct cg__names_question same;

    if ((at = read_question(buf, len, &same)) == NULL || !(buf[2] & RESPONSE) ||
        (buf[2] & TRUNCATED) || same.id != question->id || same.type != question->type ||
        !cg__addr_same_host(same.host, question->host))
        return false;
    *answer = (struct cg__names_answer){.code = buf[3] & CODE, .ttl = UINT32_MAX};
    for (unsigned left = two(buf + 6); left > 0; left--) {
        unsigned size;

        if ((at = skip_name(at, end)) == NULL || end - at < RECORD ||
            (size = two(at + 8)) > (size_t)(end - at) - RECORD)
            return false;
        add_record(answer, question->type, size, at);
        at += RECORD + size;
    }
    return true;
}
