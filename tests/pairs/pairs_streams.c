/* SPDX-License-Identifier: MIT */
/* Subjects that read bytes. Each event is eight bytes with a number, so that a lost,
 * doubled or misplaced one is found. */
#include "tests/pairs/pairs.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    HEAD = 3
};

struct stream {
    struct world w;
    struct cg_sock *sock, *peer;
    struct cg_view view;
    char buf[EVENT + 1];
    struct cg_line line;
    size_t moved;
    bool begun; /* the first bytes of the next event have been sent */
    int pipe[2];
    struct cg_fds fds;
};

static void stream_open(struct world *w)
{
    struct stream *s = (struct stream *)w;

    HOLDS(test_connect(w->subject->link, &s->sock, &s->peer));
    if (w->subject->flags & SECURE)
        pairs_secure(&s->sock, &s->peer);
}

static void stream_close(struct world *w)
{
    struct stream *s = (struct stream *)w;

    pairs_close(s->sock, s->peer);
}

static void stream_shut(struct world *w)
{
    struct stream *s = (struct stream *)w;

    cg_sock_close(s->sock);
    s->sock = NULL;
}

/* Sends some bytes of the next event, before the event is caused. */
static void begun_open(struct world *w)
{
    struct stream *s = (struct stream *)w;
    char text[EVENT + 1];

    stream_open(w);
    pairs_event(text, 1);
    IS(cg_yield(cg_writeall(s->peer, text, HEAD)), HEAD);
    s->begun = true;
}

static void stream_cause(struct world *w)
{
    struct stream *s = (struct stream *)w;
    char text[EVENT + 1];
    size_t from = s->begun ? HEAD : 0;

    s->begun = false;
    pairs_event(text, w->caused);
    IS(cg_yield(cg_writeall(s->peer, text + from, EVENT - from)),
       (ssize_t)(EVENT - from));
}

static void stream_got(struct world *w, ssize_t answer)
{
    struct stream *s = (struct stream *)w;

    IS(answer, EVENT);
    pairs_is_event(s->buf, w->seen);
}

static struct cg_op *read_op(struct world *w)
{
    struct stream *s = (struct stream *)w;

    return KEEP(w, cg_read_op, cg_read(s->sock, s->buf, EVENT));
}

static struct cg_op *readline_op(struct world *w)
{
    struct stream *s = (struct stream *)w;

    return KEEP(w, cg_read_op, cg_readline(s->sock, s->buf, sizeof s->buf));
}

static struct cg_op *readall_op(struct world *w)
{
    struct stream *s = (struct stream *)w;

    s->moved = 99;
    return KEEP(w, cg_read_op, cg_readall(s->sock, s->buf, EVENT, .moved = &s->moved));
}

/* Partial: the op has moved what it says it has, and the next reader continues there. */
static void readall_check(struct world *w, ssize_t answer)
{
    struct stream *s = (struct stream *)w;
    size_t moved = s->moved;

    HOLDS(moved <= EVENT);
    if (!pairs_lost(answer))
        IS(answer, EVENT);
    if (w->caused == 0)
        pairs_cause(w);
    IS(cg_yield(cg_readall(s->sock, s->buf + moved, EVENT - moved)),
       (ssize_t)(EVENT - moved));
    pairs_is_event(s->buf, 1);
    pairs_cause(w);
    IS(cg_yield(readall_op(w)), EVENT);
    pairs_is_event(s->buf, 2);
    HOLDS(s->moved == EVENT);
}

/* The end comes with the event. */
static void to_end_cause(struct world *w)
{
    stream_cause(w);
    IS(cg_yield(cg_shutdown(((struct stream *)w)->peer, SHUT_WR)), 0);
}

static struct cg_op *to_end_op(struct world *w)
{
    struct stream *s = (struct stream *)w;

    s->moved = 99;
    return KEEP(w, cg_read_op, cg_read_to_end(s->sock, s->buf, EVENT, .moved = &s->moved));
}

static void to_end_check(struct world *w, ssize_t answer)
{
    struct stream *s = (struct stream *)w;
    size_t moved = s->moved;

    HOLDS(moved <= EVENT);
    if (!pairs_lost(answer))
        IS(answer, EVENT);
    if (w->caused == 0)
        pairs_cause(w);
    IS(cg_yield(cg_read_to_end(s->sock, s->buf + moved, EVENT - moved)),
       (ssize_t)(EVENT - moved));
    pairs_is_event(s->buf, 1);
}

