/* SPDX-License-Identifier: MIT */
/* cg_http_read_form: reads the body of a request as a form. */
#include "config.h"

#include "http/message/percent.h"
#include "http/web/form.h"
#include "http/web/multipart.h"
#include "http/web/params.h"
#include "lib/base/ascii.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INPUT = 16 * 1024 }; /* bytes that are read at once */

/* A form that is being read. */
struct reading {
    struct cg_http_read_form_op *op;
    struct cg_http_form_limits limits; /* with the defaults filled in */
    struct cg_http_form *form;
    struct cg__http_multipart parser;
};

static struct cg_http_read_form_op *of(struct cg_op *op)
{
    return (struct cg_http_read_form_op *)op;
}

#define DEFAULT(field, value) limits->field = limits->field ? limits->field : (value)

static void set_limits(struct cg_http_form_limits *limits)
{
    DEFAULT(parts, CG_HTTP_FORM_PARTS);
    DEFAULT(header, CG_HTTP_FORM_HEADER);
    DEFAULT(field, CG_HTTP_FORM_FIELD);
    DEFAULT(memory, CG_HTTP_FORM_MEMORY);
    DEFAULT(files, CG_HTTP_FORM_FILES);
    DEFAULT(file, CG_HTTP_FORM_FILE);
}

static ssize_t begin_part(struct reading *reading, const char *name, const char *filename,
                          const char *mime)
{
    struct cg_http_form *form = reading->form;

    if (form->count == reading->limits.parts ||
        (filename != NULL && form->files == reading->limits.files))
        return -EMSGSIZE;
    if (cg__http_form_add(form, name, filename, mime) < 0)
        return -ENOMEM;
    return form->memory > reading->limits.memory ? -EMSGSIZE : 0;
}

static ssize_t to_memory(struct reading *reading, const char *data, size_t len)
{
    struct cg_http_form *form = reading->form;

    if (len > reading->limits.field - form->parts[form->count - 1].it.len ||
        form->memory + len > reading->limits.memory)
        return -EMSGSIZE;
    return cg__http_form_grow(form, data, len);
}

/* A piece of a file: to disk, to the program, or to memory. */
static ssize_t file_piece(struct reading *reading, const char *data, size_t len)
{
    struct cg_http_read_form_op *op = reading->op;
    struct cg_http_part *part = &reading->form->parts[reading->form->count - 1].it;
    ssize_t n;

    if (len > reading->limits.file - part->size)
        return -EMSGSIZE;
    if (op->piece == NULL && op->folder != NULL)
        return cg__http_form_store(reading->form, op->folder, data, len);
    n = op->piece != NULL ? op->piece(op->arg, part, data, len)
                          : to_memory(reading, data, len);
    part->size += len;
    return n;
}

/* A part without a file's name and bytes is a file input without a chosen file. */
static ssize_t end_part(struct reading *reading)
{
    struct cg_http_read_form_op *op = reading->op;
    struct cg_http_part *part = &reading->form->parts[reading->form->count - 1].it;

    if (part->filename == NULL)
        return 0;
    if (part->filename[0] == '\0' && part->size == 0)
        cg__http_form_remove(reading->form);
    else if (op->piece != NULL)
        return op->piece(op->arg, part, "", 0);
    else if (op->folder != NULL)
        return cg__http_form_store_end(reading->form, op->folder);
    return 0;
}

static ssize_t handle(struct reading *reading, enum cg__http_multipart_event event)
{
    const struct cg__http_multipart *parser = &reading->parser;

    switch (event) {
    case CG__HTTP_MULTIPART_PART:
        return begin_part(reading, parser->name, parser->filename, parser->mime);
    case CG__HTTP_MULTIPART_DATA:
        return reading->form->parts[reading->form->count - 1].it.filename != NULL
                   ? file_piece(reading, parser->data, parser->len)
                   : to_memory(reading, parser->data, parser->len);
    case CG__HTTP_MULTIPART_END:
        return end_part(reading);
    case CG__HTTP_MULTIPART_LONG:
        return -EMSGSIZE;
    case CG__HTTP_MULTIPART_BAD:
        return -EBADMSG;
    default:
        return 0;
    }
}

/* Reads the body to its end, also what follows the form. */
static ssize_t read_parts(struct reading *reading, char *input)
{
    enum cg__http_multipart_event event = CG__HTTP_MULTIPART_MORE;
    ssize_t n, rc = 0;

    while ((n = cg_yield(cg_http_read(reading->op->req, input, INPUT))) > 0) {
        const char *at = input;
        size_t left = (size_t)n, used;

        do {
            event = cg__http_multipart_parse(&reading->parser, at, left, &used);
            at += used;
            left -= used;
            rc = handle(reading, event);
            if (rc < 0)
                return rc;
        } while (left > 0);
    }
    if (n < 0)
        return n;
    return event == CG__HTTP_MULTIPART_DONE ? 0 : -EBADMSG;
}

