/* SPDX-License-Identifier: MIT */
/* The Game of Life in the whole terminal: two cells in a character (half blocks), coloured
 * by their age. A glider gun shoots into a random heap of cells. */
#include <cogen.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "generators.h"
#include "life_rules.h"

static const char gun[] = "------------------------*-----------\n"
                          "----------------------*-*-----------\n"
                          "------------**------**------------**\n"
                          "-----------*---*----**------------**\n"
                          "**--------*-----*---**--------------\n"
                          "**--------*---*-**----*-*-----------\n"
                          "----------*-----*-------*-----------\n"
                          "-----------*---*--------------------\n"
                          "------------**----------------------";
static const char pentomino[] = "-**\n**-\n-*-";

/* The colour of a cell, out of a palette of 256, from new to old; age 0: black. */
static int colour(unsigned age)
{
    static const unsigned char ages[] = {231, 229, 222, 215, 208, 172, 136, 100,
                                         64,  28,  29,  30,  31,  25,  19};

    if (age == 0)
        return 16;
    return ages[age <= sizeof ages ? age - 1 : sizeof ages - 1];
}

static void draw(const struct grid *grid, const unsigned *age, long generation)
{
    int top = -1, bottom = -1;

    fputs("\x1b[H", stdout);
    for (int y = 0; y + 1 < grid->height; y += 2) {
        for (int x = 0; x < grid->width; x++) {
            int upper = colour(age[y * grid->width + x]);
            int lower = colour(age[(y + 1) * grid->width + x]);

            if (upper != top || lower != bottom)
                printf("\x1b[38;5;%d;48;5;%dm", upper, lower);
            top = upper, bottom = lower;
            fputs("\u2580", stdout);
        }
        fputs("\r\n", stdout);
    }
    printf("\x1b[0mgeneration %ld, Ctrl-C ends\x1b[K", generation);
    fflush(stdout);
}

static void grow_older(const struct grid *grid, unsigned *age)
{
    for (int i = 0; i < grid->height * grid->width; i++)
        age[i] = grid->cells[i] == ALIVE ? age[i] + 1 : 0;
}

static struct grid first_generation(void)
{
    struct winsize size = {0};
    struct grid grid;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0 ||
        size.ws_row == 0)
        size = (struct winsize){.ws_row = 24, .ws_col = 80};
    if (size.ws_col < 40)
        size.ws_col = 40;
    if (size.ws_row < 12)
        size.ws_row = 12;
    grid = grid_make(2 * (size.ws_row - 1), size.ws_col);
    grid_draw(&grid, 1, 1, gun);
    grid_draw(&grid, grid.height * 2 / 3, grid.width * 2 / 3, pentomino);
    return grid;
}

ssize_t life_animate(void *arg)
{
    const struct life_screen *screen = arg;
    struct grid grid = first_generation();
    struct cg_gen *sim = generator(life_simulate, &grid);
    unsigned *age = calloc((size_t)grid.height * grid.width, sizeof *age);
    ssize_t rc = age ? 0 : -ENOMEM;

    fputs("\x1b[?25l\x1b[2J", stdout); /* hides the cursor, clears */
    for (long i = 0; rc == 0 && (screen->generations == 0 || i < screen->generations);
         i++) {
        grow_older(&grid, age);
        draw(&grid, age, i);
        live_a_generation(&grid, sim);
        rc = cg_yield(cg_sleep(screen->pause));
    }
    fputs("\x1b[?25h\n", stdout);
    cg_gen_free(sim);
    grid_free(&grid);
    free(age);
    return rc;
}
