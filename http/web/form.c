/* SPDX-License-Identifier: MIT */
/* Forms as programs see them. */
#include "config.h"

#include "http/web/form.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void part_free(struct cg__http_form_part *part)
{
    if (part->it.file >= 0)
        close(part->it.file);
    if (part->temporary != NULL)
        unlink(part->temporary);
    free(part->temporary);
    free(part->texts);
    free(part->value);
}

void cg_http_form_free(struct cg_http_form *form)
{
    if (form == NULL)
        return;
    for (size_t i = 0; i < form->count; i++)
        part_free(&form->parts[i]);
    free(form->parts);
    free(form->block);
    free(form);
}

int cg__http_form_add(struct cg_http_form *form, const char *name, const char *filename,
                      const char *mime)
{
    const char *file = filename != NULL ? filename : "";
    size_t sizes[] = {strlen(name) + 1, strlen(file) + 1, strlen(mime) + 1};
    struct cg__http_form_part *parts = form->parts, *part;

    if ((form->count & (form->count - 1)) == 0) /* a power of 2, or 0: there is no more room */
        parts = realloc(parts, (form->count ? 2 * form->count : 1) * sizeof *parts);
    if (parts == NULL)
        return -ENOMEM;
    form->parts = parts;
    part = &parts[form->count];
    *part = (struct cg__http_form_part){.it.file = -1, .it.value = ""};
    part->texts = malloc(sizes[0] + sizes[1] + sizes[2]);
    if (part->texts == NULL)
        return -ENOMEM;
    part->it.name = memcpy(part->texts, name, sizes[0]);
    part->it.mime = memcpy(part->texts + sizes[0], mime, sizes[2]);
    if (filename != NULL)
        part->it.filename = memcpy(part->texts + sizes[0] + sizes[2], filename, sizes[1]);
    form->count++;
    form->memory += sizeof *part + sizes[0] + sizes[1] + sizes[2];
    form->files += filename != NULL;
    return 0;
}

int cg__http_form_grow(struct cg_http_form *form, const char *data, size_t len)
{
    struct cg__http_form_part *part = &form->parts[form->count - 1];
    size_t wanted = part->it.len + len + 1;

    if (wanted > part->room) {
        size_t room = 2 * part->room > wanted ? 2 * part->room : wanted;
        char *value = realloc(part->value, room);

        if (value == NULL)
            return -ENOMEM;
        part->it.value = part->value = value;
        part->room = room;
    }
    memcpy(part->value + part->it.len, data, len);
    part->it.len += len;
    part->value[part->it.len] = '\0';
    form->memory += len;
    return 0;
}

void cg__http_form_remove(struct cg_http_form *form)
{
    struct cg__http_form_part *part = &form->parts[--form->count];

    form->files -= part->it.filename != NULL;
    part_free(part);
}

const struct cg_http_part *cg_http_form_next(const struct cg_http_form *form, size_t *at)
{
    return *at < form->count ? &form->parts[(*at)++].it : NULL;
}

/* The first part with this name that is a file, or is none. */
static const struct cg_http_part *find(const struct cg_http_form *form, const char *name,
                                       bool file)
{
    for (size_t i = 0; i < form->count; i++) {
        const struct cg_http_part *part = &form->parts[i].it;

        if ((part->filename != NULL) == file && strcmp(part->name, name) == 0)
            return part;
    }
    return NULL;
}

const char *cg_http_form_get(const struct cg_http_form *form, const char *name)
{
    const struct cg_http_part *part = find(form, name, false);

    return part != NULL ? part->value : NULL;
}

const struct cg_http_part *cg_http_form_file(const struct cg_http_form *form, const char *name)
{
    return find(form, name, true);
}

/* A file without a name gets one through /proc: linkat by the descriptor itself would need a
 * privilege. */
int cg_http_form_keep(const struct cg_http_form *form, const struct cg_http_part *part,
                      const char *path)
{
    const char *from = NULL;
    char number[64];

    if (part == NULL || part->file < 0)
        return -EINVAL;
    for (size_t i = 0; i < form->count; i++)
        if (&form->parts[i].it == part)
            from = form->parts[i].temporary;
    if (from == NULL) {
        snprintf(number, sizeof number, "/proc/self/fd/%d", part->file);
        from = number;
    }
    return linkat(AT_FDCWD, from, AT_FDCWD, path, AT_SYMLINK_FOLLOW) < 0 ? -errno : 0;
}
