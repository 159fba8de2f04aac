/* SPDX-License-Identifier: MIT */
/* The rule for all operations: an op may be raced with any other, time out or be cancelled
 * at any moment, on any reactor. A traceless op that loses has lost nothing: the next op
 * gets the byte, item, connection or signal. A partial op has moved exactly as much as it
 * says.
 * All pairs of the subjects in pairs_*.c are tried in every interleaving, in an order that
 * $COGEN_TEST_SEED decides. $COGEN_TEST_PAIR=read,get limits the test to one pair.
 * $COGEN_TEST_TRACE prints each pair before it is tried. Under a sanitizer, which is ten
 * times slower, one pair of three is tried. */
#include "tests/pairs/pairs.h"

#include "lib/base/sanitize.h"

#include <cogen/resolve.h>
#include <stdio.h>
#include <sys/socket.h>

enum how {
    BEFORE,    /* one event has happened before the race */
    FIRST,     /* one event happens while both ops wait */
    BOTH,      /* both events happen, in the same turn */
    TIMED_OUT, /* no event happens, and the race times out */
    IN_TIME,   /* both events happen at the moment of the deadline */
    OWN_TIME,  /* the same, but each op has its own deadline */
    CANCELLED, /* no event happens, and the scope is cancelled */
    MEETING,   /* both events happen in the same turn as the cancellation */
    ALL_ONE,   /* cg_all: one event happens, and it times out */
    ALL_BOTH,  /* cg_all: both events happen */
    ALONE,     /* no race: one op, its event happens at the moment of its deadline */
    SHUT,      /* one op: what it uses is closed after it completes and before its coroutine
                * runs */
    SHUT_LATE, /* the same for an op in cg_all, whose coroutine runs some time later */
};

static const char *const hows[] = {
    "before",    "first",   "both",    "timed out", "in time", "own time",
    "cancelled", "meeting", "all one", "all both",  "alone",     "shut",    "shut late",
};

static const struct family *const families[] = {
    &pairs_streams, &pairs_writers, &pairs_relays, &pairs_connections, &pairs_coros,  &pairs_sync,
    &pairs_queues,  &pairs_threads, &pairs_system,  &pairs_processes,   &pairs_nested,
    &pairs_tls,     &pairs_http,    &pairs_ws,      &pairs_datagrams,
};

/* What subjects share */

void pairs_event(char text[static EVENT + 1], size_t number)
{
    snprintf(text, EVENT + 1, "%07zu\n", number % 10000000);
}

void pairs_is_event(const char *bytes, size_t number)
{
    char text[EVENT + 1];

    pairs_event(text, number);
    if (memcmp(bytes, text, EVENT))
        ck_abort_msg("\"%.8s\" has come, not event %zu", bytes, number);
}

void pairs_cause(struct world *w)
{
    w->caused++;
    w->subject->cause(w);
}

bool pairs_lost(ssize_t answer)
{
    return answer == -ECANCELED || answer == -ETIMEDOUT;
}

void pairs_close(struct cg_sock *a, struct cg_sock *b)
{
    struct linger now = {.l_onoff = 1};

    if (a)
        cg_sock_setopt(a, SOL_SOCKET, SO_LINGER, &now,
                       sizeof now); /* the result is ignored: not every socket has it */
    cg_sock_close(a);
    cg_sock_close(b);
}

static void next_got(struct world *w, ssize_t answer)
{
    w->seen++;
    w->subject->got(w, OK(answer));
}

/* The check for traceless ops: the next op gets what this op did not get. One more event
 * and op follow. */
static void check(struct world *w, ssize_t answer)
{
    if (w->subject->check) {
        w->subject->check(w, answer);
        return;
    }
    if (!pairs_lost(answer))
        next_got(w, answer);
    else if (w->subject->lost)
        w->subject->lost(w);
    if (w->caused == 0)
        pairs_cause(w);
    if (w->seen == 0)
        next_got(w, cg_yield(w->subject->op(w)));
    pairs_cause(w);
    next_got(w, cg_yield(w->subject->op(w)));
}

