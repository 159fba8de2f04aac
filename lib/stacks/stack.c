/* SPDX-License-Identifier: MIT */
/* Stacks, in slabs. A slab is one mapping, of which only touched pages take memory:
 *
 *   slab header | guard, stack, top page | guard, stack, top page | ...
 *
 * The top page holds, from its end down: struct slot, the colour (an offset that spreads
 * the tops of many stacks over the cache sets), the head, then the first frames. So a
 * coroutine that sleeps with small frames needs one page. All stacks of a slab have the
 * same size. A free stack is warm (linked through its slot, and used first), cold
 * (trimmed: nothing of it is in memory, the slab notes its number) or fresh (never used,
 * without a guard so far). A large slab whose stacks are all cold is unmapped: its page tables
 * alone take up to 170 bytes a stack.
 *
 * The first stacks of a slab have a guard each. Where guards cost mappings and the process
 * has used its share of them (guard.c), the later stacks have none, but only a gap of the
 * same size. Then an overflow overwrites the stacks below it until it reaches the slab's
 * last guard. The first stack of a slab always has a guard. */
#include "config.h"

#include "lib/stacks/guard.h"
#include "lib/stacks/stack.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#if CG__ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/lsan_interface.h>
#endif
#ifdef HAVE_VALGRIND_VALGRIND_H
#include <valgrind/memcheck.h>
#else
#define RUNNING_ON_VALGRIND 0
#define VALGRIND_MAKE_MEM_UNDEFINED(address, size) ((void)0)
#define VALGRIND_STACK_REGISTER(low, high) ((void)(low), 0U)
#define VALGRIND_STACK_DEREGISTER(id) ((void)(id))
#endif

#ifndef MAP_NORESERVE
#define MAP_NORESERVE 0
#endif

enum {
    SIZES = 21,     /* CG__STACK_MIN << 0 ... 20 */
    SLAB_FIRST = 8, /* stacks in the first slab of a size; the next slabs double */
    SLAB_LIMIT = 64 * 1024 * 1024, /* bytes, unless one stack is larger */
    SLAB_LARGE = 4 * 1024 * 1024 * CG__STACK_SCALE, /* bytes; not kept when all is cold */
    SLOT = 64,                     /* bytes for struct slot, a cache line */
    COLOURS = 32,
    BELOW = 512,   /* bytes below a saved stack pointer that a shrink leaves */
    FRAMES = 2048, /* bytes of the top page kept free of colours for the first frames */
};

struct slab {
    struct slab *next;      /* among the slabs of its size; the newest is first */
    struct slab *next_cold; /* among those of its size that have cold stacks */
    struct size *size;
    char *base;                   /* the first guard */
    size_t bytes;                 /* of the mapping, which begins with this struct */
    uint32_t count, fresh, ncold; /* stacks from number `fresh` on were never used */
    uint32_t guards, split;       /* how many stacks have a guard; a split guard */
    uint32_t cold[];              /* the numbers of the cold stacks, at most `count` */
};

/* At the end of the top page of a stack that is in use or warm. */
struct slot {
    struct slab *slab;
    struct size *size;
    struct slot *next; /* the next warm stack */
    uint32_t number;
    uint32_t head;     /* the size of the head for which `offset` was computed */
    uint32_t offset;   /* from the head to this struct */
    unsigned valgrind; /* Valgrind's number of the stack, while it is in use */
};

struct size {
    struct slot *warm;
    size_t used, live; /* live: in use or warm */
    size_t usable, stride; /* usable bytes of a stack; bytes from guard to guard */
    size_t reach;          /* from the lowest usable address to the slot */
    size_t slab_stacks;    /* in the next slab, as long as slabs double */
    size_t mapped;         /* stacks in all slabs */
    struct slab *cold;
    struct slab *slabs;
};

struct cg_stacks {
    atomic_uint refs;
    size_t page, guard;
    bool valgrind;       /* this runs under Valgrind */
    struct size *latest; /* the class of the last request, */
    size_t wanted;       /* and how many bytes it asked for */
    int classes;         /* the first ones, of which stacks have been asked for */
    struct size sizes[SIZES];
};

/* Makes the whole stack accessible again: Valgrind forbids what lay below the stack
 * pointer of an earlier use. */
