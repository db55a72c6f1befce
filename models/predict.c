/* Classifies images with a network that --save has kept. */
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "graph/number_text.h"
#include "graph/safe_text.h"
#include "models/console.h"
#include "models/saved_network.h"
#include "train/image_file.h"
#include "train/image_prepare.h"
#include "train/image_text.h"
#include "train/json.h"
#include "train/text_columns.h"

#define CHUNK 256      /* images that are prepared, predicted and shown together */
#define BAR_COLUMNS 40 /* of a probability of 1 */
#define BAR_LEAST 10   /* in a narrow window, where names are cut rather */

typedef enum invert_kind { INVERT_AUTO, INVERT_YES, INVERT_NO } invert_kind;

typedef struct choices {
    bool draw, json;
    int invert;
    int64_t threads;
    const char *classes;
} choices;

/* An image's way to the network. */
typedef struct pixels_in {
    uint8_t pixels[TG_MNIST_PIXELS];
    bool inverted;
    bool blank; /* no ink: there is nothing to classify */
} pixels_in;

typedef struct run {
    choices choices;
    console console;
    tg_context *context;
    saved_network saved;
    tg_class_names chosen;    /* by --classes */
    const char *const *names; /* of the classes, for tg_class_name() */
    int name_columns;         /* of the widest */
    pixels_in shown[CHUNK];
    uint8_t images[CHUNK * TG_MNIST_PIXELS]; /* as the network takes them: in the order of --shuffle-pixels */
    float probabilities[CHUNK][CLASSES];
} run;

static const char *invert_word(int i)
{
    static const char *const words[] = {[INVERT_AUTO] = "auto", [INVERT_YES] = "yes", [INVERT_NO] = "no"};
    return i <= INVERT_NO ? words[i] : NULL;
}

static const tg_flag table[] = {
    {.name = "draw",
     .kind = TG_FLAG_SWITCH,
     .offset = offsetof(choices, draw),
     .help = "Shows what the network saw, in half blocks, or in characters where the locale is not UTF-8."},
    {.name = "invert",
     .kind = TG_FLAG_CHOICE,
     .offset = offsetof(choices, invert),
     .initial = "auto",
     .choice = invert_word,
     .help = "Whether ink is dark on a bright background and must be inverted; auto looks at the outermost pixels of each "
             "picture, and leaves IDX images of 28x28 as they are."},
    {.name = "classes",
     .kind = TG_FLAG_TEXT,
     .offset = offsetof(choices, classes),
     .argument = "FILE",
     .help = "A text file with the names of the ten classes, one a line, in place of those that MODEL keeps, or of the digits 0 "
             "to 9."},
    {.name = "threads",
     .kind = TG_FLAG_INTEGER,
     .offset = offsetof(choices, threads),
     .initial = "0",
     .argument = "N",
     .high = 1024,
     .help = "Threads, which change the time and no bit of the results; 0: as many as the machine offers."},
    {.name = "json",
     .kind = TG_FLAG_SWITCH,
     .offset = offsetof(choices, json),
     .help =
         "Prints JSON lines alone, one per image: file, number of the image in it, whether it was inverted, whether it is blank, "
         "class, its name, and the probabilities by the names of the classes. A blank image has no ink, and null for these "
         "three."},
};

static const char about[] =
    "Classifies images with a network that fcnn_mnist or cnn_mnist has saved: MODEL is the file of --save, "
    "each FILE a picture as PNG or PGM (P2 or P5), or an IDX file of images, plain or packed by gzip. Pictures "
    "are made grey, what is transparent white, then centred and scaled to 28x28 as MNIST's digits were; IDX "
    "images of 28x28 are taken as they are. PNG needs a build with libpng.";

static const char examples[] = "  cnn_mnist --save cnn.safetensors               train and keep a network\n"
                               "  predict cnn.safetensors --draw digit.png\n"
                               "  predict cnn.safetensors --json t10k-images-idx3-ubyte.gz";

static const char notes[] = "Exit status: 0 done; 1 failure; 2 wrong usage; 3 a file that is missing, damaged or\n"
                            "not what it should be; 141 nobody reads the output any more.";

static int fail(const run *r, tg_status status, const char *message)
{
    console_complain(&r->console, "%s", message);
    return status == TG_ERROR_IO || status == TG_ERROR_FORMAT ? EXIT_DATA : EXIT_FAILED;
}

/* ---- the classes' names ---- */

static int read_names(run *r)
{
    char message[TG_MESSAGE_SIZE], number[TG_CLASS_NUMBER];
    r->names = r->saved.names.names;
    if (r->choices.classes) {
        tg_status status = tg_class_names_read(r->context, r->choices.classes, CLASSES, &r->chosen, message);
        if (status != TG_OK)
            return fail(r, status, message);
        r->names = r->chosen.names;
    }
    for (int i = 0; i < CLASSES; i++) {
        int columns = tg_text_columns(tg_class_name(r->names, i, number));
        r->name_columns = columns > r->name_columns ? columns : r->name_columns;
    }
    return EXIT_DONE;
}

/* ---- images ---- */

