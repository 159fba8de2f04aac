/* SPDX-License-Identifier: MIT */
/* Open files that the requests of a turn share: one descriptor for all of them, and nothing
 * old in a later turn. */
#include "config.h"

#include "http/files/opened.h"
#include "tests/support/support.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MANY = 100 };

static char root[64];
static struct cg_http_files *files;
static struct cg_http_server server;

static void put(const char *name, const char *text)
{
    test_put_file(root, name, text);
}

static void open_root(void)
{
    strcpy(root, "/tmp/cogen-opened-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(root));
    server.sched = cg_sched_self();
    server.reactor = cg_sched_reactor(server.sched);
    server.date_until = 0;
    IS(cg_http_files_open(root, NULL, &files), 0);
}

static void close_root(void)
{
    char command[128];

    cg_http_files_close(files);
    snprintf(command, sizeof command, "rm -r %s", root);
    ck_assert_int_eq(system(command), 0);
}

static struct cg__http_opened *get(const char *name)
{
    struct cg__http_opened *opened = NULL;

    IS(cg__http_opened_get(&server, files, name, "", &opened), 0);
    return opened;
}

static void is_content(const struct cg__http_opened *opened, const char *want)
{
    char text[16];
    ssize_t n = pread(opened->fd, text, sizeof text - 1, 0);

    ck_assert_int_ge(n, 0);
    text[n] = '\0';
    ck_assert_str_eq(text, want);
}

static ssize_t next_turn(void)
{
    return cg_yield(cg_sleep(CG_MILLISECOND));
}

/* In one turn all users of a name get the same descriptor, also if they give the name in
 * other parts. In the next turn the file is opened again, also while an earlier request still
 * uses the old one. */
static ssize_t shared_in_a_turn(void *arg)
{
    struct cg__http_opened *first, *second, *third;
    int before;

    (void)arg;
    open_root();
    put("page.html", "old");
    IS(next_turn(), 0);
    before = test_count_fds();
    first = get("page.html");
    IS(cg__http_opened_get(&server, files, "page", ".html", &second), 0);
    ck_assert_ptr_eq(first, second);
    ck_assert_int_eq(test_count_fds(), before + 1);
    cg__http_opened_put(second);
    unlink(strcat(strcpy((char[128]){0}, root), "/page.html"));
    put("page.html", "newer");
    IS(next_turn(), 0);
    third = get("page.html");
    ck_assert_ptr_ne(first, third);
    is_content(first, "old");
    is_content(third, "newer");
    ck_assert_str_ne(first->etag, third->etag);
    cg__http_opened_put(first);
    cg__http_opened_put(third);
    IS(next_turn(), 0);
    ck_assert_int_eq(test_count_fds(), before);
    close_root();
    return 0;
}

/* What may have changed since is opened again, also in the same turn. */
static ssize_t changed_in_a_turn(void *arg)
{
    struct cg__http_opened *first, *second, *third;

    (void)arg;
    open_root();
    put("a", "1");
    IS(next_turn(), 0);
    first = get("a");
    server.changes++;
    second = get("a");
    third = get("a");
    ck_assert_ptr_ne(first, second);
    ck_assert_ptr_eq(second, third);
    cg__http_opened_put(first);
    cg__http_opened_put(second);
    cg__http_opened_put(third);
    close_root();
    return 0;
}

/* A file that has changed since the server has made its Date has that for Last-Modified. */
static ssize_t never_later_than_date(void *arg)
{
    struct cg__http_opened *opened;

    (void)arg;
    open_root();
    put("a", "1");
    IS(next_turn(), 0);
    server.date = 784111777;
    server.date_until = INT64_MAX;
    opened = get("a");
    ck_assert_str_eq(cg_http_headers_get(&opened->fields, "Last-Modified"),
                     "Sun, 06 Nov 1994 08:49:37 GMT");
    cg__http_opened_put(opened);
    close_root();
    return 0;
}

/* A file that does not exist is remembered for the turn, and not longer. */
static ssize_t missing_in_a_turn(void *arg)
{
    struct cg__http_opened *opened = NULL;

    (void)arg;
    open_root();
    IS(next_turn(), 0);
    IS(cg__http_opened_get(&server, files, "later", "", &opened), -ENOENT);
    put("later", "here");
    IS(cg__http_opened_get(&server, files, "later", "", &opened), -ENOENT);
    ck_assert_ptr_null(opened);
    IS(next_turn(), 0);
    opened = get("later");
    is_content(opened, "here");
    cg__http_opened_put(opened);
    close_root();
    return 0;
}

/* Two trees have files of their own under one name, and a directory is never shared. */
static ssize_t nothing_else_is_shared(void *arg)
{
    struct cg__http_opened *mine, *its, *directory, *again;
    struct cg_http_files *other;

    (void)arg;
    open_root();
    put("a", "1");
    IS(cg_http_files_open(root, NULL, &other), 0);
    IS(next_turn(), 0);
    mine = get("a");
    IS(cg__http_opened_get(&server, other, "a", "", &its), 0);
    ck_assert_ptr_ne(mine, its);
    directory = get("");
    again = get("");
    ck_assert_ptr_ne(directory, again);
    cg__http_opened_put(mine);
    cg__http_opened_put(its);
    cg__http_opened_put(directory);
    cg__http_opened_put(again);
    cg_http_files_close(other);
    close_root();
    return 0;
}

static void reads(struct cg__http_opened *opened, uint64_t first, const char *want)
{
    char text[16] = "";

    IS(cg__http_opened_read(opened, text, strlen(want), first), 0);
    ck_assert_str_eq(text, want);
}

/* The second reading in a turn keeps the bytes for those that follow, but no longer. */
static ssize_t bytes_in_a_turn(void *arg)
{
    struct cg__http_opened *opened;

    (void)arg;
    open_root();
    put("page", "first");
    IS(next_turn(), 0);
    opened = get("page");
    reads(opened, 0, "first");
    put("page", "other");
    reads(opened, 0, "other");
    put("page", "third");
    reads(opened, 0, "other");
    reads(opened, 2, "he");
    cg__http_opened_put(opened);
    IS(next_turn(), 0);
    opened = get("page");
    reads(opened, 0, "third");
    cg__http_opened_put(opened);
    close_root();
    return 0;
}

/* The bytes of a file that is large, or that has become shorter, are not kept. */
static ssize_t bytes_not_kept(void *arg)
{
    static char large[CG__HTTP_SMALL_FILE + 2], to[CG__HTTP_SMALL_FILE];
    struct cg__http_opened *opened;

    (void)arg;
    memset(large, 'x', sizeof large - 1);
    open_root();
    put("large", large);
    put("page", "first");
    IS(next_turn(), 0);
    opened = get("large");
    for (int i = 0; i < 3; i++)
        IS(cg__http_opened_read(opened, to, sizeof to, 1), 0);
    ck_assert_ptr_null(opened->bytes);
    cg__http_opened_put(opened);
    opened = get("page");
    put("page", "few");
    for (int i = 0; i < 3; i++)
        IS(cg__http_opened_read(opened, to, 5, 0), CG_EOF);
    ck_assert_ptr_null(opened->bytes);
    cg__http_opened_put(opened);
    close_root();
    return 0;
}

/* A turn that opens many files keeps few of them open. */
static ssize_t bounded(void *arg)
{
    char name[16];
    int before;

    (void)arg;
    open_root();
    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "%d", i);
        put(name, name);
    }
    IS(next_turn(), 0);
    before = test_count_fds();
    for (int i = 0; i < MANY; i++) {
        struct cg__http_opened *opened;

        snprintf(name, sizeof name, "%d", i);
        opened = get(name);
        is_content(opened, name);
        cg__http_opened_put(opened);
    }
    ck_assert_int_le(test_count_fds(), before + 32);
    IS(next_turn(), 0);
    ck_assert_int_eq(test_count_fds(), before);
    close_root();
    return 0;
}

/* The last request of a run leaves nothing open. */
static ssize_t left_at_the_end(void *arg)
{
    (void)arg;
    open_root();
    put("a", "1");
    cg__http_opened_put(get("a"));
    close_root();
    return 0;
}

int main(void)
{
    static const struct test_case cases[] = {
        CORO(shared_in_a_turn, .where = ON_KERNEL), CORO(missing_in_a_turn, .where = ON_KERNEL),
        CORO(changed_in_a_turn), CORO(never_later_than_date, .where = ON_KERNEL),
        CORO(bytes_in_a_turn, .where = ON_SIM), CORO(bytes_not_kept, .where = ON_SIM),
        CORO(nothing_else_is_shared, .where = ON_SIM), CORO(bounded, .where = ON_KERNEL),
        CORO(left_at_the_end),
    };

    return test_main("http_opened", cases, COUNT(cases));
}