static void show_to_valgrind(struct slot *slot, char *low)
{
    (void)low; /* Valgrind's macros do not use it on processors that Valgrind lacks */
    VALGRIND_MAKE_MEM_UNDEFINED(low, (size_t)((char *)slot - low));
    slot->valgrind = VALGRIND_STACK_REGISTER(low, (char *)slot - slot->offset);
}

static void hide_from_valgrind(struct slot *slot)
{
    if (slot->valgrind)
        VALGRIND_STACK_DEREGISTER(slot->valgrind);
    slot->valgrind = 0;
}

static size_t round_up(size_t n, size_t unit)
{
    return (n + unit - 1) / unit * unit;
}

static struct slab *slab_map(const struct cg_stacks *stacks, struct size *size,
                             size_t count)
{
    size_t header =
        round_up(sizeof(struct slab) + count * sizeof(uint32_t), stacks->page);
    size_t bytes = header + count * size->stride;
    struct slab *slab = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (slab == MAP_FAILED)
        return NULL;
#ifdef MADV_NOHUGEPAGE
    madvise(slab, bytes, MADV_NOHUGEPAGE); /* one touched page would become 2 MiB */
#endif
#if CG__ASAN
    __lsan_register_root_region((char *)slab + header, bytes - header);
#endif
    *slab = (struct slab){.size = size,
                          .base = (char *)slab + header,
                          .bytes = bytes,
                          .count = (uint32_t)count};
    return slab;
}

/* Maps a slab of more stacks than the last one, or of fewer if that much address space
 * cannot be had (RLIMIT_AS, strict overcommit). Slabs double up to SLAB_LIMIT; from then
 * on a new slab has an eighth of the stacks that exist. So the number of slabs, and of
 * their mappings, stays small. */
static struct slab *slab_new(const struct cg_stacks *stacks, struct size *size)
{
    struct slab *slab = NULL;
    size_t eighth = size->mapped / 8;
    size_t count = eighth > size->slab_stacks ? eighth : size->slab_stacks;

    while (count > 0 && (slab = slab_map(stacks, size, count)) == NULL)
        count /= 2;
    if (slab == NULL)
        return NULL;
    size->mapped += count;
    if (count * 2 * size->stride <= SLAB_LIMIT)
        size->slab_stacks = count * 2;
    slab->next = size->slabs;
    size->slabs = slab;
    return slab;
}

static char *slot_base(const struct slab *slab, uint32_t number)
{
    return slab->base + number * slab->size->stride;
}

static struct slot *slot_of(const struct slab *slab, uint32_t number)
{
    return (struct slot *)(slot_base(slab, number) + slab->size->stride - SLOT);
}

static void slab_free(const struct cg_stacks *stacks, struct slab *slab)
{
    for (uint32_t i = 0; stacks->valgrind && i < slab->fresh; i++)
        hide_from_valgrind(slot_of(slab, i));
#if CG__ASAN
    size_t header = (size_t)(slab->base - (char *)slab);

    __lsan_unregister_root_region(slab->base, slab->bytes - header);
    __asan_unpoison_memory_region(slab, slab->bytes);
#endif
    cg__guard_forget(slab->split);
    munmap(slab, slab->bytes);
}

/* Called when the kernel has refused a guard, because other code uses most of the
 * process's mappings. We must not take the last ones, so one slab gives up all its guards
 * but the first, and with them their mappings. */
static void give_way(const struct cg_stacks *stacks, struct size *size)
{
    struct slab *slab = size->slabs;

    while (slab != NULL && (slab->guards < 2 || slab->split < slab->guards))
        slab = slab->next;
    if (slab == NULL) {
        cg__guard_give_way(NULL, 0, 0);
        return;
    }
    cg__guard_give_way(slot_base(slab, 1),
                       (slab->guards - 2) * size->stride + stacks->guard, slab->split - 1);
    slab->guards = slab->split = 1;
}

/* Guards the slab's next stack, if a guard is affordable or the stack is the first. False:
 * the first stack must have one, and it cannot be made. */
static bool guard_next(const struct cg_stacks *stacks, struct slab *slab)
{
    char *guard = slot_base(slab, slab->fresh);

    if (slab->guards < slab->fresh)
        return true;
    if (cg__guard_light(guard, stacks->guard, stacks->page)) {
        slab->guards++;
        return true;
    }
    if (slab->fresh > 0 && !cg__guard_affordable())
        return true;
    if (cg__guard_split(guard, stacks->guard)) {
        slab->guards++;
        slab->split++;
        return true;
    }
    give_way(stacks, slab->size);
    return slab->fresh > 0;
}

