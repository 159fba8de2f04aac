/* SPDX-License-Identifier: MIT */
/* scandirat(3), or a replacement for it. */
#ifndef COGEN_HTTP_SCANDIRAT_H
#define COGEN_HTTP_SCANDIRAT_H

#include <dirent.h>

#ifndef HAVE_SCANDIRAT
#define scandirat cg__scandirat
#endif

int cg__scandirat(int directory, const char *path, struct dirent ***list,
                  int (*wanted)(const struct dirent *),
                  int (*compare)(const struct dirent **, const struct dirent **));

#endif
