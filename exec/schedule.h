/* The order of steps, the memory they use, and the stages that they run in. */
#ifndef TG_EXEC_SCHEDULE_H
#define TG_EXEC_SCHEDULE_H

#include "exec/step.h"

/** Gives each step the earliest level (steps of one level may run at once) that its inputs allow, and sorts the steps by segment and level.
    `in_order`: a level for each step instead, in the order they are in. Returns the number of levels, or -1 if memory is out. */
int32_t tg_schedule(tg_steps *steps, bool in_order, tg_context *context);

/** Memory that buffers lie in: a leaf's, a single buffer's, or what all buffers of a home share. */
typedef struct tg_region {
    tg_home home;
    int32_t node; /**< of a leaf; else -1 */
    int64_t bytes;
} tg_region;

typedef struct tg_layout {
    tg_region
        *regions; /**< with `packed`, the first three are all that is not a leaf: workspace, prologue, roots, as in tg_home */
    int32_t n_regions;
    int64_t unplanned_bytes; /**< what the workspace would take without reuse */
} tg_layout;

typedef struct tg_layout_options {
    bool packed;   /**< false: a region for each buffer */
    bool in_place; /**< with `packed`: a result may take the place of an input that dies with it */
    int32_t n_levels;
} tg_layout_options;

/** Gives each buffer its lifetime, region and offset. False if memory is out. */
bool tg_lay_out(tg_layout *layout, tg_steps *steps, tg_layout_options options, tg_context *context);

/** A phase of a step within a stage. */
typedef struct tg_item {
    int32_t step, phase;
    int64_t first_task, n_tasks; /**< counted through the stage */
} tg_item;

/** Items that may run at once: no two of them touch the same bytes, unless both read. */
typedef struct tg_stage {
    int32_t first_item, n_items;
    int64_t n_tasks;
    double nanoseconds, longest_task; /**< guesses, on one thread */
} tg_stage;

/** A stage that is shared out to all threads, or tiny stages in a row for one. */
typedef struct tg_section {
    int32_t first_stage, n_stages;
    bool serial;
    tg_segment segment; /**< of its stages */
} tg_section;

typedef struct tg_stages {
    tg_item *items;
    tg_stage *stages;
    tg_section *sections;
    int32_t n_items, n_stages, n_sections;
} tg_stages;

/** Cuts the steps, in their order, into stages by the bytes they read and write. False if memory is out. */
bool tg_stages_make(tg_stages *stages, const tg_steps *steps, int32_t n_levels);

#endif
