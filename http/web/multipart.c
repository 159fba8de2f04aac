/* SPDX-License-Identifier: MIT */
/* Parses multipart/form-data. See multipart.h. */
#include "config.h"

#include "http/message/message.h"
#include "http/web/multipart.h"
#include "http/web/params.h"
#include "lib/base/ascii.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum state {
    TEXT,        /* of a part, or before the first one */
    BEHIND,      /* a delimiter */
    BEHIND_DASH, /* a delimiter and "-" */
    BEHIND_CR,   /* a delimiter and CR */
    HEAD,        /* of a part */
    DONE,
    BROKEN,
};

/* The bytes of RFC 2046. A CR occurs in the delimiter only at its start: so if the match of a
 * delimiter fails, a new one cannot begin within it. */
static bool is_boundary(const char *text)
{
    size_t len = strlen(text);

    for (const char *at = text; *at != '\0'; at++)
        if (!cg__ascii_is_letter(*at) && !cg__ascii_is_digit(*at) &&
            strchr("'()+_,-./:=? ", *at) == NULL)
            return false;
    return len > 0 && len <= CG__HTTP_BOUNDARY && text[len - 1] != ' ';
}

int cg__http_multipart_init(struct cg__http_multipart *form, const char *boundary,
                            size_t limit)
{
    if (!is_boundary(boundary))
        return -EBADMSG;
    *form = (struct cg__http_multipart){.state = TEXT, .limit = limit, .mime = ""};
    memcpy(form->delimiter, "\r\n--", 4);
    strcpy(form->delimiter + 4, boundary);
    form->delimiter_len = strlen(form->delimiter);
    form->matched = form->lent = 2; /* the first delimiter may lack its line break */
    form->head = malloc(2 * limit);
    return form->head == NULL ? -ENOMEM : 0;
}

void cg__http_multipart_free(struct cg__http_multipart *form)
{
    free(form->head);
    form->head = NULL;
}

static enum cg__http_multipart_event broken(struct cg__http_multipart *form,
                                            enum cg__http_multipart_event event)
{
    form->state = BROKEN;
    return event;
}

static enum cg__http_multipart_event piece(struct cg__http_multipart *form, const char *data,
                                           size_t len)
{
    form->data = data;
    form->len = len;
    return CG__HTTP_MULTIPART_DATA;
}

/* Bytes of a part up to a delimiter. What looked like the start of one and was none comes
 * from the delimiter: those bytes are gone. Text before the first part is ignored. */
static enum cg__http_multipart_event text(struct cg__http_multipart *form, const char **at,
                                          const char *end)
{
    while (*at < end) {
        size_t held;

        if (form->matched == 0) {
            const char *start = *at, *cr = memchr(start, '\r', (size_t)(end - start));

            form->lent = 0;
            *at = cr != NULL ? cr : end;
            if (*at > start && form->in_part)
                return piece(form, start, (size_t)(*at - start));
        }
        while (*at < end && form->matched < form->delimiter_len &&
               **at == form->delimiter[form->matched]) {
            (*at)++;
            form->matched++;
        }
        if (form->matched == form->delimiter_len) {
            form->matched = 0;
            form->state = BEHIND;
            return form->in_part ? CG__HTTP_MULTIPART_END : CG__HTTP_MULTIPART_MORE;
        }
        if (*at == end)
            break;
        held = form->matched - form->lent;
        form->matched = 0;
        if (form->in_part && held > 0)
            return piece(form, form->delimiter + form->lent, held);
    }
    return CG__HTTP_MULTIPART_MORE;
}

/* Browsers send a quote as "%22", and no other byte in this manner. In place. */
static void decode_quotes(char *text)
{
    char *to = text;

    while (*text != '\0') {
        bool is_quote = strncmp(text, "%22", 3) == 0;

        *to++ = is_quote ? '"' : *text;
        text += is_quote ? 3 : 1;
    }
    *to = '\0';
}

/* Reads a parameter of Content-Disposition into the room for texts. *value: NULL if there is
 * none. False: it is invalid. */
static bool disposition(struct cg__http_multipart *form, const char *field, const char *name,
                        size_t *used, const char **value)
{
    char *to = form->head + form->limit + *used;
    ssize_t n = cg__http_params_get(field, name, to, form->limit - *used);

    *value = NULL;
    if (n == -ENOENT)
        return true;
    if (n < 0)
        return false;
    *used += (size_t)n + 1;
    *value = to;
    decode_quotes(to);
    return true;
}