static ssize_t read_multipart(struct reading *reading, const char *type)
{
    char boundary[CG__HTTP_BOUNDARY + 2], *input;
    ssize_t n = cg__http_params_get(type, "boundary", boundary, sizeof boundary);

    if (n < 0)
        return -EBADMSG;
    n = cg__http_multipart_init(&reading->parser, boundary, reading->limits.header);
    if (n < 0)
        return n;
    input = malloc(INPUT);
    n = input != NULL ? read_parts(reading, input) : -ENOMEM;
    free(input);
    cg__http_multipart_free(&reading->parser);
    return n;
}

/* "name=value", decoded in place. */
static ssize_t add_pair(struct reading *reading, char *pair, size_t len)
{
    char *equals = memchr(pair, '=', len), *value = equals != NULL ? equals + 1 : pair + len;
    size_t name_len = equals != NULL ? (size_t)(equals - pair) : len;
    ssize_t n = cg__http_percent_decode(value, value, len - (size_t)(value - pair), true, true);
    ssize_t name = cg__http_percent_decode(pair, pair, name_len, true, true);

    if (n < 0 || name < 0)
        return -EBADMSG;
    if (equals == NULL) /* there is no room for two NULs */
        value = "";
    pair[name] = '\0';
    name = begin_part(reading, pair, NULL, "");
    return name < 0 ? name : to_memory(reading, value, (size_t)n);
}

static ssize_t read_pairs(struct reading *reading)
{
    char *data;
    ssize_t n =
        cg_yield(cg_http_read_body(reading->op->req, &data, .len = reading->limits.memory));
    char *end = n >= 0 ? data + n : NULL;

    for (char *at = data; n >= 0 && at < end;) {
        char *stop = memchr(at, '&', (size_t)(end - at));
        size_t len = (size_t)((stop != NULL ? stop : end) - at);

        if (len > 0)
            n = add_pair(reading, at, len);
        at += len + 1;
    }
    return n;
}

/* Whether the media type is this one, whatever its parameters. */
static bool is_type(const char *type, const char *wanted)
{
    size_t len = strlen(wanted);

    return cg__ascii_begins(type, wanted) && strchr("; \t", type[len]) != NULL;
}

static ssize_t read_body(struct reading *reading)
{
    const char *type = cg_http_request_header(reading->op->req, "Content-Type");

    if (type != NULL && is_type(type, "multipart/form-data"))
        return read_multipart(reading, type);
    if (type != NULL && is_type(type, "application/x-www-form-urlencoded"))
        return read_pairs(reading);
    return -EOPNOTSUPP;
}

/* What the failure means to the client. Others have told the server themselves. */
static void blame(struct cg_http_request *req, ssize_t code)
{
    if (code == -EMSGSIZE)
        cg_http_response_set_failure(req, 413);
    else if (code == -EBADMSG)
        cg_http_response_set_failure(req, 400);
    else if (code == -EOPNOTSUPP)
        cg_http_response_set_failure(req, 415);
}

static ssize_t form_run(struct cg_op *op)
{
    struct reading reading = {.op = of(op)};
    ssize_t n = -ENOMEM;

    of(op)->made = NULL;
    if (of(op)->limits != NULL)
        reading.limits = *of(op)->limits;
    set_limits(&reading.limits);
    reading.form = calloc(1, sizeof *reading.form);
    if (reading.form != NULL)
        n = read_body(&reading);
    if (n < 0) {
        blame(of(op)->req, n);
        cg_http_form_free(reading.form);
        return n;
    }
    of(op)->made = reading.form;
    return (ssize_t)reading.form->count;
}

/* A form that was read when the op had lost a race already is freed. */
static ssize_t form_finish(struct cg_op *op)
{
    struct cg_http_form *made = of(op)->made;

    of(op)->made = NULL;
    if (op->result < 0) {
        cg_http_form_free(made);
        made = NULL;
    }
    *of(op)->form = made;
    return op->result;
}

static int form_print(const struct cg_op *op, char *buf, size_t size)
{
    const struct cg_http_read_form_op *form = (const struct cg_http_read_form_op *)op;

    return snprintf(buf, size, "%s", cg_http_request_target(form->req));
}

const struct cg_op_type cg_http_read_form_type = {
    .name = "http_read_form",
    .run = form_run,
    .finish = form_finish,
    .print = form_print,
};
