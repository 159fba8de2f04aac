/* SPDX-License-Identifier: MIT */
/* Connections without a protocol on top: an echo, and a room in which everybody hears
 * everybody. */
#include "config.h"

#include "tests/worlds/worlds.h"

enum { CLIENTS = 3, TALKS = 4, MOST = 20000, LINES = 3, VOICES = CLIENTS * TALKS };

/* Every byte comes back, in order, as long as the connection stands. */
static ssize_t echo(struct cg_sock *conn, void *arg)
{
    char buf[1000];
    ssize_t n;

    (void)arg;
    while ((n = cg_yield(cg_read(conn, buf, 1 + chance(sizeof buf), .timeout = CG_MINUTE))) > 0)
        if (cg_yield(cg_writeall(conn, buf, (size_t)n, .timeout = CG_MINUTE)) < 0)
            break;
    cg_sock_close(conn);
    return 0;
}

ssize_t worlds_echo_server(void *addr)
{
    struct cg_sock *listener;
    ssize_t n = listen_at(addr, &listener);

    if (n < 0)
        return n;
    n = cg_yield(cg_serve(listener, echo, .limit = 2 + chance(4)));
    cg_sock_close(listener);
    return n;
}

struct talk {
    struct cg_sock *conn;
    unsigned id;
    size_t len;
    bool relayed; /* the end of the stream may mean that the far connection failed */
};

static ssize_t speak(void *arg)
{
    struct talk *talk = arg;
    char buf[700];

    for (size_t at = 0, len; at < talk->len; at += len) {
        ssize_t n;

        len = 1 + chance(sizeof buf);
        len = len < talk->len - at ? len : talk->len - at;
        fill(buf, len, talk->id, at);
        if ((n = cg_yield(cg_writeall(talk->conn, buf, len, .timeout = 30 * CG_SECOND))) < 0)
            return n;
    }
    return cg_yield(cg_shutdown(talk->conn, SHUT_WR));
}

static ssize_t hear(struct talk *talk)
{
    char buf[900];
    size_t at = 0;
    ssize_t n;

    while ((n = cg_yield(cg_read(talk->conn, buf, 1 + chance(sizeof buf),
                                 .timeout = 30 * CG_SECOND))) > 0) {
        MUST(at + (size_t)n <= talk->len);
        verify(buf, (size_t)n, talk->id, at);
        at += (size_t)n;
    }
    if (n == 0 || n == CG_EOF)
        MUST(at == talk->len || talk->relayed || stormy());
    return n == 0 || n == CG_EOF ? (at == talk->len ? 0 : -EIO) : n;
}

ssize_t worlds_converse(struct cg_sock *conn, unsigned id, bool relayed)
{
    struct talk talk = {.conn = conn, .id = id, .len = chance(MOST), .relayed = relayed};
    struct cg_coro *speaker;
    ssize_t n = cg_yield(cg_add(speak, &talk, .coro = &speaker)), m;

    if (n < 0) {
        MUST(stormy());
        cg_sock_close(conn);
        return n;
    }
    n = hear(&talk);
    if (n < 0)
        cg_coro_cancel(speaker);
    m = cg_yield(cg_join(speaker));
    cg_coro_unref(speaker);
    cg_sock_close(conn);
    return n < 0 ? n : m;
}

static ssize_t talk_once(unsigned id)
{
    struct cg_sock *conn;
    ssize_t n = cg_yield(cg_connect("10.0.0.1:7", &conn, .timeout = 10 * CG_SECOND));

    return n < 0 ? n : worlds_converse(conn, id, false);
}

static ssize_t echo_client(void *arg)
{
    unsigned id = (unsigned)(intptr_t)arg, tries = 0;

    for (int i = 0; i < TALKS; i++) {
        dawdle();
        talk_once(id * TALKS + (unsigned)i);
    }
    while (stormy())
        cg_yield(cg_sleep(CG_SECOND));
    while (talk_once(id) < 0)
        MUST(++tries < 20);
    return 0;
}

static ssize_t echoes(void *arg)
{
    struct cg_group group;

    (void)arg;
    cg_group_open(&group);
    for (intptr_t i = 0; i < CLIENTS; i++)
        cg_group_start(&group, echo_client, (void *)i, NULL);
    return cg_yield(cg_wait_group(&group));
}

static const struct cg_sim_program echo_programs[] = {
    {"server", worlds_echo_server, (void *)"10.0.0.1:7"}, {NULL, NULL, NULL}};

const struct subject echo_subject = {
    .name = "echo",
    .fn = echoes,
    .programs = echo_programs,
    .faults = CG_SIM_ALL_FAULTS & ~(unsigned)CG_SIM_RESETS,
    .share = 20,
};

/* A room: what one says, "WHO NUMBER", is published to all. Each listener hears the lines of
 * each voice in order, none twice, and none that was not said. Each connection is a voice: the
 * lines of an earlier one may come later. */