/* A file's name without folders: browsers send none, other programs may. */
static const char *base_name(const char *path)
{
    const char *base = path;

    for (; *path != '\0'; path++)
        if (*path == '/' || *path == '\\')
            base = path + 1;
    return strcmp(base, ".") == 0 || strcmp(base, "..") == 0 ? "" : base;
}

static bool is_named(const char *line, size_t len, const char *name)
{
    return strlen(name) == len && cg__ascii_same(line, name, len);
}

/* The lines of a header, which ends with an empty one. */
static bool parse_head(struct cg__http_multipart *form)
{
    char *line = form->head, *end = form->head + form->head_len - 2;
    const char *field = NULL, *mime = NULL;
    size_t used = 0;

    while (line < end) {
        char *stop = memchr(line, '\r', (size_t)(end - line)), *value;
        size_t name;

        if (stop == NULL || stop[1] != '\n')
            return false;
        name = strcspn(line, ":\r");
        if (line + name >= stop || !cg__http_message_is_token(line, name))
            return false;
        value = line + name + 1;
        value += strspn(value, " \t");
        *stop = '\0';
        if (!cg__http_message_is_value(value, (size_t)(stop - value)))
            return false;
        if (is_named(line, name, "Content-Disposition")) {
            if (field != NULL)
                return false;
            field = value;
        } else if (is_named(line, name, "Content-Type")) {
            mime = value;
        }
        line = stop + 2;
    }
    if (field == NULL || strcspn(field, "; \t") != 9 || !cg__ascii_begins(field, "form-data") ||
        !disposition(form, field, "name", &used, &form->name) || form->name == NULL ||
        !disposition(form, field, "filename", &used, &form->filename))
        return false;
    if (form->filename != NULL)
        form->filename = base_name(form->filename);
    form->mime = mime != NULL ? mime : "";
    return true;
}

static bool ends(const struct cg__http_multipart *form, const char *with)
{
    size_t len = strlen(with);

    return form->head_len >= len &&
           memcmp(form->head + form->head_len - len, with, len) == 0;
}

/* The header of a part, up to its empty line. */
static enum cg__http_multipart_event head(struct cg__http_multipart *form, const char **at,
                                          const char *end)
{
    while (*at < end) {
        if (form->head_len == form->limit)
            return broken(form, CG__HTTP_MULTIPART_LONG);
        form->head[form->head_len] = *(*at)++;
        if (form->head[form->head_len++] == '\0')
            return broken(form, CG__HTTP_MULTIPART_BAD);
        if (!ends(form, "\r\n\r\n") && !(form->head_len == 2 && ends(form, "\r\n")))
            continue;
        if (!parse_head(form))
            return broken(form, CG__HTTP_MULTIPART_BAD);
        form->state = TEXT;
        form->matched = form->lent = 2; /* the delimiter may follow the header at once */
        form->in_part = true;
        return CG__HTTP_MULTIPART_PART;
    }
    return CG__HTTP_MULTIPART_MORE;
}

/* What follows a delimiter: "--", or blanks and a line break. */
static enum cg__http_multipart_event behind(struct cg__http_multipart *form, char c)
{
    bool dash = form->state == BEHIND_DASH, cr = form->state == BEHIND_CR;

    form->in_part = false;
    if (dash && c == '-')
        form->state = DONE;
    else if (cr && c == '\n')
        form->state = HEAD;
    else if (dash || cr)
        return broken(form, CG__HTTP_MULTIPART_BAD);
    else if (c == '-')
        form->state = BEHIND_DASH;
    else if (c == '\r')
        form->state = BEHIND_CR;
    else if (c != ' ' && c != '\t')
        return broken(form, CG__HTTP_MULTIPART_BAD);
    form->head_len = 0;
    return CG__HTTP_MULTIPART_MORE;
}

enum cg__http_multipart_event cg__http_multipart_parse(struct cg__http_multipart *form,
                                                       const char *bytes, size_t size,
                                                       size_t *used)
{
    enum cg__http_multipart_event event = CG__HTTP_MULTIPART_MORE;
    const char *at = bytes, *end = bytes + size;

    while (event == CG__HTTP_MULTIPART_MORE && at < end && form->state != DONE &&
           form->state != BROKEN) {
        if (form->state == TEXT)
            event = text(form, &at, end);
        else if (form->state == HEAD)
            event = head(form, &at, end);
        else
            event = behind(form, *at++);
    }
    if (form->state == DONE && event == CG__HTTP_MULTIPART_MORE) {
        at = end;
        event = CG__HTTP_MULTIPART_DONE;
    } else if (form->state == BROKEN && event == CG__HTTP_MULTIPART_MORE) {
        event = CG__HTTP_MULTIPART_BAD;
    }
    *used = (size_t)(at - bytes);
    return event;
}
