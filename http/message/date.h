/* SPDX-License-Identifier: MIT */
/* Dates: what is not public of them. */
#ifndef COGEN_HTTP_MESSAGE_DATE_H
#define COGEN_HTTP_MESSAGE_DATE_H

#include <cogen/http.h>
#include <time.h>

enum { CG__HTTP_LOG_DATE_SIZE = 27 }; /* "06/Nov/1994:08:49:37 +0000", with its NUL */

/* The date as an access log has it. */
void cg__http_date_for_log(int64_t moment, char *buf);

/* cg_http_date_parse, as if it were now that moment. */
bool cg__http_date_parse(const char *text, int64_t now, int64_t *moment);

#endif