const void *cg__stack_guard(const void *head)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    const struct slot *slot =
        (const struct slot *)(((uintptr_t)head | (page - 1)) + 1 - SLOT);
    const struct slab *slab = slot->slab;

    return slot_base(slab, slot->number < slab->guards ? slot->number : slab->guards - 1);
}

static void slot_init(struct slot *slot, struct slab *slab, uint32_t number)
{
    *slot = (struct slot){
        .slab = slab, .size = slab->size, .number = number, .head = UINT32_MAX};
}

static struct slot *take_cold(struct size *size)
{
    struct slab *slab = size->cold;
    struct slot *slot;
    uint32_t number;

    if (slab == NULL)
        return NULL;
    number = slab->cold[--slab->ncold];
    if (slab->ncold == 0)
        size->cold = slab->next_cold;
    slot = slot_of(slab, number);
    slot_init(slot, slab, number);
    size->live++;
    return slot;
}

static struct slot *take_fresh(const struct cg_stacks *stacks, struct size *size)
{
    struct slab *slab = size->slabs;
    struct slot *slot;

    if (slab == NULL || slab->fresh == slab->count)
        slab = slab_new(stacks, size);
    if (slab == NULL || !guard_next(stacks, slab))
        return NULL;
    slot = slot_of(slab, slab->fresh);
    slot_init(slot, slab, slab->fresh++);
    size->live++;
    return slot;
}

/* Computes where in the stack's top page a head of this size lies. */
static void lay_out(const struct cg_stacks *stacks, struct slot *slot, size_t head)
{
    size_t bytes = round_up(head, 64), room = stacks->page - SLOT - bytes;
    size_t colours = room > FRAMES ? (room - FRAMES) / 64 : 1;

    if (colours > COLOURS)
        colours = COLOURS;
    slot->head = (uint32_t)head;
    slot->offset = (uint32_t)(bytes + slot->number % colours * 64);
}

static struct slot *take_warm(struct size *size)
{
    struct slot *slot = size->warm;

    if (slot != NULL)
        size->warm = slot->next;
    return slot;
}

/* The slow path: a size or head that differs from the last request's, or no warm stack.
 * Not inline, because the fast path would then have to save its registers. */
__attribute__((noinline)) static void *get(struct cg_stacks *stacks, size_t size,
                                           size_t head, void **low)
{
    struct size *class = stacks->sizes;
    struct slot *slot;

    assert(head <= CG__STACK_HEAD);
    while (class->usable < size)
        if (++class == stacks->sizes + SIZES)
            return NULL;
    stacks->wanted = size;
    stacks->latest = class;
    if (stacks->classes <= class - stacks->sizes)
        stacks->classes = (int)(class - stacks->sizes) + 1;
    if ((slot = take_warm(class)) == NULL && (slot = take_cold(class)) == NULL &&
        (slot = take_fresh(stacks, class)) == NULL)
        return NULL;
    class->used++;
    if (slot->head != head)
        lay_out(stacks, slot, head);
    *low = (char *)slot - class->reach;
    if (stacks->valgrind)
        show_to_valgrind(slot, *low);
    return (char *)slot - slot->offset;
}

void *cg__stack_get(struct cg_stacks *stacks, size_t size, size_t head, void **low)
{
    struct size *class = stacks->latest;
    struct slot *slot = class->warm;

    if (size != stacks->wanted || slot == NULL || slot->head != head || stacks->valgrind)
        return get(stacks, size, head, low);
    class->warm = slot->next;
    class->used++;
    *low = (char *)slot - class->reach;
    return (char *)slot - slot->offset;
}

void cg__stack_put(struct cg_stacks *stacks, void *head)
{
    uintptr_t end = ((uintptr_t)head | (stacks->page - 1)) + 1;
    struct slot *slot = (struct slot *)(end - SLOT);
    struct size *size = slot->size;

    if (stacks->valgrind)
        hide_from_valgrind(slot);
    slot->next = size->warm;
    size->warm = slot;
    size->used--;
}

static void take_out(struct slab *slab, struct size *size)
{
    struct slab **link = &size->slabs, **cold = &size->cold;

    while (*link != slab)
        link = &(*link)->next;
    *link = slab->next;
    while (*cold != NULL && *cold != slab)
        cold = &(*cold)->next_cold;
    if (*cold != NULL)
        *cold = slab->next_cold;
    size->mapped -= slab->count;
}

