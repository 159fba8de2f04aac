/* SPDX-License-Identifier: MIT */
/* How many processors a process may use: those of its affinity, or less if its control
 * group has a quota. In a container the group's path may be valid only on the host. Then
 * the group is the mount point itself, at which the search from the path upwards ends. */
#include "config.h"

#include "lib/threads/cpus.h"

#include "lib/base/affinity.h"
#include "lib/base/ascii.h"

#include <cogen/crew.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH = 4096 };

/* Reads a number from a file of a group; -1: there is no file, or it says "max". */
static double read_number(const char *dir, const char *name, double *second)
{
    char path[2 * PATH], line[64] = "";
    const char *at = line;
    uint64_t number, other = 0;
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", dir, name);
    if ((file = fopen(path, "re")) == NULL)
        return -1;
    if (fgets(line, sizeof line, file) == NULL)
        line[0] = '\0';
    fclose(file);
    if (!cg__ascii_number(&at, &number))
        return -1;
    if (second) {
        at += *at == ' ';
        if (!cg__ascii_number(&at, &other))
            return -1;
        *second = (double)other;
    }
    return (double)number;
}

static void lower(double *least, double quota, double period)
{
    if (quota > 0 && period > 0 && (*least == 0 || quota / period < *least))
        *least = quota / period;
}

static void read_group(const char *dir, bool v2, double *least)
{
    double quota, period = 0;

    if (v2) {
        quota = read_number(dir, "cpu.max", &period);
    } else {
        quota = read_number(dir, "cpu.cfs_quota_us", NULL);
        period = read_number(dir, "cpu.cfs_period_us", NULL);
    }
    lower(least, quota, period);
}

/* Reads the quotas of the group at `path` below a mount point, and of the groups that
 * contain it. */
static void read_groups(const char *root, const char *mount, const char *path, bool v2,
                        double *least)
{
    char dir[PATH];
    size_t start = (size_t)snprintf(dir, sizeof dir, "%s/sys/fs/cgroup%s", root, mount);
    char *slash;

    if (start + strlen(path) >= sizeof dir)
        return;
    strcpy(dir + start, path);
    do {
        read_group(dir, v2, least);
        if ((slash = strrchr(dir + start, '/')))
            *slash = '\0';
    } while (slash);
}

static bool has_cpu(const char *controllers)
{
    while (*controllers != '\0') {
        size_t len = strcspn(controllers, ",");

        if (len == 3 && memcmp(controllers, "cpu", 3) == 0)
            return true;
        controllers += len + (controllers[len] == ',');
    }
    return false;
}

/* Reads a line of /proc/self/cgroup: "0::/path" (v2), "4:cpu,cpuacct:/path" (v1). */
static void read_line(const char *root, char *line, double *least)
{
    char *controllers = strchr(line, ':'), *path, mount[PATH];

    if (controllers == NULL || (path = strchr(++controllers, ':')) == NULL)
        return;
    *path++ = '\0';
    path[strcspn(path, "\n")] = '\0';
    if (strcmp(path, "/") == 0)
        path = "";
    snprintf(mount, sizeof mount, "/%s", controllers);
    if (*controllers == '\0') {
        read_groups(root, "", path, true, least);
    } else if (has_cpu(controllers)) {
        read_groups(root, mount, path, false, least);
        read_groups(root, "/cpu", path, false, least);
    }
}

unsigned cg__cpus_quota(const char *root)
{
    char path[PATH], line[PATH];
    double least = 0;
    unsigned whole;
    FILE *file;

    snprintf(path, sizeof path, "%s/proc/self/cgroup", root);
    if ((file = fopen(path, "re")) == NULL)
        return 0;
    while (fgets(line, sizeof line, file))
        read_line(root, line, &least);
    fclose(file);
    if (least <= 0 || least > 1e6)
        return 0;
    whole = (unsigned)least;
    return whole + (whole < least);
}

unsigned cg_cpus(void)
{
    unsigned count = cg__affinity_count(), quota = cg__cpus_quota("");

    return quota && quota < count ? quota : count;
}