/* A trial: two ops, raced once */

struct trial {
    const struct subject *subjects[2];
    enum how how;
    uint64_t seed;
    struct world *worlds[2];
    struct cg_scope scope;
    bool racing;   /* inside the scope */
    unsigned wait; /* how long helpers wait before they act: 0 (not at all) to 3 */
    int64_t moment;
    struct cg_coro *helpers[3];
    size_t helping;
    struct cg_event gate;
    bool over, shut;
    struct cg_iterator producer; /* runs the trial, if a subject needs one */
};

struct cause {
    struct trial *trial;
    struct world *world; /* NULL: cancels the scope */
};

static ssize_t causes(void *arg)
{
    struct cause cause = *(struct cause *)arg;
    struct trial *t = cause.trial;

    free(arg);
    if (t->moment)
        IS(cg_yield(cg_sleep_until(t->moment)), 0);
    else if (t->wait == 1)
        IS(cg_yield(cg_pass()), 0);
    else if (t->wait >= 2) /* the scheduler polls the reactor at least once */
        IS(cg_yield(cg_sleep(t->wait == 2 ? 1 : 20 * CG_MICROSECOND)), 0);
    if (cause.world)
        pairs_cause(cause.world);
    else if (t->racing)
        cg_scope_cancel(&t->scope);
    return 0;
}

static bool is_single(enum how how)
{
    return how == ALONE || how == SHUT || how == SHUT_LATE;
}

/* Stands in the ready queue ahead of the coroutine whose op has completed, in most cases.
 * Closes what the op uses. */
static ssize_t shuts(void *arg)
{
    struct trial *t = arg;
    struct world *w = t->worlds[0];

    for (int i = 1; !t->over && w->room.op.state >= CG_OP_PENDING; i++)
        IS(cg_yield(i % 8 ? cg_pass() : cg_sleep(CG_MICROSECOND)), 0);
    if (!t->over) {
        t->shut = true;
        w->subject->shut(w);
    }
    cg_event_set(&t->gate);
    return 0;
}

static void help(struct trial *t, struct world *world)
{
    struct cause *cause = malloc(sizeof *cause);

    *cause = (struct cause){t, world};
    t->helpers[t->helping++] = test_start(causes, cause);
}

/* Starts the coroutines that cause the events and the cancellation of the trial, in random
 * order. Returns the index of the op whose event comes first, or alone. */
static unsigned arrange(struct trial *t)
{
    unsigned one = test_random(&t->seed) % 2;
    bool cancel = t->how == CANCELLED || t->how == MEETING;
    bool early = test_random(&t->seed) % 2;

    t->wait = test_random(&t->seed) % 4;
    if (cancel && early)
        help(t, NULL);
    switch (t->how) {
    case BEFORE:
        pairs_cause(t->worlds[one]);
        break;
    case FIRST:
    case ALL_ONE:
        help(t, t->worlds[one]);
        break;
    case ALONE:
        help(t, t->worlds[0]);
        break;
    case SHUT:
    case SHUT_LATE:
        t->helpers[t->helping++] = test_start(shuts, t);
        help(t, t->worlds[0]);
        break;
    case TIMED_OUT:
    case CANCELLED:
        break;
    default:
        help(t, t->worlds[one]);
        help(t, t->worlds[!one]);
    }
    if (cancel && !early)
        help(t, NULL);
    return one;
}

/* Checks the result of op i, which has lost. */
static void is_loser(const struct trial *t, unsigned i, ssize_t result)
{
    if (result == 0 && t->subjects[i]->flags & EVEN_SO)
        return;
    if (result == -EBADF && t->subjects[i]->flags & CLOSED)
        return;
    IS(result, -ECANCELED);
}

static bool itself(const struct trial *t, unsigned i)
{
    return t->subjects[i]->flags & ITSELF;
}

