#include "models/settings.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "graph/safe_text.h"
#include "train/optimizers.h"
#include "train/schedule.h"

static const char *optimizer_word(int i) { return tg_optimizer_name((tg_optimizer_kind)i); }
static const char *activation_word(int i) { return tg_activation_name((tg_activation_kind)i); }
static const char *initializer_word(int i) { return tg_initializer_name((tg_initializer_kind)i); }

static const char *schedule_word(int i) { return tg_schedule_name((tg_schedule_kind)i); }

static const char *labels_word(int i)
{
    static const char *const words[] = {[LABELS_ONE_HOT] = "onehot", [LABELS_SPARSE] = "sparse"};
    return i <= LABELS_SPARSE ? words[i] : NULL;
}

static const char *stage_word(int i)
{
    static const char *const words[] = {[DUMP_RECORDED] = "recorded", [DUMP_TRAINING] = "training", [DUMP_COMPILED] = "compiled"};
    return i <= DUMP_COMPILED ? words[i] : NULL;
}

static const char notes[] = "The data is looked for in --data, else in $MNIST_DIR; either must work if given.\n"
                            "Then in $XDG_DATA_HOME/tapegrad/mnist (~/.local/share/tapegrad/mnist), ./data\n"
                            "and ~/.keras/datasets/mnist.npz. Without any, digits are drawn, and every result\n"
                            "says so; tools/fetch_mnist gets the real ones.\n"
                            "\n"
                            "$TG_ISA chooses the instruction set: baseline, avx2, avx512 or neon.\n"
                            "\n"
                            "Exit status: 0 done; 1 failure; 2 wrong usage; 3 data named but missing or\n"
                            "damaged; 4 diverged (a NaN or an infinity: nothing of that step is kept, and\n"
                            "diverged.dot, here or in the report's folder, shows the node that made it; or a\n"
                            "mean loss of an epoch that is a million times the first step's);\n"
                            "129, 130 and 143 interrupted by SIGHUP, SIGINT and SIGTERM; 141 nobody reads the\n"
                            "output any more, as behind \"| head\": a run that keeps files (--save, --checkpoint,\n"
                            "--resume, --report, --trace) then goes on without a word, any other ends.";

