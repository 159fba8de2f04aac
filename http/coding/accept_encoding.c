/* SPDX-License-Identifier: MIT */
/* Finds the content coding that a client prefers: Accept-Encoding (RFC 9110, 12.5.3). */
#include "config.h"

#include "http/coding/accept_encoding.h"
#include "lib/base/ascii.h"

/* Weights are in thousandths. */
enum { UNNAMED = -1, MOST = 1000 };

/* UNNAMED: no valid element names the coding. */
struct weights {
    int of[CG__HTTP_CODINGS], any;
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
        {"gzip", &weights->of[CG__HTTP_GZIP]},
        {"x-gzip", &weights->of[CG__HTTP_GZIP]},
        {"br", &weights->of[CG__HTTP_BR]},
        {"zstd", &weights->of[CG__HTTP_ZSTD]},
        {"identity", &weights->of[CG__HTTP_IDENTITY]},
        {"*", &weights->any},
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

static int weight_of(const struct weights *weights, enum cg__http_coding coding)
{
    return weights->of[coding] == UNNAMED ? weights->any : weights->of[coding];
}

enum cg__http_coding cg__http_accept_encoding(const struct cg_http_headers *fields,
                                              const enum cg__http_coding *among)
{
    struct weights weights = {.of = {UNNAMED, UNNAMED, UNNAMED, UNNAMED}, .any = UNNAMED};
    enum cg__http_coding best = CG__HTTP_IDENTITY;
    const struct cg__http_entry *entry;
    uint32_t from = 0;
    int most = 0;

    while ((entry = cg__http_message_find(fields, "Accept-Encoding", 15, &from)) !=
           NULL)
        take_line(&weights, cg__http_message_at(fields, entry->value));
    for (; *among != CG__HTTP_IDENTITY; among++)
        if (weight_of(&weights, *among) > most) {
            best = *among;
            most = weight_of(&weights, best);
        }
    return most >= weight_of(&weights, CG__HTTP_IDENTITY) ? best : CG__HTTP_IDENTITY;
}
