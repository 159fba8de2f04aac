/* SPDX-License-Identifier: MIT */
/* Reads what c-ares has received. The parsers of c-ares do not tell how long a record may
 * be cached, so the records of a message are read here; names, with their compression, are
 * left to c-ares. */
#include "config.h"

#include "sockets/resolve/cares_answer.h"
#include "sockets/resolve/resolve.h"

#include <errno.h>
#include <netdb.h>
#include <string.h>

#include <ares.h>

enum { HEADER = 12, CLASS_IN = 1, TYPE_PTR = 12, TYPE_TXT = 16, TYPE_SRV = 33 };

int cg__cares_type(enum cg_resolve_kind kind)
{
    return kind == CG_RESOLVE_SRV ? TYPE_SRV : kind == CG_RESOLVE_TXT ? TYPE_TXT : TYPE_PTR;
}

int cg__cares_code(int status)
{
    switch (status) {
    case ARES_ENODATA:
    case ARES_ENOTFOUND:
    case ARES_ENONAME:
    case ARES_EBADNAME: /* for instance a label that is too long; such a host cannot
                         * exist */
        return CG_EHOST;
    case ARES_ENOMEM:
        return -ENOMEM;
    default:
        return CG_ELOOKUP;
    }
}

/* What lives for `least` at most if something was found. An error other than "unknown" is
 * not cached. */
static void settle(struct cg__cares_answer *answer, int error, int64_t least)
{
    answer->result = error < 0 ? error : answer->records.count;
    if (answer->result == 0)
        answer->result = CG_EHOST;
    answer->lifetime = answer->result > 0           ? least
                       : answer->result == CG_EHOST ? CG_RESOLVER_NEGATIVE
                                                    : 0;
}

void cg__cares_answer_addrs(struct cg__cares_answer *answer, int status,
                            const struct ares_addrinfo *info)
{
    int64_t least = CG_RESOLVER_LONGEST;

    answer->records.count = 0;
    if (status != ARES_SUCCESS) {
        settle(answer, cg__cares_code(status), 0);
        return;
    }
    for (const struct ares_addrinfo_node *node = info->nodes; node; node = node->ai_next) {
        cg__resolve_add(&answer->records.addrs, node->ai_addr);
        /* Entries of the hosts file have a time to live of 0. */
        if (node->ai_ttl * CG_SECOND < least)
            least = node->ai_ttl * CG_SECOND;
    }
    for (const struct ares_addrinfo_cname *alias = info->cnames; alias; alias = alias->next)
        if (alias->ttl * CG_SECOND < least)
            least = alias->ttl * CG_SECOND;
    settle(answer, 0, least);
}

/* Where we are in a message. */
struct reader {
    const unsigned char *message, *at, *end;
    int len; /* of the message */
};

struct record {
    unsigned type, class, len;
    uint32_t ttl;
    const unsigned char *data;
};

static unsigned two(const unsigned char *at)
{
    return (unsigned)at[0] << 8 | at[1];
}

/* Reads a name at `at`. Returns 0 and its text, cut off if it is too long for a valid
 * name, and *end behind it; or an error. */
static int read_name(const struct reader *reader, const unsigned char *at,
                     char name[static CG_HOST_SIZE], const unsigned char **end)
{
    char *text;
    long len;
    int status;

    if (at >= reader->end) /* c-ares would read the byte there */
        return CG_ELOOKUP;
    status = ares_expand_name(at, reader->message, reader->len, &text, &len);
    if (status != ARES_SUCCESS)
        return cg__cares_code(status == ARES_EBADNAME ? ARES_EBADRESP : status);
    if (strlen(text) >= CG_HOST_SIZE)
        text[0] = '\0'; /* with escapes: it has bytes that no host name has */
    strcpy(name, text);
    *end = at + len;
    ares_free_string(text);
    return 0;
}

static int read_record(struct reader *reader, struct record *record)
{
    char owner[CG_HOST_SIZE];
    int rc = read_name(reader, reader->at, owner, &reader->at);

    if (rc < 0)
        return rc;
    if (reader->end - reader->at < 10)
        return CG_ELOOKUP;
    record->type = two(reader->at);
    record->class = two(reader->at + 2);
    record->ttl = (uint32_t)two(reader->at + 4) << 16 | two(reader->at + 6);
    record->len = two(reader->at + 8);
    record->data = reader->at += 10;
    if (reader->end - reader->at < (ptrdiff_t)record->len)
        return CG_ELOOKUP;
    reader->at += record->len;
    return 0;
}

