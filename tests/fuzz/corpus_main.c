/* SPDX-License-Identifier: MIT */
/* Runs a fuzz target over the files of a corpus: each one whole, cut off at each place, and
 * twice in a row. Without an argument the folder is tests/fuzz/corpus/TARGET, by the name of
 * the program, fuzz_TARGET.
 *   fuzz_url [FOLDER | FILE]... */
#include "config.h"

#include "tests/fuzz/fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <sys/stat.h>

static unsigned runs;

static void run(const uint8_t *data, size_t size)
{
    char *copy = fuzz_copy(data, size);

    LLVMFuzzerTestOneInput((const uint8_t *)copy, size);
    free(copy);
    runs++;
}

static void run_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data;
    struct stat st;
    size_t size;

    if (file == NULL || fstat(fileno(file), &st) < 0) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        exit(1);
    }
    size = (size_t)st.st_size;
    data = malloc(2 * size + 1);
    MUST(data != NULL && fread(data, 1, size, file) == size);
    fclose(file);
    fprintf(stderr, "%s\n", path);
    for (size_t cut = 0; cut <= size; cut++)
        run(data, cut);
    memcpy(data + size, data, size);
    run(data, 2 * size);
    free(data);
}

static unsigned run_folder(const char *folder)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;
    char path[PATH_MAX];
    unsigned files = 0;

    if (dir == NULL && errno == ENOTDIR) {
        run_file(folder);
        return 1;
    }
    if (dir == NULL) {
        fprintf(stderr, "%s: %s\n", folder, strerror(errno));
        exit(1);
    }
    while ((entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        run_file(path);
        files++;
    }
    closedir(dir);
    return files;
}

int main(int argc, char **argv)
{
    const char *name = strrchr(argv[0], '/'), *srcdir = getenv("srcdir");
    char folder[PATH_MAX];
    unsigned files = 0;

    name = strstr(name != NULL ? name : argv[0], "fuzz_");
    snprintf(folder, sizeof folder, "%s/tests/fuzz/corpus/%s", srcdir ? srcdir : ".",
             name ? name + strlen("fuzz_") : "");
    for (int i = 1; i < argc; i++)
        files += run_folder(argv[i]);
    if (argc == 1)
        files = run_folder(folder);
    if (files == 0) {
        fprintf(stderr, "there are no files in the corpus\n");
        return 1;
    }
    printf("%u files, %u inputs\n100%%: Checks: 1, Failures: 0, Errors: 0\n", files, runs);
    return 0;
}
