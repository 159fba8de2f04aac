/* SPDX-License-Identifier: MIT */
/* Subjects that wait for events outside the scheduler: threads, signals of the system, host
 * names, files that grow. */
#include "tests/pairs/pairs.h"

#include <fcntl.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static void nothing(struct world *w)
{
    (void)w;
}

/* Functions in threads */

struct work {
    struct world w;
    struct cg_pool *pool;
    sem_t gate;
    struct cg_coro *blocker;
    atomic_int ran, abandoned;
    enum cg_fate fate;
};

static ssize_t passes_gate(void *arg)
{
    struct work *k = arg;

    while (sem_wait(&k->gate) < 0)
        ;
    return atomic_fetch_add(&k->ran, 1);
}

static void abandons(void *arg)
{
    atomic_fetch_add(&((struct work *)arg)->abandoned, 1);
}

static ssize_t blocks(void *arg)
{
    struct work *k = arg;

    OK(cg_yield(cg_offload(passes_gate, k, .pool = k->pool)));
    return 0;
}

static void work_open(struct world *w)
{
    struct work *k = (struct work *)w;

    IS(sem_init(&k->gate, 0, 0), 0);
    k->pool = cg_pool_new(1, 10);
}

static struct cg_op *offload_op(struct world *w)
{
    struct work *k = (struct work *)w;

    k->fate = CG_FATE_NOT_RUN;
    return KEEP(w, cg_offload_op,
                cg_offload(passes_gate, k, .pool = k->pool, .abandon = abandons,
                           .fate = &k->fate));
}

static void work_cause(struct world *w)
{
    IS(sem_post(&((struct work *)w)->gate), 0);
}

/* The fate of the function is the one that the op reports: it ran, it never will, or it was
 * left to itself. In the last case the function owns its argument and releases it once. */
static void offload_check(struct world *w, ssize_t answer)
{
    struct work *k = (struct work *)w;
    ssize_t more;

    if (!pairs_lost(answer)) {
        IS(answer, 0);
        IS(k->fate, CG_FATE_RAN);
    }
    if (w->caused == 0)
        pairs_cause(w);
    while (k->fate == CG_FATE_LEFT && atomic_load(&k->abandoned) == 0)
        IS(cg_yield(cg_sleep(MS / 50)), 0);
    IS(atomic_load(&k->abandoned), k->fate == CG_FATE_LEFT);
    IS(atomic_load(&k->ran), k->fate != CG_FATE_NOT_RUN);
    more = atomic_load(&k->ran);
    work_cause(w);
    IS(cg_yield(offload_op(w)), more);
}

/* Another function occupies the thread until the event. */
static void queued_open(struct world *w)
{
    struct work *k = (struct work *)w;

    work_open(w);
    k->blocker = test_start(blocks, k);
    test_until_waiting(k->blocker);
}

static ssize_t runs(void *arg)
{
    return 100 + atomic_fetch_add(&((struct work *)arg)->abandoned, 1);
}

static struct cg_op *queued_op(struct world *w)
{
    struct work *k = (struct work *)w;

    k->fate = CG_FATE_NOT_RUN;
    return KEEP(w, cg_offload_op,
                cg_offload(runs, k, .pool = k->pool, .fate = &k->fate));
}

static void queued_check(struct world *w, ssize_t answer)
{
    struct work *k = (struct work *)w;
    ssize_t more;

    if (!pairs_lost(answer)) {
        IS(answer, 100);
        IS(k->fate, CG_FATE_RAN);
    }
    if (w->caused == 0)
        pairs_cause(w);
    IS(test_end(k->blocker), 0);
    IS(atomic_load(&k->abandoned), k->fate == CG_FATE_RAN);
    more = 100 + atomic_load(&k->abandoned);
    IS(cg_yield(queued_op(w)), more);
}

static void work_close(struct world *w)
{
    cg_pool_free(((struct work *)w)->pool);
    sem_destroy(&((struct work *)w)->gate);
}

/* Signals of the system */

struct signals {
    struct world w;
    struct cg_os_signals *counted; /* a subscription beside the op */
    int signo;
};

static void signals_open(struct world *w)
{
    struct signals *s = (struct signals *)w;

    s->signo = w->slot ? SIGUSR2 : SIGUSR1;
    OK(cg_os_signals_open(cg_sched_self(), s->signo, &s->counted));
}

