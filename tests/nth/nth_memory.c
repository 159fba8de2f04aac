/* SPDX-License-Identifier: MIT */
/* Memory. The C library's own names are called, as looking up a name may allocate. */
#include "tests/nth/nth.h"

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *block, size_t size);
extern void *__libc_memalign(size_t align, size_t size);
extern void __libc_free(void *block);

static void *counted(void *block)
{
    if (block)
        nth_count_block(1);
    return block;
}

void *malloc(size_t size)
{
    return nth_fails(CALL_malloc) ? NULL : counted(__libc_malloc(size));
}

void *calloc(size_t count, size_t size)
{
    return nth_fails(CALL_calloc) ? NULL : counted(__libc_calloc(count, size));
}

void *realloc(void *block, size_t size)
{
    void *now;

    if (nth_fails(CALL_realloc))
        return NULL;
    now = __libc_realloc(block, size);
    return block ? now : counted(now);
}

void *aligned_alloc(size_t align, size_t size)
{
    return nth_fails(CALL_aligned_alloc) ? NULL : counted(__libc_memalign(align, size));
}

int posix_memalign(void **block, size_t align, size_t size)
{
    if (nth_fails(CALL_posix_memalign))
        return nth_number;
    *block = counted(__libc_memalign(align, size));
    return *block ? 0 : ENOMEM;
}

void free(void *block)
{
    if (block)
        nth_count_block(-1);
    __libc_free(block);
}