/* Checks what must hold for every race, whatever the two ops are. */
static void judge(const struct trial *t, unsigned one, ssize_t answer,
                  const ssize_t *results)
{
    bool quiet = !itself(t, 0) && !itself(t, 1);

    switch (t->how) {
    case BEFORE:
    case FIRST:
        if (!itself(t, !one))
            IS(answer, one);
        break;
    case TIMED_OUT:
    case ALL_ONE:
        if (quiet)
            IS(answer, -ETIMEDOUT);
        break;
    case CANCELLED:
        if (quiet)
            IS(answer, -ECANCELED);
        break;
    case ALL_BOTH:
        IS(answer, 0);
        HOLDS(!pairs_lost(results[0]) && !pairs_lost(results[1]));
        return;
    default:
        break;
    }
    if (t->how == ALL_ONE) {
        if (answer == 0)
            HOLDS(!pairs_lost(results[0]) && !pairs_lost(results[1]));
        return;
    }
    if (answer == 0 || answer == 1) {
        if (t->how == OWN_TIME && pairs_lost(results[!answer]))
            ; /* both may have timed out */
        else
            is_loser(t, !answer, results[!answer]);
        HOLDS(results[answer] != -ECANCELED);
        HOLDS(results[answer] != -ETIMEDOUT || t->how == OWN_TIME);
        return;
    }
    if (t->how == CANCELLED || t->how == MEETING)
        IS(answer, -ECANCELED);
    else {
        IS(answer, -ETIMEDOUT);
        HOLDS(t->how == TIMED_OUT || t->how == IN_TIME);
    }
    is_loser(t, 0, results[0]);
    is_loser(t, 1, results[1]);
}

static void race(struct trial *t, ssize_t *results)
{
    int64_t now = cg_sched_now(cg_sched_self());
    int64_t length = test_on_sim() ? MS : MS / 10;
    int64_t shift = test_on_sim() ? 1 : 20 * CG_MICROSECOND;
    struct cg_op *a = t->subjects[0]->op(t->worlds[0]);
    struct cg_op *b = is_single(t->how) ? NULL : t->subjects[1]->op(t->worlds[1]);
    bool cancel = t->how == CANCELLED || t->how == MEETING;
    int64_t deadline = 0;
    ssize_t answer;
    unsigned one;

    if (t->how == TIMED_OUT || t->how == ALL_ONE)
        deadline = now + length;
    if (t->how == IN_TIME || t->how == OWN_TIME || t->how == ALONE) {
        deadline = now + length;
        t->moment = deadline + ((int64_t)(test_random(&t->seed) % 3) - 1) * shift;
    }
    one = arrange(t);
    if (t->how == ALONE) {
        a->deadline = deadline;
        results[0] = cg_yield(a);
        return;
    }
    if (is_single(t->how)) {
        if (t->how == SHUT)
            results[0] = cg_yield(a);
        else
            IS(cg_yield(cg_all((a, cg_wait_event(&t->gate)))), 0);
        t->over = true;
        if (t->how == SHUT_LATE)
            results[0] = cg_op_result(a);
        return;
    }
    if (t->how == OWN_TIME) {
        a->deadline = b->deadline = deadline;
        deadline = 0;
    }
    if (cancel)
        cg_scope_open(&t->scope, CG_NEVER, false);
    t->racing = true;
    if (t->how == ALL_ONE || t->how == ALL_BOTH)
        answer = cg_yield(cg_all((a, b), .deadline = deadline));
    else
        answer = cg_yield(cg_any((a, b), .deadline = deadline));
    t->racing = false;
    if (cancel)
        cg_scope_close(&t->scope);
    results[0] = cg_op_result(a);
    results[1] = cg_op_result(b);
    judge(t, one, answer, results);
}

