/* SPDX-License-Identifier: MIT */
/* The table of names and its hashes: names that an attacker has chosen to collide do not
 * collide, whatever the key. */
#include "config.h"

#include "lib/vocabulary/names.h"

#include "tests/support/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MANY = 16384, /* names, as many as buckets */
    KEYS = 20,    /* how many keys are tried */
    LONGEST = 24, /* the limit for chains; with random numbers 10 would be long */
};

static struct cg_named all[MANY];

/* The length of the longest chain of a table with all the names. */
static size_t longest(const struct cg__names *names)
{
    size_t most = 0;

    for (size_t i = 0; i < names->size; i++) {
        size_t length = 0;

        for (struct cg_named *named = names->buckets[i]; named; named = named->chain)
            length++;
        if (length > most)
            most = length;
    }
    return most;
}

static void spreads(const char *what)
{
    uint64_t seed = 1;

    for (int i = 0; i < KEYS; i++) {
        struct cg__hash_key key;
        struct cg__names names;

        for (size_t k = 0; k < sizeof key; k++)
            ((unsigned char *)&key)[k] = (unsigned char)test_random(&seed);
        key.word[1] |= 1;
        key.word[2] |= 1;
        cg__names_init(&names, &key);
        for (size_t k = 0; k < MANY; k++)
            cg__names_add(&names, &all[k]);
        ck_assert_uint_eq(names.count, MANY);
        ck_assert_uint_eq(names.size, MANY);
        ck_assert_msg(longest(&names) < LONGEST, "%s: a chain of %zu", what,
                      longest(&names));
        for (size_t k = 0; k < MANY; k++) {
            ck_assert_ptr_eq(cg__names_find(&names, all[k].name), &all[k]);
            cg__names_remove(&names, &all[k]);
        }
        ck_assert_uint_eq(names.count, 0);
        cg__names_free(&names);
    }
}

/* Integers: consecutive ones, multiples of a step, and some whose halves cancel each other
 * in simple hash functions. */
START_TEST(integers)
{
    static const int shifts[][2] = {{0, 0},   {3, 3},   {12, 12}, {32, 32}, {48, 48},
                                    {45, 13}, {32, 0},  {40, 20}, {33, 1},  {50, 25}};

    for (size_t s = 0; s < COUNT(shifts); s++) {
        char what[32];

        for (uint64_t i = 0; i < MANY; i++)
            all[i].name = cg_name((intptr_t)(i << shifts[s][0] | i << shifts[s][1]));
        snprintf(what, sizeof what, "i << %d | i << %d", shifts[s][0], shifts[s][1]);
        spreads(what);
    }
}
END_TEST

/* Pointers to the members of an array. */
START_TEST(pointers)
{
    for (size_t i = 0; i < MANY; i++)
        all[i].name = cg_name(&all[i]);
    spreads("pointers");
}
END_TEST

/* Bytes: plain text, and blocks whose second word undoes the change of the first in hash
 * functions that multiply. */
START_TEST(bytes)
{
    static char text[MANY][16];
    static uint64_t words[MANY][28];

    for (size_t i = 0; i < MANY; i++) {
        snprintf(text[i], sizeof text[i], "name %zu", i);
        all[i].name = cg_name(text[i]);
    }
    spreads("text");
    for (size_t i = 0; i < MANY; i++) {
        for (size_t k = 0; k < COUNT(words[i]) / 2; k++)
            if (i >> k & 1) {
                words[i][2 * k] = UINT64_C(1) << 63 | UINT64_C(1) << 31;
                words[i][2 * k + 1] = UINT64_C(1) << 63 | UINT64_C(1) << 34;
            }
        all[i].name = cg_name_bytes(words[i], sizeof words[i]);
    }
    spreads("blocks");
}
END_TEST

/* The waiters of one name form a ring in the order in which they were added. One that is
 * put before the first becomes the first. */
START_TEST(rings)
{
    struct cg__hash_key key;
    struct cg__names names;
    bool more;

    cg__hash_key_init(&key);
    cg__names_init(&names, &key);
    for (size_t i = 0; i < 6; i++)
        all[i].name = cg_name(i / 3 ? "b" : "a");
    for (size_t i = 1; i < 6; i++)
        cg__names_add(&names, &all[i]);
    cg__names_insert(&names, &all[0], &all[1]);
    cg__names_remove(&names, &all[4]);
    cg__names_insert(&names, &all[4], &all[5]);
    ck_assert_uint_eq(names.count, 2);
    for (size_t i = 0; i < 6; i++) {
        ck_assert_ptr_eq(cg__names_take(&names, cg_name(i / 3 ? "b" : "a"), &more), &all[i]);
        ck_assert(more == (i % 3 < 2));
    }
    ck_assert_ptr_null(cg__names_take(&names, cg_name("a"), &more));
    ck_assert_uint_eq(names.count, 0);
    cg__names_free(&names);
}
END_TEST

/* SipHash-1-3 with a key of zeros: the values of Python 3.11 with PYTHONHASHSEED=0. */
START_TEST(siphash)
{
    static const struct {
        const char *text;
        uint64_t hash;
    } cases[] = {
        {"a", 0x407448d2b89b1813},
        {"abc", 0xc03bc3a0042630f2},
        {"1234567", 0xa33d651594fdae81},
        {"12345678", 0x3489982430560a87},
        {"the quick brown fox", 0x5a17575ad3449cba},
    };
    struct cg__hash_key key = {.bytes = {0, 0}};

    for (size_t i = 0; i < COUNT(cases); i++)
        ck_assert_uint_eq(cg__hash_bytes(&key, cases[i].text, strlen(cases[i].text)),
                          cases[i].hash);
}
END_TEST

/* No two keys are the same. */
START_TEST(keys)
{
    struct cg__hash_key a, b;

    cg__hash_key_init(&a);
    cg__hash_key_init(&b);
    for (size_t i = 0; i < COUNT(a.word); i++)
        ck_assert(a.word[i] != b.word[i]);
    for (size_t i = 0; i < COUNT(a.bytes); i++)
        ck_assert(a.bytes[i] != b.bytes[i]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("names");
    TCase *tc = tcase_create("names");

    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, integers);
    tcase_add_test(tc, pointers);
    tcase_add_test(tc, bytes);
    tcase_add_test(tc, rings);
    tcase_add_test(tc, siphash);
    tcase_add_test(tc, keys);
    suite_add_tcase(suite, tc);
    return check_main(suite, NULL);
}
