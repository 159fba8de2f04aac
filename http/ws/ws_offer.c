/* SPDX-License-Identifier: MIT */
/* Reads and makes Sec-WebSocket-Extensions (RFC 6455, 9.1; RFC 7692, 7.1). */
#include "config.h"

#include "http/ws/ws_offer.h"
#include "lib/base/ascii.h"

#include <stdio.h>
#include <string.h>

enum { LEAST_BITS = 8, MOST_BITS = 15 };

/* One extension of a list. */
struct offer {
    bool deflate; /* it is permessage-deflate, with parameters that are valid */
    bool server_reset, client_reset;
    bool has_server_bits, has_client_bits;
    unsigned server_bits, client_bits; /* 0: without a value */
};

/* A token, or the inside of a quoted string, which must be a token too. */
struct word {
    const char *text;
    size_t len;
};

static const char *skip(const char *at)
{
    return at + strspn(at, " \t");
}

static struct word take_word(const char **at)
{
    struct word word = {*at, strcspn(*at, " \t;,=\"")};

    *at = skip(*at + word.len);
    return word;
}

static bool is(struct word word, const char *name)
{
    return word.len == strlen(name) && cg__ascii_same(word.text, name, word.len);
}

/* The value after "="; its length is 0 if there is none, or it is no token. A quote that is never
 * closed leaves the rest of the field in its place, which ends the list. */
static struct word take_value(const char **at)
{
    struct word value = {"", 0};

    if (**at != '=')
        return value;
    *at = skip(*at + 1);
    if (**at != '"')
        return take_word(at);
    value.text = *at + 1;
    value.len = strcspn(value.text, "\"");
    if (value.text[value.len] == '"')
        *at = skip(value.text + value.len + 1);
    return value;
}

/* A number of bits, without leading zeros. 0: invalid. */
static unsigned bits_of(struct word value)
{
    unsigned bits = 0;

    if (value.len == 0 || value.len > 2 || value.text[0] == '0')
        return 0;
    for (size_t i = 0; i < value.len; i++) {
        if (!cg__ascii_is_digit(value.text[i]))
            return 0;
        bits = bits * 10 + (unsigned)(value.text[i] - '0');
    }
    return bits >= LEAST_BITS && bits <= MOST_BITS ? bits : 0;
}

static bool set_flag(bool *flag, bool has_value)
{
    bool valid = !*flag && !has_value;

    *flag = true;
    return valid;
}

static bool set_bits(bool *has, unsigned *bits, bool has_value, struct word value)
{
    bool valid = !*has && (!has_value || bits_of(value) != 0);

    *has = true;
    *bits = bits_of(value);
    return valid;
}

/* A parameter of permessage-deflate. False: it is unknown, or comes twice. */
static bool take_param(struct offer *offer, const char **at)
{
    struct word name = take_word(at);
    bool has_value = **at == '=';
    struct word value = take_value(at);

    if (is(name, "server_no_context_takeover"))
        return set_flag(&offer->server_reset, has_value);
    if (is(name, "client_no_context_takeover"))
        return set_flag(&offer->client_reset, has_value);
    if (is(name, "server_max_window_bits"))
        return has_value &&
               set_bits(&offer->has_server_bits, &offer->server_bits, true, value);
    if (is(name, "client_max_window_bits"))
        return set_bits(&offer->has_client_bits, &offer->client_bits, has_value, value);
    return false;
}

/* Reads the next extension of a list. False: the list has ended. What is malformed ends
 * the list. */
static bool next_offer(const char **at, struct offer *offer)
{
    *offer = (struct offer){.deflate = false};
    *at += strspn(*at, " \t,");
    if (**at == '\0')
        return false;
    offer->deflate = is(take_word(at), "permessage-deflate");
    while (**at == ';') {
        *at = skip(*at + 1);
        offer->deflate &= take_param(offer, at);
    }
    if (**at != ',' && **at != '\0') {
        offer->deflate = false;
        *at += strlen(*at);
    }
    return true;
}

