/* SPDX-License-Identifier: MIT */
/* Random programs of operations: a few coroutines lock, acquire, wait, signal, sleep, cancel each
 * other, put, get, send and receive, in a random order, with timeouts; and what each operation
 * says is compared with a model. The first two bytes of the input are the seed and the kind of
 * world; each later byte is an operation, and the coroutines take them by turns. */
#include "config.h"

#include "lib/insight/lost.h"
#include "tests/fuzz/fuzz.h"

#include <cogen.h>
#include <cogen/sim.h>
#include <errno.h>

enum {
    WORKERS = 4,
    STEPS = 200, /* most operations */
    UNITS = 2,
    ROOM = 3, /* of the queue */
};

enum what { LOCK, UNLOCK, ACQUIRE, RELEASE, PUT, GET, WAIT, SIGNAL, SLEEP, CANCEL, SEND, RECEIVE,
            PASS, EVENT, SET, CLEAR, WHATS };

struct program;

struct worker {
    struct program *program;
    struct cg_coro *coro;
    unsigned self;
    size_t at; /* its next operation */
    bool cancelled;
    bool waits; /* for the signal; without a timeout */
    bool due;   /* it was signalled meanwhile */
    unsigned units;
    unsigned put, got[WORKERS]; /* numbers of the last items */
};

struct program {
    const uint8_t *ops;
    size_t count;
    struct cg_mutex mutex;
    struct cg_semaphore semaphore;
    struct cg_event event;
    struct cg_queue *queue;
    struct cg_sock *ends[2];
    struct worker workers[WORKERS];
    const struct worker *owner; /* of the mutex */
    const struct worker *sends, *receives;
    unsigned sent, received;    /* bytes */
    unsigned put, got;          /* items */
    unsigned last[WORKERS];     /* the number of the last item that came, by who put it */
};

/* What every operation may say. */
static bool is_ended(const struct worker *worker, ssize_t n, int64_t timeout)
{
    MUST(n != -ECANCELED || worker->cancelled);
    MUST(n != -ETIMEDOUT || timeout != CG_NEVER);
    return n == -ECANCELED || n == -ETIMEDOUT;
}

static void lock(struct worker *worker, int64_t timeout)
{
    struct program *program = worker->program;
    bool owns = program->owner == worker;
    ssize_t n = cg_yield(cg_lock(&program->mutex, .timeout = timeout));

    if (is_ended(worker, n, timeout))
        return;
    MUST(n == (owns ? -EDEADLK : 0));
    MUST(program->owner == NULL || owns);
    program->owner = worker;
}

static void unlock(struct worker *worker)
{
    struct program *program = worker->program;
    bool owns = program->owner == worker;

    if (owns)
        program->owner = NULL;
    MUST(cg_mutex_unlock(&program->mutex) == (owns ? 0 : -EPERM));
}

static unsigned units_of(const struct program *program)
{
    unsigned units = 0;

    for (int i = 0; i < WORKERS; i++)
        units += program->workers[i].units;
    return units;
}

static void acquire(struct worker *worker, unsigned units, int64_t timeout)
{
    ssize_t n = cg_yield(
        cg_acquire(&worker->program->semaphore, .units = units, .timeout = timeout));

    if (is_ended(worker, n, timeout))
        return;
    MUST(n == 0);
    worker->units += units;
    MUST(units_of(worker->program) <= UNITS);
}

static void release(struct worker *worker)
{
    if (worker->units == 0) {
        MUST(units_of(worker->program) > 0 || worker->program->semaphore.units < UNITS ||
             cg_semaphore_release(&worker->program->semaphore, 1) == -EOVERFLOW);
        return;
    }
    worker->units--;
    MUST(cg_semaphore_release(&worker->program->semaphore, 1) == 0);
}

/* An item is who put it, and its number. A put that was cut short may have been taken. */
static void put(struct worker *worker, int64_t timeout)
{
    struct program *program = worker->program;
    intptr_t item = (intptr_t)(++worker->put * WORKERS + worker->self);
    bool taken = false;
    ssize_t n = cg_yield(cg_put(program->queue, item, .taken = &taken, .timeout = timeout));

    if (!is_ended(worker, n, timeout))
        MUST(n == 0);
    program->put += n == 0 || taken;
    MUST(cg_queue_len(program->queue) <= ROOM);
}

static void note_item(struct program *program, intptr_t item)
{
    unsigned from = (unsigned)item % WORKERS, number = (unsigned)item / WORKERS;

    MUST(item > 0 && number > program->last[from] && number <= program->workers[from].put);
    program->last[from] = number;
    program->got++;
}

