/* Inside the library: the axes of charts, from numbers to places and ticks. */
#ifndef TG_TRAIN_SVG_AXIS_H
#define TG_TRAIN_SVG_AXIS_H

#include "graph/status.h"

/** An axis from `low` to `high`, which lie at `from` and `to` in the figure. Of a logarithmic one they are the decimal logarithms. */
typedef struct tg_axis {
    double low, high, from, to;
    double step; /* between ticks; 0, of a logarithmic axis: 1, 2 and 5 times the powers of ten are ticks */
    bool logarithmic;
} tg_axis;

/** What a label takes at most. */
#define TG_TICK_SIZE 32

/** The least of 1, 2 and 5 times a power of ten that is at least `rough`, which is above 0. */
double tg_nice_step(double rough);
/** A logarithmic axis for values of [low, high], above 0, with some room on both sides. */
tg_axis tg_log_axis(double low, double high, double from, double to);
/** Where a value lies; not finite if it has no place on the axis. */
double tg_axis_place(const tg_axis *axis, double value);
/** The i-th tick of the axis, from 0; false after the last. `text` gets its label: 0.01, 0.1, 1, 10 and 100 as such, other decades as
    1e-4. */
bool tg_axis_tick(const tg_axis *axis, int i, double *value, char text[TG_TICK_SIZE]);

#endif