static void trim(const struct cg_stacks *stacks, struct size *size)
{
    struct slot *slot = take_warm(size);
    struct slab *slab = slot->slab;
    uint32_t number = slot->number; /* read first: madvise clears the slot */

    size->live--;
    if (slab->ncold + 1 == slab->fresh && slab->bytes >= SLAB_LARGE) {
        take_out(slab, size);
        slab_free(stacks, slab);
        return;
    }
    /* Includes the guard, which stays a guard, or the gap, which an overflow may have
     * written to. */
    madvise(slot_base(slab, number), size->stride, MADV_DONTNEED);
    if (slab->ncold == 0) {
        slab->next_cold = size->cold;
        size->cold = slab;
    }
    slab->cold[slab->ncold++] = number;
}

static size_t warm_in(const struct size *size)
{
    return size->live - size->used;
}

/* As many stacks as are in use may stay warm. A program that starts and ends coroutines
 * all the time needs them again at once, and to trim a stack each time would cost more
 * than everything else about the coroutine. */
size_t cg__stack_pool_trim(struct cg_stacks *stacks, size_t most, size_t keep)
{
    size_t trimmed = 0;

    for (struct size *size = stacks->sizes; size < stacks->sizes + SIZES; size++)
        for (; trimmed < most && warm_in(size) > keep &&
               warm_in(size) > size->used;
             trimmed++)
            trim(stacks, size);
    return trimmed;
}

void cg__stack_pool_count(const struct cg_stacks *stacks, size_t *used, size_t *spare)
{
    *used = *spare = 0;
    for (const struct size *size = stacks->sizes; size < stacks->sizes + stacks->classes; size++) {
        *used += size->used;
        *spare += warm_in(size);
    }
}

/* Below a saved stack pointer only the BELOW bytes may be in use: with ucontext, a part of
 * the frame that called swapcontext. Under ASan a frame may lie on a fake stack, and `sp`
 * with it; then nothing is returned. */
void cg__stack_shrink(const struct cg_stacks *stacks, void *low, const void *sp,
                      const void *head)
{
    uintptr_t end = ((uintptr_t)sp - BELOW) & ~(uintptr_t)(stacks->page - 1);

    if ((uintptr_t)sp < (uintptr_t)head && end > (uintptr_t)low)
        madvise(low, end - (uintptr_t)low, MADV_DONTNEED);
}

struct cg_stacks *cg__stack_pool_new(void)
{
    struct cg_stacks *stacks = calloc(1, sizeof *stacks);

    if (stacks == NULL)
        return NULL;
    atomic_init(&stacks->refs, 1);
    stacks->page = (size_t)sysconf(_SC_PAGESIZE);
    stacks->guard = round_up(CG__STACK_GUARD, stacks->page);
    stacks->latest = stacks->sizes;
    stacks->valgrind = RUNNING_ON_VALGRIND;
    for (int i = 0; i < SIZES; i++) {
        struct size *size = &stacks->sizes[i];

        size->usable = round_up((size_t)CG__STACK_MIN << i, stacks->page);
        size->stride = stacks->guard + size->usable + stacks->page;
        size->reach = size->stride - stacks->guard - SLOT;
        size->slab_stacks = size->stride * SLAB_FIRST <= SLAB_LIMIT ? SLAB_FIRST : 1;
    }
    return stacks;
}

void cg__stack_pool_keep(struct cg_stacks *stacks)
{
    atomic_fetch_add(&stacks->refs, 1);
}

bool cg__stack_pool_is_idle(const struct cg_stacks *stacks)
{
    if (stacks == NULL || atomic_load(&stacks->refs) > 1)
        return false;
    for (int i = 0; i < SIZES; i++)
        if (stacks->sizes[i].used > 0)
            return false;
    return true;
}

void cg__stack_pool_free(struct cg_stacks *stacks)
{
    if (stacks == NULL || atomic_fetch_sub(&stacks->refs, 1) > 1)
        return;
    for (int i = 0; i < SIZES; i++)
        for (struct slab *slab = stacks->sizes[i].slabs, *next; slab != NULL;
             slab = next) {
            next = slab->next;
            slab_free(stacks, slab);
        }
    free(stacks);
}
