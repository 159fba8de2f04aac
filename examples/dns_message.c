/* SPDX-License-Identifier: MIT */
/* DNS messages: see dns_message.h. */
#include "dns_message.h"

#include <ctype.h>
#include <string.h>

enum {
    QR = 0x80, OPCODE = 0x78, TC = 0x02, RD = 0x01, /* in byte 2 */
    RA = 0x80, CD = 0x10, RCODE = 0x0f,             /* in byte 3 */
    HAS_EDNS = 0x20, HAS_DO = 0x40,                 /* dns_query.flags, beside RD and CD */
};

static unsigned count_of(const unsigned char *message, int section)
{
    return ns_get16(message + 4 + 2 * section);
}

/* Returns the length of the question, or 0 if there is not exactly one, or if its name is
 * compressed. */
static size_t question_length(const unsigned char *message, size_t len)
{
    size_t at = DNS_HEADER;

    if (count_of(message, 0) != 1)
        return 0;
    while (at < len && message[at] != 0) {
        if (message[at] > 63)
            return 0;
        at += 1u + message[at];
    }
    at += 1 + 4;
    return at <= len && at - DNS_HEADER <= DNS_QUESTION_SIZE ? at - DNS_HEADER : 0;
}

/* Reads EDNS: how long a response may be, and whether DNSSEC is wanted. */
static void read_options(ns_msg *parsed, struct dns_query *query)
{
    ns_rr rr;

    query->udp_size = NS_PACKETSZ;
    for (int i = 0; i < ns_msg_count(*parsed, ns_s_ar); i++) {
        if (ns_parserr(parsed, ns_s_ar, i, &rr) < 0 || ns_rr_type(rr) != ns_t_opt)
            continue;
        query->flags |= HAS_EDNS | (ns_rr_ttl(rr) & 0x8000 ? HAS_DO : 0);
        if (ns_rr_class(rr) > NS_PACKETSZ)
            query->udp_size = ns_rr_class(rr) < 4096 ? ns_rr_class(rr) : 4096;
    }
}

int dns_read_query(const unsigned char *message, size_t len, struct dns_query *query)
{
    ns_msg parsed;
    ns_rr rr;

    memset(query, 0, sizeof *query);
    if (len < DNS_HEADER || message[2] & QR)
        return -1;
    query->id = (uint16_t)ns_get16(message);
    query->udp_size = NS_PACKETSZ;
    if (message[2] & OPCODE)
        return ns_r_notimpl;
    query->question_len = question_length(message, len);
    if (query->question_len == 0 || ns_initparse(message, (int)len, &parsed) < 0 ||
        ns_parserr(&parsed, ns_s_qd, 0, &rr) < 0) {
        query->question_len = 0;
        return ns_r_formerr;
    }
    memcpy(query->question, message + DNS_HEADER, query->question_len);
    strcpy(query->name, ns_rr_name(rr)); /* fits: both have NS_MAXDNAME */
    query->type = ns_rr_type(rr);
    query->flags = (unsigned char)((message[2] & RD) | (message[3] & CD));
    read_options(&parsed, query);
    return 0;
}

static size_t put_question(const struct dns_query *query, unsigned char *message)
{
    message[5] = 1;
    memcpy(message + DNS_HEADER, query->question, query->question_len);
    return DNS_HEADER + query->question_len;
}

size_t dns_make_query(const struct dns_query *query, uint16_t id,
                      unsigned char *message)
{
    const unsigned char edns[] = {
        0, 0, ns_t_opt, DNS_UDP_SIZE >> 8, DNS_UDP_SIZE & 0xff, 0, 0,
        query->flags & HAS_DO ? 0x80 : 0, 0, 0, 0};
    size_t len;

    memset(message, 0, DNS_HEADER);
    ns_put16(id, message);
    message[2] = query->flags & RD;
    message[3] = query->flags & CD;
    len = put_question(query, message);
    if (!(query->flags & HAS_EDNS))
        return len;
    message[11] = 1;
    memcpy(message + len, edns, sizeof edns);
    return len + sizeof edns;
}

static bool same_question(const unsigned char *a, const unsigned char *b, size_t len)
{
    size_t i = 0;

    while (i < len && tolower(a[i]) == tolower(b[i]))
        i++;
    return i == len;
}

