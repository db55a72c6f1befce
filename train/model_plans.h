/* Inside the library: the plans of a model, one for each purpose, number of rows and batch size, made when first needed. Several threads
   may take plans at once; a plan that is taken is one thread's until it is given back. */
#ifndef TG_TRAIN_MODEL_PLANS_H
#define TG_TRAIN_MODEL_PLANS_H

#include <pthread.h>

#include "train/model_graph.h"

#define TG_MODEL_PLANS 16 /* then the one asked for longest ago makes room */

/** A graph with its plan. */
typedef struct tg_compiled_stage {
    tg_model_key key;
    tg_model_graph ends;
    tg_plan *plan;
    int32_t *indices; /**< of a batch taken by index, [batch]: fed to the plan, so that a failed step can be replayed */
    uint64_t used;    /**< when it was last asked for */
    bool taken;
} tg_compiled_stage;

typedef struct tg_model_plans {
    tg_variables *variables;
    const tg_model_options *options;
    tg_where where;
    const double *rate;   /**< fed to plans that train */
    pthread_mutex_t lock; /**< of what follows */
    pthread_cond_t given_back;
    tg_compiled_stage *at[TG_MODEL_PLANS];
    int count;
    uint64_t clock;
    const tg_plan *failed; /**< whose run failed last; NULL once it has made room for another */
} tg_model_plans;

/** The first four members are set. False if the system refuses a lock. */
bool tg_model_plans_begin(tg_model_plans *plans);
void tg_model_plans_end(tg_model_plans *plans);

/** A plan for a key; waits while as many as the options allow are taken. NULL, *status and a sentence of TG_MODEL_ERROR bytes if it
    cannot be made. */
tg_compiled_stage *tg_model_plans_take(tg_model_plans *plans, tg_model_key key, tg_status *status, char *message);
void tg_model_plans_give_back(tg_model_plans *plans, tg_compiled_stage *plan);
/** Notes which plan's run failed last. */
void tg_model_plans_note(tg_model_plans *plans, const tg_compiled_stage *plan);
/** The one that did; NULL: none. */
const tg_compiled_stage *tg_model_plans_failed(tg_model_plans *plans);

#define TG_MODEL_ERROR 1024

#endif
