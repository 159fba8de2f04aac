/* SPDX-License-Identifier: MIT */
/* See common.h. */
#include "common.h"
#include "number.h"
#include "output.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    OPTIONS_MAX = 48,
    REACTORS_MAX = 16,
};

static const char *program = "example";
static atomic_int exit_status; /* workers have threads of their own */
static struct cg_sched *running; /* stopped by signals */
static volatile sig_atomic_t stopped;

static const char *reactor_name, *help, *list, *metrics;
static const struct example_option everyones[] = {
    {"reactor", "NAME", "the kernel interface to use", &reactor_name, 0},
    {"metrics", NULL, "print what the scheduler has counted, on stderr at the end", &metrics, 0},
    {"list-reactors", NULL, "print the available reactors, and exit", &list, 0},
    {"help", NULL, "print this help, and exit", &help, 'h'},
    {0},
};

void example_warn(const char *what, ssize_t code)
{
    if (code != -ECANCELED)
        fprintf(stderr, "%s: %s: %s\n", program, what, cg_strerror(code));
}

void example_fail(const char *what, ssize_t code)
{
    example_warn(what, code);
    if (strcmp(what, "stdout") == 0)
        output_told = true;
    exit_status = 1;
}

void example_failed(void)
{
    exit_status = 1;
}

void example_note(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s: ", program, what);
    example_put_plain(why);
    fputc('\n', stderr);
}

void example_complain(const char *what, const char *why)
{
    example_note(what, why);
    exit_status = 1;
}

void example_put_plain(const char *text)
{
    for (; *text; text++)
        fprintf(stderr, *text >= ' ' && *text < 0x7f ? "%c" : "\\x%02x", (unsigned char)*text);
}

void example_usage(const struct example *ex, const char *why)
{
    fprintf(stderr, "%s: %s (see --help)\n", ex->name, why);
    exit(2);
}

static const char no_network[] =
    "it simulates a network within one process, which reaches no other process";

static size_t list_reactors(const struct example *ex, struct cg_reactor_info *info)
{
    size_t count = cg_reactor_list(info, REACTORS_MAX);

    if (count > REACTORS_MAX)
        count = REACTORS_MAX;
    for (size_t i = 0; i < count; i++)
        if (ex->network && strcmp(info[i].name, "sim") == 0)
            info[i].why = no_network;
    return count;
}

static void print_reactors(const struct example *ex)
{
    struct cg_reactor_info info[REACTORS_MAX];
    size_t count = list_reactors(ex, info);

    for (size_t i = 0; i < count; i++)
        printf("%-9s %s\n", info[i].name, info[i].why ? info[i].why : "available");
}

static void open_reactor(struct example *ex)
{
    int code = cg_reactor_open(reactor_name, &ex->reactor);
    char why[256];

    if (code < 0) {
        cg_reactor_why(reactor_name, code, why, sizeof why);
        fprintf(stderr, "%s: %s\n", program, why);
        exit(2);
    }
    if (ex->network && strcmp(cg_reactor_name(ex->reactor), "sim") == 0) {
        cg_reactor_close(ex->reactor);
        fprintf(stderr, "%s: reactor sim is not available: %s\n", program, no_network);
        exit(2);
    }
}

static void print_help(const struct example *ex,
                       const struct example_option *const *known, int count)
{
    printf("usage: %s [OPTION]...%s%s\n%s.\n\n", ex->name, ex->operands ? " " : "",
           ex->operands ? ex->operands : "", ex->about);
    for (int i = 0; i < count; i++) {
        const struct example_option *option = known[i];
        char form[64];

        snprintf(form, sizeof form, "--%s%s%s%s%c", option->name,
                 option->arg ? " " : "", option->arg ? option->arg : "",
                 option->letter ? ", -" : "", option->letter ? option->letter : ' ');
        printf("  %-22s %s\n", form, option->help);
    }
}