static void get(struct worker *worker, int64_t timeout)
{
    intptr_t item = 0;
    ssize_t n = cg_yield(cg_get(worker->program->queue, &item, .timeout = timeout));

    if (is_ended(worker, n, timeout)) {
        MUST(item == 0);
        return;
    }
    MUST(n == 0);
    /* Others may have run since the item was taken: only who put it is known. */
    MUST((unsigned)item / WORKERS > worker->got[(unsigned)item % WORKERS]);
    worker->got[(unsigned)item % WORKERS] = (unsigned)item / WORKERS;
    worker->program->got++;
}

/* Whoever waits for a signal when it comes gets it, unless it was cancelled before. */
static void wait_signal(struct worker *worker, int64_t timeout)
{
    intptr_t value = 0;
    ssize_t n;

    worker->waits = timeout == CG_NEVER && !worker->cancelled;
    worker->due = false;
    n = cg_yield(cg_wait_signal("go", &value, .timeout = timeout));
    worker->waits = false;
    MUST(!worker->due || n == 0);
    if (is_ended(worker, n, timeout))
        return;
    MUST(n == 0 && value == 42);
}

static void send_signal(struct worker *worker)
{
    ssize_t n, due = 0;

    for (int i = 0; i < WORKERS; i++) {
        struct worker *other = &worker->program->workers[i];

        if (other->waits && !other->cancelled && !other->due) {
            other->due = true;
            due++;
        }
    }
    n = cg_sched_signal(cg_sched_self(), "go", 42);
    MUST(n >= due);
}

static void rest(struct worker *worker, int64_t length)
{
    int64_t before = cg_sched_now(cg_sched_self());
    ssize_t n = cg_yield(cg_sleep(length));

    if (n == 0)
        MUST(cg_sched_now(cg_sched_self()) >= before + length);
    else
        MUST(n == -ECANCELED && worker->cancelled);
}

static void cancel(struct worker *worker, unsigned which)
{
    struct worker *other = &worker->program->workers[which % WORKERS];

    other->cancelled = true;
    cg_coro_cancel(other->coro);
}

static uint8_t byte_at(unsigned at)
{
    return (uint8_t)(at * 31 + at / 256);
}

static void send_bytes(struct worker *worker, size_t len, int64_t timeout)
{
    struct program *program = worker->program;
    uint8_t buf[40000];
    size_t moved = 0;
    ssize_t n;

    if (program->sends) /* its operation may have completed: then another one would succeed */
        return;
    for (size_t i = 0; i < len; i++)
        buf[i] = byte_at(program->sent + (unsigned)i);
    program->sends = worker;
    n = cg_yield(cg_writeall(program->ends[0], buf, len, .moved = &moved, .timeout = timeout));
    program->sends = NULL;
    program->sent += (unsigned)moved;
    if (!is_ended(worker, n, timeout))
        MUST(n == (ssize_t)len && moved == len);
}

static void receive_bytes(struct worker *worker, size_t len, int64_t timeout)
{
    struct program *program = worker->program;
    uint8_t buf[40000];
    ssize_t n;

    if (program->receives)
        return;
    program->receives = worker;
    n = cg_yield(cg_read(program->ends[1], buf, len, .timeout = timeout));
    program->receives = NULL;
    if (is_ended(worker, n, timeout))
        return;
    MUST(n > 0 && (size_t)n <= len);
    for (ssize_t i = 0; i < n; i++)
        MUST(buf[i] == byte_at(program->received + (unsigned)i));
    program->received += (unsigned)n;
}

static void wait_event(struct worker *worker, int64_t timeout)
{
    ssize_t n = cg_yield(cg_wait_event(&worker->program->event, .timeout = timeout));

    if (!is_ended(worker, n, timeout))
        MUST(n == 0);
}

