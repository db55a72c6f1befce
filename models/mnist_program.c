#include "models/mnist_program.h"

#include <stdio.h>
#include <stdlib.h>

#include "exec/clock.h"
#include "models/console.h"
#include "models/course.h"
#include "models/find_rate.h"
#include "models/interrupt.h"
#include "models/keep.h"
#include "models/picture.h"
#include "models/profile.h"
#include "models/report.h"
#include "models/settings.h"
#include "ops/ops.h"
#include "train/regularizers.h"

/* Parts of the images that training holds back for validation: 10,000 of 60,000. */
#define VALIDATION_PART 6
/* Images that --show-samples shows. */
#define SAMPLES 4
/* Images that evaluation takes at once: Keras's default. */
#define EVALUATION_BATCH 32
/* What --check-gradients looks at: images, and elements of each variable. */
#define CHECKED_IMAGES 4
#define CHECKED_ELEMENTS 50

static tg_cancel cancel; /* requested by a signal */

/* All that one run has. */
typedef struct run {
    const mnist_program *program;
    settings settings;
    network_settings network;
    console console;
    tg_context *context;
    tg_class_names names; /* of --classes */
    tg_mnist data;
    tg_rows train, validation, test;
    tg_variables *variables;
    tg_model *model;
    run_facts facts;
    tg_fit_step last;    /* the last step that was finished */
    bool trained;        /* training is over, and there was some */
    const char *invoked; /* argv[0] */
    course course;
    tg_history history;
    tg_status recorded; /* of its last row */
    keeper keeper;
    tg_scores scores; /* of the test */
    int64_t confusion[CLASSES * CLASSES];
} run;

/* ---- the model's functions ---- */

static tg_tensor network(tg_tensor pixels, void *user)
{
    const run *r = user;
    return r->program->network(scale_pixels(pixels), &r->network);
}

static tg_tensor probabilities(tg_tensor logits, void *user)
{
    const run *r = user;
    return r->program->probabilities(logits);
}

static tg_tensor loss(tg_tensor logits, tg_tensor labels, void *user)
{
    const run *r = user;
    if (r->settings.labels == LABELS_ONE_HOT)
        labels = tg_one_hot(labels, CLASSES, TG_FLOAT);
    tg_tensor losses = tg_cross_entropy(logits, labels);
    return r->settings.l2 > 0 ? tg_add(losses, tg_l2_penalty(logits, r->settings.l2)) : losses;
}

/* ---- getting ready ---- */

static int make_context(run *r)
{
    tg_context_options options = tg_context_defaults();
    options.threads = (int)r->settings.threads;
    r->context = tg_context_new(options);
    r->history.context = r->context;
    if (r->context)
        return EXIT_DONE;
    char why[256];
    tg_context_explain(options, why, sizeof why);
    console_complain(&r->console, "%s", *why ? why : "out of memory");
    return *why ? EXIT_USAGE : EXIT_FAILED;
}

static tg_rows part(const tg_image_set *set, int64_t first, int64_t count)
{
    return (tg_rows){.x = set->images + first * TG_MNIST_PIXELS, .y = set->labels + first, .count = count};
}

static int name_classes(run *r)
{
    char message[TG_MESSAGE_SIZE];
    if (!r->settings.classes)
        return EXIT_DONE;
    tg_status status = tg_class_names_read(r->context, r->settings.classes, CLASSES, &r->names, message);
    if (status != TG_OK)
        console_complain(&r->console, "%s", message);
    return status == TG_OK ? EXIT_DONE : status == TG_ERROR_MEMORY ? EXIT_FAILED : EXIT_DATA;
}

