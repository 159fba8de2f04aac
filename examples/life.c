/* SPDX-License-Identifier: MIT */
/* Conway's Game of Life by generators. Each cell asks for the state of its neighbours by
 * yielding queries, and tells its next state by yielding a transition; a tick of the clock
 * is a yield, too. A plain loop, not a scheduler, replies (life_rules.c has both sides).
 *
 *     ./life                   the queries of a cell, then five generations of two worlds
 *     ./life --animate         a world that fills the terminal, until Ctrl-C
 */
#include <cogen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "common.h"
#include "generators.h"
#include "life_rules.h"

enum {
    COLUMNS = 5,
    HEIGHT = 5
};

static void print_query(const char *what, const struct life_asks *query)
{
    printf("%s Query(y=%d, x=%d)\n", what, query->y, query->x);
}

/* Drives count_neighbors with invented neighbours: two are alive, six are not. */
static void drive_count_neighbors(void)
{
    struct cg_gen *it = generator(life_count_neighbors, &(struct life_cell){10, 5});
    const struct life_asks *query;

    cg_gen_next(it, &query);
    print_query("First yield: ", query);
    cg_gen_send(it, ALIVE, &query);
    print_query("Second yield:", query);
    cg_gen_send(it, ALIVE, &query);
    while (cg_gen_send(it, EMPTY, &query) > 0)
        ;
    printf("Count:  %zd\n\n", cg_gen_result(it));
    cg_gen_free(it);
}

/* Drives step_cell: the cell is alive, and so is one neighbour. */
static void drive_step_cell(void)
{
    struct cg_gen *it = generator(life_step_cell, &(struct life_cell){10, 5});
    const struct life_asks *item;

    cg_gen_next(it, &item);
    print_query("Me:      ", item);
    cg_gen_send(it, ALIVE, &item);
    print_query("Q1:      ", item);
    cg_gen_send(it, ALIVE, &item);
    while (item->kind == QUERY)
        cg_gen_send(it, EMPTY, &item);
    printf("Outcome:  Transition(y=%d, x=%d, state='%c')\n\n", item->y, item->x,
           item->state);
    cg_gen_free(it);
}

/* Prints five generations side by side. */
static void print_generations(struct grid grid)
{
    struct cg_gen *sim = generator(life_simulate, &grid);
    char rows[1 + HEIGHT][256] = {""};

    for (int i = 0; i < COLUMNS; i++) {
        char header[32] = "";

        memset(header, ' ', grid.width);
        header[grid.width / 2] = (char)('0' + i);
        for (int row = 0; row <= HEIGHT; row++) {
            const char *text = row ? &grid.cells[(row - 1) * grid.width] : header;
            size_t at = strlen(rows[row]);

            snprintf(rows[row] + at, sizeof rows[row] - at, "%s%.*s", i ? " | " : "",
                     grid.width, text);
        }
        live_a_generation(&grid, sim);
    }
    for (int row = 0; row <= HEIGHT; row++) {
        char *end = rows[row] + strlen(rows[row]);

        while (end[-1] == ' ')
            *--end = '\0';
        puts(rows[row]);
    }
    cg_gen_free(sim);
    grid_free(&grid);
}

static void print_worlds(void)
{
    struct grid five = grid_make(HEIGHT, 5), glider = grid_make(HEIGHT, 9);

    drive_count_neighbors();
    drive_step_cell();
    grid_draw(&five, 1, 0, "-*---\n--**-\n---*-");
    print_generations(five);
    putchar('\n');
    grid_draw(&glider, 0, 0, "---*-----\n----*----\n--***----");
    print_generations(glider);
}

int main(int argc, char **argv)
{
    const char *animate = NULL, *generations = "0", *pause = "0.06";
    const struct example_option options[] = {
        {"animate", NULL, "a large world in the terminal", &animate, 0},
        {"generations", "N", "end after so many", &generations, 0},
        {"pause", "SECONDS", "the pause between two generations", &pause, 0},
        {0},
    };
    struct example ex = {
        .name = "life",
        .about = "Conway's Game of Life, its cells generators that yield what they ask",
        .options = options,
    };
    struct life_screen screen;
    int code;

    example_open(&ex, argc, argv);
    screen = (struct life_screen){
        .generations = (long)example_number(&ex, generations, 0, LONG_MAX, "N must be a number"),
        .pause = example_seconds(&ex, pause)};
    if (!animate)
        print_worlds();
    else if ((code = cg_sched_start(ex.sched, life_animate, &screen,
                                    .name = "animate")) < 0)
        example_fail("start", code);
    return example_run(&ex);
}