static void make_ready(const run *r, const tg_image_file *file, int64_t i, pixels_in *in)
{
    int64_t rows = file->images.shape.dims[1], columns = file->images.shape.dims[2];
    const uint8_t *image = file->images.data + i * rows * columns;
    bool as_it_is = file->idx && rows == TG_MNIST_ROWS && columns == TG_MNIST_COLUMNS;
    in->inverted = r->choices.invert == INVERT_YES ||
                   (r->choices.invert == INVERT_AUTO && !as_it_is && tg_image_is_bright(image, rows, columns));
    if (!as_it_is)
        tg_image_prepare(image, rows, columns, in->inverted, in->pixels);
    for (int k = 0; as_it_is && k < TG_MNIST_PIXELS; k++)
        in->pixels[k] = in->inverted ? 255 - image[k] : image[k];
    in->blank = true;
    for (int k = 0; k < TG_MNIST_PIXELS; k++)
        in->blank = in->blank && in->pixels[k] == 0;
}

static int predict_chunk(run *r, const tg_image_file *file, int64_t first, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        make_ready(r, file, first + i, &r->shown[i]);
        memcpy(r->images + i * TG_MNIST_PIXELS, r->shown[i].pixels, TG_MNIST_PIXELS);
    }
    tg_mnist data = {.test = {.count = count, .images = r->images}};
    if (r->saved.settings.shuffle_pixels >= 0)
        tg_mnist_shuffle_pixels(&data, (uint64_t)r->saved.settings.shuffle_pixels);
    tg_status status =
        tg_model_predict(r->saved.model, r->images, count, r->probabilities, (size_t)count * sizeof *r->probabilities);
    if (status == TG_OK)
        return EXIT_DONE;
    console_complain(&r->console, "%s", tg_model_error(r->saved.model));
    return status == TG_ERROR_NONFINITE ? EXIT_DIVERGED : EXIT_FAILED;
}

static int most_probable(const float *probabilities)
{
    int best = 0;
    for (int i = 1; i < CLASSES; i++)
        best = probabilities[i] > probabilities[best] ? i : best;
    return best;
}

/* ---- output ---- */

static void put_bar(const run *r, float probability, int columns)
{
    static const char *const eighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    int length = (int)(probability * (float)columns * 8 + 0.5F);
    int whole = r->console.ascii ? (length + 4) / 8 : length / 8;
    for (int i = 0; i < whole; i++)
        fputs(r->console.ascii ? "#" : "█", stdout);
    if (!r->console.ascii)
        fputs(eighths[length % 8], stdout);
    putchar('\n');
}

static void put_bars(const run *r, const float *probabilities)
{
    char name[TG_CLASS_NAME_BYTES + 1], number[TG_CLASS_NUMBER];
    int room = console_columns() - 12; /* for a name and a bar, beside the probability and blanks */
    int names = room - BAR_LEAST < r->name_columns ? room - BAR_LEAST : r->name_columns;
    names = names < 1 ? 1 : names;
    int bar = room - names < BAR_COLUMNS ? room - names : BAR_COLUMNS;
    for (int class = 0; class < CLASSES; class ++) {
        tg_text_fit(tg_class_name(r->names, class, number), names, r->console.ascii, name, sizeof name);
        tg_put(stdout, "  %s%*s %6.2f %% ", name, names - tg_text_columns(name), "", 100.0 * (double)probabilities[class]);
        put_bar(r, probabilities[class], bar < 1 ? 1 : bar);
    }
}

static void draw(const run *r, const uint8_t *pixels)
{
    tg_shading shading = r->console.ascii ? TG_SHADING_ASCII : r->console.color ? TG_SHADING_GREYS : TG_SHADING_BLOCKS;
    char text[TG_IMAGE_LINE_SIZE(TG_MNIST_COLUMNS)];
    for (int line = 0; line < (TG_MNIST_ROWS + 1) / 2; line++)
        printf("  |%s|\n", tg_image_line(pixels, TG_MNIST_ROWS, TG_MNIST_COLUMNS, line, shading, text, sizeof text));
}

static void print_inverted(const run *r)
{
    if (r->choices.invert == INVERT_YES)
        printf("  Inverted, as --invert yes says.\n");
    else
        printf("  Its background is bright, so it was%sinverted (--invert no leaves it).\n",
               console_columns() < 72 ? "\n  " : " ");
}

static void print_text(const run *r, const char *path, int64_t number, int64_t of, int64_t i)
{
    const float *p = r->probabilities[i];
    int best = most_probable(p);
    char image[48] = "", name[TG_CLASS_NAME_BYTES + 1], digits[TG_CLASS_NUMBER];
    if (of > 1)
        snprintf(image, sizeof image, ", image %lld", (long long)number);
    tg_text_fit(tg_class_name(r->names, best, digits), r->name_columns, r->console.ascii, name, sizeof name);
    tg_put_safe(stdout, path);
    if (r->shown[i].blank)
        printf("%s: blank: no ink, so no class\n", image);
    else
        tg_put(stdout, "%s: %s (%.2f %%)\n", image, name, 100.0 * (double)p[best]);
    if (r->shown[i].inverted)
        print_inverted(r);
    if (r->choices.draw)
        draw(r, r->shown[i].pixels);
    if (!r->shown[i].blank)
        put_bars(r, p);
}

