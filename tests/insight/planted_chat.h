/* SPDX-License-Identifier: MIT */
/* Faults for a copy of examples/chat_room.c, which tests/planted.sh makes: somebody says the
 * name of a fault, and it happens. */
#include <time.h>

static struct cg_mutex planted_rooms = {.name = "rooms"}, planted_users = {.name = "users"};
static bool planted_gap;

static void planted_lock_both(struct cg_mutex *first, struct cg_mutex *second)
{
    cg_yield(cg_lock(first));
    cg_yield(cg_sleep(300 * CG_MILLISECOND));
    cg_yield(cg_lock(second));
    cg_mutex_unlock(second);
    cg_mutex_unlock(first);
}

__attribute__((noinline)) void planted_loop(void)
{
    struct timespec now;
    int64_t end = 0;

    do {
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
        if (end == 0)
            end = now.tv_sec * CG_SECOND + now.tv_nsec + 63 * CG_MILLISECOND;
    } while (now.tv_sec * CG_SECOND + now.tv_nsec < end);
}

/* As long as an fsync on a busy disk. */
__attribute__((noinline)) void planted_fsync(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 200 * CG_MILLISECOND}, NULL);
}

__attribute__((noinline)) void planted_leak(void)
{
    struct cg_sock *sock;
    volatile int rc = cg_sock_listen(cg_sched_self(), "127.0.0.1:0", &sock);

    (void)rc;
}

__attribute__((noinline)) void planted_hold(void)
{
    static struct cg_mutex held = {.name = "held"};
    volatile ssize_t rc = cg_yield(cg_lock(&held));

    (void)rc;
}

static void planted(const char *text)
{
    if (strcmp(text, "deadlock") == 0)
        planted_lock_both(&planted_rooms, &planted_users);
    else if (strcmp(text, "other deadlock") == 0)
        planted_lock_both(&planted_users, &planted_rooms);
    else if (strcmp(text, "loop") == 0)
        planted_loop();
    else if (strcmp(text, "fsync") == 0)
        planted_fsync();
    else if (strcmp(text, "leak") == 0)
        planted_leak();
    else if (strcmp(text, "hold") == 0)
        planted_hold();
    else if (strcmp(text, "gap") == 0)
        planted_gap = true;
}

/* The signal that comes between the look at the messages and the wait is lost. */
static void planted_miss(void)
{
    if (planted_gap)
        cg_yield(cg_sleep(300 * CG_MILLISECOND));
}