static ssize_t run_trial(void *arg)
{
    struct trial *t = arg;
    unsigned n = is_single(t->how) ? 1 : 2, first;
    ssize_t results[2];

    for (unsigned i = 0; i < n; i++) {
        struct world *w = calloc(1, t->subjects[i]->size);

        w->subject = t->subjects[i];
        w->slot = i;
        w->self = cg_coro_self();
        w->producer = t->producer.fn ? &t->producer : NULL;
        t->worlds[i] = w;
        t->subjects[i]->open(w);
    }
    race(t, results);
    while (t->helping)
        IS(test_end(t->helpers[--t->helping]), 0);
    first = n == 2 && test_random(&t->seed) % 2;
    for (unsigned i = 0; i < n && !t->shut; i++)
        check(t->worlds[first ^ i], results[first ^ i]);
    if (t->shut)
        IS(results[0], -EBADF);
    for (unsigned i = n; i--;) {
        t->subjects[i]->close(t->worlds[i]);
        free(t->worlds[i]);
    }
    return 0;
}

static ssize_t run_producer(void *arg)
{
    struct trial *t = arg;
    intptr_t none;

    t->producer = cg_iterator(run_trial, t, .name = "trial");
    /* Starts the producer, and waits for no item. */
    IS(cg_yield(cg_get_next(&t->producer, &none, .timeout = CG_NOWAIT)), -ETIMEDOUT);
    return 0;
}

/* All trials */

static const struct subject *all[128];
static size_t count;

static bool has_tls;

static bool applies(const struct subject *s)
{
    return (s->where == ON_ALL || !test_on_sim()) && (!(s->flags & SECURE) || has_tls);
}

static void collect(void)
{
    count = 0;
    for (size_t f = 0; f < COUNT(families); f++)
        for (size_t i = 0; i < families[f]->count; i++)
            if (applies(&families[f]->subjects[i]))
                all[count++] = &families[f]->subjects[i];
}

static bool chosen(const struct subject *a, const struct subject *b)
{
    const char *pair = getenv("COGEN_TEST_PAIR");
    char text[100];

    snprintf(text, sizeof text, "%s,%s", a->name, b->name);
    return !pair || !*pair || !strcmp(pair, text);
}

/* Only one of so many pairs is tried, for pairs with a SLOW subject, with a SELDOM one,
 * and for others. */
enum {
    SHARE_SLOW = 8,
    SHARE_SELDOM = 32,
    SHARE = CG__ASAN || CG__TSAN ? 3 : 1
};

static unsigned share(unsigned flags)
{
    return flags & SELDOM ? SHARE_SELDOM : flags & SLOW ? SHARE_SLOW : SHARE;
}

static uint64_t number_of(const char *text)
{
    uint64_t number = 0;

    while (*text)
        number = 31 * number + (unsigned char)*text++;
    return number;
}

static bool makes_sense(enum how how, const struct subject *a, const struct subject *b,
                        uint64_t *seed)
{
    if (is_single(how) && a != b)
        return false;
    if (how == SHUT || how == SHUT_LATE)
        return a->shut != NULL;
    if (a == b && a->flags & ONCE)
        return false;
    if (how == BEFORE && (a->flags | b->flags) & FLEETING)
        return false;
    if ((how == CANCELLED || how == MEETING) && (a->flags | b->flags) & SCOPED)
        return false;
    if (a == b)
        return true;
    if ((a->flags | b->flags) & SELDOM)
        *seed += number_of(test_reactor());
    return getenv("COGEN_TEST_PAIR") || test_random(seed) % share(a->flags | b->flags) == 0;
}

static void try_pair(struct test *test, enum how how, const struct subject *a,
                     const struct subject *b, uint64_t seed)
{
    struct trial t = {.subjects = {a, b}, .how = how, .seed = seed};
    const char *base = getenv("COGEN_TEST_SEED");
    char label[160];

    snprintf(label, sizeof label, ": %s against %s, %s (COGEN_TEST_SEED=%s)", a->name,
             b->name, hows[how], base ? base : "1");
    if (getenv("COGEN_TEST_TRACE"))
        fprintf(stderr, "%s%s\n", test_reactor(), label);
    test_label(label);
    OK(cg_sched_start(test->sched,
                      (a->flags | b->flags) & PRODUCES ? run_producer : run_trial, &t,
                      .name = label));
    test_finish(test);
    test_label("");
}