static void put_class(const run *r, tg_json *line, const float *p)
{
    char name[TG_CLASS_NUMBER];
    int best = most_probable(p);
    tg_json_integer(line, "class", best);
    tg_json_text(line, "name", tg_class_name(r->names, best, name));
    tg_json probabilities = tg_json_object(line, "probabilities");
    for (int class = 0; class < CLASSES; class ++)
        tg_json_real(&probabilities, tg_class_name(r->names, class, name), (double)p[class]);
    tg_json_close(&probabilities);
}

static int print_json(const run *r, const char *path, int64_t number, int64_t i)
{
    static const char *const unknown[] = {"class", "name", "probabilities"};
    tg_json line = tg_json_begin(stdout);
    tg_json_text(&line, "file", path);
    tg_json_integer(&line, "image", number);
    tg_json_integer(&line, "inverted", r->shown[i].inverted);
    tg_json_integer(&line, "blank", r->shown[i].blank);
    if (!r->shown[i].blank)
        put_class(r, &line, r->probabilities[i]);
    for (size_t k = 0; k < sizeof unknown / sizeof *unknown && r->shown[i].blank; k++)
        tg_json_null(&line, unknown[k]);
    return tg_json_end(&line) == TG_OK ? EXIT_DONE : EXIT_FAILED;
}

static int show_chunk(run *r, const char *path, int64_t first, int64_t count, int64_t of)
{
    for (int64_t i = 0; i < count; i++) {
        if (r->choices.json)
            (void)!print_json(r, path, first + i, i); /* console_flushed() finds out what could not be written */
        else
            print_text(r, path, first + i, of, i);
    }
    return console_flushed(&r->console) ? EXIT_DONE : EXIT_FAILED;
}

static int predict_file(run *r, const char *path)
{
    char message[TG_MESSAGE_SIZE];
    tg_image_file file;
    tg_status status = tg_image_file_read(r->context, path, &file, message);
    if (status != TG_OK)
        return fail(r, status, message);
    int64_t images = file.images.shape.dims[0];
    int code = EXIT_DONE;
    for (int64_t first = 0; first < images && code == EXIT_DONE; first += CHUNK) {
        int64_t count = images - first < CHUNK ? images - first : CHUNK;
        code = predict_chunk(r, &file, first, count);
        if (code == EXIT_DONE)
            code = show_chunk(r, path, first, count, images);
    }
    tg_byte_array_free(&file.images);
    return code;
}

/* ---- the whole ---- */

static int predict_all(run *r, int files, char **paths)
{
    char message[TG_MESSAGE_SIZE];
    tg_context_options options = tg_context_defaults();
    options.threads = (int)r->choices.threads;
    r->context = tg_context_new(options);
    if (!r->context) {
        tg_context_explain(options, message, sizeof message);
        console_complain(&r->console, "%s", *message ? message : tg_status_text(TG_ERROR_MEMORY));
        return *message ? EXIT_USAGE : EXIT_FAILED;
    }
    tg_status status = saved_network_open(&r->saved, r->context, paths[0], message);
    int code = status == TG_OK ? read_names(r) : fail(r, status, message);
    for (int i = 1; i < files && code == EXIT_DONE; i++)
        code = predict_file(r, paths[i]);
    return code;
}

static int run_predict(run *r, int argc, char **argv)
{
    char message[1024];
    int operands = 0;
    tg_flags flags = {.program = "predict",
                      .about = about,
                      .examples = examples,
                      .notes = notes,
                      .flags = table,
                      .count = sizeof table / sizeof *table,
                      .values = &r->choices,
                      .operands = "MODEL FILE...",
                      .operand_count = &operands};
    tg_flags_answer answer = tg_flags_parse(&flags, argc, argv, message, sizeof message);
    if (answer == TG_FLAGS_RUN && operands < 2) {
        answer = TG_FLAGS_WRONG;
        tg_message(message, sizeof message, "expected MODEL FILE..., a saved network and images; --help tells more");
    }
    if (answer == TG_FLAGS_WRONG) {
        console_complain(&r->console, "%s", message);
        return EXIT_USAGE;
    }
    if (answer == TG_FLAGS_RUN)
        return predict_all(r, operands, argv + 1);
    if (answer == TG_FLAGS_HELP)
        (void)!tg_flags_help(&flags, stdout);
    else
        printf("predict (tapegrad) %s\n", tg_version());
    return console_flushed(&r->console) ? EXIT_DONE : EXIT_FAILED;
}

int main(int argc, char **argv)
{
    static run r;
    signal(SIGPIPE, SIG_IGN);
    r.console = console_make("predict");
    int code = run_predict(&r, argc, argv);
    saved_network_close(&r.saved);
    tg_class_names_free(&r.chosen);
    tg_context_free(r.context);
    return console_status(&r.console, code);
}
