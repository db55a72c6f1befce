#include "train/model_plans.h"

#include <stdio.h>
#include <string.h>

bool tg_model_plans_begin(tg_model_plans *plans)
{
    if (pthread_mutex_init(&plans->lock, NULL) != 0)
        return false;
    if (pthread_cond_init(&plans->given_back, NULL) == 0)
        return true;
    pthread_mutex_destroy(&plans->lock);
    return false;
}

static size_t index_bytes(tg_model_key key) { return (size_t)key.batch * sizeof(int32_t); }

static void drop(const tg_model_plans *plans, tg_compiled_stage *plan)
{
    tg_context *context = tg_variables_context(plans->variables);
    tg_plan_free(plan->plan);
    tg_graph_free(plan->ends.graph);
    tg_release(context, plan->indices, index_bytes(plan->key));
    tg_release(context, plan, sizeof *plan);
}

void tg_model_plans_end(tg_model_plans *plans)
{
    for (int i = 0; i < plans->count; i++)
        drop(plans, plans->at[i]);
    pthread_cond_destroy(&plans->given_back);
    pthread_mutex_destroy(&plans->lock);
}

static bool same_key(tg_model_key a, tg_model_key b) { return a.stage == b.stage && a.rows == b.rows && a.batch == b.batch; }

/* One of the key that nobody has, or NULL; and how many somebody has. */
static tg_compiled_stage *find(const tg_model_plans *plans, tg_model_key key, int *n_taken)
{
    *n_taken = 0;
    for (int i = 0; i < plans->count; i++) {
        if (!same_key(plans->at[i]->key, key))
            continue;
        if (!plans->at[i]->taken)
            return plans->at[i];
        ++*n_taken;
    }
    return NULL;
}

/* Makes room for one more. False if all are taken. */
static bool make_room(tg_model_plans *plans)
{
    int oldest = -1;
    if (plans->count < TG_MODEL_PLANS)
        return true;
    for (int i = 0; i < plans->count; i++)
        if (!plans->at[i]->taken && (oldest < 0 || plans->at[i]->used < plans->at[oldest]->used))
            oldest = i;
    if (oldest < 0)
        return false;
    if (plans->failed == plans->at[oldest]->plan)
        plans->failed = NULL;
    drop(plans, plans->at[oldest]);
    plans->at[oldest] = plans->at[--plans->count];
    return true;
}

/* Records and compiles the graph for made->key. */
static bool compile(const tg_model_plans *plans, tg_compiled_stage *made)
{
    if (!tg_model_graph_record(plans->variables, plans->options, plans->where, made->key, &made->ends))
        return false;
    made->plan = tg_compile(made->ends.graph, made->ends.output);
    bool good = made->plan;
    if (good && made->key.rows > 0) {
        made->indices = tg_allocate(tg_variables_context(plans->variables), index_bytes(made->key));
        good = made->indices && tg_feed(made->plan, made->ends.indices, made->indices, index_bytes(made->key)) == TG_OK;
    }
    if (good && made->key.stage == TG_STAGE_TRAINING)
        good = tg_feed(made->plan, made->ends.rate, plans->rate, sizeof *plans->rate) == TG_OK;
    return good;
}

static tg_compiled_stage *make(tg_model_plans *plans, tg_model_key key, tg_status *status, char *message)
{
    tg_compiled_stage *made = tg_allocate_zero(tg_variables_context(plans->variables), sizeof *made);
    if (made)
        made->key = key;
    if (made && compile(plans, made))
        return plans->at[plans->count++] = made;
    const char *error = made && made->ends.graph ? tg_graph_error(made->ends.graph) : NULL;
    *status = error ? TG_ERROR_GRAPH : TG_ERROR_MEMORY;
    snprintf(message, TG_MODEL_ERROR, "%s", error ? error : tg_status_text(*status));
    if (made)
        drop(plans, made);
    return NULL;
}

tg_compiled_stage *tg_model_plans_take(tg_model_plans *plans, tg_model_key key, tg_status *status, char *message)
{
    int most = plans->options->runs > 1 ? plans->options->runs : 1, n_taken;
    *status = TG_OK;
    pthread_mutex_lock(&plans->lock);
    tg_compiled_stage *found;
    while (!(found = find(plans, key, &n_taken)) && (n_taken >= most || !make_room(plans)))
        pthread_cond_wait(&plans->given_back, &plans->lock);
    if (!found)
        found = make(plans, key, status, message);
    if (found) {
        found->taken = true;
        found->used = ++plans->clock;
    }
    pthread_mutex_unlock(&plans->lock);
    return found;
}

void tg_model_plans_give_back(tg_model_plans *plans, tg_compiled_stage *plan)
{
    pthread_mutex_lock(&plans->lock);
    plan->taken = false;
    pthread_cond_broadcast(&plans->given_back);
    pthread_mutex_unlock(&plans->lock);
}

void tg_model_plans_note(tg_model_plans *plans, const tg_compiled_stage *plan)
{
    pthread_mutex_lock(&plans->lock);
    plans->failed = plan->plan;
    pthread_mutex_unlock(&plans->lock);
}

const tg_compiled_stage *tg_model_plans_failed(tg_model_plans *plans)
{
    const tg_compiled_stage *found = NULL;
    pthread_mutex_lock(&plans->lock);
    for (int i = 0; i < plans->count; i++)
        if (plans->failed && plans->at[i]->plan == plans->failed)
            found = plans->at[i];
    pthread_mutex_unlock(&plans->lock);
    return found;
}
