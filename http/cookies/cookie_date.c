/* SPDX-License-Identifier: MIT */
/* See cookie_date.h. */
#include "config.h"

#include "http/cookies/cookie_date.h"
#include "http/message/date.h"
#include "lib/base/ascii.h"

/* What has been found so far, and what is still sought. */
struct found {
    struct tm tm;
    bool time, day, month, year;
};

static bool is_delimiter(char c)
{
    return c == '\t' || (c >= ' ' && c <= '/') || (c >= ';' && c <= '@') ||
           (c >= '[' && c <= '`') || (c >= '{' && c <= '~');
}

/* Takes `least` to `most` digits that no digit follows. */
static bool take_digits(const char **at, const char *end, int least, int most,
                        int *number)
{
    int count = 0;

    for (*number = 0; *at < end && cg__ascii_is_digit(**at) && count <= most;
         ++*at, ++count)
        *number = *number * 10 + (**at - '0');
    return count >= least && count <= most;
}

static bool take_colon(const char **at, const char *end)
{
    return *at < end && *(*at)++ == ':';
}

static bool is_time(const char *at, const char *end, struct tm *tm)
{
    int hour, minute, second;

    if (!take_digits(&at, end, 1, 2, &hour) || !take_colon(&at, end) ||
        !take_digits(&at, end, 1, 2, &minute) || !take_colon(&at, end) ||
        !take_digits(&at, end, 1, 2, &second))
        return false;
    tm->tm_hour = hour;
    tm->tm_min = minute;
    tm->tm_sec = second;
    return true;
}

static bool is_month(const char *at, const char *end, int *month)
{
    static const char names[] = "janfebmaraprmayjunjulaugsepoctnovdec";

    if (end - at < 3)
        return false;
    for (*month = 0; *month < 12; ++*month)
        if (cg__ascii_same(at, names + *month * 3, 3))
            return true;
    return false;
}

static bool is_year(const char *at, const char *end, int *year)
{
    if (!take_digits(&at, end, 2, 4, year))
        return false;
    *year += *year >= 70 && *year <= 99 ? 1900 : *year < 70 ? 2000 : 0;
    return true;
}

static void take_token(struct found *found, const char *at, const char *end)
{
    const char *start = at;
    int number;

    if (!found->time && is_time(at, end, &found->tm)) {
        found->time = true;
    } else if (!found->day && take_digits(&at, end, 1, 2, &number)) {
        found->day = true;
        found->tm.tm_mday = number;
    } else if (!found->month && is_month(start, end, &number)) {
        found->month = true;
        found->tm.tm_mon = number;
    } else if (!found->year && is_year(start, end, &number)) {
        found->year = true;
        found->tm.tm_year = number;
    }
}

bool cg__http_cookie_date(const char *text, size_t len, int64_t *moment)
{
    const char *at = text, *end = text + len;
    struct found found = {.time = false};

    while (at < end) {
        const char *start = at;

        while (at < end && !is_delimiter(*at))
            at++;
        take_token(&found, start, at);
        at += at < end;
    }
    return found.time && found.day && found.month && found.year &&
           found.tm.tm_year >= 1601 && found.tm.tm_sec < 60 &&
           cg__http_date_make(&found.tm, moment);
}