static const tg_flag table[] = {
    {.name = "hidden",
     .kind = TG_FLAG_LIST,
     .offset = offsetof(settings, hidden),
     .initial = "100,50",
     .argument = "N,N,...",
     .low = 1,
     .high = 100000,
     .help = "Units of the hidden layers, from the image on: any number of layers."},
    {.name = "filters",
     .kind = TG_FLAG_LIST,
     .offset = offsetof(settings, filters),
     .initial = "32,64",
     .argument = "N,N,...",
     .low = 1,
     .high = 10000,
     .help = "Filters of the convolutions, from the image on, each followed by 2x2 max-pooling."},
    {.name = "kernel-size",
     .kind = TG_FLAG_INTEGER,
     .offset = offsetof(settings, kernel_size),
     .initial = "3",
     .argument = "N",
     .low = 1,
     .high = 27,
     .help = "Height and width of the convolutions' kernels."},
    {.name = "data",
     .kind = TG_FLAG_TEXT,
     .offset = offsetof(settings, data),
     .argument = "DIR",
     .help = "The folder with four IDX files as MNIST's and Fashion-MNIST's, plain or .gz, or with mnist.npz; or an .npz file; "
             "or the word synthetic."},
    {.name = "classes",
     .kind = TG_FLAG_TEXT,
     .offset = offsetof(settings, classes),
     .argument = "FILE",
     .help =
         "A text file with the names of the ten classes, one a line, for all output and for --save. Default: the digits 0 to 9, "
         "and Fashion-MNIST's names where that data is recognised."},
    {.name = "shuffle-pixels",
     .kind = TG_FLAG_INTEGER,
     .offset = offsetof(settings, shuffle_pixels),
     .argument = "SEED",
     .high = 1e9,
     .help =
         "Puts the pixels of all images into one random order: the fully connected network learns as before, the convolutional "
         "one, which looks at neighbours, gets worse."},
    {.name = "epochs",
     .kind = TG_FLAG_INTEGER,
     .offset = offsetof(settings, epochs),
     .initial = "10",
     .argument = "N",
     .high = 1000000,
     .help = "How often to go through the training images."},
    {.name = "batch-size",
     .kind = TG_FLAG_INTEGER,
     .offset = offsetof(settings, batch_size),
     .initial = "128",
     .argument = "N",
     .low = 1,
     .high = 1000000,
     .help = "Images per step. The last step of an epoch takes what remains."},
    {.name = "learning-rate",
     .kind = TG_FLAG_REAL,
     .offset = offsetof(settings, learning_rate),
     .argument = "RATE",
     .high = INFINITY,
     .above_low = true,
     .help = "The step size. Default: Keras's for the optimizer, 0.001, and 0.01 for sgd, momentum and nesterov."},
    {.name = "learning-rate-schedule",
     .kind = TG_FLAG_CHOICE,
     .offset = offsetof(settings, schedule),
     .initial = "constant",
     .choice = schedule_word,
     .help =
         "What becomes of the learning rate: step and exponential multiply it by --decay-rate every --decay-epochs, at once or "
         "bit by bit; cosine lets it fall to 0 over the whole training; one-cycle lets it rise to --learning-rate and fall."},
    {.name = "find-learning-rate",
     .kind = TG_FLAG_SWITCH,
     .offset = offsetof(settings, find_learning_rate),
     .help =
         "Does not train, but lets the learning rate grow from 1e-6 to 10 over 701 steps, suggests the one at which the loss "
         "fell "
         "fastest, and draws the loss in learning_rate.svg, here or in the report's folder. Exit status 0 also where the loss "
         "explodes at the end, as it should; 1 if it nowhere fell."},
    {.name = "decay-rate",
     .kind = TG_FLAG_REAL,
     .offset = offsetof(settings, decay_rate),
     .initial = "0.5",
     .argument = "FACTOR",
     .high = 1,
     .above_low = true,
     .help = "For the step and exponential schedules."},
    {.name = "decay-epochs",
     .kind = TG_FLAG_INTEGER,
     .offset = offsetof(settings, decay_epochs),
     .initial = "2",
     .argument = "N",
     .low = 1,
     .high = 1000000,
     .help = "The same."},
    {.name = "warmup",
     .kind = TG_FLAG_INTEGER,
     .offset = offsetof(settings, warmup),
     .initial = "0",
     .argument = "STEPS",
     .high = 1e12,
     .help = "The learning rate first rises from 0 over so many steps."},
    {.name = "reduce-on-plateau",
     .kind = TG_FLAG_INTEGER,
     .offset = offsetof(settings, reduce_on_plateau),
     .argument = "PATIENCE",
     .high = 1000000,
     .help = "Divides the learning rate by 10 when so many epochs in a row brought no better validation loss: Keras's "
             "ReduceLROnPlateau."},
    {.name = "early-stopping",
     .kind = TG_FLAG_INTEGER,
     .offset = offsetof(settings, early_stopping),
     .argument = "PATIENCE",
     .high = 1000000,
     .help =
         "Stops when so many epochs in a row brought no better validation loss, and goes back to the weights of the best epoch."},
    {.name = "optimizer",
     .kind = TG_FLAG_CHOICE,
     .offset = offsetof(settings, optimizer),
     .initial = "adam",
     .choice = optimizer_word,
     .help = "The update rule, in Keras's form."},
    {.name = "activation",
     .kind = TG_FLAG_CHOICE,
     .offset = offsetof(settings, activation),
     .initial = "sigmoid",
     .choice = activation_word,
     .help = "What follows each hidden layer."},
    {.name = "dropout",
     .kind = TG_FLAG_REAL,
     .offset = offsetof(settings, dropout),
     .initial = "0",
     .argument = "RATE",
     .high = 0.99,
     .help = "The share of values that training sets to zero after each hidden layer, or before the convolutional network's "
             "outputs."},
    {.name = "l2",
     .kind = TG_FLAG_REAL,
     .offset = offsetof(settings, l2),
     .initial = "0",
     .argument = "FACTOR",
     .high = 1e6,
     .help = "Adds FACTOR times the sum of the squares of all kernels to the loss, in training and evaluation, as Keras's "
             "kernel_regularizer does."},
    {.name = "weight-decay",
     .kind = TG_FLAG_REAL,
     .offset = offsetof(settings, weight_decay),
     .argument = "DECAY",
     .high = 1e6,
     .help = "Takes DECAY times the learning rate off each weight at each step, beside the update. Default: 0.004 for adamw, "
             "else 0."},
    {.name = "initializer",
     .kind = TG_FLAG_CHOICE,
     .offset = offsetof(settings, initializer),
     .initial = "glorot_uniform",
     .choice = initializer_word,
     .help = "How kernels begin; biases begin at 0."},
    {.name = "labels",
     .kind = TG_FLAG_CHOICE,
     .offset = offsetof(settings, labels),
     .initial = "onehot",
     .choice = labels_word,
     .help = "Cross-entropy on one-hot labels or on class indices: the losses are the same."},
    {.name = "seed",
     .kind = TG_FLAG_UNSIGNED,
     .offset = offsetof(settings, seed),
     .initial = "1",
     .argument = "N",
     .help = "Decides the initial weights, the order of the images, and drawn digits."},
    {.name = "threads",
     .kind = TG_FLAG_INTEGER,
     .offset = offsetof(settings, threads),
     .initial = "0",
     .argument = "N",
     .high = 1024,
     .help = "Threads, which change the time and no bit of the results; 0: as many as the machine offers."},
    {.name = "dump-graph",
     .kind = TG_FLAG_TEXT,
     .offset = offsetof(settings, dump_graph),
     .argument = "FILE.dot",
     .help = "Writes the graph as a picture for Graphviz: dot -Tsvg FILE.dot > FILE.svg"},
    {.name = "dump-stage",
     .kind = TG_FLAG_CHOICE,
     .offset = offsetof(settings, dump_stage),
     .initial = "training",
     .choice = stage_word,
     .help = "Which graph: the network and its loss as recorded; with gradients and updates; or as compiled, with fused groups."},
    {.name = "report",
     .kind = TG_FLAG_TEXT,
     .offset = offsetof(settings, report),
     .argument = "DIR",
     .help = "Leaves a report there: report.html with all figures, which are SVG files too, history.csv and metrics.json."},
    {.name = "save",
     .kind = TG_FLAG_TEXT,
     .offset = offsetof(settings, save),
     .argument = "FILE.safetensors",
     .help = "Writes the weights after training, under the names of the summary, as Python's safetensors reads them."},
    {.name = "load",
     .kind = TG_FLAG_TEXT,
     .offset = offsetof(settings, load),
     .argument = "FILE.safetensors",
     .help = "Starts from these weights, which must be of a network of the same sizes."},
    {.name = "checkpoint",
     .kind = TG_FLAG_TEXT,
     .offset = offsetof(settings, checkpoint),
     .argument = "DIR",
     .help = "Keeps there, after each epoch and when the run is interrupted, all that it takes to go on, and the weights of the "
             "epoch with the least validation loss."},
    {.name = "every",
     .kind = TG_FLAG_INTEGER,
     .offset = offsetof(settings, every),
     .initial = "0",
     .argument = "N",
     .high = 1000000000,
     .help = "Writes the checkpoint also after every N steps; 0: after epochs alone."},
    {.name = "resume",
     .kind = TG_FLAG_TEXT,
     .offset = offsetof(settings, resume),
     .argument = "DIR",
     .help =
         "Goes on from the checkpoint there, with the same flags, and keeps its own there. The results are those of a run that "
         "was never stopped, bit for bit."},
    {.name = "check-gradients",
     .kind = TG_FLAG_SWITCH,
     .offset = offsetof(settings, check_gradients),
     .help =
         "Before training, compares gradients with finite differences, in double precision on a few images, and shows the worst "
         "element found of each variable. Ends with 1 if they differ."},
    {.name = "profile",
     .kind = TG_FLAG_SWITCH,
     .offset = offsetof(settings, profile),
     .help = "After training, shows which parts of the compiled training step took how much of its time, and how fast they were. "
             "With "
             "--dump-graph and --dump-stage compiled, the picture is written then too, filled by these shares."},
    {.name = "trace",
     .kind = TG_FLAG_TEXT,
     .offset = offsetof(settings, trace),
     .argument = "FILE",
     .help = "Writes a hash of every variable after every step; diff_runs FILE FILE says where two such runs first differ."},
    {.name = "show-samples",
     .kind = TG_FLAG_SWITCH,
     .offset = offsetof(settings, show_samples),
     .help = "Shows the first four training images with their labels, in half blocks, or in characters where the locale is not "
             "UTF-8."},
    {.name = "json",
     .kind = TG_FLAG_SWITCH,
     .offset = offsetof(settings, json),
     .help = "Prints JSON lines alone: one per epoch, then one with the results."},
    {.name = "no-progress",
     .kind = TG_FLAG_SWITCH,
     .offset = offsetof(settings, no_progress),
     .help = "Prints one line per epoch also on a terminal, without control characters; so does any pipe or file. $NO_COLOR is "
             "obeyed."},
    {.name = "quiet", .kind = TG_FLAG_SWITCH, .offset = offsetof(settings, quiet), .help = "Prints the last results alone."},
};

