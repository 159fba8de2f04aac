/* SPDX-License-Identifier: MIT */
/* The owner of a file as a text. */
#include "config.h"

#include "lib/base/ascii.h"
#include "sockets/listen/owner.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
    NAME = 64,     /* room for a name and its NUL */
    ENTRY = 16384, /* room for the system's entry of a user or a group */
};

/* Whether the text is a number below (uid_t)-1, which means "do not change" to chown. */
static bool is_number(const char *text, uint64_t *number)
{
    return cg__ascii_is_number(text, number) && *number < (uid_t)-1;
}

static int find_user(const char *name, uid_t *uid)
{
    struct passwd entry, *found = NULL;
    char buf[ENTRY];
    uint64_t number;
    int error;

    if (is_number(name, &number)) {
        *uid = (uid_t)number;
        return 0;
    }
    error = getpwnam_r(name, &entry, buf, sizeof buf, &found);
    if (found == NULL)
        return error == 0 ? -EINVAL : -error;
    *uid = found->pw_uid;
    return 0;
}

static int find_group(const char *name, gid_t *gid)
{
    struct group entry, *found = NULL;
    char buf[ENTRY];
    uint64_t number;
    int error;

    if (is_number(name, &number)) {
        *gid = (gid_t)number;
        return 0;
    }
    error = getgrnam_r(name, &entry, buf, sizeof buf, &found);
    if (found == NULL)
        return error == 0 ? -EINVAL : -error;
    *gid = found->gr_gid;
    return 0;
}

int cg__owner_parse(const char *text, uid_t *uid, gid_t *gid)
{
    const char *colon = strchr(text, ':');
    size_t len = colon != NULL ? (size_t)(colon - text) : strlen(text);
    char user[NAME];
    int rc = 0;

    if (len >= sizeof user || (len == 0 && colon == NULL) ||
        (colon != NULL && colon[1] == '\0'))
        return -EINVAL;
    memcpy(user, text, len);
    user[len] = '\0';
    if (len > 0)
        rc = find_user(user, uid);
    if (rc == 0 && colon != NULL)
        rc = find_group(colon + 1, gid);
    return rc;
}