static void signals_cause(struct world *w)
{
    IS(kill(getpid(), ((struct signals *)w)->signo), 0);
}

static struct cg_op *os_signal_op(struct world *w)
{
    return KEEP(w, cg_wait_os_signal_op,
                cg_wait_os_signal(((struct signals *)w)->signo));
}

/* Whether the op has won or lost, it has taken nothing from the subscription. */
static void os_signal_check(struct world *w, ssize_t answer)
{
    if (!pairs_lost(answer)) {
        IS(answer, 1);
        HOLDS(w->caused == 1);
    }
    if (w->caused == 0)
        pairs_cause(w);
    IS(cg_yield(cg_get_os_signal(((struct signals *)w)->counted)), 1);
}

static struct cg_op *next_os_signal_op(struct world *w)
{
    return KEEP(w, cg_get_os_signal_op,
                cg_get_os_signal(((struct signals *)w)->counted));
}

static void is_one(struct world *w, ssize_t answer)
{
    (void)w;
    IS(answer, 1);
}

static void signals_shut(struct world *w)
{
    struct signals *s = (struct signals *)w;

    cg_os_signals_close(s->counted);
    s->counted = NULL;
}

static void signals_close(struct world *w)
{
    cg_os_signals_close(((struct signals *)w)->counted);
}

/* A name in the table of the scheduler's resolver */

struct lookup {
    struct world w;
    struct cg_addr_list list;
};

static struct cg_op *resolve_op(struct world *w)
{
    struct lookup *l = (struct lookup *)w;

    l->list.count = -1;
    return KEEP(w, cg_resolve_op, cg_resolve(PAIRS_HOST, "80", &l->list));
}

static void resolve_got(struct world *w, ssize_t answer)
{
    struct lookup *l = (struct lookup *)w;

    IS(answer, 2);
    IS(l->list.count, 2);
    IS(l->list.addrs[1].in.sin_addr.s_addr, htonl(0x0a000002));
}

static void resolve_lost(struct world *w)
{
    IS(((struct lookup *)w)->list.count, -1);
}

/* A service in the same table */

struct service {
    struct world w;
    struct cg_srv_list list;
};

static struct cg_op *resolve_srv_op(struct world *w)
{
    struct service *s = (struct service *)w;

    s->list.count = -1;
    return KEEP(w, cg_resolve_op, cg_resolve_srv(PAIRS_HOST, &s->list));
}

static void resolve_srv_got(struct world *w, ssize_t answer)
{
    struct service *s = (struct service *)w;

    IS(answer, 2);
    IS(s->list.count, 2);
    IS(s->list.srvs[0].port, 80);
    IS(s->list.srvs[1].port, 81);
}

static void resolve_srv_lost(struct world *w)
{
    IS(((struct service *)w)->list.count, -1);
}

/* A file that grows */

struct growth {
    struct world w;
    struct cg_follower *follow;
    char path[64], buf[EVENT + 1];
    int file;
};

static void growth_open(struct world *w)
{
    struct growth *g = (struct growth *)w;

    snprintf(g->path, sizeof g->path, "/tmp/cogen-test-pairs-XXXXXX");
    OK(g->file = mkstemp(g->path));
    OK(cg_follower_open(cg_sched_self(), g->path, &g->follow, .interval = MS));
}

static void growth_cause(struct world *w)
{
    struct growth *g = (struct growth *)w;
    char text[EVENT + 1];

    pairs_event(text, w->caused);
    IS(write(g->file, text, EVENT), EVENT);
}

static struct cg_op *follow_line_op(struct world *w)
{
    struct growth *g = (struct growth *)w;

    memset(g->buf, 0, sizeof g->buf);
    return KEEP(w, cg_follow_op, cg_follow_line(g->follow, g->buf, sizeof g->buf));
}

static struct cg_op *follow_read_op(struct world *w)
{
    struct growth *g = (struct growth *)w;

    memset(g->buf, 0, sizeof g->buf);
    return KEEP(w, cg_follow_op, cg_follow_bytes(g->follow, g->buf, EVENT));
}

static void follow_got(struct world *w, ssize_t answer)
{
    IS(answer, EVENT);
    pairs_is_event(((struct growth *)w)->buf, w->seen);
}

static void follow_lost(struct world *w)
{
    HOLDS(((struct growth *)w)->buf[0] == 0);
}

