/* SPDX-License-Identifier: MIT */
/* The cache of a resolver: for how long it keeps hosts, how many, and until resolv.conf
 * changes. */
#include "config.h"

#include "sockets/resolve/resolv_conf.h"
#include "sockets/resolve/resolve_cache.h"
#include "tests/support/support.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct cg__resolve_cache cache;

static void setup(void)
{
    cache = (struct cg__resolve_cache){.places = {{NULL}}};
    cg__resolve_cache_init(&cache);
}

static void teardown(void)
{
    cg__resolve_cache_clear(&cache);
}

static struct cg_addr_list address(uint32_t number)
{
    struct cg_addr_list list = {.count = 1};

    list.addrs[0].in = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {number}};
    list.addrs[0].len = sizeof list.addrs[0].in;
    return list;
}

static int find(const char *host, int family, int64_t now)
{
    struct cg_addr_list list = {.count = 0};
    int result = cg__resolve_cache_find(&cache, host, family, now, &list);

    return result == 1 ? (int)list.addrs[0].in.sin_addr.s_addr : result;
}

static void put(const char *host, int family, uint32_t number, int64_t until)
{
    struct cg_addr_list list = address(number);

    cg__resolve_cache_put(&cache, host, family, 1, &list, sizeof list, 0, until);
}

/* A host is in the cache until it expires, whatever the case of its letters, and only for
 * its family. */
START_TEST(until_the_moment)
{
    put("Example.test", AF_INET, 7, 100);
    ck_assert_int_eq(find("example.TEST", AF_INET, 0), 7);
    ck_assert_int_eq(find("example.test", AF_INET, 99), 7);
    ck_assert_int_eq(find("example.test", AF_INET, 100), 0);
    ck_assert_int_eq(find("example.test", AF_INET6, 0), 0);
    ck_assert_int_eq(find("other.test", AF_INET, 0), 0);
    put("example.test", AF_INET, 8, 200);
    ck_assert_int_eq(find("example.test", AF_INET, 150), 8);
    put("gone.test", AF_INET, 9, 0); /* expired when it was put */
    ck_assert_int_eq(find("gone.test", AF_INET, 0), 0);
}
END_TEST

/* The error for a host that does not exist is cached, too. */
START_TEST(errors)
{
    cg__resolve_cache_put(&cache, "none.test", AF_UNSPEC, CG_EHOST, NULL, 0, 0, 10);
    ck_assert_int_eq(find("none.test", AF_UNSPEC, 9), CG_EHOST);
    ck_assert_int_eq(find("none.test", AF_UNSPEC, 10), 0);
}
END_TEST

/* The number of places is bounded; hosts that expire first are replaced first. */
START_TEST(bounded)
{
    enum { MANY = 20000 };
    char host[32];
    int known = 0, late = 0;

    for (int i = 0; i < MANY; i++) {
        snprintf(host, sizeof host, "host-%d.test", i);
        put(host, AF_INET, (uint32_t)i + 1, 1000 + i);
    }
    for (int i = 0; i < MANY; i++) {
        snprintf(host, sizeof host, "host-%d.test", i);
        known += find(host, AF_INET, 0) == i + 1;
        late += i >= MANY - 4 && find(host, AF_INET, 0) == i + 1;
    }
    ck_assert_int_eq(known, CG_RESOLVER_CACHE);
    ck_assert_int_eq(late, 4);
    cg__resolve_cache_clear(&cache);
    ck_assert_int_eq(find(host, AF_INET, 0), 0);
}
END_TEST

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

/* A change of resolv.conf is noticed at the next check; checks are not too frequent. */
START_TEST(resolv_conf_changes)
{
    struct cg__resolv_conf conf = {.known = false};
    char path[] = "/tmp/cogen-test-XXXXXX";
    int64_t now = CG_SECOND;

    close(mkstemp(path));
    ck_assert(!cg__resolv_conf_has_changed(&conf, path, now));
    write_file(path, "search one.example\n");
    ck_assert(!cg__resolv_conf_has_changed(&conf, path, now += CG_SECOND));
    ck_assert(cg__resolv_conf_has_changed(&conf, path, now += 5 * CG_SECOND));
    ck_assert(!cg__resolv_conf_has_changed(&conf, path, now += 5 * CG_SECOND));
    unlink(path);
    ck_assert(cg__resolv_conf_has_changed(&conf, path, now += 5 * CG_SECOND));
    ck_assert(!cg__resolv_conf_has_changed(&conf, path, now += 5 * CG_SECOND));
    write_file(path, "");
    ck_assert(cg__resolv_conf_has_changed(&conf, path, now += 5 * CG_SECOND));
    unlink(path);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("resolve_cache");
    TCase *tcase = tcase_create("resolve_cache");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, until_the_moment);
    tcase_add_test(tcase, errors);
    tcase_add_test(tcase, bounded);
    tcase_add_test(tcase, resolv_conf_changes);
    suite_add_tcase(suite, tcase);
    return check_main(suite, NULL);
}