static void parse(struct example *ex, const struct example_option *const *known,
                  int count, int argc, char **argv)
{
    struct option longs[OPTIONS_MAX + 1] = {{0}};
    char shorts[2 * OPTIONS_MAX + 1], *s = shorts, *path = argv[0];
    int c;

    /* getopt_long returns a long option as 256 + its index, a short one as its letter. */
    for (int i = 0; i < count; i++) {
        longs[i] = (struct option){
            known[i]->name, known[i]->arg ? required_argument : 0, NULL, 256 + i};
        if (known[i]->letter) {
            *s++ = known[i]->letter;
            if (known[i]->arg)
                *s++ = ':';
        }
    }
    *s = '\0';
    argv[0] = (char *)ex->name; /* getopt_long begins its messages with it */
    while ((c = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
        int i = c - 256;

        if (c < 256)
            for (i = 0; i < count && known[i]->letter != c; i++)
                ;
        if (i == count)
            exit(2); /* getopt_long has printed the reason */
        *known[i]->value = known[i]->arg ? optarg : "yes";
        if (ex->each)
            ex->each(known[i]);
    }
    argv[0] = path;
    ex->argv = argv + optind;
    ex->argc = argc - optind;
}

static int add(const struct example_option **known, int count,
               const struct example_option *option)
{
    assert(count < OPTIONS_MAX);
    known[count] = option;
    return count + 1;
}

static void command_line(struct example *ex, int argc, char **argv)
{
    const struct example_option listening = {
        "listen", "ADDR", "listen on ADDR; port 0: any free port", &ex->listen, 0};
    const struct example_option *known[OPTIONS_MAX];
    int count = 0;

    for (const struct example_option *option = ex->options; option && option->name;
         option++)
        count = add(known, count, option);
    if (ex->listen)
        count = add(known, count, &listening);
    for (const struct example_option *option = everyones; option->name; option++)
        count = add(known, count, option);
    parse(ex, known, count, argc, argv);
    if (help)
        print_help(ex, known, count);
    if (list)
        print_reactors(ex);
    if (help || list)
        exit(0);
    if (ex->argc > 0 && !ex->operands)
        example_usage(ex, "it takes only options");
}

unsigned long example_number(const struct example *ex, const char *text, unsigned long least,
                             unsigned long most, const char *why)
{
    unsigned long number;

    if (!number_read(text, least, most, &number))
        example_usage(ex, why);
    return number;
}

int64_t example_seconds(const struct example *ex, const char *text)
{
    char *end;
    double seconds = strtod(text, &end);

    if (end == text || *end != '\0' || !(seconds > 0 && seconds < 1e9))
        example_usage(ex, "SECONDS must be a number above 0");
    return (int64_t)(seconds * CG_SECOND);
}

static void stop(int number)
{
    (void)number;
    stopped = 1;
    cg_sched_stop(running);
}

/* A terminal that closes sends SIGHUP. A program that nohup has started ignores it. */
static void set_handlers(void (*handler)(int))
{
    const struct sigaction wanted = {.sa_handler = handler};
    struct sigaction before;

    sigaction(SIGINT, &wanted, NULL);
    sigaction(SIGTERM, &wanted, NULL);
    sigaction(SIGHUP, &wanted, &before);
    if (before.sa_handler == SIG_IGN)
        sigaction(SIGHUP, &before, NULL);
}

const char *example_reactor(void)
{
    return reactor_name;
}

int example_status(void)
{
    return exit_status;
}

void example_begin(struct example *ex, int argc, char **argv)
{
    output_program = program = ex->name;
    command_line(ex, argc, argv);
    open_reactor(ex);
    cg_reactor_close(ex->reactor);
    ex->reactor = NULL;
}

void example_open(struct example *ex, int argc, char **argv)
{
    output_program = program = ex->name;
    command_line(ex, argc, argv);
    open_reactor(ex);
    ex->sched = cg_sched_new(ex->reactor, .metrics = metrics != NULL);
    if (!ex->sched) {
        example_fail("scheduler", -ENOMEM);
        exit(1);
    }
    running = ex->sched;
    set_handlers(stop);
}

static cg_fn *server;

/* A server that ends without having been stopped has failed. */
static ssize_t serve(void *listener)
{
    ssize_t n = server(listener);

    if (n < 0 && n != -ECANCELED)
        example_fail("serve", n);
    return n;
}

void example_serve(struct example *ex, cg_fn *fn)
{
    char addr[CG_ADDR_SIZE];
    struct cg_sock *listener;
    int code =
        ex->datagrams
            ? cg_datagram_open(ex->sched, ex->listen, &listener, .take_over = true)
            : cg_sock_listen(ex->sched, ex->listen, &listener, .take_over = true);

    if (code < 0) {
        example_fail(ex->listen, code);
        return;
    }
    server = fn;
    code = cg_sock_local_addr(listener, addr, sizeof addr);
    if (code == 0 && (printf("listening on %s\n", addr) < 0 || fflush(stdout) != 0))
        example_fail("stdout", code = -errno);
    else if (code < 0 || (code = cg_sched_start(ex->sched, serve, listener, .name = "serve")) < 0)
        example_fail("start", code);
    if (code < 0)
        cg_sock_close(listener);
}

int example_run(struct example *ex)
{
    ssize_t left = cg_sched_run(ex->sched);

    if (left < 0) {
        example_fail("run", left);
    } else if (left > 0) {
        fprintf(stderr, "%s: %zd coroutine%s %s:\n", program, left,
                left == 1 ? "" : "s",
                stopped ? "did not end in time" : "can never wake (deadlock)");
        cg_coro_dump(ex->sched, stderr);
        exit_status = 1;
    }
    set_handlers(SIG_DFL);
    if (metrics)
        cg_metrics_print(stderr);
    cg_sched_free(ex->sched);
    cg_reactor_close(ex->reactor);
    return exit_status;
}
