#include "models/console.h"

#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <limits.h>
#include <locale.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "graph/number_text.h"
#include "graph/safe_text.h"
#include "models/descriptors.h"
#include "models/mnist_program.h"
#include "train/class_names.h"
#include "train/image_text.h"
#include "train/json.h"
#include "train/progress.h"
#include "train/summary.h"
#include "train/text_columns.h"

console console_make(const char *program)
{
    fill_standard_descriptors();
    /* Large enough that writing happens in console_flushed() alone, which can tell why it failed. */
    static char buffer[1 << 16];
    setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
    setlocale(LC_CTYPE, "");
    const char *no_color = getenv("NO_COLOR");
    bool terminal = tg_terminal_can_redraw(stdout);
    return (console){.program = program,
                     .style = STYLE_FULL,
                     .ascii = strcmp(nl_langinfo(CODESET), "UTF-8") != 0,
                     .color = terminal && !(no_color && *no_color),
                     .redraw = terminal};
}

/* A line that holds text from outside. */
static void put_line(FILE *out, const char *format, va_list arguments)
{
    char some[1024];
    va_list again;
    va_copy(again, arguments);
    int length = tg_vformat(some, sizeof some, format, arguments);
    char *all = length >= (int)sizeof some ? malloc((size_t)length + 1) : NULL;
    if (all)
        tg_vformat(all, (size_t)length + 1, format, again);
    va_end(again);
    tg_put_safe(out, all ? all : some);
    fputc('\n', out);
    free(all);
}

void console_complain(const console *c, const char *format, ...)
{
    va_list arguments;
    fprintf(stderr, "%s: ", c->program);
    va_start(arguments, format);
    put_line(stderr, format, arguments);
    va_end(arguments);
}

void console_say(const console *c, const char *format, ...)
{
    va_list arguments;
    if (c->style != STYLE_FULL)
        return;
    va_start(arguments, format);
    put_line(stdout, format, arguments);
    va_end(arguments);
}

/* To be called soon after what may have written: the reason is lost with the next system call. */
static void note_failure(console *c)
{
    if (ferror(stdout) && c->write_error == 0)
        c->write_error = errno;
}

/* Lets go of what is written to standard output, from now on. */
static bool write_nowhere(console *c)
{
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    bool done = nowhere >= 0 && dup2(nowhere, STDOUT_FILENO) >= 0;
    if (nowhere >= 0)
        close(nowhere);
    clearerr(stdout);
    c->write_error = 0;
    return done && fflush(stdout) == 0;
}

bool console_flushed(console *c)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return true;
    note_failure(c);
    bool unread = c->write_error == EPIPE;
    if (unread && c->unread_is_fine && write_nowhere(c))
        return true;
    c->unread = unread;
    if (!unread && !c->output_lost)
        console_complain(c, "cannot write to standard output: %s", tg_system_reason(c->write_error));
    c->output_lost = true;
    return false;
}

bool console_ready(console *c)
{
    if (write(STDOUT_FILENO, "", 0) == 0)
        return true;
    console_complain(c, "cannot write to standard output: %s", tg_system_reason(errno));
    c->output_lost = true;
    return false;
}

int console_status(const console *c, int code) { return c->unread && code == EXIT_FAILED ? EXIT_SIGNAL + SIGPIPE : code; }

int console_columns(void) { return isatty(STDOUT_FILENO) ? tg_terminal_width(stdout) : INT_MAX; }

/* The word that goes with every result of drawn digits. */
static const char synthetic_note[] =
    "SYNTHETIC DIGITS, not MNIST: the figures say nothing about real data. " TG_MNIST_FETCH " gets the real ones.";

const char *console_synthetic_note(const run_facts *facts) { return facts->data->synthetic ? synthetic_note : NULL; }

void console_start(const console *c, const run_facts *facts)
{
    int threads = tg_context_threads(facts->context);
    const char *dot = c->ascii ? "|" : "·";
    console_say(c, "tapegrad %s %s %s %s %d thread%s %s %s", tg_version(), dot, tg_isa_name(tg_context_isa(facts->context)), dot,
                threads, threads == 1 ? "" : "s", dot, facts->data->source);
    if (facts->data->synthetic)
        fprintf(c->style == STYLE_FULL ? stdout : stderr, "%s\n", synthetic_note);
}

