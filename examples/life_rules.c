/* SPDX-License-Identifier: MIT */
/* See life_rules.h. */
#include "life_rules.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The first half of this file are the rules, which ask; the second half is the world,
 * which replies. Neither knows the other. */

/* A function that yields for the generator that called it. Since a generator has its own
 * stack, no "yield from" is needed. */
static ssize_t query(struct cg_gen *gen, int y, int x)
{
    intptr_t state = EMPTY;
    ssize_t sent =
        cg_gen_yield(gen, (&(struct life_asks){.kind = QUERY, .y = y, .x = x}), &state);

    return sent < 0 ? sent : state;
}

static ssize_t count_neighbors(struct cg_gen *gen, int y, int x)
{
    static const int around[8][2] = {{1, 0},  {1, 1},   {0, 1},  {-1, 1},
                                     {-1, 0}, {-1, -1}, {0, -1}, {1, -1}};
    ssize_t state, count = 0;

    for (int i = 0; i < 8; i++) {
        if ((state = query(gen, y + around[i][0], x + around[i][1])) < 0)
            return state;
        count += state == ALIVE;
    }
    return count;
}

static char game_logic(char state, ssize_t neighbors)
{
    if (state == ALIVE)
        return neighbors < 2 || neighbors > 3 ? EMPTY : ALIVE;
    return neighbors == 3 ? ALIVE : EMPTY;
}

static ssize_t step_cell(struct cg_gen *gen, int y, int x)
{
    struct life_asks next = {.kind = TRANSITION, .y = y, .x = x};
    ssize_t state = query(gen, y, x), neighbors;

    if (state < 0)
        return state;
    if ((neighbors = count_neighbors(gen, y, x)) < 0)
        return neighbors;
    next.state = game_logic((char)state, neighbors);
    return cg_gen_yield(gen, &next, NULL);
}

ssize_t life_count_neighbors(struct cg_gen *gen, void *arg)
{
    const struct life_cell *cell = arg;

    return count_neighbors(gen, cell->y, cell->x);
}

ssize_t life_step_cell(struct cg_gen *gen, void *arg)
{
    const struct life_cell *cell = arg;

    return step_cell(gen, cell->y, cell->x);
}

ssize_t life_simulate(struct cg_gen *gen, void *arg)
{
    const struct grid *grid = arg;
    int height = grid->height, width = grid->width;

    do {
        for (int y = 0; y < height; y++)
            for (int x = 0; x < width; x++)
                if (step_cell(gen, y, x) < 0)
                    return -ECANCELED;
    } while (cg_gen_yield(gen, &(struct life_asks){.kind = TICK}, NULL) >= 0);
    return -ECANCELED;
}

struct grid grid_make(int height, int width)
{
    struct grid grid = {height, width, malloc((size_t)height * width)};

    if (!grid.cells) {
        fputs("life: no memory for a grid\n", stderr);
        exit(1);
    }
    memset(grid.cells, EMPTY, (size_t)height * width);
    return grid;
}

void grid_free(struct grid *grid)
{
    free(grid->cells);
}

/* The cell at a position; beyond an edge the grid continues at the opposite edge. */
static char *cell(const struct grid *grid, int y, int x)
{
    y = (y + grid->height) % grid->height;
    x = (x + grid->width) % grid->width;
    return &grid->cells[y * grid->width + x];
}

char grid_query(const struct grid *grid, int y, int x)
{
    return *cell(grid, y, x);
}

void grid_assign(struct grid *grid, int y, int x, char state)
{
    *cell(grid, y, x) = state;
}

void grid_draw(struct grid *grid, int y, int x, const char *pattern)
{
    for (int left = x; *pattern; pattern++)
        if (*pattern == '\n') {
            y++;
            x = left;
        } else {
            grid_assign(grid, y, x++, *pattern);
        }
}

void live_a_generation(struct grid *grid, struct cg_gen *sim)
{
    struct grid progeny = grid_make(grid->height, grid->width);
    const struct life_asks *item;
    ssize_t more = cg_gen_next(sim, &item);

    while (more > 0 && item->kind != TICK)
        if (item->kind == QUERY) {
            more = cg_gen_send(sim, grid_query(grid, item->y, item->x), &item);
        } else {
            grid_assign(&progeny, item->y, item->x, item->state);
            more = cg_gen_next(sim, &item);
        }
    grid_free(grid);
    *grid = progeny;
}
