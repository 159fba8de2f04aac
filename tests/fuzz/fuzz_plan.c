/* SPDX-License-Identifier: MIT */
/* Plans of simulated worlds: what is printed is read as the same plan again. */
#include "config.h"

#include "reactors/explore/plan.h"
#include "tests/fuzz/fuzz.h"

enum { HOSTS = 3 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size), *first, *second;
    struct cg__plan plan = {.items = NULL}, again = {.items = NULL};
    size_t len;

    if (cg__plan_parse(&plan, text, HOSTS) == 0) {
        len = cg__plan_print(&plan, NULL, 0);
        first = malloc(len + 1);
        second = malloc(len + 1);
        MUST(cg__plan_print(&plan, first, len + 1) == len);
        MUST(cg__plan_parse(&again, first, HOSTS) == 0 && again.count == plan.count);
        MUST(cg__plan_print(&again, second, len + 1) == len && strcmp(first, second) == 0);
        free(first);
        free(second);
    }
    cg__plan_free(&plan);
    cg__plan_free(&again);
    free(text);
    return 0;
}
