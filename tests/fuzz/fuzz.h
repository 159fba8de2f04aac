/* SPDX-License-Identifier: MIT */
/* What the fuzz targets share. Each target is one function in a file of its own. With libFuzzer
 * it gets inputs that look for new paths; with corpus_main.c, in `make check`, the files of
 * tests/fuzz/corpus/TARGET. A target checks more than that nothing crashes: an input in pieces
 * must have the result of the whole, and what is printed must be read as the same again. */
#ifndef COGEN_TESTS_FUZZ_FUZZ_H
#define COGEN_TESTS_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The target. Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* What must hold; otherwise the input is reported. */
#define MUST(expr)                                                                         \
    do {                                                                                   \
        if (!(expr)) {                                                                     \
            fprintf(stderr, "%s:%d: must hold: %s\n", __FILE__, __LINE__, #expr);          \
            abort();                                                                       \
        }                                                                                  \
    } while (0)

/* Copies the input, so that ASan finds each read beyond it. As a text it ends at its first NUL.
 * The caller frees it. */
static inline char *fuzz_copy(const void *data, size_t size)
{
    char *copy = malloc(size ? size : 1);

    MUST(copy != NULL);
    if (size > 0)
        memcpy(copy, data, size);
    return copy;
}

static inline char *fuzz_text(const uint8_t *data, size_t size)
{
    char *copy = malloc(size + 1);

    MUST(copy != NULL);
    if (size > 0)
        memcpy(copy, data, size);
    copy[size] = '\0';
    size = strlen(copy) + 1;
    copy = realloc(copy, size);
    MUST(copy != NULL);
    return copy;
}

/* The ways to cut an input into pieces. */
enum fuzz_cuts {
    FUZZ_WHOLE,
    FUZZ_BYTES,
    FUZZ_SHORT, /* random pieces of up to 8 bytes, drawn from the input */
    FUZZ_LONG,  /* of up to 64 bytes */
    FUZZ_CUTS,
};

/* The size of the next piece of `left` > 0 bytes. */
static inline size_t fuzz_piece(enum fuzz_cuts cuts, const uint8_t *data, size_t left,
                                uint32_t *state)
{
    size_t most = cuts == FUZZ_WHOLE ? left : cuts == FUZZ_BYTES ? 1 : cuts == FUZZ_SHORT ? 8 : 64;

    if (cuts > FUZZ_BYTES) {
        *state = (*state ^ *data) * 16777619u + 1;
        most = 1 + (*state >> 8) % most;
    }
    return most < left ? most : left;
}

/* A text that grows: what a target says about an input. */
struct fuzz_told {
    char *text;
    size_t size;
    FILE *file;
};

static inline FILE *fuzz_tell(struct fuzz_told *told)
{
    told->file = open_memstream(&told->text, &told->size);
    MUST(told->file != NULL);
    return told->file;
}

/* Both texts must be the same; frees the second one. */
static inline void fuzz_compare(const struct fuzz_told *whole, struct fuzz_told *other)
{
    if (whole->size != other->size || memcmp(whole->text, other->text, whole->size) != 0) {
        fprintf(stderr, "whole:     %s\notherwise: %s\n", whole->text, other->text);
        abort();
    }
    free(other->text);
}

#endif
