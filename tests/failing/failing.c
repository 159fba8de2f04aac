/* SPDX-License-Identifier: MIT */
/* See failing.h. */
#include "config.h"

#include "tests/failing/failing.h"
#include "tests/support/support.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void *__real_calloc(size_t n, size_t size);
int __real_posix_memalign(void **p, size_t alignment, size_t size);
void __real_free(void *p);
void *__real_mmap(void *addr, size_t size, int prot, int flags, int fd, off_t offset);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *old, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t most);
int __wrap_posix_memalign(void **p, size_t alignment, size_t size);
void __wrap_free(void *p);
void *__wrap_mmap(void *addr, size_t size, int prot, int flags, int fd, off_t offset);

static bool fails(enum failing_what what)
{
    if (!failing_now(what))
        return false;
    errno = ENOMEM;
    return true;
}

static bool watched;
static void *live[16384]; /* hashed by address, with linear probing */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* marks a place whose block was freed, so that probing continues */
static void *const was_used = live;

static size_t hash(const void *p)
{
    return (uintptr_t)p / 16 * 2654435761u % COUNT(live);
}

static void *note(void *p)
{
    size_t i = hash(p);

    if (!p || !watched)
        return p;
    pthread_mutex_lock(&lock);
    for (size_t n = 0; live[i] && live[i] != was_used; n++) {
        assert(n < COUNT(live));
        i = (i + 1) % COUNT(live);
    }
    live[i] = p;
    pthread_mutex_unlock(&lock);
    return p;
}

static void forget(void *p)
{
    size_t i = hash(p);

    if (!p || !watched)
        return;
    pthread_mutex_lock(&lock);
    for (size_t n = 0; live[i] && n < COUNT(live); n++, i = (i + 1) % COUNT(live))
        if (live[i] == p) {
            live[i] = was_used;
            break;
        }
    pthread_mutex_unlock(&lock);
}

void failing_watch(void)
{
    memset(live, 0, sizeof live);
    watched = true;
}

static size_t count(void)
{
    size_t n = 0;

    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < COUNT(live); i++)
        n += live[i] && live[i] != was_used;
    pthread_mutex_unlock(&lock);
    return n;
}

size_t failing_queues = 1;

/* Our kqueue emulation is not told when a queue is closed: it frees the last ones when the
 * next are opened. */
size_t failing_left(void)
{
    size_t n, late = strcmp(test_reactor(), "kqueue") == 0 ? failing_queues : 0;

    for (int i = 0; (n = count()) > late && i < 5000; i++)
        usleep(1000);
    watched = false;
    return n > late ? n - late : 0;
}

void *__wrap_malloc(size_t size)
{
    return fails(FAILING_NEW) ? NULL : note(__real_malloc(size));
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fails(FAILING_NEW) ? NULL : note(__real_calloc(n, size));
}

void *__wrap_realloc(void *old, size_t size)
{
    if (fails(FAILING_LARGER))
        return NULL;
    forget(old);
    return note(__real_realloc(old, size));
}

/* libc's own would call its malloc, which is not wrapped. */
char *__wrap_strdup(const char *text)
{
    return __wrap_strndup(text, SIZE_MAX);
}

char *__wrap_strndup(const char *text, size_t most)
{
    size_t len = strnlen(text, most);
    char *copy = __wrap_malloc(len + 1);

    if (copy != NULL) {
        memcpy(copy, text, len);
        copy[len] = '\0';
    }
    return copy;
}

int __wrap_posix_memalign(void **p, size_t alignment, size_t size)
{
    int err = fails(FAILING_NEW) ? ENOMEM : __real_posix_memalign(p, alignment, size);

    if (!err)
        note(*p);
    return err;
}

void __wrap_free(void *p)
{
    forget(p);
    __real_free(p);
}

void *__wrap_mmap(void *addr, size_t size, int prot, int flags, int fd, off_t offset)
{
    return fails(FAILING_PAGES) ? MAP_FAILED
                                : __real_mmap(addr, size, prot, flags, fd, offset);
}
