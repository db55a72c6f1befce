/* What several threads may do at once, under the thread sanitizer too: the rules stand in graph/variables.h, exec/plan.h and
   train/model.h. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "exec/plan.h"
#include "failing_allocator.h"
#include "graph/rebuild.h"
#include "small_model.h"
#include "train/safetensors.h"
#include "train/trace.h"

enum { THREADS = 4, RUNS = 60 };

typedef void *(*body)(void *);

static void together(body run, void *args, size_t size)
{
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, run, (char *)args + (size_t)i * size), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

/* ---- a store ---- */

typedef struct store_user {
    tg_variables *variables;
    int number;
    bool good;
} store_user;

enum { DECLARED = 200 };

/* Declares, or walks through what there is, copies it, saves it, traces it. */
static void *use_store(void *arg)
{
    store_user *u = arg;
    char name[40], message[TG_MESSAGE_SIZE];
    u->good = true;
    snprintf(name, sizeof name, "threads-%d-%d", (int)getpid(), u->number);
    for (int i = 0; i < DECLARED && u->number < 2; i++) {
        snprintf(name, sizeof name, "v%d", i); /* the same ones: one of the two threads makes each */
        u->good = u->good && tg_variables_declare(u->variables, name, (tg_type){TG_F32, TG_SHAPE(10)}, (tg_init){.a = i}, true);
        tg_variables_allow_nonfinite(u->variables, name, i % 2);
    }
    for (int i = 0; i < 8 && u->number == 2; i++) {
        tg_variables *copy = tg_variables_cast(u->variables, TG_F64);
        u->good = u->good && copy && tg_variables_count(copy) <= DECLARED;
        tg_variables_free(copy);
        u->good = u->good && tg_safetensors_save(u->variables, name, (tg_safetensors_options){.all = true}, message) == TG_OK;
    }
    for (int i = 0; i < 8 && u->number == 3; i++) {
        tg_status status;
        tg_trace *trace = tg_trace_open(u->variables, name, &status, message);
        u->good = u->good && trace && tg_trace_step(trace, 0, message) == TG_OK;
        tg_trace_close(trace);
        unlink(name);
        for (int k = 0; k < tg_variables_count(u->variables); k++) {
            const tg_variable_info *info = tg_variables_at(u->variables, k);
            float values[10];
            u->good = u->good && info && tg_variables_find(u->variables, info->name) == info &&
                      tg_variables_read(u->variables, info->name, values, sizeof values) == TG_OK;
        }
    }
    if (u->number >= 2)
        unlink(name);
    return NULL;
}

START_TEST(a_store_may_be_read_while_variables_are_declared)
{
    tg_context *context = harness_context(1);
    tg_variables *variables = tg_variables_new(context, 1);
    store_user users[THREADS];
    for (int i = 0; i < THREADS; i++)
        users[i] = (store_user){variables, i, false};
    together(use_store, users, sizeof *users);
    for (int i = 0; i < THREADS; i++)
        ck_assert_msg(users[i].good, "thread %d", i);
    ck_assert_int_eq(tg_variables_count(variables), DECLARED);
    tg_variables_free(variables);
    tg_context_free(context);
}
END_TEST

/* A run that writes waits for whoever holds the store, and whoever asks to read after it waits for it. */
typedef struct holder {
    tg_plan *plan;
    atomic_int done;
} holder;

static void *run_once(void *arg)
{
    holder *h = arg;
    ck_assert_int_eq(tg_run(h->plan), TG_OK);
    atomic_store(&h->done, 1);
    return NULL;
}

