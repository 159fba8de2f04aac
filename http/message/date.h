/* SPDX-License-Identifier: MIT */
/* Dates: the internal functions. */
#ifndef COGEN_HTTP_MESSAGE_DATE_H
#define COGEN_HTTP_MESSAGE_DATE_H

#include <cogen/http.h>
#include <time.h>

enum { CG__HTTP_LOG_DATE_SIZE = 27 }; /* "06/Nov/1994:08:49:37 +0000", with its NUL */

/* Writes a date in the form of an access log. */
void cg__http_date_for_log(int64_t moment, char *buf);

/* Like cg_http_date_parse, with the present moment given: RFC 850 dates need it. */
bool cg__http_date_parse(const char *text, int64_t now, int64_t *moment);

/* The moment of a date in parts; tm_year is the year itself, and is changed. Second 60, a
 * leap second, is taken for the first second of the next minute. False: there is no such
 * moment. */
bool cg__http_date_make(struct tm *tm, int64_t *moment);

#endif
