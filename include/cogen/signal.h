/* SPDX-License-Identifier: MIT */
/* Named signals: coroutines wait for a name, others signal it. See cg_signal(3). */
#ifndef COGEN_SIGNAL_H
#define COGEN_SIGNAL_H

#include <cogen/op.h>

#include <string.h>

/* A name: bytes by value, an integer, or a pointer by identity. The bytes are borrowed:
 * whoever waits keeps them until the wait is over. */
struct cg_name {
    const void *data;
    size_t size; /* of the bytes; or one of the two marks */
};

/* The place of an operation among those of its name; belongs to lib/vocabulary/names.c. */
struct cg_named {
    struct cg_named *next, *prev; /* of the same name, a ring */
    struct cg_named *chain;       /* of a ring's first: the next name in the bucket */
    struct cg_name name;
};

#define CG__NAME_INTEGER ((size_t)-1)
#define CG__NAME_POINTER ((size_t)-2)

CG_EXTERN_C_BEGIN

/* Inline, so that the compiler sees what a constructor sets (see CG__OP). */

CG_API inline struct cg_name cg_name_bytes(const void *data, size_t size)
{
    struct cg_name name = {data, size};

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

/* What the operation cg_signal does, for callbacks: never waits, and works outside
 * coroutines too, in the scheduler's thread (from others: cg_sched_post_signal). Returns how
 * many coroutines it woke; they run later. */
CG_API ssize_t cg_sched_signal_with(struct cg_sched *sched, struct cg_name name,
                                    const void *value);

extern CG_API const struct cg_op_type cg_signal_type, cg_wait_signal_type;
CG_EXTERN_C_END

#ifndef __cplusplus

/* The name that a C value stands for: a string (char pointers), an integer, a struct
 * cg_name, or any other pointer by identity: also a void pointer that leads to a string. */
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

/* cg_sched_signal(sched, name, value): cg_sched_signal_with of any C value as a name. */
#define cg_sched_signal(sched, name, value)                                                \
    cg_sched_signal_with(sched, cg_name(name), (const void *)(intptr_t)(value))

struct cg_signal_op {
    CG_OP_HEAD;
    unsigned recipients;
    unsigned waiting; /* of the first that waits for recipients: how many there are */
    struct cg_named named;
    const void *value;
};

struct cg_wait_signal_op {
    CG_OP_HEAD;
    struct cg_named named;
    void *value;
};

/* cg_signal(name, value): wakes every coroutine that waits for the name and hands each the
 * value, one word (what it points to stays the signaller's). Answers the number woken; they
 * run before the signaller goes on, unless .prio has CG_PRIO_CORO. With .recipients = n it
 * first waits until at least n coroutines wait for the name. A signal nobody waits for is
 * not remembered: 0. */
#define cg_signal(...) cg__signal(__VA_ARGS__, )
#define cg__signal(n, v, ...)                                                              \
    CG_OP(cg_signal, .named.name = cg_name(n), .value = (const void *)(intptr_t)(v), __VA_ARGS__)

/* cg_wait_signal(name, out): waits for a signal of that name and stores its word in *out,
 * any pointer or intptr_t object (NULL: not wanted). Answers 0. Waiters are woken in the
 * order of their waiting. */
#define cg_wait_signal(...) cg__wait_signal(__VA_ARGS__, )
#define cg__wait_signal(n, out, ...)                                                       \
    CG_OP(cg_wait_signal, .named.name = cg_name(n), .value = CG__WORD(out), __VA_ARGS__)

#endif
#endif