START_TEST(a_store_that_is_held_does_not_change)
{
    tg_context *context = harness_context(1);
    tg_variables *variables = tg_variables_new(context, 1);
    tg_graph *graph = tg_graph_new(variables, TG_TRAINING);
    tg_tensor w = tg_variable(graph, "w", TG_F32, TG_SHAPE(3), (tg_init){.a = 1});
    tg_assign(w, tg_add(w, tg_scalar(w, 1)));
    holder h = {.plan = tg_compile_roots(graph, NULL, 0, tg_compile_defaults(context))};
    ck_assert_ptr_nonnull(h.plan);
    tg_variables_hold(variables);
    const float *values = tg_variables_values(variables, tg_variables_find(variables, "w"));
    pthread_t thread;
    ck_assert_int_eq(pthread_create(&thread, NULL, run_once, &h), 0);
    nanosleep(&(struct timespec){.tv_nsec = 30000000}, NULL);
    ck_assert(atomic_load(&h.done) == 0 && values[0] == 1 && values[2] == 1);
    tg_variables_release(variables);
    pthread_join(thread, NULL);
    tg_variables_hold(variables);
    ck_assert(((const float *)tg_variables_values(variables, tg_variables_find(variables, "w")))[1] == 2);
    ck_assert_ptr_null(tg_variables_values(variables, tg_variables_find(variables, "nothing")));
    tg_variables_release(variables);
    tg_plan_free(h.plan);
    tg_graph_free(graph);
    tg_variables_free(variables);
    tg_context_free(context);
}
END_TEST

/* ---- plans of one context ---- */

/* Passes x on once two runs are inside at once; TG_ERROR_SYSTEM if that does not come about. */
static atomic_int inside;

static tg_status meet(const tg_work *work, const tg_buffers *buffers, int phase, int64_t task, void *scratch)
{
    (void)phase, (void)task, (void)scratch;
    memcpy(buffers->output, buffers->inputs[0], (size_t)tg_type_bytes(work->output));
    atomic_fetch_add(&inside, 1);
    for (int turn = 0; atomic_load(&inside) < 2 && turn < 10000; turn++)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    return atomic_load(&inside) >= 2 ? TG_OK : TG_ERROR_SYSTEM;
}
static bool same_shape(tg_infer *infer)
{
    infer->result = infer->inputs[0];
    return true;
}
static const tg_op meeting = {
    .name = "meeting", .formula = "y = x", .min_inputs = 1, .max_inputs = 1, .shape = same_shape, .run = meet};

typedef struct predictor {
    tg_context *context;
    tg_tensor input, output;
    tg_graph *graph;
    tg_plan *plan;
    int runs;
    tg_status status;
    float expected[40], got[40];
    bool same;
} predictor;

static void *predict(void *arg)
{
    predictor *p = arg;
    p->same = true;
    for (int run = 0; run < p->runs && p->status == TG_OK; run++) {
        p->status = tg_run(p->plan);
        if (p->status == TG_OK)
            p->status = tg_read(p->plan, p->output, p->got, sizeof p->got);
        p->same = p->same && memcmp(p->got, p->expected, sizeof p->got) == 0;
    }
    return NULL;
}

static void record_product(predictor *p, tg_variables *variables, const float *values, const tg_op *through)
{
    p->graph = tg_graph_new(variables, TG_EVALUATION);
    p->input = tg_input(p->graph, "x", TG_F32, TG_SHAPE(300, 200));
    tg_tensor w = tg_variable(p->graph, "w", TG_F32, TG_SHAPE(200, 40), (tg_init){TG_INIT_NORMAL, 0, 1});
    tg_tensor rows = through ? tg_apply(p->graph, through, &p->input, 1, NULL, 0) : p->input;
    p->output = tg_sum(tg_sigmoid(tg_matmul(rows, w)), TG_AXES(0));
    p->plan = tg_compile(p->graph, p->output);
    ck_assert_msg(p->plan != NULL, "%s", tg_graph_error(p->graph));
    ck_assert_int_eq(tg_feed(p->plan, p->input, values, 300 * 200 * sizeof(float)), TG_OK);
}

static const float *input_values(void)
{
    static float values[300 * 200];
    for (int i = 0; i < 300 * 200; i++)
        values[i] = (float)(i % 101) / 50 - 1;
    return values;
}