/* Calls next_offer for all fields in turn. */
struct offers {
    const struct cg_http_headers *headers;
    size_t field;
    const char *at; /* NULL: before the first field */
};

static bool next_of_all(struct offers *offers, struct offer *offer)
{
    struct cg_http_field field;

    while (offers->at == NULL || !next_offer(&offers->at, offer)) {
        do
            if (!cg_http_headers_next(offers->headers, &offers->field, &field))
                return false;
        while (!cg__ascii_equal(field.name, "Sec-WebSocket-Extensions"));
        offers->at = field.value;
    }
    return true;
}

static bool wants(const struct cg_ws_options *options)
{
    return options->deflate && cg__http_ws_deflate_can();
}

static unsigned most_bits(const struct cg_ws_options *options)
{
    return options->window_bits ? options->window_bits : MOST_BITS;
}

static void add(char *value, const char *param)
{
    size_t len = strlen(value);

    snprintf(value + len, CG__WS_OFFER - len, "; %s", param);
}

static void add_bits(char *value, const char *param, unsigned bits)
{
    size_t len = strlen(value);

    snprintf(value + len, CG__WS_OFFER - len, "; %s=%u", param, bits);
}

void cg__http_ws_offer_make(const struct cg_ws_options *options, char value[CG__WS_OFFER])
{
    unsigned bits = most_bits(options);

    value[0] = '\0';
    if (!wants(options))
        return;
    strcpy(value, "permessage-deflate");
    if (options->no_takeover) {
        add(value, "server_no_context_takeover");
        add(value, "client_no_context_takeover");
    }
    if (bits < MOST_BITS) {
        add_bits(value, "server_max_window_bits", bits);
        add_bits(value, "client_max_window_bits", bits);
    } else {
        add(value, "client_max_window_bits");
    }
}

static unsigned least(unsigned bits, unsigned other)
{
    return other != 0 && other < bits ? other : bits;
}

void cg__http_ws_offer_choose(const struct cg_http_headers *headers,
                              const struct cg_ws_options *options,
                              struct cg__ws_params *params, char value[CG__WS_OFFER])
{
    struct offers offers = {.headers = headers};
    struct offer offer = {.deflate = false};
    unsigned most = most_bits(options);

    *params = (struct cg__ws_params){.on = false};
    value[0] = '\0';
    while (wants(options) && !offer.deflate)
        if (!next_of_all(&offers, &offer))
            return;
    if (!offer.deflate)
        return;
    params->on = true;
    params->reset_out = offer.server_reset || options->no_takeover;
    params->reset_in = offer.client_reset || options->no_takeover;
    params->bits_out = least(most, offer.server_bits);
    params->bits_in = offer.has_client_bits ? least(most, offer.client_bits) : MOST_BITS;
    strcpy(value, "permessage-deflate");
    if (params->reset_out)
        add(value, "server_no_context_takeover");
    if (params->reset_in)
        add(value, "client_no_context_takeover");
    if (params->bits_out < MOST_BITS)
        add_bits(value, "server_max_window_bits", params->bits_out);
    if (params->bits_in < MOST_BITS)
        add_bits(value, "client_max_window_bits", params->bits_in);
}

bool cg__http_ws_offer_take(const struct cg_http_headers *headers,
                            const struct cg_ws_options *options,
                            struct cg__ws_params *params)
{
    struct offers offers = {.headers = headers};
    struct offer offer, another;
    unsigned most = most_bits(options);

    *params = (struct cg__ws_params){.on = false};
    if (!next_of_all(&offers, &offer))
        return true;
    if (!offer.deflate || !wants(options) || next_of_all(&offers, &another))
        return false;
    if (offer.has_client_bits && offer.client_bits == 0)
        return false;
    params->on = true;
    params->reset_in = offer.server_reset;
    params->reset_out = offer.client_reset || options->no_takeover;
    params->bits_in = offer.has_server_bits ? offer.server_bits : MOST_BITS;
    params->bits_out = least(most, offer.client_bits);
    return params->bits_in <= most && (params->reset_in || !options->no_takeover);
}
