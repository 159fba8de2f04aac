/* SPDX-License-Identifier: MIT */
/* What look-ups find: addresses, or records of another kind, in one union. */
#ifndef COGEN_SOCKETS_RESOLVE_RECORDS_H
#define COGEN_SOCKETS_RESOLVE_RECORDS_H

#include <cogen/resolve.h>

#include "sockets/resolve/addr.h"

_Static_assert((int)CG_HOST_SIZE == (int)CG_HOST_SIZE, "one size for names");

union cg__records {
    int count; /* of any kind */
    struct cg_addr_list addrs;
    struct cg_srv_list srvs;
    struct cg_txt_list txts;
    struct cg_name_list names;
};

/* How many bytes of the list are in use; the rest is never copied. */
size_t cg__records_len(enum cg_resolve_kind kind, const void *list);

/* Copies the list to the op's, with the op's port. Returns the number of records. */
int cg__records_store(struct cg_resolve_op *op, const void *list);

/* Each adds a record. An SRV record or a name that is invalid is left out; of too many SRV
 * records those of the best priorities are kept, of too many names the first ones. Adding a
 * text returns 0 or -EMSGSIZE; the text has len bytes in the parts that begin at `parts`,
 * each behind its length (RFC 1035, 3.3.14), or is a plain text if parts is false. */
void cg__records_add_srv(struct cg_srv_list *list, const struct cg_srv *srv);
void cg__records_add_name(struct cg_name_list *list, const char *name);
int cg__records_add_txt(struct cg_txt_list *list, const char *text, size_t len, bool parts);

/* Orders servers as in RFC 2782. */
void cg__records_order(struct cg_srv_list *list, struct cg_sched *sched);

/* Reads an address with or without a port; takes an IPv4 address out of IPv6. Returns 0 or
 * CG_EADDR. */
int cg__records_addr(const char *text, struct cg_addr *addr);

/* Writes the name that has the names of an address, "1.0.0.10.in-addr.arpa.". Its final
 * dot keeps search domains away. */
void cg__records_reverse(const struct cg_addr *addr, char name[static CG_HOST_SIZE]);

/* Returns 0 if the op's host is a name, or for CG_RESOLVE_PTR an address; else CG_EADDR. */
int cg__records_check(const struct cg_resolve_op *op);

/* Writes the name that the op asks for: its host, or the name for its address. */
void cg__records_question(const struct cg_resolve_op *op, char name[static CG_HOST_SIZE]);

#endif