/* _i: a store for all, or one each. Who finds the team busy runs alone, with the same bits. */
START_TEST(plans_of_a_context_run_at_once_with_the_same_bits)
{
    tg_context *context = harness_context(3);
    tg_variables *stores[THREADS];
    predictor p[THREADS] = {{0}};
    for (int i = 0; i < THREADS; i++) {
        stores[i] = i > 0 && _i == 0 ? stores[0] : tg_variables_new(context, 5);
        record_product(&p[i], stores[i], input_values(), NULL);
        ck_assert_int_eq(tg_run(p[i].plan), TG_OK);
        ck_assert_int_eq(tg_read(p[i].plan, p[i].output, p[i].expected, sizeof p[i].expected), TG_OK);
        ck_assert_mem_eq(p[i].expected, p[0].expected, sizeof p[i].expected);
        p[i].runs = RUNS;
    }
    together(predict, p, sizeof *p);
    for (int i = 0; i < THREADS; i++) {
        ck_assert_msg(p[i].status == TG_OK && p[i].same, "thread %d: %s", i, tg_plan_error(p[i].plan));
        tg_plan_free(p[i].plan);
        tg_graph_free(p[i].graph);
        if (i == 0 || _i == 1)
            tg_variables_free(stores[i]);
    }
    tg_context_free(context);
}
END_TEST

START_TEST(two_runs_overlap)
{
    tg_context *context = harness_context((int[]){1, 3}[_i]);
    tg_variables *variables = tg_variables_new(context, 5);
    predictor p[2] = {{0}};
    pthread_t threads[2];
    atomic_store(&inside, 0);
    for (int i = 0; i < 2; i++) {
        record_product(&p[i], variables, input_values(), &meeting);
        p[i].runs = 1;
    }
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, predict, &p[i]), 0);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < 2; i++)
        ck_assert_msg(p[i].status == TG_OK, "%s", tg_plan_error(p[i].plan));
    ck_assert_mem_eq(p[0].got, p[1].got, sizeof p[0].got);
    for (int i = 0; i < 2; i++) {
        tg_plan_free(p[i].plan);
        tg_graph_free(p[i].graph);
    }
    tg_variables_free(variables);
    tg_context_free(context);
}
END_TEST

/* Passes x on: the first time once a compile has had time to begin, then once it is done; TG_ERROR_SYSTEM if that does not come about. */
static atomic_int compiling, compiled;

static tg_status give_way(const tg_work *work, const tg_buffers *buffers, int phase, int64_t task, void *scratch)
{
    (void)phase, (void)task, (void)scratch;
    memcpy(buffers->output, buffers->inputs[0], (size_t)tg_type_bytes(work->output));
    atomic_int *awaited = atomic_fetch_add(&inside, 1) == 0 ? &compiling : &compiled;
    for (int turn = 0; !atomic_load(awaited) && turn < 5000; turn++)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    if (awaited == &compiling)
        nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    return atomic_load(awaited) ? TG_OK : TG_ERROR_SYSTEM;
}
static const tg_op giving_way = {
    .name = "giving way", .formula = "y = x", .min_inputs = 1, .max_inputs = 1, .shape = same_shape, .run = give_way};

/* A compile waits for the run that is under way, not for those that a thread begins one after the other. */
START_TEST(a_compile_does_not_wait_for_ever)
{
    tg_context *context = harness_context(1);
    tg_variables *variables = tg_variables_new(context, 5);
    predictor p[2] = {{.runs = 2}, {.runs = 1}};
    pthread_t thread;
    atomic_store(&inside, 0);
    atomic_store(&compiling, 0);
    atomic_store(&compiled, 0);
    record_product(&p[0], variables, input_values(), &giving_way);
    ck_assert_int_eq(pthread_create(&thread, NULL, predict, &p[0]), 0);
    while (atomic_load(&inside) == 0)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    atomic_store(&compiling, 1);
    record_product(&p[1], variables, input_values(), NULL);
    atomic_store(&compiled, 1);
    pthread_join(thread, NULL);
    (void)predict(&p[1]);
    ck_assert_msg(p[0].status == TG_OK && p[1].status == TG_OK, "%s", tg_plan_error(p[0].plan));
    ck_assert_mem_eq(p[0].got, p[1].got, sizeof p[0].got);
    for (int i = 0; i < 2; i++) {
        tg_plan_free(p[i].plan);
        tg_graph_free(p[i].graph);
    }
    tg_variables_free(variables);
    tg_context_free(context);
}
END_TEST

