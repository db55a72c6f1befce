/* The library in threads whose stacks have 64 KiB: training with checkpoints, both networks, prediction, looking at graphs. */
#include <pthread.h>

#include "autodiff/inspect.h"
#include "checkpoint_fixture.h"
#include "graph/print.h"
#include "models/networks.h"
#include "train/rate_finder.h"
#include "train/summary.h"

#define STACK_BYTES ((size_t)64 << 10)

/* Calls `work` there. A stack that is too small ends the process. */
static void on_small_stack(void *(*work)(void *arg), void *arg)
{
    pthread_attr_t small;
    pthread_t thread;
    ck_assert_int_eq(pthread_attr_init(&small), 0);
    ck_assert_int_eq(pthread_attr_setstacksize(&small, STACK_BYTES), 0);
    ck_assert_int_eq(pthread_create(&thread, &small, work, arg), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    pthread_attr_destroy(&small);
}

static void *train_and_resume(void *arg)
{
    trainee whole, first, second;
    make(&whole, 2);
    train(&whole, 0);
    remove_folder(run);
    make(&first, 2);
    train(&first, STEPS);
    drop(&first);
    make(&second, 2);
    resume(&second);
    train(&second, 0);
    check_same_stores(whole.variables, second.variables);
    drop(&second);
    drop(&whole);
    *(bool *)arg = true;
    return NULL;
}

START_TEST(a_run_with_checkpoints)
{
    bool done = false;
    on_small_stack(train_and_resume, &done);
    ck_assert(done);
}
END_TEST

/* ---- the two networks ---- */

enum { IMAGES = 20, PIXELS = 28 * 28 };
static uint8_t images[IMAGES][PIXELS];
static int32_t labels[IMAGES];

static tg_tensor network(tg_tensor pixels, void *convolutional)
{
    static const network_settings settings = {
        .hidden = {2, {100, 50}}, .filters = {2, {32, 64}}, .kernel_size = 3, .activation = TG_ACTIVATION_SIGMOID};
    tg_tensor image = scale_pixels(pixels);
    return *(bool *)convolutional ? cnn(image, &settings) : fcnn(image, &settings);
}

typedef struct task {
    tg_isa isa;
    bool convolutional, done;
} task;

static void look_at(tg_model *model)
{
    tg_tensor output;
    tg_graph *graph = tg_model_record(model, TG_STAGE_TRAINING, 0, 4, &output);
    ck_assert_msg(graph, "%s", tg_model_error(model));
    FILE *out = tmpfile();
    ck_assert_ptr_nonnull(out);
    tg_summary_row rows[40];
    ck_assert_int_gt(tg_summary_rows(output, rows, 40), 0);
    ck_assert_int_eq(tg_dump(out, graph, NULL, tg_dot_defaults()), TG_OK);
    ck_assert_int_eq(tg_print_tape(out, graph), TG_OK);
    fclose(out);
    tg_graph_free(graph);
}

static void *train_network(void *arg)
{
    task *t = arg;
    tg_context_options options = harness_options();
    options.isa = t->isa;
    options.threads = 2;
    tg_context *context = tg_context_new(options);
    tg_variables *variables = tg_variables_new(context, 3);
    tg_model *model =
        tg_model_new(variables, (tg_model_options){.input = {TG_U8, t->convolutional ? TG_SHAPE(28, 28, 1) : TG_SHAPE(784)},
                                                   .target = {TG_I32, TG_SCALAR},
                                                   .network = network,
                                                   .loss = small_loss,
                                                   .user = &t->convolutional,
                                                   .classes = CLASSES,
                                                   .optimizer = tg_adam_defaults()});
    tg_rows rows = {images, labels, IMAGES};
    tg_fit_options fit = {.epochs = 2, .batch = 8, .validation = rows, .seed = 1};
    ck_assert_msg(model && tg_fit(model, rows, fit) == TG_OK, "%s", tg_model_error(model));
    static float logits[IMAGES * CLASSES];
    ck_assert_msg(tg_model_predict(model, images, IMAGES, logits, sizeof logits) == TG_OK, "%s", tg_model_error(model));
    tg_rate_finder_options rates = tg_rate_finder_defaults();
    rates.steps = 5;
    rates.batch = 8;
    tg_rate_sweep sweep;
    ck_assert_msg(tg_find_learning_rate(model, rows, rates, &sweep) == TG_OK, "%s", tg_model_error(model));
    tg_rate_sweep_free(&sweep);
    look_at(model);
    tg_model_free(model);
    tg_variables_free(variables);
    tg_context_free(context);
    t->done = true;
    return NULL;
}

START_TEST(both_networks_on_every_instruction_set)
{
    for (int i = 0; i < IMAGES; i++) {
        labels[i] = i % 10;
        for (int k = 0; k < PIXELS; k++)
            images[i][k] = (k / 28 + i) % 7 == 0 ? (uint8_t)(k % 256) : 0;
    }
    for (int isa = 0; isa < TG_ISA_COUNT; isa++) {
        task t = {.isa = (tg_isa)isa, .convolutional = _i == 1};
        if (!tg_isa_available(t.isa))
            continue;
        on_small_stack(train_network, &t);
        ck_assert(t.done);
    }
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("small_stack");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, a_run_with_checkpoints);
    tcase_add_loop_test(tests, both_networks_on_every_instruction_set, 0, 2);
    return harness_run("small_stack", tests);
}
