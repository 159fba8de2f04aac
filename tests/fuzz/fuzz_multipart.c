/* SPDX-License-Identifier: MIT */
/* Multipart forms: the same parts wherever the bytes are cut. */
#include "config.h"

#include "http/web/multipart.h"
#include "tests/fuzz/fuzz.h"

/* Parses a piece. Returns false at the end of the form. */
static bool parse(FILE *told, struct cg__http_multipart *form, const char *piece, size_t size)
{
    size_t at = 0, used;

    for (;;) {
        enum cg__http_multipart_event event =
            cg__http_multipart_parse(form, piece + at, size - at, &used);

        MUST(used <= size - at);
        at += used;
        switch (event) {
        case CG__HTTP_MULTIPART_MORE:
            MUST(at == size);
            return true;
        case CG__HTTP_MULTIPART_PART:
            fprintf(told, "\n%s|%s|%s|", form->name, form->filename ? form->filename : "-",
                    form->mime);
            break;
        case CG__HTTP_MULTIPART_DATA:
            MUST(form->len > 0);
            fwrite(form->data, 1, form->len, told);
            break;
        case CG__HTTP_MULTIPART_END:
            fprintf(told, "|");
            break;
        case CG__HTTP_MULTIPART_DONE:
        case CG__HTTP_MULTIPART_BAD:
        case CG__HTTP_MULTIPART_LONG:
            fprintf(told, "\n%d", event);
            return false;
        }
    }
}

static struct fuzz_told told_of(const uint8_t *data, size_t size, enum fuzz_cuts cuts)
{
    struct cg__http_multipart form = {.head = NULL};
    struct fuzz_told told;
    uint32_t state = 0;
    bool more = true;

    fuzz_tell(&told);
    MUST(cg__http_multipart_init(&form, "--x", 100) == 0);
    for (size_t at = 0, n; more && at < size; at += n) {
        char *piece = fuzz_copy(data + at, n = fuzz_piece(cuts, data + at, size - at, &state));

        more = parse(told.file, &form, piece, n);
        free(piece);
    }
    cg__http_multipart_free(&form);
    fclose(told.file);
    return told;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_told whole = told_of(data, size, FUZZ_WHOLE), other;

    for (int cuts = FUZZ_BYTES; cuts < FUZZ_CUTS; cuts++) {
        other = told_of(data, size, (enum fuzz_cuts)cuts);
        fuzz_compare(&whole, &other);
    }
    free(whole.text);
    return 0;
}