/* Whether a program has what a flag sets. */
static bool applies(const mnist_program *program, const char *flag)
{
    if (strcmp(flag, "hidden") == 0)
        return program->hidden;
    return program->hidden ? strcmp(flag, "filters") != 0 && strcmp(flag, "kernel-size") != 0 : true;
}

_Static_assert(sizeof table / sizeof *table <= MOST_SETTINGS, "a list of settings has room for all");

int list_settings(const mnist_program *program, const settings *s, setting_text list[MOST_SETTINGS])
{
    int n = 0;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        setting_text *text = &list[n];
        if (!applies(program, table[i].name) || !tg_flag_text(&table[i], s, text->value, sizeof text->value))
            continue;
        text->name = table[i].name;
        text->changed = !table[i].initial || strcmp(table[i].initial, text->value) != 0;
        n++;
    }
    return n;
}

int list_unset(const mnist_program *program, const settings *s, const char *names[MOST_SETTINGS])
{
    char value[sizeof((setting_text *)0)->value];
    int n = 0;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (applies(program, table[i].name) && !tg_flag_text(&table[i], s, value, sizeof value))
            names[n++] = table[i].name;
    return n;
}

bool keeps_files(const settings *s) { return s->save || s->checkpoint || s->resume || s->report || s->trace; }