static int load_data(run *r)
{
    char message[TG_MESSAGE_SIZE];
    tg_status status = tg_mnist_load(r->context, r->settings.data, r->settings.seed, &r->data, message);
    if (status != TG_OK) {
        console_complain(&r->console, "%s", message);
        return status == TG_ERROR_MEMORY ? EXIT_FAILED : EXIT_DATA;
    }
    int64_t held_back = r->data.train.count / VALIDATION_PART, training = r->data.train.count - held_back;
    if (held_back < 1 || r->data.test.count < 1) {
        console_complain(&r->console, "%s: %lld training and %lld test images are too few: there must be %d and 1",
                         r->data.source, (long long)r->data.train.count, (long long)r->data.test.count, VALIDATION_PART);
        return EXIT_DATA;
    }
    if (r->settings.shuffle_pixels >= 0)
        tg_mnist_shuffle_pixels(&r->data, (uint64_t)r->settings.shuffle_pixels);
    r->train = part(&r->data.train, 0, training);
    r->validation = part(&r->data.train, training, held_back);
    r->test = part(&r->data.test, 0, r->data.test.count);
    r->facts = (run_facts){.model = r->program->model, .context = r->context, .data = &r->data, .seed = r->settings.seed};
    r->facts.classes = r->settings.classes ? r->names.names : r->data.classes;
    return EXIT_DONE;
}

static int make_model(run *r)
{
    r->network = chosen_network(&r->settings);
    tg_model_options options = {
        .input = {TG_U8, r->program->flat ? TG_SHAPE(TG_MNIST_PIXELS) : TG_SHAPE(TG_MNIST_ROWS, TG_MNIST_COLUMNS, 1)},
        .target = {TG_I32, TG_SCALAR},
        .network = network,
        .loss = loss,
        .predict = probabilities,
        .user = r,
        .classes = CLASSES,
        .evaluation_batch = EVALUATION_BATCH,
        .cancel = &cancel,
        .optimizer = tg_optimizer_defaults((tg_optimizer_kind)r->settings.optimizer),
    };
    if (r->settings.learning_rate > 0)
        options.optimizer.learning_rate = r->settings.learning_rate;
    if (r->settings.weight_decay >= 0)
        options.optimizer.weight_decay = r->settings.weight_decay;
    r->variables = tg_variables_new(r->context, r->settings.seed);
    r->model = r->variables ? tg_model_new(r->variables, options) : NULL;
    if (!r->model)
        console_complain(&r->console, "%s", tg_status_text(TG_ERROR_MEMORY));
    r->keeper.model = r->model;
    r->keeper.classes = r->facts.classes;
    return r->model ? EXIT_DONE : EXIT_FAILED;
}

static int64_t batch_of(const run *r)
{
    return r->settings.batch_size < r->train.count ? r->settings.batch_size : r->train.count;
}

static int model_failed(const run *r)
{
    console_complain(&r->console, "%s", tg_model_error(r->model));
    return EXIT_FAILED;
}

/* Shows the layers and what a step will need. */
static int introduce(run *r)
{
    const tg_rows parts[] = {r->train, r->validation, r->test};
    console_start(&r->console, &r->facts);
    console_shapes(&r->console, parts, r->program->flat);
    if (r->settings.show_samples)
        console_samples(&r->console, r->train, SAMPLES, r->facts.classes);
    tg_tensor output;
    tg_graph *graph = tg_model_record(r->model, TG_STAGE_PREDICTION, 0, 1, &output);
    if (!graph)
        return model_failed(r);
    console_summary(&r->console, r->program->model, output);
    tg_graph_free(graph);
    const tg_plan *plan = tg_model_plan(r->model, r->train, batch_of(r));
    if (!plan)
        return model_failed(r);
    console_memory(&r->console, batch_of(r), tg_plan_describe(plan));
    return console_flushed(&r->console) ? EXIT_DONE : EXIT_FAILED;
}

/* ---- the picture ---- */

static int write_stage(run *r)
{
    picture p = {.title = r->program->model};
    tg_graph *graph = NULL;
    if (r->settings.dump_stage == DUMP_COMPILED) {
        p.plan = tg_model_plan(r->model, r->train, batch_of(r));
    } else {
        tg_model_stage stage = r->settings.dump_stage == DUMP_RECORDED ? TG_STAGE_LOSS : TG_STAGE_TRAINING;
        p.graph = graph = tg_model_record(r->model, stage, r->train.count, batch_of(r), NULL);
    }
    if (!p.plan && !p.graph)
        return model_failed(r);
    int code = write_graph(&r->console, r->settings.dump_graph, &p);
    tg_graph_free(graph);
    return code;
}