/* Like the above: the event is the only line. */
static struct cg_op *readlines_op(struct world *w)
{
    struct stream *s = (struct stream *)w;

    s->moved = 99;
    return KEEP(w, cg_readlines_op,
                cg_readlines(s->sock, s->buf, EVENT, &s->line, 1, .moved = &s->moved));
}

static void readlines_check(struct world *w, ssize_t answer)
{
    struct stream *s = (struct stream *)w;

    if (!pairs_lost(answer)) {
        IS(answer, 1);
        HOLDS(s->line.text == s->buf && s->line.len == EVENT);
        answer = EVENT;
    }
    to_end_check(w, answer);
}

static struct cg_op *borrow_op(struct world *w)
{
    struct stream *s = (struct stream *)w;

    s->view = (struct cg_view){.data = NULL};
    return KEEP(w, cg_borrow_op, cg_borrow(s->sock, &s->view));
}

static void borrow_got(struct world *w, ssize_t answer)
{
    struct stream *s = (struct stream *)w;

    IS(answer, EVENT);
    HOLDS(s->view.len == EVENT);
    pairs_is_event(s->view.data, w->seen);
    cg_view_release(&s->view, EVENT);
}

static void borrow_lost(struct world *w)
{
    HOLDS(((struct stream *)w)->view.data == NULL);
}

/* The second half of an event comes later: cg_borrow does not lend the first half
 * alone. */
static struct cg_op *least_op(struct world *w)
{
    struct stream *s = (struct stream *)w;

    s->view = (struct cg_view){.data = NULL};
    return KEEP(w, cg_borrow_op, cg_borrow(s->sock, &s->view, .least = EVENT));
}

static struct cg_op *poll_sock_op(struct world *w)
{
    struct stream *s = (struct stream *)w;

    return KEEP(w, cg_poll_sock_op, cg_poll_sock(s->sock, CG_IN));
}

static struct cg_op *wait_input_op(struct world *w)
{
    struct stream *s = (struct stream *)w;

    return KEEP(w, cg_wait_input_op, cg_wait_input(s->sock));
}

static void wait_input_got(struct world *w, ssize_t answer)
{
    struct stream *s = (struct stream *)w;

    IS(answer, 0);
    stream_got(w, OK(cg_yield(cg_read(s->sock, s->buf, EVENT))));
}

static void poll_sock_got(struct world *w, ssize_t answer)
{
    struct stream *s = (struct stream *)w;

    HOLDS(answer & CG_IN);
    stream_got(w, OK(cg_yield(cg_read(s->sock, s->buf, EVENT))));
}

/* The end of the peer's stream. The peer has written before, so input is unread. */

static struct cg_op *gone_op(struct world *w)
{
    return KEEP(w, cg_wait_gone_op, cg_wait_gone(((struct stream *)w)->sock));
}

static void gone_open(struct world *w)
{
    struct stream *s = (struct stream *)w;
    char text[EVENT + 1];

    stream_open(w);
    pairs_event(text, 1);
    IS(cg_yield(cg_writeall(s->peer, text, EVENT)), EVENT);
}

/* Over TLS, only the end of the connection below counts. */
static void gone_cause(struct world *w)
{
    struct stream *s = (struct stream *)w;

    if (!(w->subject->flags & SECURE)) {
        IS(cg_yield(cg_shutdown(s->peer, SHUT_WR)), 0);
        return;
    }
    cg_sock_close(s->peer);
    s->peer = NULL;
}

/* A wait takes nothing, and every later wait completes, too. */
static void gone_check(struct world *w, ssize_t answer)
{
    struct stream *s = (struct stream *)w;

    if (!pairs_lost(answer)) {
        HOLDS(w->caused > 0);
        IS(answer, 0);
    }
    if (w->caused == 0) {
        IS(cg_yield(cg_wait_gone(s->sock, .timeout = CG_NOWAIT)), -ETIMEDOUT);
        pairs_cause(w);
    }
    IS(cg_yield(gone_op(w)), 0);
    IS(cg_yield(cg_readall(s->sock, s->buf, EVENT)), EVENT);
    pairs_is_event(s->buf, 1);
    IS(cg_yield(cg_read(s->sock, s->buf, EVENT)), 0);
    IS(cg_yield(gone_op(w)), 0);
}

/* A socket is closed gently, whether the op wins or loses: its peer reads what was
 * written, and the end. */

static struct cg_op *gently_op(struct world *w)
{
    struct stream *s = (struct stream *)w;

    return KEEP(w, cg_close_gently_op, cg_close_gently(s->sock));
}