/* Where there is no memory for a second place of work, runs follow one another. */
START_TEST(without_memory_runs_wait)
{
    failing_allocator counts = {0};
    tg_context_options options = harness_options();
    options.threads = 2;
    options.allocator = failing_allocator_interface(&counts);
    tg_context *context = tg_context_new(options);
    ck_assert_ptr_nonnull(context);
    tg_variables *variables = tg_variables_new(context, 5);
    predictor p[THREADS] = {{0}};
    for (int i = 0; i < THREADS; i++) {
        record_product(&p[i], variables, input_values(), NULL);
        ck_assert_int_eq(tg_run(p[i].plan), TG_OK);
        ck_assert_int_eq(tg_read(p[i].plan, p[i].output, p[i].expected, sizeof p[i].expected), TG_OK);
        p[i].runs = RUNS;
    }
    counts.refuse = -1;
    together(predict, p, sizeof *p);
    counts.refuse = 0;
    for (int i = 0; i < THREADS; i++) {
        ck_assert_msg(p[i].status == TG_OK && p[i].same, "thread %d: %s", i, tg_plan_error(p[i].plan));
        tg_plan_free(p[i].plan);
        tg_graph_free(p[i].graph);
    }
    tg_variables_free(variables);
    tg_context_free(context);
}
END_TEST

/* Two runs of one plan follow one another. */
START_TEST(runs_of_a_plan_follow_one_another)
{
    tg_context *context = harness_context(2);
    tg_variables *variables = tg_variables_new(context, 1);
    tg_graph *graph = tg_graph_new(variables, TG_TRAINING);
    tg_tensor w = tg_variable(graph, "w", TG_F32, TG_SHAPE(5000), (tg_init){.a = 0});
    tg_assign(w, tg_add(w, tg_scalar(w, 1)));
    tg_plan *plan = tg_compile(graph, w);
    ck_assert_ptr_nonnull(plan);
    holder h[THREADS];
    for (int i = 0; i < THREADS; i++)
        h[i].plan = plan;
    for (int round = 0; round < 20; round++)
        together(run_once, h, sizeof *h);
    tg_variables_hold(variables);
    const float *values = tg_variables_values(variables, tg_variables_find(variables, "w"));
    for (int i = 0; i < 5000; i++)
        ck_assert(values[i] == 20 * THREADS);
    tg_variables_release(variables);
    tg_plan_free(plan);
    tg_graph_free(graph);
    tg_variables_free(variables);
    tg_context_free(context);
}
END_TEST

/* ---- a model ---- */

typedef struct asker {
    tg_model *model;
    const float *expected; /* [ROWS][CLASSES] */
    bool good;
} asker;

static void *ask(void *arg)
{
    asker *a = arg;
    float got[ROWS][CLASSES];
    a->good = true;
    for (int run = 0; run < RUNS && a->good; run++) {
        int count = ROWS - run % 3; /* several batch sizes */
        a->good = tg_model_predict(a->model, x, count, got, (size_t)count * sizeof got[0]) == TG_OK &&
                  memcmp(got, a->expected, (size_t)count * sizeof got[0]) == 0;
    }
    return NULL;
}

/* _i: runs at once. */
START_TEST(a_model_predicts_for_several_threads)
{
    small_rows();
    tg_context *context = harness_context(2);
    tg_variables *variables = tg_variables_new(context, 9);
    tg_model *model = tg_model_new(variables, (tg_model_options){.input = {TG_F32, TG_SHAPE(COLUMNS)},
                                                                 .target = {TG_I32, TG_SCALAR},
                                                                 .network = small_network,
                                                                 .loss = small_loss,
                                                                 .classes = CLASSES,
                                                                 .runs = _i,
                                                                 .optimizer = tg_adam_defaults()});
    float expected[ROWS][CLASSES];
    ck_assert_int_eq(tg_model_predict(model, x, ROWS, expected, sizeof expected), TG_OK);
    asker a[THREADS];
    for (int i = 0; i < THREADS; i++)
        a[i] = (asker){model, &expected[0][0], false};
    together(ask, a, sizeof *a);
    for (int i = 0; i < THREADS; i++)
        ck_assert_msg(a[i].good, "thread %d: %s", i, tg_model_error(model));
    tg_model_free(model);
    tg_variables_free(variables);
    tg_context_free(context);
}
END_TEST

static void *train_rows(void *arg)
{
    tg_fit_options options = tg_fit_defaults();
    options.epochs = 5;
    options.batch = BATCH;
    ck_assert_int_eq(tg_fit(arg, data, options), TG_OK);
    return NULL;
}

