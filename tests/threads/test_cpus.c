/* SPDX-License-Identifier: MIT */
/* The number of processors: quotas of control groups of both versions, in trees of files
 * as a kernel shows them. */
#include "config.h"

#include "lib/base/affinity.h"
#include "lib/threads/cpus.h"
#include "tests/support/support.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[] = "/tmp/cogen-cpus-XXXXXX";

/* Writes a file below the root, and makes the folders above it. */
static void put(const char *name, const char *text)
{
    char path[256];
    FILE *file;

    snprintf(path, sizeof path, "%s%s", root, name);
    for (char *slash = path + strlen(root) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        ck_assert(mkdir(path, 0700) == 0 || errno == EEXIST);
        *slash = '/';
    }
    ck_assert_ptr_nonnull(file = fopen(path, "w"));
    ck_assert_int_gt(fprintf(file, "%s\n", text), 0);
    IS(fclose(file), 0);
}

static void begin(void)
{
    strcpy(root + strlen(root) - 6, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(root));
}

static unsigned quota(void)
{
    char command[64];
    unsigned cpus = cg__cpus_quota(root);

    snprintf(command, sizeof command, "rm -r %s", root);
    IS(system(command), 0);
    return cpus;
}

/* Without files there is no quota. */
static void none(void)
{
    begin();
    ck_assert_uint_eq(quota(), 0);
}

/* "max" is no quota; a part of a processor counts as one; the least of a group and those
 * around it counts. */
static void version_2(void)
{
    begin();
    put("/proc/self/cgroup", "0::/a/b");
    put("/sys/fs/cgroup/a/b/cpu.max", "max 100000");
    put("/sys/fs/cgroup/a/cpu.max", "max 100000");
    ck_assert_uint_eq(quota(), 0);
    begin();
    put("/proc/self/cgroup", "0::/a/b");
    put("/sys/fs/cgroup/a/b/cpu.max", "400000 100000");
    put("/sys/fs/cgroup/a/cpu.max", "150000 100000");
    ck_assert_uint_eq(quota(), 2);
    begin();
    put("/proc/self/cgroup", "0::/");
    put("/sys/fs/cgroup/cpu.max", "10000 100000");
    ck_assert_uint_eq(quota(), 1);
}

/* Quotas of cgroups version 1. In a container the group's path may be one of the
 * host's. */
static void version_1(void)
{
    begin();
    put("/proc/self/cgroup", "12:memory:/x\n4:cpu,cpuacct:/docker/1\n3:cpuset:/y");
    put("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "300000");
    put("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000");
    ck_assert_uint_eq(quota(), 3);
    begin();
    put("/proc/self/cgroup", "4:cpuacct,cpu:/docker/1");
    put("/sys/fs/cgroup/cpu/docker/1/cpu.cfs_quota_us", "-1");
    put("/sys/fs/cgroup/cpu/docker/1/cpu.cfs_period_us", "100000");
    put("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "50000");
    put("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "25000");
    ck_assert_uint_eq(quota(), 2);
}

/* Invalid files give no quota. */
static void nonsense(void)
{
    begin();
    put("/proc/self/cgroup", "\n:\n::\n0::/../..\nx:cpu:y\n1:cpu");
    put("/sys/fs/cgroup/cpu.max", "-5 0");
    ck_assert_uint_eq(quota(), 0);
}

/* A pinned thread may use one processor, and the old ones again after the restore. */
static void affinity(void)
{
    unsigned before = cg__affinity_count();
    struct cg__affinity *kept = cg__affinity_pin(before + 1);

    ck_assert_uint_ge(cg_cpus(), 1);
    ck_assert_uint_le(cg_cpus(), before);
    if (kept) {
        ck_assert_uint_eq(cg__affinity_count(), 1);
        ck_assert_uint_eq(cg_cpus(), 1);
    }
    cg__affinity_restore(kept);
    ck_assert_uint_eq(cg__affinity_count(), before);
}

int main(void)
{
    static const struct test_case cases[] = {
        PLAIN(none, .where = ON_SIM),      PLAIN(version_2, .where = ON_SIM),
        PLAIN(version_1, .where = ON_SIM), PLAIN(nonsense, .where = ON_SIM),
        PLAIN(affinity, .where = ON_SIM),
    };

    return test_main("cpus", cases, COUNT(cases));
}
