/* SPDX-License-Identifier: MIT */
/* Open files of a turn. Under load, many requests of one turn ask for the same file; they
 * share one descriptor, what was computed from its status, and the bytes of a small file. At the
 * end of the turn all are forgotten, so a response is as old as requests that came together may
 * be, and no older. A handler may have changed a file: what was opened before the end of a request
 * that is neither GET nor HEAD serves no later one, which may have come behind it. */
#include "config.h"

#include "http/coding/compress.h"
#include "http/files/opened.h"
#include "http/server/log.h"

#include <cogen/clock.h>
#include <cogen/reactor.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { SHARED = 32 }; /* files that a turn shares, at most */

/* Of a scheduler. */
struct table {
    struct cg_kept kept;
    struct cg_sched *sched;
    struct cg_deferred sweep;
    struct cg__http_opened *first;
    unsigned count;
};

static const char key; /* its address */

void cg__http_opened_put(struct cg__http_opened *opened)
{
    if (opened == NULL || --opened->users > 0)
        return;
    if (opened->fd >= 0)
        close(opened->fd);
    free(opened->bytes);
    free(opened->head);
    cg__http_message_clear(&opened->fields);
    free(opened);
}

static void forget_all(struct table *table)
{
    struct cg__http_opened *opened;

    while ((opened = table->first) != NULL) {
        table->first = opened->next;
        cg__http_opened_put(opened);
    }
    table->count = 0;
}

static void sweep(struct cg_deferred *deferred)
{
    struct table *table = (struct table *)((char *)deferred - offsetof(struct table, sweep));

    forget_all(table);
    cg_sched_unhold(table->sched);
}

/* If the sweep is still queued, the grace period is over; its memory must stay. */
static void free_table(struct cg_kept *kept)
{
    struct table *table = (struct table *)kept;

    forget_all(table);
    if (!table->sweep.queued)
        free(table);
}

/* The scheduler's table; NULL: no memory. */
static struct table *get_table(struct cg_sched *sched)
{
    struct table *table = (struct table *)cg_sched_kept(sched, &key);

    if (table != NULL)
        return table;
    table = calloc(1, sizeof *table);
    if (table == NULL)
        return NULL;
    table->kept = (struct cg_kept){.key = &key, .free = free_table};
    table->sched = sched;
    table->sweep.fn = sweep;
    cg_sched_keep(sched, &table->kept);
    return table;
}

static struct cg__http_opened *find(struct table *table, const struct cg_http_server *server,
                                    uint64_t tree, const char *path, size_t path_len,
                                    const char *ending, size_t len)
{
    struct cg__http_opened *opened = table->first;

    while (opened != NULL &&
           (opened->tree != tree || opened->len != len || opened->server != server ||
            opened->changes != server->changes ||
            memcmp(opened->name, path, path_len) != 0 ||
            memcmp(opened->name + path_len, ending, len - path_len) != 0))
        opened = opened->next;
    return opened;
}

/* Shares it until the turn ends. */
static void share(struct table *table, struct cg__http_opened *opened)
{
    if (table->count == SHARED)
        return;
    if (table->count++ == 0) {
        cg_sched_hold(table->sched);
        cg_sched_defer(table->sched, &table->sweep);
    }
    opened->users++;
    opened->next = table->first;
    table->first = opened;
}

/* The time of the last change to a nanosecond, and the size. */
static void put_etag(char *to, const struct stat *st)
{
    *to++ = '"';
    to += cg__http_framing_hex(to, (uint64_t)st->st_mtim.tv_sec);
    *to++ = '.';
    to += cg__http_framing_hex(to, (uint64_t)st->st_mtim.tv_nsec);
    *to++ = '-';
    to += cg__http_framing_hex(to, (uint64_t)st->st_size);
    *to++ = '"';
    *to = '\0';
}

/* No response may have a Last-Modified that is later than its Date (RFC 9110, 8.8.2.1). A file may
 * come from a machine whose clock is ahead, or have changed since the server has made its Date,
 * which changes only between turns. A simulated world has a time of its own, but the files of this
 * machine. */