bool dns_is_response(const unsigned char *message, size_t len,
                     const struct dns_query *query, uint16_t id)
{
    ns_msg parsed;

    return len >= DNS_HEADER + query->question_len && message[2] & QR &&
           ns_get16(message) == id && count_of(message, 0) == 1 &&
           same_question(message + DNS_HEADER, query->question, query->question_len) &&
           (dns_is_truncated(message) || ns_initparse(message, (int)len, &parsed) == 0);
}

bool dns_is_truncated(const unsigned char *message)
{
    return message[2] & TC;
}

/* Calls fn for each record except that of EDNS. Returns false if one cannot be parsed. */
static bool each_record(const unsigned char *message, size_t len,
                        void (*fn)(const ns_rr *rr, ns_sect section, void *arg), void *arg)
{
    static const ns_sect sections[] = {ns_s_an, ns_s_ns, ns_s_ar};
    ns_msg parsed;
    ns_rr rr;

    if (ns_initparse(message, (int)len, &parsed) < 0)
        return false;
    for (int s = 0; s < 3; s++)
        for (int i = 0; i < ns_msg_count(parsed, sections[s]); i++) {
            if (ns_parserr(&parsed, sections[s], i, &rr) < 0)
                return false;
            if (ns_rr_type(rr) != ns_t_opt)
                fn(&rr, sections[s], arg);
        }
    return true;
}

struct lifetime {
    unsigned least;
    bool has_soa;
};

/* A negative response has an SOA record, whose last field says how long the response may
 * be remembered (RFC 2308). */
static void note_lifetime(const ns_rr *rr, ns_sect section, void *arg)
{
    struct lifetime *life = arg;
    unsigned ttl = (unsigned)ns_rr_ttl(*rr);

    if (section == ns_s_ns && ns_rr_type(*rr) == ns_t_soa && ns_rr_rdlen(*rr) >= 20) {
        unsigned minimum = (unsigned)ns_get32(ns_rr_rdata(*rr) + ns_rr_rdlen(*rr) - 4);

        life->has_soa = true;
        ttl = minimum < ttl ? minimum : ttl;
    }
    if (ttl < life->least)
        life->least = ttl;
}

unsigned dns_lifetime(const unsigned char *message, size_t len)
{
    struct lifetime life = {.least = DNS_TTL_MOST};
    int error = message[3] & RCODE;

    if ((error != ns_r_noerror && error != ns_r_nxdomain) || dns_is_truncated(message) ||
        !each_record(message, len, note_lifetime, &life))
        return 0;
    if ((error == ns_r_nxdomain || count_of(message, ns_s_an) == 0) && !life.has_soa)
        return 0;
    return life.least;
}

/* The time to live (4 bytes) is before the length of the data (2 bytes). */
static void reduce(const ns_rr *rr, ns_sect section, void *arg)
{
    unsigned char *at = (unsigned char *)ns_rr_rdata(*rr) - 6;
    unsigned ttl = (unsigned)ns_rr_ttl(*rr), age = *(unsigned *)arg;

    (void)section;
    ns_put32(ttl > age ? ttl - age : 0, at);
}

void dns_age(unsigned char *message, size_t len, unsigned seconds)
{
    each_record(message, len, reduce, &seconds);
}

void dns_adopt(unsigned char *message, const struct dns_query *query)
{
    ns_put16(query->id, message);
    memcpy(message + DNS_HEADER, query->question, query->question_len);
}

size_t dns_fit(unsigned char *message, size_t len, const struct dns_query *query)
{
    if (len <= query->udp_size)
        return len;
    message[2] |= TC;
    memset(message + 6, 0, 6);
    return DNS_HEADER + query->question_len;
}

size_t dns_make_error(const unsigned char *message, const struct dns_query *query, int error,
                      unsigned char *response)
{
    memcpy(response, message, 4);
    memset(response + 4, 0, DNS_HEADER - 4);
    response[2] = (unsigned char)(QR | (message[2] & (OPCODE | RD)));
    response[3] = (unsigned char)(RA | (message[3] & CD) | error);
    return query != NULL && query->question_len > 0 ? put_question(query, response)
                                                    : DNS_HEADER;
}