static void knows_host(struct cg_sched *sched)
{
    struct cg_resolver *resolver;

    OK(cg_resolver_open("fixed", NULL, &resolver));
    OK(cg_resolver_set_host(resolver, PAIRS_HOST, "10.0.0.1 10.0.0.2",
                            .delay = MS / 20));
    OK(cg_resolver_set_records(resolver, CG_RESOLVE_SRV, PAIRS_HOST,
                               "2 0 81 b.test\n1 0 80 a.test", .delay = MS / 20));
    OK(cg_sched_set_resolver(sched, resolver));
}

static void all_pairs(enum how how)
{
    const char *text = getenv("COGEN_TEST_SEED");
    static unsigned round;
    uint64_t base = (text ? strtoull(text, NULL, 0) : 1) + 1000 * round++;

    collect();
    for (size_t i = 0; i < count; i++) {
        struct test test = test_open(.timeout = 0);

        knows_host(test.sched);
        for (size_t j = i; j < count; j++) {
            uint64_t seed = base * 1000003 + how * 16384 + i * 128 + j;
            bool turned = test_random(&seed) % 2;

            if (makes_sense(how, all[i], all[j], &seed) && chosen(all[i], all[j]))
                try_pair(&test, how, all[turned ? j : i], all[turned ? i : j], seed);
        }
        test_close(&test);
    }
}

/* One op can complete at once: it wins. The other is never begun, or is taken back. */
static void had_at_once(void)
{
    all_pairs(BEFORE);
}

/* The op whose event happens wins. The event of the other comes too late, and is not
 * lost. */
static void one_is_caused(void)
{
    all_pairs(FIRST);
}

/* One of the two wins. The event of the other is not lost. */
static void both_are_caused(void)
{
    all_pairs(BOTH);
}

/* Both ops lose. The next op gets the event that comes after that. */
static void the_time_is_up(void)
{
    all_pairs(TIMED_OUT);
}

/* Events and a deadline in one turn: one op wins or the race times out, and no event is
 * lost. */
static void just_in_time(void)
{
    all_pairs(IN_TIME);
}

/* Events and deadlines in one turn, where each op has its own deadline. */
static void deadlines_of_their_own(void)
{
    all_pairs(OWN_TIME);
}

/* The race is cancelled from outside: both ops lose. */
static void cancelled(void)
{
    all_pairs(CANCELLED);
}

/* Events and a cancellation in one turn. */
static void cancelled_meanwhile(void)
{
    all_pairs(MEETING);
}

/* cg_all that times out: one of the two ops may have completed. */
static void one_of_all(void)
{
    all_pairs(ALL_ONE);
}

/* cg_all where both ops complete. */
static void all_of_them(void)
{
    all_pairs(ALL_BOTH);
}

/* One op without a race: its event happens in the turn in which it times out. */
static void alone(void)
{
    for (int i = 0; i < 3; i++)
        all_pairs(ALONE);
}

/* What an op uses is closed after the op has completed, but before its coroutine has run:
 * the op nevertheless returns -EBADF. */
static void shut(void)
{
    for (int i = 0; i < 3; i++) {
        all_pairs(SHUT);
        all_pairs(SHUT_LATE);
    }
}

static const struct test_case cases[] = {
    PLAIN(alone),
    PLAIN(shut),
    PLAIN(had_at_once),
    PLAIN(one_is_caused),
    PLAIN(both_are_caused),
    PLAIN(the_time_is_up),
    PLAIN(just_in_time),
    PLAIN(deadlines_of_their_own),
    PLAIN(cancelled),
    PLAIN(cancelled_meanwhile),
    PLAIN(one_of_all),
    PLAIN(all_of_them),
};

int main(void)
{
    int status;

    has_tls = pairs_tls_open();
    status = test_main("pairs", cases, COUNT(cases));
    pairs_tls_close();
    return status;
}