static time_t modified(struct cg_http_server *server, const struct stat *st)
{
    int64_t latest;

    cg__http_log_date(server);
    latest = server->reactor->simulated ? cg_clock_now(NULL, CG_CLOCK_WALL) / CG_SECOND
                                        : server->date;
    return st->st_mtim.tv_sec < latest ? st->st_mtim.tv_sec : (time_t)latest;
}

/* Makes once a turn what is the same in all responses with a file. 0 or -ENOMEM. */
static int describe(struct cg_http_server *server, struct cg__http_opened *opened)
{
    struct cg_http_headers *fields = &opened->fields;
    char date[CG_HTTP_DATE_SIZE];
    int rc;

    opened->mime = cg__http_mime(opened->name);
    opened->is_text = cg__http_compress_is_text(opened->mime);
    put_etag(opened->etag, &opened->st);
    cg_http_date_print(modified(server, &opened->st), date);
    rc = cg__http_message_put_text(fields, "ETag", opened->etag);
    if (rc == 0)
        rc = cg__http_message_put_text(fields, "Last-Modified", date);
    return rc == 0 ? cg__http_message_put_text(fields, "Accept-Ranges", "bytes") : rc;
}

/* Opens it, reads its status, and describes it if it is a file. 0 or -errno. */
static int look(struct cg_http_server *server, const struct cg_http_files *files,
                struct cg__http_opened *opened)
{
    opened->fd = cg__http_files_open_beneath(files->root, opened->len > 0 ? opened->name : ".");
    if (opened->fd < 0)
        return opened->fd;
    if (fstat(opened->fd, &opened->st) < 0)
        return -errno;
    return S_ISREG(opened->st.st_mode) ? describe(server, opened) : 0;
}

/* Directories are not shared, for a listing moves their position. */
static bool may_share(const struct cg__http_opened *opened, int rc)
{
    return rc == -ENOENT || (rc == 0 && S_ISREG(opened->st.st_mode));
}

int cg__http_opened_get(struct cg_http_server *server, const struct cg_http_files *files,
                        const char *path, const char *ending, struct cg__http_opened **opened)
{
    size_t path_len = strlen(path), len = path_len + strlen(ending);
    struct table *table = get_table(cg_sched_self());
    struct cg__http_opened *made;
    int rc;

    if (table == NULL)
        return -ENOMEM;
    made = find(table, server, files->tree, path, path_len, ending, len);
    if (made != NULL && made->fd < 0)
        return made->fd;
    if (made != NULL) {
        made->users++;
        *opened = made;
        return 0;
    }
    made = calloc(1, sizeof *made + len + 1);
    if (made == NULL)
        return -ENOMEM;
    made->users = 1;
    made->tree = files->tree;
    made->server = server;
    made->changes = server->changes;
    made->len = len;
    memcpy(made->name, path, path_len);
    memcpy(made->name + path_len, ending, len - path_len);
    rc = look(server, files, made);
    if (may_share(made, rc))
        share(table, made);
    if (rc < 0)
        cg__http_opened_put(made);
    else
        *opened = made;
    return rc;
}

static int read_all(int fd, char *to, size_t size, uint64_t first)
{
    ssize_t n = pread(fd, to, size, (off_t)first);

    if (n < 0)
        return -errno;
    return (size_t)n < size ? CG_EOF : 0;
}

/* Keeps the bytes of a small file that is asked for again in its turn. Without memory they are
 * read each time. */
static void keep_bytes(struct cg__http_opened *opened)
{
    size_t size = (size_t)opened->st.st_size;

    if (size > CG__HTTP_SMALL_FILE || (opened->bytes = malloc(size)) == NULL)
        return;
    if (read_all(opened->fd, opened->bytes, size, 0) < 0) {
        free(opened->bytes);
        opened->bytes = NULL;
    }
}

int cg__http_opened_read(struct cg__http_opened *opened, char *to, size_t size, uint64_t first)
{
    if (opened->was_read && opened->bytes == NULL)
        keep_bytes(opened);
    opened->was_read = true;
    if (opened->bytes == NULL)
        return read_all(opened->fd, to, size, first);
    memcpy(to, opened->bytes + first, size);
    return 0;
}
