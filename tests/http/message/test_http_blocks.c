/* SPDX-License-Identifier: MIT */
/* The memory of sessions of HTTP/2: blocks keep their bytes, small ones are kept for the next
 * request up to a limit, and a session's are freed as a whole. ASan sees what is leaked. */
#include "config.h"

#include "http/http2/blocks.h"
#include "tests/support/support.h"

#include <stdint.h>
#include <string.h>

static struct cg__http2_spare spare;
static struct cg__http2_memory memory;

static void begin(void)
{
    spare = (struct cg__http2_spare){.bytes = 0};
    memory = (struct cg__http2_memory){.spare = &spare};
}

static void end(void)
{
    cg__http_blocks_free_all(&memory);
    cg__http_blocks_free_spare(&spare);
    ck_assert_ptr_null(memory.first);
    ck_assert_uint_eq(spare.bytes, 0);
}

static bool is_all(const char *data, char c, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (data[i] != c)
            return false;
    return true;
}

/* A small block is used again, for any size of its list; calloc clears it. */
static void reuses(void)
{
    char *first, *again;

    begin();
    first = cg__http_blocks_malloc(65, &memory);
    memset(first, 'x', 65);
    cg__http_blocks_free(first, &memory);
    ck_assert_uint_eq(spare.bytes, 128);
    again = cg__http_blocks_calloc(2, 64, &memory);
    ck_assert_ptr_eq(again, first);
    ck_assert(is_all(again, 0, 128));
    ck_assert_uint_eq(spare.bytes, 0);
    end();
}

/* Large blocks are not kept, nor is anything without a place to keep it. */
static void keeps_only_small_ones(void)
{
    begin();
    cg__http_blocks_free(cg__http_blocks_malloc(513, &memory), &memory);
    ck_assert_uint_eq(spare.bytes, 0);
    cg__http_blocks_free(cg__http_blocks_malloc(512, &memory), &memory);
    ck_assert_uint_eq(spare.bytes, 512);
    memory.spare = NULL;
    cg__http_blocks_free(cg__http_blocks_malloc(512, &memory), &memory);
    cg__http_blocks_malloc(1, &memory);
    ck_assert_uint_eq(spare.bytes, 512);
    end();
}

/* What is kept has a limit. */
static void keeps_no_more(void)
{
    begin();
    for (size_t i = 0; i < CG__HTTP2_SPARE / 512 + 100; i++)
        cg__http_blocks_malloc(512, &memory);
    cg__http_blocks_free_all(&memory);
    ck_assert_uint_eq(spare.bytes, CG__HTTP2_SPARE);
    end();
}

/* realloc keeps the bytes, and moves only what does not fit. */
static void grows(void)
{
    char *data, *grown;

    begin();
    data = cg__http_blocks_realloc(NULL, 10, &memory);
    memset(data, 'x', 10);
    ck_assert_ptr_eq(cg__http_blocks_realloc(data, 64, &memory), data);
    grown = cg__http_blocks_realloc(data, 1000, &memory);
    ck_assert(is_all(grown, 'x', 10));
    ck_assert_uint_eq(spare.bytes, 64);
    grown = cg__http_blocks_realloc(grown, 5000, &memory);
    ck_assert(is_all(grown, 'x', 10));
    cg__http_blocks_free(NULL, &memory);
    end();
}

/* Sizes that do not exist are refused. */
static void refuses(void)
{
    begin();
    ck_assert_ptr_null(cg__http_blocks_malloc(SIZE_MAX, &memory));
    ck_assert_ptr_null(cg__http_blocks_calloc(SIZE_MAX / 2, 4, &memory));
    ck_assert_ptr_nonnull(cg__http_blocks_malloc(0, &memory));
    ck_assert_ptr_nonnull(cg__http_blocks_calloc(0, 8, &memory));
    end();
}

static const struct test_case cases[] = {
    PLAIN(reuses, .where = ON_SIM),
    PLAIN(keeps_only_small_ones, .where = ON_SIM),
    PLAIN(keeps_no_more, .where = ON_SIM),
    PLAIN(grows, .where = ON_SIM),
    PLAIN(refuses, .where = ON_SIM),
};

int main(void)
{
    return test_main("http_blocks", cases, COUNT(cases));
}
