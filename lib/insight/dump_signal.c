/* SPDX-License-Identifier: MIT */
/* The signal that asks for a dump. The handler only posts to each scheduler; its next turn
 * makes the dump in memory, and a thread writes it (dump_writer.c), one dump after the other. If
 * that turn does not come, a further signal says why (dump_late.c).
 * The handler stays installed when cg_main returns: a signal that comes late must not kill the
 * program. */
#include "config.h"

#include "lib/insight/dump_signal.h"

#include "lib/base/ascii.h"
#include "lib/base/environment.h"
#include "lib/base/memory_file.h"
#include "lib/base/report.h"
#include "lib/core/registry.h"
#include "lib/core/sched.h"
#include "lib/insight/dump_late.h"
#include "lib/insight/dump_writer.h"

#include <cogen/dump.h>
#include <cogen/os_signal.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static atomic_int wanted = SIGUSR1; /* 0: no signal */

/* What $COGEN_DUMP says. Set once, before the handler is installed. */
static struct {
    int signo; /* -1: it names none */
    bool json;
    char *file; /* NULL: stderr */
} said = {.signo = -1};

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void dump(struct cg_sched *sched)
{
    struct cg__memory_file memory;
    int rc = cg__memory_file_open(&memory);

    if (rc == 0)
        rc = cg__memory_file_close(&memory,
                                   cg_sched_dump(sched, memory.file, .json = said.json));
    if (rc == 0)
        cg__dump_writer_put(memory.data, memory.len, said.file);
    else
        cg__report("no dump: %s", cg_strerror(rc));
}

static void asked(struct cg__post *post, bool dropped)
{
    struct cg_sched *sched = (void *)((char *)post - offsetof(struct cg_sched, asked));

    cg__dump_late_end(sched);
    if (!dropped)
        dump(sched);
}

/* In the signal handler. */
static void ask(void *arg, struct cg_sched *sched)
{
    if (cg__sched_is_parents(sched))
        return;
    if (!cg__dump_late_begin(sched)) {
        cg__dump_late_tell(sched, *(int *)arg);
        return;
    }
    sched->asked.run = asked;
    cg__post(sched, &sched->asked);
}

static void handle(int signo)
{
    int saved = errno;

    if (!cg__dump_late_answer())
        cg__registry_each(ask, &signo);
    errno = saved;
}

static bool may_catch(int signo)
{
    struct sigaction action;

    switch (signo) {
    case SIGKILL:
    case SIGSTOP:
    case SIGSEGV:
    case SIGBUS:
    case SIGFPE:
    case SIGILL:
        return false;
    default:
        return signo > 0 && sigaction(signo, NULL, &action) == 0;
    }
}

int cg_dump_set_signal(int signo)
{
    if (signo != 0 && !may_catch(signo))
        return -EINVAL;
    atomic_store(&wanted, signo);
    return 0;
}

/* The number of a signal by its name, with or without "SIG", or as digits; -1: invalid. */
static int signal_of(const char *word)
{
    static const struct {
        const char *name;
        int signo;
    } names[] = {
        {"HUP", SIGHUP},   {"QUIT", SIGQUIT}, {"TRAP", SIGTRAP},   {"USR1", SIGUSR1},
        {"USR2", SIGUSR2}, {"URG", SIGURG},   {"WINCH", SIGWINCH}, {"IO", SIGIO},
    };
    uint64_t number;

    if (cg__ascii_is_number(word, &number))
        return number < 128 && may_catch((int)number) ? (int)number : -1;
    if (strncmp(word, "SIG", 3) == 0)
        word += 3;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(word, names[i].name) == 0)
            return names[i].signo;
    return -1;
}

static void take_word(const char *word)
{
    int signo;

    if (strcmp(word, "off") == 0) {
        said.signo = 0;
    } else if (strcmp(word, "json") == 0) {
        said.json = true;
    } else if (strchr(word, '/')) {
        free(said.file);
        said.file = strdup(word);
    } else if ((signo = signal_of(word)) > 0) {
        said.signo = signo;
    } else {
        cg__report("COGEN_DUMP: \"%s\" is neither off, json, a signal nor a path with a "
                   "slash",
                   word);
    }
}

static void prepare(void)
{
    const char *value = cg__environment("COGEN_DUMP");
    char *copy = value ? strdup(value) : NULL, *rest = NULL;

    if (copy)
        for (char *word = strtok_r(copy, ",", &rest); word; word = strtok_r(NULL, ",", &rest))
            take_word(word);
    free(copy);
}

void cg__dump_signal_install(void)
{
    struct sigaction action = {.sa_handler = handle, .sa_flags = SA_RESTART | SA_ONSTACK},
                     before;
    int signo;

    pthread_once(&once, prepare);
    signo = said.signo >= 0 ? said.signo : atomic_load(&wanted);
    if (signo == 0 || sigaction(signo, NULL, &before) < 0 || before.sa_flags & SA_SIGINFO ||
        before.sa_handler != SIG_DFL)
        return;
    sigemptyset(&action.sa_mask);
    sigaction(signo, &action, NULL);
}