struct visit {
    struct cg_sock *conn;
    struct cg_pubsub *room;
};

static unsigned said[VOICES]; /* the number of the last line */

static ssize_t room_writes(void *arg)
{
    struct visit *visit = arg;
    struct cg_subscriber subscriber;
    intptr_t lines[4];
    char text[32];
    ssize_t n;

    cg_pubsub_subscribe(visit->room, &subscriber, CG_SINCE_NOW);
    while ((n = cg_yield(cg_fetch(&subscriber, lines, 4))) > 0)
        for (ssize_t i = 0; i < n; i++) {
            int len = snprintf(text, sizeof text, "%d %d\n", (int)(lines[i] / 1000),
                               (int)(lines[i] % 1000));

            if (cg_yield(cg_writeall(visit->conn, text, (size_t)len,
                                     .timeout = 20 * CG_SECOND)) < 0)
                goto end;
        }
end:
    cg_pubsub_unsubscribe(&subscriber);
    return 0;
}

/* A line is incomplete if the connection was reset: then the error goes to the writer, and the
 * reader sees the end of the stream. */
static bool is_whole(const char *line)
{
    return strchr(line, '\n') != NULL;
}

static ssize_t room_reads(void *arg)
{
    struct visit *visit = arg;
    char line[64];
    unsigned who, number;

    while (cg_yield(cg_readline(visit->conn, line, sizeof line)) > 0 && is_whole(line)) {
        MUST(sscanf(line, "%u %u", &who, &number) == 2 && who < VOICES);
        cg_yield(cg_publish(visit->room, (intptr_t)(who * 1000 + number)));
    }
    return 0;
}

static ssize_t visitor(struct cg_sock *conn, void *arg)
{
    struct visit visit = {conn, arg};

    cg_yield(cg_any((cg_call(room_reads, &visit), cg_call(room_writes, &visit))));
    cg_sock_close(conn);
    return 0;
}

static ssize_t room_server(void *arg)
{
    struct cg_pubsub *room;
    struct cg_sock *listener;
    ssize_t n = listen_at("10.0.0.1:7", &listener);

    (void)arg;
    if (n < 0)
        return n;
    MUST(room = cg_pubsub_new());
    n = cg_yield(cg_serve(listener, visitor, .arg = room));
    cg_pubsub_free(room);
    cg_sock_close(listener);
    return n;
}

static void note_line(const char *line, unsigned heard[VOICES])
{
    unsigned who, number;

    MUST(sscanf(line, "%u %u", &who, &number) == 2 && who < VOICES);
    MUST(number > heard[who] && number <= said[who]);
    heard[who] = number;
}

static ssize_t listens(void *arg)
{
    unsigned heard[VOICES] = {0};
    char line[64];
    ssize_t n;

    while ((n = cg_yield(cg_readline(arg, line, sizeof line, .timeout = 3 * CG_SECOND))) > 0 &&
           is_whole(line))
        note_line(line, heard);
    return n;
}

static ssize_t speaks(struct cg_sock *conn, unsigned voice)
{
    for (int i = 0; i < LINES; i++) {
        char line[32];
        int len = snprintf(line, sizeof line, "%u %u\n", voice, ++said[voice]);
        ssize_t n;

        if ((n = cg_yield(cg_writeall(conn, line, (size_t)len, .timeout = 3 * CG_SECOND))) < 0)
            return n;
        dawdle();
    }
    return 0;
}

static ssize_t guest(void *arg)
{
    unsigned self = (unsigned)(intptr_t)arg;

    for (int i = 0; i < TALKS; i++) {
        struct cg_sock *conn;
        struct cg_coro *listener;

        dawdle();
        if (cg_yield(cg_connect("10.0.0.1:7", &conn, .timeout = 5 * CG_SECOND)) < 0)
            continue;
        if (cg_yield(cg_add(listens, conn, .coro = &listener)) < 0) {
            MUST(stormy());
            cg_sock_close(conn);
            continue;
        }
        speaks(conn, self * TALKS + (unsigned)i);
        cg_yield(cg_join(listener));
        cg_coro_unref(listener);
        cg_sock_close(conn);
    }
    return 0;
}

static ssize_t guests(void *arg)
{
    struct cg_group group;

    (void)arg;
    memset(said, 0, sizeof said);
    cg_group_open(&group);
    for (intptr_t i = 0; i < CLIENTS; i++)
        cg_group_start(&group, guest, (void *)i, NULL);
    return cg_yield(cg_wait_group(&group));
}

static const struct cg_sim_program room_programs[] = {{"room", room_server, NULL},
                                                      {NULL, NULL, NULL}};

const struct subject room_subject = {
    .name = "room",
    .fn = guests,
    .programs = room_programs,
    .faults = CG_SIM_ALL_FAULTS,
    .share = 20,
};
