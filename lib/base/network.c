/* SPDX-License-Identifier: MIT */
/* IP addresses and networks in configuration. See network.h. */
#include "config.h"

#include "lib/base/network.h"
#include "lib/base/ascii.h"

#include <arpa/inet.h>
#include <string.h>

bool cg__network_address(struct cg__network_address *address, const char *text,
                         size_t len)
{
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
    char copy[INET6_ADDRSTRLEN];

    if (len >= sizeof copy)
        return false;
    memcpy(copy, text, len);
    copy[len] = '\0';
    address->bits = 32;
    if (inet_pton(AF_INET, copy, address->bytes) == 1)
        return true;
    address->bits = 128;
    if (inet_pton(AF_INET6, copy, address->bytes) != 1)
        return false;
    if (memcmp(address->bytes, mapped, sizeof mapped) == 0) {
        memmove(address->bytes, address->bytes + sizeof mapped, 4);
        address->bits = 32;
    }
    return true;
}

static bool has_prefix(const struct cg__network_address *address,
                       const struct cg__network_address *net, unsigned bits)
{
    unsigned whole = bits / 8, rest = bits % 8;

    return memcmp(address->bytes, net->bytes, whole) == 0 &&
           (rest == 0 || (address->bytes[whole] ^ net->bytes[whole]) >> (8 - rest) == 0);
}

bool cg__network_has(const char *item, size_t len,
                     const struct cg__network_address *address)
{
    const char *slash = memchr(item, '/', len), *digits = slash ? slash + 1 : NULL;
    struct cg__network_address net;
    uint64_t bits;

    if (!cg__network_address(&net, item, slash ? (size_t)(slash - item) : len) ||
        net.bits != address->bits)
        return false;
    if (slash == NULL)
        bits = net.bits;
    else if (!cg__ascii_number(&digits, &bits) || digits != item + len || bits > net.bits)
        return false;
    return has_prefix(address, &net, (unsigned)bits);
}

bool cg__network_is_trusted(const char *list, const char *text)
{
    struct cg__network_address address;
    size_t text_len = strlen(text);
    bool is_address;

    if (list == NULL)
        return false;
    is_address = cg__network_address(&address, text, text_len);
    for (;;) {
        size_t len;

        list += strspn(list, ", \t");
        len = strcspn(list, ", \t");
        if (len == 0)
            return false;
        if (is_address ? cg__network_has(list, len, &address)
                       : len == text_len && cg__ascii_same(list, text, len))
            return true;
        list += len;
    }
}

char *cg__network_host(char *addr)
{
    if (strncmp(addr, "unix:", 5) == 0 || addr[0] == '\0') {
        strcpy(addr, "unix");
    } else if (addr[0] == '[') {
        memmove(addr, addr + 1, strlen(addr));
        addr[strcspn(addr, "]%")] = '\0';
    } else {
        addr[strcspn(addr, ":")] = '\0';
    }
    return addr;
}