network_settings chosen_network(const settings *s)
{
    return (network_settings){
        .hidden = s->hidden,
        .filters = s->filters,
        .kernel_size = s->kernel_size,
        .dropout = s->dropout,
        .activation = (tg_activation_kind)s->activation,
        .kernel = tg_initializer_defaults((tg_initializer_kind)s->initializer),
    };
}

/* If not, s->message says why. */
static bool keeping_is_sound(settings *s)
{
    const char *wrong =
        s->load && s->resume ? "--load and --resume exclude each other"
        : s->find_learning_rate && (s->save || s->checkpoint || s->resume || s->trace)
            ? "--find-learning-rate trains nothing that could be kept: leave out --save, --checkpoint, --resume and "
              "--trace"
        : s->checkpoint && s->resume               ? "--resume DIR keeps its checkpoints in DIR too; leave --checkpoint out"
        : s->every && !s->checkpoint && !s->resume ? "--every needs --checkpoint DIR or --resume DIR"
                                                   : "";
    tg_message(s->message, sizeof s->message, "%s", wrong);
    return !*wrong;
}

tg_flags_answer read_settings(const mnist_program *program, int argc, char **argv, settings *s)
{
    const network_settings defaults = network_defaults();
    tg_flag chosen[sizeof table / sizeof *table];
    int count = 0;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (applies(program, table[i].name))
            chosen[count++] = table[i];
    }
    *s = (settings){.hidden = defaults.hidden,
                    .filters = defaults.filters,
                    .kernel_size = defaults.kernel_size,
                    .weight_decay = -1,
                    .early_stopping = -1,
                    .reduce_on_plateau = -1,
                    .shuffle_pixels = -1};
    tg_flags flags = {.program = program->name,
                      .about = program->about,
                      .examples = program->examples,
                      .notes = notes,
                      .flags = chosen,
                      .count = count,
                      .values = s};
    tg_flags_answer answer = tg_flags_parse(&flags, argc, argv, s->message, sizeof s->message);
    if (answer == TG_FLAGS_HELP)
        (void)!tg_flags_help(&flags, stdout);
    if (answer == TG_FLAGS_RUN && (s->schedule != TG_SCHEDULE_CONSTANT || s->warmup > 0) && s->reduce_on_plateau >= 0) {
        tg_message(s->message, sizeof s->message,
                   "--reduce-on-plateau needs a constant learning rate: leave out --learning-rate-schedule and --warmup");
        return TG_FLAGS_WRONG;
    }
    if (answer == TG_FLAGS_RUN && s->schedule == TG_SCHEDULE_ONE_CYCLE && s->warmup > 0) {
        tg_message(s->message, sizeof s->message, "--warmup: one-cycle has a warm-up of its own");
        return TG_FLAGS_WRONG;
    }
    network_settings sizes = {.filters = s->filters, .kernel_size = s->kernel_size};
    if (answer == TG_FLAGS_RUN && !program->hidden && !cnn_fits(&sizes, s->message, sizeof s->message))
        return TG_FLAGS_WRONG;
    return answer == TG_FLAGS_RUN && !keeping_is_sound(s) ? TG_FLAGS_WRONG : answer;
}
