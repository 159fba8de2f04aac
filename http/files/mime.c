/* SPDX-License-Identifier: MIT */
/* Content types by the extension of a file name. */
#include "config.h"

#include "http/files/files.h"
#include "lib/base/ascii.h"

#include <stdlib.h>
#include <string.h>

static const char *const types[][2] = { /* in the order of strcmp */
    {"7z", "application/x-7z-compressed"},
    {"atom", "application/atom+xml"},
    {"avif", "image/avif"},
    {"bmp", "image/bmp"},
    {"bz2", "application/x-bzip2"},
    {"c", "text/plain; charset=utf-8"},
    {"css", "text/css; charset=utf-8"},
    {"csv", "text/csv; charset=utf-8"},
    {"flac", "audio/flac"},
    {"gif", "image/gif"},
    {"gz", "application/gzip"},
    {"h", "text/plain; charset=utf-8"},
    {"htm", "text/html; charset=utf-8"},
    {"html", "text/html; charset=utf-8"},
    {"ico", "image/x-icon"},
    {"ics", "text/calendar; charset=utf-8"},
    {"jpeg", "image/jpeg"},
    {"jpg", "image/jpeg"},
    {"js", "text/javascript; charset=utf-8"},
    {"json", "application/json"},
    {"m4a", "audio/mp4"},
    {"m4v", "video/mp4"},
    {"map", "application/json"},
    {"md", "text/markdown; charset=utf-8"},
    {"mjs", "text/javascript; charset=utf-8"},
    {"mov", "video/quicktime"},
    {"mp3", "audio/mpeg"},
    {"mp4", "video/mp4"},
    {"mpeg", "video/mpeg"},
    {"ogg", "audio/ogg"},
    {"opus", "audio/ogg"},
    {"otf", "font/otf"},
    {"pdf", "application/pdf"},
    {"png", "image/png"},
    {"rss", "application/rss+xml"},
    {"svg", "image/svg+xml"},
    {"tar", "application/x-tar"},
    {"tgz", "application/gzip"},
    {"tif", "image/tiff"},
    {"tiff", "image/tiff"},
    {"ttf", "font/ttf"},
    {"txt", "text/plain; charset=utf-8"},
    {"vtt", "text/vtt; charset=utf-8"},
    {"wasm", "application/wasm"},
    {"wav", "audio/wav"},
    {"webm", "video/webm"},
    {"webmanifest", "application/manifest+json"},
    {"webp", "image/webp"},
    {"woff", "font/woff"},
    {"woff2", "font/woff2"},
    {"xml", "application/xml"},
    {"xz", "application/x-xz"},
    {"zip", "application/zip"},
    {"zst", "application/zstd"},
};

enum { LONGEST = 16 }; /* extension, with its NUL */

static int compare(const void *key, const void *type)
{
    return strcmp(key, *(const char *const *)type);
}

const char *cg__http_mime(const char *path)
{
    /* A dot in the name of a folder does no harm: no extension in the table has a
     * slash. */
    const char *dot = strrchr(path, '.'), *const *type;
    char extension[LONGEST] = "";

    for (size_t i = 0; dot != NULL && i < LONGEST && dot[i] != '\0'; i++)
        extension[i] = cg__ascii_lower(dot[1 + i]);
    if (extension[LONGEST - 1] != '\0')
        extension[0] = '\0';
    type = bsearch(extension, types, sizeof types / sizeof *types, sizeof *types, compare);
    return type != NULL ? type[1] : "application/octet-stream";
}