void console_shapes(const console *c, const tg_rows parts[3], bool flat)
{
    static const char *const names[] = {"training", "validation", "test"};
    if (c->style != STYLE_FULL)
        return;
    printf("\n%-12s%-22s%s\n", "", "images", flat ? "labels        flattened images" : "labels");
    for (int i = 0; i < 3; i++) {
        char images[64], labels[64];
        long long n = parts[i].count;
        snprintf(images, sizeof images, "(%lld, %d, %d, 1)", n, TG_MNIST_ROWS, TG_MNIST_COLUMNS);
        snprintf(labels, sizeof labels, "(%lld, %d)", n, TG_MNIST_CLASSES);
        if (flat)
            printf("%-12s%-22s%-14s(%lld, %d)\n", names[i], images, labels, n, TG_MNIST_PIXELS);
        else
            printf("%-12s%-22s%s\n", names[i], images, labels);
    }
}

/* Images [first, end) beside one another. */
static void print_images(const console *c, tg_rows images, int first, int end, const char *const *classes)
{
    tg_shading shading = c->ascii ? TG_SHADING_ASCII : c->color ? TG_SHADING_GREYS : TG_SHADING_BLOCKS;
    char number[TG_CLASS_NUMBER], text[TG_IMAGE_LINE_SIZE(TG_MNIST_COLUMNS)];
    printf("\n");
    for (int i = first; i < end; i++) {
        tg_text_fit(tg_class_name(classes, ((const int32_t *)images.y)[i], number), TG_MNIST_COLUMNS - (classes ? 0 : 6),
                    c->ascii, text, sizeof text);
        int columns = printf("%s", classes ? "" : "label ") + tg_text_columns(text);
        printf("%s%*s", text, i + 1 < end ? TG_MNIST_COLUMNS + 2 - columns : 0, "");
    }
    for (int line = 0; line < (TG_MNIST_ROWS + 1) / 2; line++) {
        for (int i = first; i < end; i++) {
            const uint8_t *image = (const uint8_t *)images.x + (int64_t)i * TG_MNIST_PIXELS;
            printf("%s%s", i > first ? "  " : "\n",
                   tg_image_line(image, TG_MNIST_ROWS, TG_MNIST_COLUMNS, line, shading, text, sizeof text));
        }
    }
    printf("\n");
}

void console_samples(const console *c, tg_rows images, int count, const char *const *classes)
{
    int beside = (tg_terminal_width(stdout) + 2) / (TG_MNIST_COLUMNS + 2);
    if (c->style != STYLE_FULL)
        return;
    count = images.count < count ? (int)images.count : count;
    beside = beside < 1 ? 1 : beside;
    for (int first = 0; first < count; first += beside)
        print_images(c, images, first, first + beside < count ? first + beside : count, classes);
}

void console_summary(const console *c, const char *model, tg_tensor output)
{
    if (c->style != STYLE_FULL)
        return;
    printf("\n");
    tg_status status = tg_summary_write(stdout, output, (tg_summary_options){.title = model, .ascii = c->ascii});
    if (status != TG_OK && status != TG_ERROR_IO)
        console_complain(c, "the summary cannot be shown: %s", tg_status_text(status));
}

void console_memory(const console *c, int64_t batch, tg_plan_info info)
{
    char total[32], variables[32], planned[32], unplanned[32];
    size_t intermediates = info.workspace_bytes + info.root_bytes;
    if (c->style != STYLE_FULL)
        return;
    printf(" Memory of a training step (%lld images): %s\n   %s variables, %s intermediates (%s without reuse)\n",
           (long long)batch, tg_bytes_text((double)(info.variable_bytes + intermediates), total, sizeof total),
           tg_bytes_text((double)info.variable_bytes, variables, sizeof variables),
           tg_bytes_text((double)intermediates, planned, sizeof planned),
           tg_bytes_text((double)(info.unplanned_bytes + info.root_bytes), unplanned, sizeof unplanned));
}

/* "[12, 7]": where an element stands in a variable. */
static void index_text(tg_shape shape, int64_t element, char *text, size_t size)
{
    int64_t index[TG_MAX_RANK];
    size_t length = 0;
    for (int32_t axis = shape.rank - 1; axis >= 0; axis--) {
        index[axis] = element % shape.dims[axis];
        element /= shape.dims[axis];
    }
    for (int32_t axis = 0; axis < shape.rank && length < size; axis++)
        length += (size_t)snprintf(text + length, size - length, "%s%lld", axis ? ", " : "[", (long long)index[axis]);
    if (length < size)
        snprintf(text + length, size - length, shape.rank ? "]" : "[]");
}