static void growth_shut(struct world *w)
{
    struct growth *g = (struct growth *)w;

    cg_follower_close(g->follow);
    g->follow = NULL;
}

static void growth_close(struct world *w)
{
    struct growth *g = (struct growth *)w;

    cg_follower_close(g->follow);
    unlink(g->path);
    close(g->file);
}

/* A moment of another clock: completes by itself. */

static struct cg_op *clock_op(struct world *w)
{
    return KEEP(w, cg_wait_clock_op,
                cg_wait_clock(CG_CLOCK_BOOT,
                              cg_clock_now(cg_sched_self(), CG_CLOCK_BOOT) + MS / 10));
}

static void clock_got(struct world *w, ssize_t answer)
{
    struct cg_wait_clock_op *wait = (struct cg_wait_clock_op *)&w->room.op;

    IS(answer, 0);
    HOLDS(cg_clock_now(cg_sched_self(), CG_CLOCK_BOOT) >= wait->moment);
}

/* Plain files: the operations complete by themselves. One that has lost leaves nothing
 * open. */

struct disk {
    struct world w;
    int fd;
    char buf[4];
    size_t moved;
    struct stat st;
    char path[64], other[80];
};

static void disk_open(struct world *w)
{
    struct disk *d = (struct disk *)w;

    OK(d->fd = open("/dev/zero", O_RDONLY));
    memset(d->buf, 'x', sizeof d->buf);
}

static void disk_close(struct world *w)
{
    close(((struct disk *)w)->fd);
}

static struct cg_op *open_file_op(struct world *w)
{
    return KEEP(w, cg_open_file_op, cg_open_file("/dev/null", O_RDONLY));
}

static void open_file_got(struct world *w, ssize_t answer)
{
    (void)w;
    OK(answer);
    close((int)answer);
}

static struct cg_op *read_file_op(struct world *w)
{
    struct disk *d = (struct disk *)w;

    return KEEP(w, cg_disk_bytes_op, cg_read_file(d->fd, d->buf, sizeof d->buf, 0));
}

static void read_file_got(struct world *w, ssize_t answer)
{
    IS(answer, sizeof((struct disk *)w)->buf);
    HOLDS(memcmp(((struct disk *)w)->buf, "\0\0\0\0", 4) == 0);
}

/* A file of its own, for operations that change one. */
static void own_file_open(struct world *w)
{
    struct disk *d = (struct disk *)w;

    snprintf(d->path, sizeof d->path, "/tmp/cogen-pairs-%d-%u", (int)getpid(), w->slot);
    snprintf(d->other, sizeof d->other, "%s-other", d->path);
    OK(d->fd = open(d->path, O_RDWR | O_CREAT | O_TRUNC, 0600));
}

static void own_file_close(struct world *w)
{
    struct disk *d = (struct disk *)w;

    disk_close(w);
    unlink(d->path);
    unlink(d->other);
}

static struct cg_op *write_file_op(struct world *w)
{
    struct disk *d = (struct disk *)w;

    d->moved = 1;
    return KEEP(w, cg_disk_bytes_op, cg_write_file(d->fd, "word", 4, 0, .moved = &d->moved));
}

static void write_file_got(struct world *w, ssize_t answer)
{
    struct disk *d = (struct disk *)w;

    IS(answer, 4);
    HOLDS(d->moved == 4);
    IS(pread(d->fd, d->buf, 4, 0), 4);
    HOLDS(memcmp(d->buf, "word", 4) == 0);
}

/* The bytes may have been written, and .moved tells. */
static void write_file_lost(struct world *w)
{
    struct disk *d = (struct disk *)w;

    HOLDS(d->moved == 0 || d->moved == 4);
    IS(lseek(d->fd, 0, SEEK_END), (off_t)d->moved);
}

static struct cg_op *sync_file_op(struct world *w)
{
    return KEEP(w, cg_sync_file_op, cg_sync_file(((struct disk *)w)->fd));
}

static void is_done(struct world *w, ssize_t answer)
{
    (void)w;
    IS(answer, 0);
}

static struct cg_op *stat_file_op(struct world *w)
{
    struct disk *d = (struct disk *)w;

    d->st.st_nlink = 77;
    return KEEP(w, cg_stat_file_op, cg_stat_file(d->path, &d->st));
}

