/* SPDX-License-Identifier: MIT */
/* Dates of cookies (RFC 6265bis, 5.1.1). */
#ifndef COGEN_HTTP_COOKIES_COOKIE_DATE_H
#define COGEN_HTTP_COOKIES_COOKIE_DATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads a date as browsers do: a time, a day, the name of a month and a year, in any order
 * and between whatever else. *moment: in seconds since 1970. False: it is none. */
bool cg__http_cookie_date(const char *text, size_t len, int64_t *moment);

#endif
