/* SPDX-License-Identifier: MIT */
/* Named signals: coroutines wait for a name, others signal it. See cg_signal(3). */
#ifndef COGEN_SIGNAL_H
#define COGEN_SIGNAL_H

#include <cogen/op.h>

#include <string.h>

/* A name: bytes by value, an integer, or a pointer by identity. The bytes are borrowed and
 * must stay unchanged while an operation waits. */
struct cg_name {
    const void *data;
    size_t len; /* number of bytes; or CG__NAME_INTEGER, CG__NAME_POINTER */
};

/* The entry of a waiting operation in the table of names (lib/vocabulary/names.c). */
struct cg_named {
    struct cg_named *next, *prev; /* ring of the entries with the same name */
    struct cg_named *chain;       /* in a ring's first entry: the next name in the bucket */
    struct cg_name name;
};

#define CG__NAME_INTEGER ((size_t)-1)
#define CG__NAME_POINTER ((size_t)-2)

CG_EXTERN_C_BEGIN

/* Inline, so that the compiler sees which fields a constructor sets (see CG__OP). */

CG_API inline struct cg_name cg_name_bytes(const void *data, size_t len)
{
    struct cg_name name = {data, len};

    return name;
}

CG_API inline struct cg_name cg_name_string(const char *text)
{
    return cg_name_bytes(text, text ? strlen(text) : 0);
}

CG_API inline struct cg_name cg_name_integer(intptr_t number)
{
    return cg_name_bytes((const void *)number, CG__NAME_INTEGER);
}

CG_API inline struct cg_name cg_name_pointer(const void *pointer)
{
    return cg_name_bytes(pointer, CG__NAME_POINTER);
}

CG_API inline struct cg_name cg_name_itself(struct cg_name name)
{
    return name;
}

/* Function form of cg_signal, for callbacks: never waits, and works outside coroutines in
 * the scheduler's thread, too (other threads use cg_sched_post_signal). Returns the number
 * of coroutines woken; they run later. */
CG_API ssize_t cg_sched_signal_with(struct cg_sched *sched, struct cg_name name,
                                    const void *value);

extern CG_API const struct cg_op_type cg_signal_type, cg_wait_signal_type;
CG_EXTERN_C_END

#ifndef __cplusplus

/* Makes a name of a C value: a string (char pointers), an integer, a struct cg_name, or any
 * other pointer by identity (also a void pointer to a string). */
#define cg_name(x)                                                                         \
    _Generic((x),                                                                          \
        char *: cg_name_string,                                                            \
        const char *: cg_name_string,                                                      \
        struct cg_name: cg_name_itself,                                                    \
        _Bool: cg_name_integer,                                                            \
        char: cg_name_integer,                                                             \
        signed char: cg_name_integer,                                                      \
        unsigned char: cg_name_integer,                                                    \
        short: cg_name_integer,                                                            \
        unsigned short: cg_name_integer,                                                   \
        int: cg_name_integer,                                                              \
        unsigned: cg_name_integer,                                                         \
        long: cg_name_integer,                                                             \
        unsigned long: cg_name_integer,                                                    \
        long long: cg_name_integer,                                                        \
        unsigned long long: cg_name_integer,                                               \
        default: cg_name_pointer)(x)

/* Macro form of cg_sched_signal_with that accepts any C value as name and value. */
#define cg_sched_signal(sched, name, value)                                                \
    cg_sched_signal_with(sched, cg_name(name), (const void *)(intptr_t)(value))

struct cg_signal_op {
    CG_OP_HEAD;
    unsigned recipients;
    unsigned waiting; /* number of waiters; kept in the first signaller with recipients */
    struct cg_named named;
    const void *value;
};

struct cg_wait_signal_op {
    CG_OP_HEAD;
    struct cg_named named;
    void *value;
};

/* cg_signal(name, value): wakes every coroutine that waits for the name and gives each the
 * value, one word (what it points to stays the signaller's). Completes with the number of
 * coroutines woken; they run before the signaller continues, unless .prio has CG_PRIO_CORO.
 * A signal is not stored: if nobody waits, the result is 0. With .recipients = n the
 * signaller first waits until at least n operations wait for the name; two branches of one
 * cg_any count as two, although a signal completes one of them only. */
#define cg_signal(...) cg__signal(__VA_ARGS__, )
#define cg__signal(n, v, ...)                                                              \
    CG_OP(cg_signal, .named.name = cg_name(n), .value = (const void *)(intptr_t)(v), __VA_ARGS__)

/* cg_wait_signal(name, out): waits for a signal of that name and stores its value in *out,
 * any pointer or intptr_t object (NULL: discard it). Completes with 0; or with -ENOMEM, at
 * the first wait for a signal in a scheduler. Waiters are woken in the order in which they
 * began to wait. Traceless. */
#define cg_wait_signal(...) cg__wait_signal(__VA_ARGS__, )
#define cg__wait_signal(n, out, ...)                                                       \
    CG_OP(cg_wait_signal, .named.name = cg_name(n), .value = CG__WORD(out), __VA_ARGS__)

#endif
#endif