/* Whether the picture shows times, which are known after training. */
static bool shows_times(const run *r) { return r->settings.profile && r->settings.dump_stage == DUMP_COMPILED; }

static int dump_graph(run *r) { return r->settings.dump_graph && !shows_times(r) ? write_stage(r) : EXIT_DONE; }

/* ---- the profile ---- */

static int begin_profile(run *r)
{
    if (!r->settings.profile || tg_model_profile(r->model, r->train, batch_of(r), true) == TG_OK)
        return EXIT_DONE;
    return model_failed(r);
}

static int end_profile(run *r)
{
    if (!r->settings.profile)
        return EXIT_DONE;
    const tg_plan *plan = tg_model_plan(r->model, r->train, batch_of(r));
    if (!plan)
        return model_failed(r);
    if (!show_profile(&r->console, plan, batch_of(r))) {
        console_complain(&r->console, "%s", tg_status_text(TG_ERROR_MEMORY));
        return EXIT_FAILED;
    }
    if (!console_flushed(&r->console))
        return EXIT_FAILED;
    return r->settings.dump_graph && shows_times(r) ? write_stage(r) : EXIT_DONE;
}

/* ---- training ---- */

static bool on_begin(void *user, int epoch, int epochs)
{
    run *r = user;
    console_epoch_begin(&r->console, epoch, epochs);
    return console_flushed(&r->console);
}

static bool on_step(void *user, const tg_fit_step *step)
{
    run *r = user;
    r->last = *step;
    tg_scores scores;
    if (!keep_step(&r->keeper, step))
        return false;
    if (console_step_due(&r->console) && tg_model_read_scores(r->model, &scores) == TG_OK)
        console_step(&r->console, step, scores);
    return true;
}

static bool on_epoch(void *user, const tg_fit_epoch *epoch)
{
    run *r = user;
    console_epoch(&r->console, epoch);
    r->recorded = tg_history_add(&r->history, epoch);
    bool go_on = r->recorded == TG_OK && course_epoch(&r->course, &r->console, r->model, epoch);
    go_on = !r->course.failed && keep_epoch(&r->keeper, epoch) && go_on;
    return console_flushed(&r->console) && go_on;
}

/* Says which node first went wrong, by replaying the failed run unfused. */
static int diverged(run *r)
{
    tg_nonfinite found = {.node = -1};
    if (tg_model_find_nonfinite(r->model, &found) == TG_OK && found.node >= 0) {
        console_complain(&r->console, "diverged: %s", found.message);
        show_culprit(&r->console, r->settings.report, tg_model_failed_graph(r->model), &found);
    } else {
        console_complain(&r->console, "diverged: %s", tg_model_error(r->model));
    }
    return EXIT_DIVERGED;
}

static int failed(run *r, tg_status status)
{
    if (status == TG_ERROR_NONFINITE)
        return diverged(r);
    if (status == TG_ERROR_DIVERGED) {
        console_complain(&r->console, "diverged: %s", tg_model_error(r->model));
        return EXIT_DIVERGED;
    }
    if (status != TG_ERROR_STOPPED)
        return model_failed(r);
    if (r->recorded != TG_OK || r->course.failed)
        console_complain(&r->console, "%s", tg_status_text(TG_ERROR_MEMORY));
    if (!interrupt_signal() || r->keeper.failed)
        return EXIT_FAILED; /* standard output, a checkpoint or the trace, which has been said, or memory */
    console_complain(&r->console, "interrupted in epoch %d of %d, after step %lld of %lld", r->last.epoch, r->last.epochs,
                     (long long)r->last.step, (long long)r->last.steps);
    return keep_interrupted(&r->keeper, r->invoked) ? EXIT_SIGNAL + interrupt_signal() : EXIT_FAILED;
}

