/* SPDX-License-Identifier: MIT */
/* Addresses as text: what is valid and what is not, and that a parsed address is printed as
 * the same text. */
#include "config.h"

#include "sockets/resolve/addr.h"
#include "tests/support/support.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

static struct cg_addr list[8];

static int parse(const char *text, bool listener)
{
    memset(list, 0xa5, sizeof list);
    return cg__addr_parse(text, listener, list, COUNT(list));
}

static void check_printed(const struct cg_addr *addr, const char *want)
{
    char text[CG_ADDR_SIZE];

    IS(cg__addr_print(&addr->base, addr->len, text, sizeof text), 0);
    ck_assert_str_eq(text, want);
}

/* Every address is printed as it was written. */
START_TEST(round_trip)
{
    static const char *const texts[] = {
        "127.0.0.1:80", "0.0.0.0:65535",     "[::1]:80",        "[2001:db8::17]:1",
        "unix:/tmp/x",  "unix:relative:one", "unix:@abstract:1", "[fe80::1%1]:80",
    };

    for (size_t i = 0; i < COUNT(texts); i++) {
        IS(parse(texts[i], false), 1);
        check_printed(&list[0], texts[i]);
    }
}
END_TEST

/* The address of a listener may leave out the host, and have port 0 for any port. */
START_TEST(listeners)
{
    IS(parse(":80", true), 2);
    check_printed(&list[0], "[::]:80");
    check_printed(&list[1], "0.0.0.0:80");
    IS(cg__addr_parse(":80", true, list, 1), 1);
    IS(parse("127.0.0.1:0", true), 1);
    check_printed(&list[0], "127.0.0.1:0");
    IS(parse(":80", false), CG_EADDR);
    IS(parse("127.0.0.1:0", false), CG_EADDR);
}
END_TEST

/* Text that is not an address is refused without a look-up. */
START_TEST(refused)
{
    static const char *const texts[] = {
        "",           "80",          "127.0.0.1",        "127.0.0.1:",     "127.0.0.1:65536",
        "host:80x",   "host:-1",     "host: 80",         "127.1:80",       "0x7f.0.0.1:80",
        "256.0.0.1:80", "1.2.3.4.5:80", "2130706433:80", "::1:80",         "[::1:80",
        "[::1]80",    "[127.0.0.1]:80", "[]:80",         "[::1%nonesuch]:80",
        "ho st:80",   "user@host:80", "unix:",           "unix:@",         "host:000080",
        "[:80",       "[::1]x:80",   "0x7f000001:80",    "0X7F.0x1:80",    "127.0x1:80",
    };
    char longer[400];

    for (size_t i = 0; i < COUNT(texts); i++)
        test_is(parse(texts[i], false), CG_EADDR, texts[i], __FILE__, __LINE__);
    IS(parse(NULL, true), CG_EADDR);
    memset(longer, 'a', sizeof longer);
    memcpy(longer + sizeof longer - 4, ":80", 4);
    IS(parse(longer, true), CG_EADDR);
    memcpy(longer, "unix:", 5);
    IS(parse(longer, true), CG_EADDR);
}
END_TEST

/* A path and an abstract name may fill sun_path, without a NUL. */
START_TEST(unix_lengths)
{
    char text[5 + sizeof list[0].un.sun_path + 2] = "unix:";
    size_t most = sizeof list[0].un.sun_path - 1;

    memset(text + 5, 'p', most);
    IS(parse(text, true), 1);
    ck_assert_uint_eq(list[0].len, sizeof list[0].un);
    check_printed(&list[0], text);
    text[5] = '@';
    IS(parse(text, true), 1);
    ck_assert_uint_eq(list[0].len, sizeof list[0].un - 1);
    check_printed(&list[0], text);
    text[5 + most] = 'p';
    IS(parse(text, true), 1);
    ck_assert_uint_eq(list[0].len, sizeof list[0].un);
    check_printed(&list[0], text);
    text[5] = 'p';
    IS(parse(text, true), 1);
    ck_assert_uint_eq(list[0].len, sizeof list[0].un);
    check_printed(&list[0], text);
    text[5 + most + 1] = 'p';
    IS(parse(text, true), CG_EADDR);
    text[5] = '@';
    IS(parse(text, true), CG_EADDR);
}
END_TEST

/* Names are looked up. A name that does not exist is CG_EHOST. */
START_TEST(names)
{
    int n = parse("localhost:80", false);

    ck_assert_int_ge(n, 1);
    for (int i = 0; i < n; i++)
        ck_assert_uint_eq(ntohs(list[i].in.sin_port), 80);
    IS(parse("no-such-host.invalid:80", false), CG_EHOST);
}
END_TEST

/* Other addresses that kernels return: mapped IPv4, an empty one, a path without its NUL. A
 * buffer that is too small does not overflow. */
START_TEST(printing)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    struct sockaddr other = {.sa_family = AF_UNSPEC};
    char text[CG_ADDR_SIZE];

    IS(parse("[::ffff:10.1.2.3]:80", false), 1);
    check_printed(&list[0], "10.1.2.3:80");
    IS(cg__addr_print((struct sockaddr *)&un, sizeof un.sun_family, text, sizeof text), 0);
    ck_assert_str_eq(text, "unix:");
    IS(cg__addr_print(&other, sizeof other, text, sizeof text), -EAFNOSUPPORT);
    IS(cg__addr_print(&other, 0, text, sizeof text), -EAFNOSUPPORT);
    memset(text, 'x', sizeof text);
    IS(cg__addr_print(&list[0].base, list[0].len, text, 11), -ENOSPC);
    ck_assert_int_eq(text[11], 'x');
    IS(cg__addr_print(&list[0].base, list[0].len, text, 12), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("addr");
    TCase *tcase = tcase_create("addr");

    tcase_add_test(tcase, round_trip);
    tcase_add_test(tcase, listeners);
    tcase_add_test(tcase, refused);
    tcase_add_test(tcase, unix_lengths);
    tcase_add_test(tcase, names);
    tcase_add_test(tcase, printing);
    suite_add_tcase(suite, tcase);
    return check_main(suite, NULL);
}
