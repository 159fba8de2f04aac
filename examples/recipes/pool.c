/* SPDX-License-Identifier: MIT */
/* Twenty coroutines share three connections to one echo server: ./pool 127.0.0.1:7000 */
#include <cogen.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { CONNECTIONS = 3, WORKERS = 20 };

struct slot {
    struct cg_sock *conn; /* NULL: not connected yet, or closed after a failure */
};

static struct slot slots[CONNECTIONS];
static struct cg_queue *pool; /* of the slots that nobody uses */
static int opened;

/* Sends a line and reads the reply, on whichever connection is free first. */
static ssize_t ask(const char *addr, const char *line, char *reply, size_t size)
{
    struct slot *slot;
    ssize_t n = cg_yield(cg_get(pool, &slot, .timeout = 5 * CG_SECOND));

    if (n < 0)
        return n; /* -ETIMEDOUT: the backend is overloaded */
    if (!slot->conn &&
        (n = cg_yield(cg_connect(addr, &slot->conn, .timeout = CG_SECOND))) >= 0)
        opened++;
    if (n >= 0)
        n = cg_yield(cg_writeall(slot->conn, line, strlen(line), .timeout = CG_SECOND));
    if (n >= 0)
        n = cg_yield(cg_readline(slot->conn, reply, size, .timeout = CG_SECOND));
    if (n <= 0) { /* a late reply could come: do not use this connection again */
        cg_sock_close(slot->conn);
        slot->conn = NULL;
        n = n < 0 ? n : CG_EOF;
    }
    cg_queue_try_put(pool, slot); /* never full, and works in a cancelled coroutine */
    return n;
}

static ssize_t worker(void *addr)
{
    char reply[64];
    ssize_t n = ask(addr, "ping\n", reply, sizeof reply);

    return n > 0 && strcmp(reply, "ping\n") == 0 ? 0 : n < 0 ? n : -EPROTO;
}

static ssize_t program(void *addr)
{
    struct cg_group workers;
    ssize_t rc;

    pool = cg_queue_new(.limit = CONNECTIONS, .lifo = true, .name = "pool");
    if (!pool)
        return -ENOMEM;
    for (int i = 0; i < CONNECTIONS; i++)
        cg_queue_try_put(pool, &slots[i]);
    cg_group_open(&workers);
    for (int i = 0; i < WORKERS; i++)
        if (cg_yield(cg_add_to_group(&workers, worker, addr, .name = "worker")) < 0)
            cg_group_cancel(&workers);
    rc = cg_yield(cg_wait_group(&workers));
    for (int i = 0; i < CONNECTIONS; i++)
        cg_sock_close(slots[i].conn);
    cg_queue_free(pool);
    return rc;
}

int main(int argc, char **argv)
{
    ssize_t rc = cg_main(NULL, program, argc > 1 ? argv[1] : "127.0.0.1:7000");

    if (rc < 0) {
        fprintf(stderr, "pool: %s\n", cg_strerror(rc));
        return 1;
    }
    printf("%d questions, %d connections: %s\n", WORKERS, opened, cg_strerror(rc));
    return 0;
}