void console_gradients(const console *c, const tg_variables *variables, const tg_model_check *check, int64_t images)
{
    int width = (int)strlen("variable");
    if (c->style != STYLE_FULL)
        return;
    for (int i = 0; i < check->count; i++)
        width = (int)strlen(check->worst[i].variable) > width ? (int)strlen(check->worst[i].variable) : width;
    printf("\nGradients and finite differences of the loss of %lld image%s, in double precision:\n\n", (long long)images,
           images == 1 ? "" : "s");
    printf("%-*s  checked  kinks  %-18s  %13s  %13s  %8s\n", width, "variable", "worst element", "gradient", "difference",
           "error");
    for (int i = 0; i < check->count; i++) {
        const tg_gradient_worst *worst = &check->worst[i];
        char index[64];
        printf("%-*s  %7lld  %5lld", width, worst->variable, (long long)worst->checked, (long long)worst->kinks);
        if (worst->element >= 0) {
            index_text(tg_variables_find(variables, worst->variable)->type.shape, worst->element, index, sizeof index);
            tg_put(stdout, "  %-18s  %13.6e  %13.6e  %8.1e", index, worst->recorded, worst->numeric, worst->error);
        }
        printf("\n");
    }
}

/* Here and below: console_flushed() finds out what could not be written. */
void console_epoch_begin(console *c, int epoch, int epochs)
{
    if (c->style == STYLE_FULL)
        printf("%sEpoch %d/%d\n", epoch == 1 ? "\n" : "", epoch, epochs);
    if (c->redraw)
        c->bar = tg_progress_bar_begin(stdout, (tg_bar_look){.ascii = c->ascii, .color = c->color});
}

bool console_step_due(console *c) { return c->redraw && tg_progress_bar_due(&c->bar); }

void console_step(console *c, const tg_fit_step *step, tg_scores scores)
{
    const tg_progress_value values[] = {{"accuracy", scores.accuracy}, {"loss", scores.loss}};
    (void)!tg_progress_bar_draw(&c->bar, step->step, step->steps, values, 2);
}

void console_epoch_leave(console *c)
{
    if (c->redraw)
        tg_progress_bar_leave(&c->bar);
}

void console_evaluation(const console *c, int64_t steps, double seconds, tg_scores scores)
{
    const tg_progress_value values[] = {{"accuracy", scores.accuracy}, {"loss", scores.loss}};
    tg_progress line = {steps, steps, seconds, seconds / (double)steps, 2, values};
    if (c->style != STYLE_FULL)
        return;
    printf("\n");
    (void)!tg_progress_line(stdout, &line);
}

void console_epoch(console *c, const tg_fit_epoch *epoch)
{
    if (c->style == STYLE_FULL) {
        const tg_progress_value values[] = {{"accuracy", epoch->train.accuracy},
                                            {"loss", epoch->train.loss},
                                            {"val_accuracy", epoch->validation.accuracy},
                                            {"val_loss", epoch->validation.loss},
                                            {"learning_rate", epoch->learning_rate}};
        tg_progress line = {.step = epoch->steps,
                            .steps = epoch->steps,
                            .seconds = epoch->total_seconds,
                            .seconds_per_step = epoch->seconds / (double)epoch->steps,
                            .n_values = c->rate ? 5 : 4,
                            .values = values};
        (void)!(c->redraw ? tg_progress_bar_finish(&c->bar, &line) : tg_progress_line(stdout, &line));
    } else if (c->style == STYLE_JSON) {
        tg_json json = tg_json_begin(stdout);
        tg_json_integer(&json, "epoch", epoch->epoch);
        tg_json_real(&json, "seconds", epoch->seconds);
        tg_json_real(&json, "loss", epoch->train.loss);
        tg_json_real(&json, "accuracy", epoch->train.accuracy);
        tg_json_real(&json, "val_loss", epoch->validation.loss);
        tg_json_real(&json, "val_accuracy", epoch->validation.accuracy);
        tg_json_real(&json, "learning_rate", epoch->learning_rate);
        (void)!tg_json_end(&json);
    }
    note_failure(c);
}

/* How the confusion matrix stands in the window. Names that are too wide to head the columns stand in the rows alone, behind the numbers
   that then head the columns. */
typedef struct matrix_look {
    int label;    /* columns that a row's begin takes */
    int name;     /* and its name, at most */
    int cell;     /* a count, or what heads it */
    int together; /* counts of a row that fit beside one another */
    bool numbers; /* classes have them */
} matrix_look;

/* Names take at most so many columns, and in a narrow window at most a third of them. */
#define NAME_COLUMNS 16