static int add_srv(struct cg_srv_list *list, const struct reader *reader,
                   const struct record *record)
{
    const unsigned char *end;
    struct cg_srv srv;
    int rc;

    if (record->len < 7)
        return CG_ELOOKUP;
    srv.priority = (uint16_t)two(record->data);
    srv.weight = (uint16_t)two(record->data + 2);
    srv.port = (uint16_t)two(record->data + 4);
    rc = read_name(reader, record->data + 6, srv.host, &end);
    if (rc == 0)
        cg__records_add_srv(list, &srv); /* not the root: it means "not offered" */
    return rc;
}

static int add_name(struct cg_name_list *list, const struct reader *reader,
                    const struct record *record)
{
    char name[CG_HOST_SIZE];
    const unsigned char *end;
    int rc = read_name(reader, record->data, name, &end);

    if (rc == 0)
        cg__records_add_name(list, name);
    return rc;
}

static int add(union cg__records *records, enum cg_resolve_kind kind,
               const struct reader *reader, const struct record *record)
{
    switch (kind) {
    case CG_RESOLVE_SRV:
        return add_srv(&records->srvs, reader, record);
    case CG_RESOLVE_TXT:
        return cg__records_add_txt(&records->txts, (const char *)record->data, record->len,
                                   true);
    default:
        return add_name(&records->names, reader, record);
    }
}

/* Passes over the questions. */
static int begin(struct reader *reader, unsigned questions)
{
    char name[CG_HOST_SIZE];
    int rc = 0;

    while (rc == 0 && questions-- > 0) {
        rc = read_name(reader, reader->at, name, &reader->at);
        if (rc == 0 && reader->end - reader->at < 4)
            return CG_ELOOKUP;
        reader->at += rc == 0 ? 4 : 0;
    }
    return rc;
}

/* Reads all answers: also of aliases, whose times to live count, too. Returns 0 or an
 * error. */
static int read_answers(struct cg__cares_answer *answer, enum cg_resolve_kind kind,
                        struct reader *reader, int64_t *least)
{
    unsigned type = (unsigned)cg__cares_type(kind), left = two(reader->message + 6);
    int rc = begin(reader, two(reader->message + 4));
    struct record record;

    for (; rc == 0 && left > 0; left--) {
        rc = read_record(reader, &record);
        if (rc < 0)
            break;
        if (record.ttl * CG_SECOND < *least)
            *least = record.ttl * CG_SECOND;
        if (record.type == type && record.class == CLASS_IN)
            rc = add(&answer->records, kind, reader, &record);
    }
    return rc;
}

void cg__cares_answer_message(struct cg__cares_answer *answer, enum cg_resolve_kind kind,
                              int status, const unsigned char *message, int len)
{
    struct reader reader = {message, message + HEADER, message + len, len};
    int64_t least = CG_RESOLVER_LONGEST;
    int rc = CG_ELOOKUP;

    answer->records.count = 0;
    if (status != ARES_SUCCESS)
        rc = cg__cares_code(status);
    else if (len >= HEADER)
        rc = read_answers(answer, kind, &reader, &least);
    settle(answer, rc, least);
}

static void add_host(void *arg, int status, int timeouts, struct hostent *host)
{
    struct cg_name_list *list = arg;

    (void)timeouts;
    if (status != ARES_SUCCESS)
        return;
    cg__records_add_name(list, host->h_name);
    for (char **alias = host->h_aliases; *alias != NULL; alias++)
        cg__records_add_name(list, *alias);
}

/* By a channel that asks no server, and so calls back at once. */
void cg__cares_answer_hosts(struct cg__cares_answer *answer, const struct cg_addr *addr)
{
    struct ares_options options = {.lookups = (char[]){"f"}};
    bool is_in = addr->base.sa_family == AF_INET;
    ares_channel channel;

    answer->records.count = 0;
    if (ares_init_options(&channel, &options, ARES_OPT_LOOKUPS) == ARES_SUCCESS) {
        ares_gethostbyaddr(channel,
                           is_in ? (const void *)&addr->in.sin_addr : &addr->in6.sin6_addr,
                           is_in ? sizeof addr->in.sin_addr : sizeof addr->in6.sin6_addr,
                           addr->base.sa_family, add_host, &answer->records.names);
        ares_destroy(channel);
    }
    settle(answer, 0, 0);
}