static void gently_open(struct world *w)
{
    struct stream *s = (struct stream *)w;
    char text[EVENT + 1];

    stream_open(w);
    pairs_event(text, 1);
    IS(cg_yield(cg_writeall(s->sock, text, EVENT)), EVENT);
}

static void gently_check(struct world *w, ssize_t answer)
{
    struct stream *s = (struct stream *)w;

    if (!pairs_lost(answer))
        IS(answer, 0);
    s->sock = NULL;
    IS(cg_yield(cg_readall(s->peer, s->buf, EVENT)), EVENT);
    pairs_is_event(s->buf, 1);
    IS(cg_yield(cg_read(s->peer, s->buf, EVENT)), 0);
}

/* Descriptors: each event brings one. */

static void fds_cause(struct world *w)
{
    struct stream *s = (struct stream *)w;
    int fd = (int)OK(open("/dev/null", O_RDONLY | O_CLOEXEC));
    char text[EVENT + 1];

    pairs_event(text, w->caused);
    IS(cg_yield(cg_send_fds(s->peer, text, EVENT, &fd, 1)), EVENT);
    close(fd);
}

static struct cg_op *receive_fds_op(struct world *w)
{
    struct stream *s = (struct stream *)w;

    return KEEP(w, cg_receive_fds_op, cg_receive_fds(s->sock, s->buf, EVENT, &s->fds));
}

static void fds_got(struct world *w, ssize_t answer)
{
    struct stream *s = (struct stream *)w;

    IS(s->fds.count, 1);
    close(s->fds.fds[0]);
    stream_got(w, answer);
}

static void fds_lost(struct world *w)
{
    IS(((struct stream *)w)->fds.count, 0);
}

/* A descriptor of the caller */

static void poll_open(struct world *w)
{
    OK(pipe(((struct stream *)w)->pipe));
}

static struct cg_op *poll_op(struct world *w)
{
    return KEEP(w, cg_poll_op, cg_poll(((struct stream *)w)->pipe[0], CG_IN));
}

static void poll_cause(struct world *w)
{
    char text[EVENT + 1];

    pairs_event(text, w->caused);
    IS(write(((struct stream *)w)->pipe[1], text, EVENT), EVENT);
}

static void poll_got(struct world *w, ssize_t answer)
{
    struct stream *s = (struct stream *)w;

    HOLDS(answer & CG_IN);
    stream_got(w, read(s->pipe[0], s->buf, EVENT));
}

static void poll_close(struct world *w)
{
    close(((struct stream *)w)->pipe[0]);
    close(((struct stream *)w)->pipe[1]);
}

/* The end of a direction */

static struct cg_op *shutdown_op(struct world *w)
{
    return KEEP(w, cg_shutdown_op, cg_shutdown(((struct stream *)w)->sock, SHUT_WR));
}

static void no_cause(struct world *w)
{
    (void)w;
}

/* The peer reads the end if and only if the op says so. */
static void shutdown_check(struct world *w, ssize_t answer)
{
    struct stream *s = (struct stream *)w;

    if (pairs_lost(answer)) {
        IS(cg_yield(cg_write(s->sock, "x", 1)), 1);
        IS(cg_yield(cg_read(s->peer, s->buf, EVENT)), 1);
        IS(cg_yield(shutdown_op(w)), 0);
    }
    IS(cg_yield(cg_read(s->peer, s->buf, EVENT)), 0);
    IS(cg_yield(cg_write(s->peer, "y", 1)), 1);
    IS(cg_yield(cg_read(s->sock, s->buf, EVENT)), 1);
}

/* The header of the PROXY protocol: one that was not read can be read again, and one that was
 * read has been told. */

static struct cg_op *read_header_op(struct world *w)
{
    struct stream *s = (struct stream *)w;

    return KEEP(w, cg_read_proxy_header_op, cg_read_proxy_header(s->sock));
}

static void header_cause(struct world *w)
{
    static const char header[] = "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n";
    struct stream *s = (struct stream *)w;

    IS(cg_yield(cg_writeall(s->peer, header, sizeof header - 1)), (ssize_t)sizeof header - 1);
}

static void read_header_check(struct world *w, ssize_t answer)
{
    if (!pairs_lost(answer))
        IS(answer, 1);
    else if (w->caused == 0)
        header_cause(w);
    IS(cg_yield(read_header_op(w)), 1);
}

static struct cg_op *write_header_op(struct world *w)
{
    struct stream *s = (struct stream *)w;

    return KEEP(w, cg_write_proxy_header_op, cg_write_proxy_header(s->sock, NULL, NULL));
}