/* Compares the gradients of the present weights with finite differences. */
static int check_gradients(run *r)
{
    tg_model_check check;
    int64_t images = r->train.count < CHECKED_IMAGES ? r->train.count : CHECKED_IMAGES;
    tg_check_options options = {.max_elements = CHECKED_ELEMENTS};
    if (!r->settings.check_gradients)
        return EXIT_DONE;
    if (tg_model_check_gradients(r->model, r->train, images, options, &check) != TG_OK)
        return model_failed(r);
    console_gradients(&r->console, r->variables, &check, images);
    bool passed = check.passed;
    tg_model_check_free(&check);
    if (!passed)
        console_complain(&r->console, "gradients differ from finite differences; nothing was trained");
    return console_flushed(&r->console) && passed ? EXIT_DONE : EXIT_FAILED;
}

static bool was_interrupted(void) { return interrupt_signal() != 0; }

/* An interrupt outside of training. */
static int ended(const run *r, const char *where)
{
    keep_tell(&r->keeper, where, r->trained);
    return EXIT_SIGNAL + interrupt_signal();
}

static int search_rate(run *r)
{
    const rate_search search = {&r->console, &r->settings, &r->facts, r->model, r->train, batch_of(r), was_interrupted};
    int code = find_rate(&search);
    return interrupt_signal() ? ended(r, "in the search for a learning rate") : code;
}

static int train(run *r)
{
    tg_fit_options options = tg_fit_defaults();
    options.epochs = (int)r->settings.epochs;
    options.batch = batch_of(r);
    options.seed = r->settings.seed;
    options.validation = r->validation;
    options.on_begin = on_begin;
    options.on_step = on_step;
    options.on_epoch = on_epoch;
    options.user = r;
    int64_t steps = (r->train.count + options.batch - 1) / options.batch;
    r->course = course_make(&r->settings, tg_model_learning_rate(r->model), steps);
    options.schedule = r->course.scheduled ? &r->course.schedule : NULL;
    r->console.rate = r->course.scheduled || r->course.reduces;
    int code = keep_begin(&r->keeper, r->train, &options, &r->course);
    if (code == EXIT_DONE)
        code = check_gradients(r);
    if (code != EXIT_DONE || r->settings.find_learning_rate)
        return code == EXIT_DONE ? search_rate(r) : code;
    r->last = (tg_fit_step){.epoch = options.first_epoch > 0 ? options.first_epoch : 1,
                            .epochs = options.epochs,
                            .step = options.first_step,
                            .steps = steps};
    tg_status status = r->course.stopped ? TG_ERROR_STOPPED : tg_fit(r->model, r->train, options);
    console_epoch_leave(&r->console);
    if (status == TG_ERROR_STOPPED && r->course.stopped && !r->console.output_lost && !r->keeper.failed)
        status = TG_OK;
    if (status == TG_OK)
        status = course_end(&r->course, &r->console);
    if (status != TG_OK)
        return failed(r, status);
    r->trained = r->last.run_step > 0;
    return keep_weights(&r->keeper);
}

static int show_results(run *r)
{
    int64_t begun = tg_clock();
    tg_status status = tg_model_evaluate(r->model, r->test, &r->scores, r->confusion);
    if (status != TG_OK)
        return status == TG_ERROR_STOPPED ? ended(r, "in the evaluation") : failed(r, status);
    console_evaluation(&r->console, (r->test.count + EVALUATION_BATCH - 1) / EVALUATION_BATCH,
                       1e-9 * (double)(tg_clock() - begun), r->scores);
    console_results(&r->console, &r->facts, r->scores, r->confusion);
    return console_flushed(&r->console) ? EXIT_DONE : EXIT_FAILED;
}