static void stat_file_got(struct world *w, ssize_t answer)
{
    IS(answer, 0);
    IS((ssize_t)((struct disk *)w)->st.st_nlink, 1);
}

/* Each new op finds the file under its first name. */
static struct cg_op *rename_file_op(struct world *w)
{
    struct disk *d = (struct disk *)w;

    close(open(d->path, O_WRONLY | O_CREAT, 0600));
    return KEEP(w, cg_disk_names_op, cg_rename_file(d->path, d->other));
}

static void rename_file_got(struct world *w, ssize_t answer)
{
    struct disk *d = (struct disk *)w;

    IS(answer, 0);
    IS(access(d->path, F_OK), -1);
    IS(access(d->other, F_OK), 0);
}

/* It was made or not, but the file has one of its names. */
static void rename_file_lost(struct world *w)
{
    struct disk *d = (struct disk *)w;

    HOLDS((access(d->path, F_OK) == 0) != (access(d->other, F_OK) == 0));
}

static struct cg_op *remove_file_op(struct world *w)
{
    struct disk *d = (struct disk *)w;

    close(open(d->path, O_WRONLY | O_CREAT, 0600));
    return KEEP(w, cg_disk_names_op, cg_remove_file(d->path));
}

static void remove_file_got(struct world *w, ssize_t answer)
{
    IS(answer, 0);
    IS(access(((struct disk *)w)->path, F_OK), -1);
}

#define WORK                                                                           \
    .size = sizeof(struct work), .flags = SLOW, .where = ON_KERNEL,                    \
    .cause = work_cause, .close = work_close
#define SIGNALS                                                                        \
    .size = sizeof(struct signals), .where = ON_KERNEL, .open = signals_open,          \
    .cause = signals_cause, .close = signals_close
#define GROWTH                                                                         \
    .size = sizeof(struct growth), .open = growth_open, .cause = growth_cause,         \
    .got = follow_got, .lost = follow_lost, .shut = growth_shut, .close = growth_close

#define DISK                                                                           \
    .size = sizeof(struct disk), .flags = ITSELF, .open = disk_open, .cause = nothing, \
    .close = disk_close

#define OWN_FILE                                                                           \
    .size = sizeof(struct disk), .flags = ITSELF, .open = own_file_open, .cause = nothing, \
    .close = own_file_close

static const struct subject subjects[] = {
    {"open_file", DISK, .op = open_file_op, .got = open_file_got},
    {"read_file", DISK, .op = read_file_op, .got = read_file_got},
    {"write_file", OWN_FILE, .op = write_file_op, .got = write_file_got,
     .lost = write_file_lost},
    {"sync_file", OWN_FILE, .op = sync_file_op, .got = is_done},
    {"stat_file", OWN_FILE, .op = stat_file_op, .got = stat_file_got},
    {"rename_file", OWN_FILE, .op = rename_file_op, .got = rename_file_got,
     .lost = rename_file_lost},
    {"remove_file", OWN_FILE, .op = remove_file_op, .got = remove_file_got},
    {"offload", WORK, .open = work_open, .op = offload_op, .check = offload_check},
    {"offload_queued", WORK, .open = queued_open, .op = queued_op,
     .check = queued_check},
    {"wait_os_signal", SIGNALS, .flags = FLEETING, .op = os_signal_op,
     .check = os_signal_check},
    {"get_os_signal", SIGNALS, .op = next_os_signal_op, .got = is_one,
     .shut = signals_shut},
    {"wait_clock", .size = sizeof(struct world), .flags = ITSELF, .open = nothing,
     .op = clock_op, .cause = nothing, .got = clock_got, .close = nothing},
    {"resolve", .size = sizeof(struct lookup), .flags = ITSELF, .open = nothing,
     .op = resolve_op, .cause = nothing, .got = resolve_got, .lost = resolve_lost,
     .close = nothing},
    {"resolve_srv", .size = sizeof(struct service), .flags = ITSELF, .open = nothing,
     .op = resolve_srv_op, .cause = nothing, .got = resolve_srv_got,
     .lost = resolve_srv_lost, .close = nothing},
    {"follow_line", GROWTH, .op = follow_line_op},
    {"follow_bytes", GROWTH, .op = follow_read_op},
};

const struct family pairs_system = {subjects, COUNT(subjects)};