static void write_header_check(struct world *w, ssize_t answer)
{
    struct stream *s = (struct stream *)w;

    if (!pairs_lost(answer)) {
        IS(answer, 0);
        IS(cg_yield(cg_read_proxy_header(s->peer)), 0);
    }
}

#define STREAM                                                                         \
    .size = sizeof(struct stream), .cause = stream_cause, .shut = stream_shut,         \
    .close = stream_close
#define READ STREAM, .open = stream_open, .op = read_op, .got = stream_got

#define GONE                                                                           \
    .size = sizeof(struct stream), .open = gone_open, .op = gone_op,                   \
    .cause = gone_cause, .check = gone_check, .shut = stream_shut, .close = stream_close

static const struct subject subjects[] = {
    {"read", READ, .link = OVER_TCP},
    {"read_unix", READ, .link = OVER_UNIX},
    {"read_pair", READ, .link = OVER_PAIR},
    {"read_tls", READ, .link = OVER_PAIR, .flags = SECURE | SELDOM},
    {"borrow_tls", STREAM, .link = OVER_PAIR, .flags = SECURE | SELDOM,
     .open = stream_open, .op = borrow_op, .got = borrow_got, .lost = borrow_lost},
    {"readline", STREAM, .link = OVER_TCP, .open = begun_open, .op = readline_op,
     .got = stream_got},
    {"readall", STREAM, .link = OVER_TCP, .open = begun_open, .op = readall_op,
     .check = readall_check},
    {"readall_pair", STREAM, .link = OVER_PAIR, .open = begun_open, .op = readall_op,
     .check = readall_check},
    {"read_to_end", .size = sizeof(struct stream), .link = OVER_TCP, .open = begun_open,
     .op = to_end_op, .cause = to_end_cause, .check = to_end_check, .shut = stream_shut,
     .close = stream_close},
    {"readlines", .size = sizeof(struct stream), .link = OVER_TCP, .open = begun_open,
     .op = readlines_op, .cause = to_end_cause, .check = readlines_check, .shut = stream_shut,
     .close = stream_close},
    {"borrow", STREAM, .link = OVER_TCP, .open = stream_open, .op = borrow_op,
     .got = borrow_got, .lost = borrow_lost},
    {"borrow_least", STREAM, .link = OVER_TCP, .open = begun_open, .op = least_op,
     .got = borrow_got, .lost = borrow_lost},
    {"wait_gone", GONE, .link = OVER_TCP},
    {"wait_gone_pair", GONE, .link = OVER_PAIR},
    {"wait_gone_tls", GONE, .link = OVER_PAIR, .flags = SECURE | SELDOM},
    {"close_gently", .size = sizeof(struct stream), .link = OVER_TCP, .open = gently_open,
     .op = gently_op, .cause = gone_cause, .check = gently_check, .close = stream_close},
    {"receive_fds", .size = sizeof(struct stream), .link = OVER_UNIX,
     .open = stream_open, .op = receive_fds_op, .cause = fds_cause, .got = fds_got,
     .lost = fds_lost, .shut = stream_shut, .close = stream_close},
    {"poll_sock", STREAM, .link = OVER_TCP, .open = stream_open, .op = poll_sock_op,
     .got = poll_sock_got},
    {"wait_input", STREAM, .link = OVER_TCP, .open = stream_open, .op = wait_input_op,
     .got = wait_input_got},
    {"wait_input_tls", STREAM, .link = OVER_PAIR, .flags = SECURE | SELDOM, .open = stream_open,
     .op = wait_input_op, .got = wait_input_got},
    {"poll", .size = sizeof(struct stream), .where = ON_KERNEL, .open = poll_open,
     .op = poll_op, .cause = poll_cause, .got = poll_got, .close = poll_close},
    {"shutdown", .size = sizeof(struct stream), .flags = ITSELF, .link = OVER_TCP,
     .open = stream_open, .op = shutdown_op, .cause = no_cause, .check = shutdown_check,
     .close = stream_close},
    {"read_proxy_header", .size = sizeof(struct stream), .link = OVER_TCP, .open = stream_open,
     .op = read_header_op, .cause = header_cause, .check = read_header_check,
     .close = stream_close},
    {"write_proxy_header", .size = sizeof(struct stream), .flags = ITSELF, .link = OVER_TCP,
     .open = stream_open, .op = write_header_op, .cause = no_cause,
     .check = write_header_check, .close = stream_close},
};

const struct family pairs_streams = {subjects, COUNT(subjects)};