static matrix_look look_of_matrix(const console *c, const int64_t *confusion, const char *const *classes)
{
    char number[TG_CLASS_NUMBER], text[TG_CLASS_NAME_BYTES + 1];
    int window = console_columns(), page = window == INT_MAX ? 80 : window;
    int most = page / 3 < NAME_COLUMNS ? page / 3 : NAME_COLUMNS, counts = 1;
    matrix_look look = {.name = 1};
    for (int i = 0; i < TG_MNIST_CLASSES * TG_MNIST_CLASSES; i++) {
        int digits = snprintf(NULL, 0, "%lld", (long long)confusion[i]);
        counts = digits > counts ? digits : counts;
    }
    for (int i = 0; i < TG_MNIST_CLASSES; i++) {
        int columns = tg_text_columns(tg_text_fit(tg_class_name(classes, i, number), most, c->ascii, text, sizeof text));
        look.name = columns > look.name ? columns : look.name;
    }
    look.cell = look.name > counts ? look.name : counts;
    look.numbers = !classes || look.name + TG_MNIST_CLASSES * (look.cell + 1) > page;
    look.cell = look.numbers ? counts : look.cell;
    look.label = !classes ? 3 : look.name + (look.numbers ? 3 : 0);
    look.together = (window - look.label) / (look.cell + 1);
    look.together = look.together < 1 ? 1 : look.together;
    return look;
}

static void print_row_label(const console *c, const matrix_look *look, int class, const char *const *classes)
{
    char number[TG_CLASS_NUMBER], text[TG_CLASS_NAME_BYTES + 1];
    if (look->numbers)
        printf(classes ? "%2d " : "%3d", class);
    if (classes) {
        tg_text_fit(tg_class_name(classes, class, number), look->name, c->ascii, text, sizeof text);
        printf("%s%*s", text, look->name - tg_text_columns(text), "");
    }
}

/* The counts of the columns [first, end). */
static void print_columns(const console *c, const matrix_look *look, const int64_t *confusion, const char *const *classes,
                          int first, int end)
{
    char number[TG_CLASS_NUMBER], text[TG_CLASS_NAME_BYTES + 1];
    printf("%*s", look->label, "");
    for (int column = first; column < end; column++) {
        tg_text_fit(tg_class_name(look->numbers ? NULL : classes, column, number), look->cell, c->ascii, text, sizeof text);
        printf(" %*s%s", look->cell - tg_text_columns(text), "", text);
    }
    printf("\n");
    for (int row = 0; row < TG_MNIST_CLASSES; row++) {
        print_row_label(c, look, row, classes);
        for (int column = first; column < end; column++)
            printf(" %*lld", look->cell, (long long)confusion[row * TG_MNIST_CLASSES + column]);
        printf("\n");
    }
}

static void print_confusion(const console *c, const int64_t *confusion, const char *const *classes)
{
    matrix_look look = look_of_matrix(c, confusion, classes);
    printf("\nConfusion matrix%s(rows: true, columns: predicted)\n", console_columns() < 50 ? "\n" : " ");
    for (int first = 0, end; first < TG_MNIST_CLASSES; first = end) {
        end = TG_MNIST_CLASSES - first <= look.together ? TG_MNIST_CLASSES : first + look.together;
        printf("%s", first ? "\n" : "");
        print_columns(c, &look, confusion, classes, first, end);
    }
}

static void print_results_json(const run_facts *facts, tg_scores scores, const int64_t *confusion)
{
    tg_json json = tg_json_begin(stdout);
    tg_json_real(&json, "test_accuracy", scores.accuracy);
    tg_json_real(&json, "test_loss", scores.loss);
    tg_json_text(&json, "model", facts->model);
    tg_json_text(&json, "data", facts->data->source);
    if (facts->data->synthetic)
        tg_json_text(&json, "note", synthetic_note);
    tg_json_integer(&json, "threads", tg_context_threads(facts->context));
    tg_json_text(&json, "isa", tg_isa_name(tg_context_isa(facts->context)));
    tg_json_unsigned(&json, "seed", facts->seed);
    tg_json_text(&json, "version", tg_version());
    if (facts->classes)
        tg_json_texts(&json, "classes", facts->classes, TG_MNIST_CLASSES);
    tg_json_matrix(&json, "confusion", confusion, TG_MNIST_CLASSES, TG_MNIST_CLASSES);
    (void)!tg_json_end(&json);
}

void console_results(const console *c, const run_facts *facts, tg_scores scores, const int64_t *confusion)
{
    if (c->style == STYLE_JSON) {
        print_results_json(facts, scores, confusion);
        return;
    }
    tg_put(stdout, "%sTest accuracy: %.4f\nTest loss:     %.4f\n", c->style == STYLE_FULL ? "\n" : "", scores.accuracy,
           scores.loss);
    print_confusion(c, confusion, facts->classes);
    if (facts->data->synthetic)
        printf("\n%s\n", synthetic_note);
}
