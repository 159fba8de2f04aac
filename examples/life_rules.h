/* SPDX-License-Identifier: MIT */
/* Conway's Game of Life as generators. They yield a query, a transition or a tick to the
 * code that drives them, and know neither the grid nor a scheduler. */
#ifndef EXAMPLES_LIFE_RULES_H
#define EXAMPLES_LIFE_RULES_H

#include <cogen.h>

enum {
    ALIVE = '*',
    EMPTY = '-'
};

/* The generators yield pointers to this. */
struct life_asks {
    enum {
        QUERY,
        TRANSITION,
        TICK
    } kind;
    int y, x;
    char state; /* of a transition */
};

struct life_cell {
    int y, x;
};

/* count_neighbors, step_cell: arg is a struct life_cell. The first yields eight queries and
 * returns the number of those answered ALIVE; the second queries its own state, counts, and
 * yields one transition. */
cg_gen_fn life_count_neighbors, life_step_cell;

/* simulate: arg is a struct grid, of which it uses only height and width. Steps every
 * cell, yields a tick, and repeats that for ever. */
cg_gen_fn life_simulate;

/* A grid whose opposite edges are neighbours. */
struct grid {
    int height, width;
    char *cells;
};

/* Makes an empty grid, freed by grid_free. Exits if there is no memory. */
struct grid grid_make(int height, int width);
void grid_free(struct grid *grid);
char grid_query(const struct grid *grid, int y, int x);
void grid_assign(struct grid *grid, int y, int x, char state);

/* Draws a pattern, rows of text separated by newlines, at a position. */
void grid_draw(struct grid *grid, int y, int x, const char *pattern);

/* Drives a simulation to its next tick: the grid becomes its next generation. */
void live_a_generation(struct grid *grid, struct cg_gen *sim);

/* The animation in a terminal. */
struct life_screen {
    long generations; /* how many to show; 0: until it is stopped */
    int64_t pause;    /* between two generations, ns */
};

/* A coroutine; arg is a struct life_screen. */
cg_fn life_animate;

#endif