static void *ask_finite(void *arg)
{
    float got[ROWS][CLASSES];
    asker *a = arg;
    a->good = true;
    for (int run = 0; run < RUNS; run++)
        a->good =
            a->good && tg_model_predict(a->model, x, ROWS, got, sizeof got) == TG_OK && got[ROWS - 1][0] == got[ROWS - 1][0];
    return NULL;
}

/* Predictions go on beside training, which ends with the same bits. */
START_TEST(predictions_beside_training_change_no_bit)
{
    bench alone = bench_make(2, NULL), beside = bench_make(2, NULL);
    (void)train_rows(alone.model);
    pthread_t trainer, others[2];
    asker a[2] = {{beside.model, NULL, false}, {beside.model, NULL, false}};
    ck_assert_int_eq(pthread_create(&trainer, NULL, train_rows, beside.model), 0);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(pthread_create(&others[i], NULL, ask_finite, &a[i]), 0);
    for (int i = 0; i < 2; i++)
        pthread_join(others[i], NULL);
    pthread_join(trainer, NULL);
    ck_assert(a[0].good && a[1].good);
    check_same_stores(alone.variables, beside.variables);
    bench_drop(alone);
    bench_drop(beside);
}
END_TEST

static atomic_bool trained;

/* So many batch sizes that plans make room for one another all the time. */
static void *ask_of_all_sizes(void *arg)
{
    float got[ROWS][CLASSES];
    asker *a = arg;
    a->good = true;
    for (int run = 0; !atomic_load(&trained); run++) {
        size_t count = (size_t)(1 + run % ROWS);
        a->good = a->good && tg_model_predict(a->model, x, (int64_t)count, got, count * sizeof got[0]) == TG_OK;
    }
    return NULL;
}

/* Beside them a model is prepared, timed, trained, and told why rows cannot be trained on: of its own plan, not of another's. */
START_TEST(plans_that_make_room_are_nobodys)
{
    bench b = bench_make(2, NULL);
    pthread_t others[2];
    asker a[2] = {{b.model, NULL, false}, {b.model, NULL, false}};
    int32_t chosen[ROWS], wrong[ROWS];
    for (int i = 0; i < ROWS; i++)
        wrong[i] = chosen[i] = i;
    wrong[0] = 99;
    atomic_store(&trained, false);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(pthread_create(&others[i], NULL, ask_of_all_sizes, &a[i]), 0);
    for (int turn = 0; turn < 100; turn++) {
        int batch = 1 + turn % 20;
        ck_assert_int_eq(tg_model_prepare(b.model, data, batch), TG_OK);
        ck_assert_int_eq(tg_model_profile(b.model, data, batch, batch % 2), TG_OK);
        ck_assert_int_eq(tg_model_train(b.model, data, chosen, batch), TG_OK);
        ck_assert_int_eq(tg_model_train(b.model, (tg_rows){x, wrong, ROWS}, chosen, batch), TG_ERROR_RANGE);
        ck_assert_msg(strstr(tg_model_error(b.model), "99") != NULL, "%s", tg_model_error(b.model));
    }
    atomic_store(&trained, true);
    for (int i = 0; i < 2; i++)
        pthread_join(others[i], NULL);
    ck_assert(a[0].good && a[1].good);
    bench_drop(b);
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("threads");
    tcase_add_test(tests, a_store_may_be_read_while_variables_are_declared);
    tcase_add_test(tests, a_store_that_is_held_does_not_change);
    tcase_add_loop_test(tests, plans_of_a_context_run_at_once_with_the_same_bits, 0, 2);
    tcase_add_loop_test(tests, two_runs_overlap, 0, 2);
    tcase_add_test(tests, a_compile_does_not_wait_for_ever);
    tcase_add_test(tests, without_memory_runs_wait);
    tcase_add_test(tests, runs_of_a_plan_follow_one_another);
    tcase_add_loop_test(tests, a_model_predicts_for_several_threads, 0, 4);
    tcase_add_test(tests, predictions_beside_training_change_no_bit);
    tcase_add_test(tests, plans_that_make_room_are_nobodys);
    return harness_run("threads", tests);
}
