/* SPDX-License-Identifier: MIT */
/* Finds the content coding that a client prefers: Accept-Encoding (RFC 9110, 12.5.3). */
#include "config.h"

#include "http/coding/accept_encoding.h"
#include "lib/base/ascii.h"

/* Weights are in thousandths. */
enum { UNNAMED = -1, MOST = 1000 };

/* UNNAMED: no valid element names the coding. */
struct weights {
    int gzip, br, identity, any;
};

static const char *skip_blanks(const char *at)
{
    return at + strspn(at, " \t");
}

/* Finds the end of an element or parameter: a character of `ends` that is not in
 * quotes. */
static const char *skip_to(const char *at, const char *ends)
{
    bool quoted = false;

    for (; *at != '\0' && (quoted || strchr(ends, *at) == NULL); at++) {
        quoted ^= *at == '"';
        at += quoted && at[0] == '\\' && at[1] != '\0';
    }
    return at;
}

/* Reads a qvalue, from "0" to "1.000"; further digits are ignored. UNNAMED: it is
 * invalid. */
static int read_weight(const char *at)
{
    int weight;

    if (*at != '0' && *at != '1')
        return UNNAMED;
    weight = *at++ == '1' ? MOST : 0;
    if (*at == '.')
        for (int unit = MOST / 10; cg__ascii_is_digit(*++at); unit /= 10)
            weight += (*at - '0') * unit;
    at = skip_blanks(at);
    return weight <= MOST && (*at == '\0' || strchr(",;", *at) != NULL) ? weight : UNNAMED;
}

/* The weight among an element's parameters; if there is none, the highest weight. */
static int find_weight(const char *at)
{
    while (*at == ';') {
        at = skip_blanks(at + 1);
        if (cg__ascii_lower(*at) == 'q' && *skip_blanks(at + 1) == '=')
            return read_weight(skip_blanks(skip_blanks(at + 1) + 1));
        at = skip_to(at, ",;");
    }
    return MOST;
}

static int *slot(struct weights *weights, const char *name, size_t size)
{
    const struct {
        const char *name;
        int *weight;
    } slots[] = {
        {"gzip", &weights->gzip},         {"x-gzip", &weights->gzip}, {"br", &weights->br},
        {"identity", &weights->identity}, {"*", &weights->any},
    };

    for (size_t i = 0; i < sizeof slots / sizeof *slots; i++)
        if (strlen(slots[i].name) == size && cg__ascii_same(slots[i].name, name, size))
            return slots[i].weight;
    return NULL;
}

/* Reads the elements of one line. The first valid element for a coding counts; an element
 * with an invalid weight is ignored. */
static void take_line(struct weights *weights, const char *at)
{
    for (;;) {
        int *weight;

        at += strspn(at, ", \t");
        if (*at == '\0')
            return;
        weight = slot(weights, at, strcspn(at, ",; \t"));
        if (weight != NULL && *weight == UNNAMED)
            *weight = find_weight(skip_to(at, ",;"));
        at = skip_to(at, ",");
    }
}

static int or_any(int weight, const struct weights *weights)
{
    return weight == UNNAMED ? weights->any : weight;
}

enum cg__http_coding cg__http_accept_encoding(const struct cg_http_headers *fields,
                                              bool gzip, bool br)
{
    struct weights weights = {UNNAMED, UNNAMED, UNNAMED, UNNAMED};
    const struct cg__http_entry *entry;
    int of_gzip, of_br, of_identity;
    uint32_t from = 0;

    while ((entry = cg__http_message_find(fields, "Accept-Encoding", 15, &from)) !=
           NULL)
        take_line(&weights, cg__http_message_at(fields, entry->value));
    of_gzip = gzip ? or_any(weights.gzip, &weights) : 0;
    of_br = br ? or_any(weights.br, &weights) : 0;
    of_identity = or_any(weights.identity, &weights); /* UNNAMED is below all weights */
    if (of_br > 0 && of_br >= of_gzip && of_br >= of_identity)
        return CG__HTTP_BR;
    return of_gzip > 0 && of_gzip >= of_identity ? CG__HTTP_GZIP : CG__HTTP_IDENTITY;
}
