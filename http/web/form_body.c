/* SPDX-License-Identifier: MIT */
/* Forms that a client sends. The body is a list of pieces: the delimiters with the headers of
 * the parts, and the values between them. */
#include "config.h"

#include "http/message/message.h"
#include "lib/base/random.h"

#include <cogen.h>
#include <cogen/disk.h>
#include <cogen/http_form_body.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RANDOM = 16, BOUNDARY = 6 + 2 * RANDOM };

struct piece {
    const char *data; /* NULL: from the file */
    char *owned;      /* the same, if the body has made it */
    int64_t offset;
    uint64_t len;
    int file;
};

struct cg_http_form_body {
    struct cg_http_source source;
    char boundary[BOUNDARY + 1];
    char type[32 + BOUNDARY];
    size_t count, at; /* pieces; the one that is being sent .. */
    uint64_t done;    /* .. and how much of it was sent */
    struct piece pieces[];
};

void cg_http_form_body_free(struct cg_http_form_body *body)
{
    if (body == NULL)
        return;
    for (size_t i = 0; i < body->count; i++)
        free(body->pieces[i].owned);
    free(body);
}

const struct cg_http_source *cg_http_form_body_source(const struct cg_http_form_body *body)
{
    return &body->source;
}

const char *cg_http_form_body_type(const struct cg_http_form_body *body)
{
    return body->type;
}

static ssize_t read_piece(const struct piece *piece, uint64_t done, void *buf, size_t size)
{
    ssize_t n;

    if (size > piece->len - done)
        size = (size_t)(piece->len - done);
    if (piece->data != NULL) {
        memcpy(buf, piece->data + done, size);
        return (ssize_t)size;
    }
    n = cg_yield(cg_read_file(piece->file, buf, size, piece->offset + (int64_t)done));
    return n == 0 ? CG_EOF : n;
}

static ssize_t source_read(void *arg, void *buf, size_t size)
{
    struct cg_http_form_body *body = arg;
    ssize_t n;

    while (body->at < body->count && body->done == body->pieces[body->at].len) {
        body->at++;
        body->done = 0;
    }
    if (body->at == body->count)
        return 0;
    n = read_piece(&body->pieces[body->at], body->done, buf, size);
    if (n > 0)
        body->done += (uint64_t)n;
    return n;
}

static int source_rewind(void *arg)
{
    struct cg_http_form_body *body = arg;

    body->at = 0;
    body->done = 0;
    return 0;
}

/* A boundary that no value has, because nobody can guess it. */
static int make_boundary(struct cg_http_form_body *body)
{
    unsigned char bytes[RANDOM];

    if (getentropy(bytes, sizeof bytes) < 0)
        return -errno;
    memcpy(body->boundary, "cogen-", 6);
    for (int i = 0; i < RANDOM; i++)
        sprintf(body->boundary + 6 + 2 * i, "%02x", bytes[i]);
    snprintf(body->type, sizeof body->type, "multipart/form-data; boundary=%s", body->boundary);
    return 0;
}

/* Appends a name as browsers encode it: so that it cannot end its quotes or its line. */
static int put_name(struct cg_http_headers *text, const char *name)
{
    int rc = 0;

    for (; *name != '\0' && rc == 0; name++) {
        size_t plain = strcspn(name, "\"\r\n");
        char code[4];

        rc = cg__http_message_text(text, name, plain);
        name += plain;
        if (*name == '\0' || rc < 0)
            break;
        snprintf(code, sizeof code, "%%%02X", *name);
        rc = cg__http_message_text(text, code, 3);
    }
    return rc;
}

static int put(struct cg_http_headers *text, const char *piece)
{
    return cg__http_message_text(text, piece, strlen(piece));
}

/* The delimiter and the header of an item; item NULL: the last delimiter. */
static int put_head(struct cg_http_headers *text, const struct cg_http_form_body *body,
                    const struct cg_http_form_item *item)
{
    int rc = put(text, body->count > 0 ? "\r\n--" : "--");

    rc = rc < 0 ? rc : put(text, body->boundary);
    if (item == NULL)
        return rc < 0 ? rc : put(text, "--\r\n");
    rc = rc < 0 ? rc : put(text, "\r\nContent-Disposition: form-data; name=\"");
    rc = rc < 0 ? rc : put_name(text, item->name);
    if (item->filename != NULL) {
        rc = rc < 0 ? rc : put(text, "\"; filename=\"");
        rc = rc < 0 ? rc : put_name(text, item->filename);
    }
    if (item->mime != NULL) {
        rc = rc < 0 ? rc : put(text, "\"\r\nContent-Type: ");
        rc = rc < 0 ? rc : put(text, item->mime);
        return rc < 0 ? rc : put(text, "\r\n\r\n");
    }
    return rc < 0 ? rc : put(text, "\"\r\n\r\n");
}

static void add(struct cg_http_form_body *body, struct piece piece)
{
    body->pieces[body->count++] = piece;
    body->source.len += (int64_t)piece.len;
}

static int add_head(struct cg_http_form_body *body, const struct cg_http_form_item *item)
{
    struct cg_http_headers text = {.data = NULL};

    if (put_head(&text, body, item) < 0) {
        cg__http_message_clear(&text);
        return -ENOMEM;
    }
    add(body, (struct piece){.data = text.data, .owned = text.data, .len = text.used});
    return 0;
}

static int add_file(struct cg_http_form_body *body, const struct cg_http_form_item *item)
{
    struct piece piece = {.file = *item->file, .offset = item->offset, .len = item->len};
    struct stat stat;

    if (item->offset < 0)
        return -EINVAL;
    if (item->len == 0) {
        if (fstat(*item->file, &stat) < 0)
            return -errno;
        if (!S_ISREG(stat.st_mode))
            return -EINVAL;
        piece.len = stat.st_size > item->offset ? (uint64_t)(stat.st_size - item->offset) : 0;
    }
    add(body, piece);
    return 0;
}

static int add_item(struct cg_http_form_body *body, const struct cg_http_form_item *item)
{
    const char *value = item->value != NULL ? item->value : "";
    int rc;

    if (item->mime != NULL && !cg__http_message_is_value(item->mime, strlen(item->mime)))
        return -EINVAL;
    rc = add_head(body, item);
    if (rc < 0 || item->file != NULL)
        return rc < 0 ? rc : add_file(body, item);
    add(body, (struct piece){.data = value, .len = item->len > 0 ? item->len : strlen(value)});
    return 0;
}

int cg_http_form_body_new(const struct cg_http_form_item *items,
                          struct cg_http_form_body **body)
{
    struct cg_http_form_body *made;
    size_t count = 0;
    int rc;

    while (items[count].name != NULL)
        count++;
    made = calloc(1, sizeof *made + (2 * count + 1) * sizeof *made->pieces);
    if (made == NULL)
        return -ENOMEM;
    made->source = (struct cg_http_source){
        .read = source_read, .rewind = source_rewind, .arg = made};
    rc = make_boundary(made);
    for (size_t i = 0; i < count && rc == 0; i++)
        rc = add_item(made, &items[i]);
    if (rc == 0)
        rc = add_head(made, NULL);
    if (rc < 0) {
        cg_http_form_body_free(made);
        made = NULL;
    }
    *body = made;
    return rc;
}