/* The high bits of an operation say how long it may wait, and how much it moves. */
static void act(struct worker *worker, uint8_t op)
{
    static const int64_t lengths[] = {CG_NEVER, CG_MICROSECOND, CG_MILLISECOND, CG_SECOND};
    static const size_t sizes[] = {1, 100, 4096, 40000};
    int64_t length = lengths[op >> 6];
    size_t size = sizes[op >> 4 & 3];

    switch ((enum what)(op % WHATS)) {
    case LOCK:
        lock(worker, length);
        break;
    case UNLOCK:
        unlock(worker);
        break;
    case ACQUIRE:
        acquire(worker, 1 + (op >> 4 & 1), length);
        break;
    case RELEASE:
        release(worker);
        break;
    case PUT:
        put(worker, length);
        break;
    case GET:
        get(worker, length);
        break;
    case WAIT:
        wait_signal(worker, length);
        break;
    case SIGNAL:
        send_signal(worker);
        break;
    case SLEEP:
        rest(worker, length == CG_NEVER ? 0 : length);
        break;
    case CANCEL:
        cancel(worker, op >> 4);
        break;
    case SEND:
        send_bytes(worker, size, length);
        break;
    case RECEIVE:
        receive_bytes(worker, size, length);
        break;
    case EVENT:
        wait_event(worker, length);
        break;
    case SET:
        cg_event_set(&worker->program->event);
        break;
    case CLEAR:
        cg_event_clear(&worker->program->event);
        break;
    default:
        MUST(cg_yield(cg_pass()) == 0 || worker->cancelled);
    }
}

static ssize_t work(void *arg)
{
    struct worker *worker = arg;
    struct program *program = worker->program;

    for (; worker->at < program->count; worker->at += WORKERS)
        act(worker, program->ops[worker->at]);
    if (program->owner == worker)
        unlock(worker);
    while (worker->units > 0)
        release(worker);
    return 0;
}

/* Whoever waits for ever waits for what is not there, and is cancelled; then nothing may be left of
 * what it held, and what was put and sent is what was got and received, and what is still there. */
static void end(struct program *program)
{
    char why[100];
    intptr_t item;

    cg_yield(cg_sleep(CG_HOUR));
    for (int i = 0; i < WORKERS; i++)
        MUST(cg__lost_print(program->workers[i].coro, why, sizeof why) == 0);
    for (int i = 0; i < WORKERS; i++) {
        program->workers[i].cancelled = true;
        cg_coro_cancel(program->workers[i].coro);
    }
    for (int i = 0; i < WORKERS; i++) {
        MUST(cg_yield(cg_join(program->workers[i].coro)) == 0);
        cg_coro_unref(program->workers[i].coro);
    }
    MUST(cg_yield(cg_lock(&program->mutex, .timeout = CG_NOWAIT)) == 0);
    cg_mutex_unlock(&program->mutex);
    MUST(program->semaphore.units == UNITS);
    for (int i = 0; i < WORKERS; i++)
        for (int k = 0; k < WORKERS; k++)
            if (program->workers[i].got[k] > program->last[k])
                program->last[k] = program->workers[i].got[k];
    while (cg_queue_try_get(program->queue, &item) == 0)
        note_item(program, item);
    MUST(program->put == program->got);
}

static ssize_t run(void *arg)
{
    struct program *program = arg;
    struct worker drain = {.program = program};

    program->queue = cg_queue_new(.limit = ROOM);
    MUST(program->queue != NULL);
    MUST(cg_sock_pair(cg_sched_self(), &program->ends[0], &program->ends[1]) == 0);
    for (unsigned i = 0; i < WORKERS; i++) {
        struct worker *worker = &program->workers[i];

        worker->program = program;
        worker->self = i;
        worker->at = i;
        MUST(cg_sched_start(cg_sched_self(), work, worker, .coro = &worker->coro,
                            .stack_size = 128 * 1024) == 0);
    }
    end(program);
    while (program->received < program->sent)
        receive_bytes(&drain, 40000, CG_NEVER);
    MUST(program->received == program->sent);
    cg_sock_close(program->ends[0]);
    cg_sock_close(program->ends[1]);
    cg_queue_free(program->queue);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cg_sim_options options = {.reserved = NULL};
    struct program program = {.semaphore = {.units = UNITS, .limit = UNITS}};
    struct cg_reactor *world;
    struct cg_sched *sched;

    if (size < 2)
        return 0;
    options.seed = data[0];
    options.order = (enum cg_order_kind)(data[1] % 3);
    options.completion = data[1] & 4;
    options.late_cancel = data[1] & 8;
    options.cost = data[1] & 16 ? CG_MICROSECOND : 0;
    program.ops = data + 2;
    program.count = size - 2 < STEPS ? size - 2 : STEPS;
    MUST(cg_sim_open(&options, &world) == 0);
    sched = cg_sched_new(world);
    MUST(sched != NULL && cg_sched_start(sched, run, &program, .stack_size = 128 * 1024) == 0);
    MUST(cg_sched_run(sched) == 0);
    MUST(cg_sim_handles(world) == 0);
    cg_sched_free(sched);
    cg_reactor_close(world);
    return 0;
}