/* Whatever the work starts from is looked for, and whatever will be written after it is tried, before it. */
static int places(run *r)
{
    char figure[4096];
    const settings *s = &r->settings;
    const char *files[] = {s->save, s->dump_graph, s->find_learning_rate ? rate_figure_path(s, figure) : NULL};
    int code = console_ready(&r->console) ? keep_found(&r->console, s) : EXIT_FAILED;
    if (code == EXIT_DONE)
        code = prepare_report(&r->console, s);
    for (size_t i = 0; i < sizeof files / sizeof *files && code == EXIT_DONE; i++)
        code = keep_place(&r->console, files[i]);
    return code;
}

static int report(run *r)
{
    const finished_run finished = {.program = r->program,
                                   .settings = &r->settings,
                                   .invoked = r->invoked,
                                   .facts = &r->facts,
                                   .model = r->model,
                                   .train = r->train,
                                   .batch = batch_of(r),
                                   .history = r->keeper.checkpoint ? tg_checkpoint_history(r->keeper.checkpoint) : &r->history,
                                   .scores = r->scores,
                                   .confusion = r->confusion};
    int code = leave_report(&r->console, &finished);
    if (code == EXIT_SIGNAL)
        return ended(r, "while the report was made");
    return console_flushed(&r->console) ? code : EXIT_FAILED;
}

/* ---- the whole ---- */

static int run_stages(run *r)
{
    static const struct {
        int (*run)(run *r);
        const char *before; /* where an interrupt came that is seen here */
    } stages[] = {{places, "before training"},     {make_context, "before training"},  {name_classes, "before training"},
                  {load_data, "before training"},  {make_model, "before training"},    {introduce, "before training"},
                  {dump_graph, "before training"}, {begin_profile, "before training"}, {train, "before training"},
                  {end_profile, "after training"}, {show_results, "after training"},   {report, "after the evaluation"}};
    const size_t n = sizeof stages / sizeof *stages, last = r->settings.find_learning_rate ? n - 3 : n; /* no results then */
    int code = EXIT_DONE;
    r->keeper = (keeper){.console = &r->console, .program = r->program, .settings = &r->settings};
    for (size_t i = 0; i < last && code == EXIT_DONE; i++)
        code = interrupt_signal() ? ended(r, stages[i].before) : stages[i].run(r);
    tg_history_free(&r->history);
    keep_end(&r->keeper);
    course_free(&r->course);
    tg_model_free(r->model);
    tg_variables_free(r->variables);
    tg_mnist_free(&r->data);
    tg_class_names_free(&r->names);
    tg_context_free(r->context);
    return console_status(&r->console, code);
}

static int run_flags(run *r, int argc, char **argv)
{
    tg_flags_answer answer = read_settings(r->program, argc, argv, &r->settings);
    r->console.unread_is_fine = keeps_files(&r->settings);
    r->console.style = r->settings.json ? STYLE_JSON : r->settings.quiet ? STYLE_QUIET : STYLE_FULL;
    r->console.redraw = r->console.redraw && r->console.style == STYLE_FULL && !r->settings.no_progress;
    if (answer == TG_FLAGS_WRONG) {
        console_complain(&r->console, "%s", r->settings.message);
        return EXIT_USAGE;
    }
    if (answer == TG_FLAGS_VERSION)
        printf("%s (tapegrad) %s\n", r->program->name, tg_version());
    if (answer != TG_FLAGS_RUN)
        return console_status(&r->console, console_flushed(&r->console) ? EXIT_DONE : EXIT_FAILED);
    return run_stages(r);
}

int run_mnist_program(const mnist_program *program, int argc, char **argv)
{
    run *r = calloc(1, sizeof *r); /* more than a small stack holds */
    console c = console_make(program->name);
    if (!r) {
        console_complain(&c, "%s", tg_status_text(TG_ERROR_MEMORY));
        return EXIT_FAILED;
    }
    interrupt_watch(&cancel);
    r->program = program;
    r->invoked = argc > 0 ? argv[0] : program->name;
    r->console = c;
    int code = run_flags(r, argc, argv);
    free(r);
    return code;
}
