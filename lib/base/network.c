/* SPDX-License-Identifier: MIT */
/* IP addresses and networks in configuration. See network.h. */
#include "config.h"

#include "lib/base/network.h"
#include "lib/base/ascii.h"

#include <arpa/inet.h>
#include <errno.h>
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

/* Reads an address, or a network and how many bits of it count. False: it is neither. */
static bool read_item(struct cg__network_address *net, unsigned *bits, const char *item, size_t len)
{
    const char *slash = memchr(item, '/', len), *digits = slash ? slash + 1 : NULL;
    uint64_t number;

    if (!cg__network_address(net, item, slash ? (size_t)(slash - item) : len))
        return false;
    *bits = net->bits;
    if (slash == NULL)
        return true;
    if (!cg__ascii_number(&digits, &number) || digits != item + len || number > net->bits)
        return false;
    *bits = (unsigned)number;
    return true;
}

bool cg__network_has(const char *item, size_t len,
                     const struct cg__network_address *address)
{
    struct cg__network_address net;
    unsigned bits;

    return read_item(&net, &bits, item, len) && net.bits == address->bits &&
           has_prefix(address, &net, bits);
}

static bool is_unix(const char *text, size_t len)
{
    return len == 4 && cg__ascii_same(text, "unix", len);
}

int cg__network_trusts(const char *list, const char *text)
{
    struct cg__network_address address, net;
    bool is_address = list != NULL && cg__network_address(&address, text, strlen(text));
    size_t len;

    for (; list != NULL && *(list += strspn(list, ", \t")) != '\0'; list += len) {
        unsigned bits;

        len = strcspn(list, ", \t");
        if (is_unix(list, len)) {
            if (is_unix(text, strlen(text)))
                return 1;
        } else if (!read_item(&net, &bits, list, len)) {
            return -EINVAL;
        } else if (is_address && net.bits == address.bits && has_prefix(&address, &net, bits)) {
            return 1;
        }
    }
    return 0;
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
