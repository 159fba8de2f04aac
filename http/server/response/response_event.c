/* SPDX-License-Identifier: MIT */
/* Server-sent events. */
#include "config.h"

#include "http/server/response/response_write.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static int put_line(struct cg_http_headers *text, const char *name, const char *value,
                    size_t size)
{
    if (cg__http_message_text(text, name, strlen(name)) < 0 ||
        cg__http_message_text(text, value, size) < 0 ||
        cg__http_message_text(text, "\n", 1) < 0)
        return -ENOMEM;
    return 0;
}

static bool is_line(const char *text)
{
    return text == NULL || text[strcspn(text, "\r\n")] == '\0';
}

/* Writes a data line for each line of the text; CR, LF or CRLF ends a line. */
static int put_data(struct cg_http_headers *text, const char *data)
{
    for (;;) {
        size_t size = strcspn(data, "\r\n");

        if (put_line(text, "data: ", data, size) < 0)
            return -ENOMEM;
        data += size;
        if (*data == '\0')
            return 0;
        data += data[0] == '\r' && data[1] == '\n' ? 2 : 1;
    }
}

int cg__http_response_event_put(struct cg_http_headers *text,
                                const struct cg_http_send_event_op *event)
{
    char number[24];
    int rc = 0;

    if (!is_line(event->event) || !is_line(event->id))
        return -EINVAL;
    if (event->event != NULL)
        rc = put_line(text, "event: ", event->event, strlen(event->event));
    if (rc == 0 && event->id != NULL)
        rc = put_line(text, "id: ", event->id, strlen(event->id));
    if (rc == 0 && event->retry > 0) {
        snprintf(number, sizeof number, "%" PRId64, event->retry / CG_MILLISECOND);
        rc = put_line(text, "retry: ", number, strlen(number));
    }
    if (rc == 0 && event->data != NULL)
        rc = put_data(text, event->data);
    if (rc == 0 && text->used == 0)
        rc = put_line(text, ":", "", 0);
    return rc < 0 ? rc : cg__http_message_text(text, "\n", 1);
}

static ssize_t event_run(struct cg_op *op)
{
    struct cg_http_send_event_op *event = (struct cg_http_send_event_op *)op;
    struct cg_http_headers text = {.data = NULL};
    ssize_t n = cg__http_response_event_put(&text, event);

    if (n == 0 && !event->req->begun) {
        n = cg_http_response_set_header(event->req, "Content-Type",
                                        "text/event-stream");
        if (n == 0)
            n = cg_http_response_set_header(event->req, "Cache-Control", "no-cache");
    }
    if (n == 0)
        n = cg__http_response_write_piece(event->req, text.data, text.used, false);
    cg__http_message_clear(&text);
    return n;
}

const struct cg_op_type cg_http_send_event_type = {
    .name = "http_send_event",
    .run = event_run,
};
