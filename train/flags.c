#include "train/flags.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "graph/number_text.h"
#include "graph/safe_text.h"

#define WIDTH 80  /* columns of the help page */
#define INDENT 26 /* where its descriptions begin */
#define MAX_WORD 63

/* ---- words ---- */

int tg_edit_distance(const char *a, const char *b, int limit)
{
    int rows[3][MAX_WORD + 1], n = (int)strlen(a), m = (int)strlen(b);
    if (n > MAX_WORD || m > MAX_WORD)
        return limit + 1;
    for (int j = 0; j <= m; j++)
        rows[0][j] = j;
    for (int i = 1; i <= n; i++) {
        int *row = rows[i % 3], *above = rows[(i - 1) % 3], *above2 = rows[(i + 1) % 3];
        row[0] = i;
        for (int j = 1; j <= m; j++) {
            int best = above[j - 1] + (a[i - 1] != b[j - 1]);
            best = above[j] + 1 < best ? above[j] + 1 : best;
            best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && above2[j - 2] + 1 < best)
                best = above2[j - 2] + 1;
            row[j] = best;
        }
    }
    return rows[n % 3][m] <= limit ? rows[n % 3][m] : limit + 1;
}

/* Keeps in *best the candidate nearest to `word`, if it is near enough to be meant: a few slips away, or an abbreviation's whole. */
static void consider(const char *word, const char *candidate, const char **best, int *distance)
{
    size_t length = strlen(word);
    int slips = (int)length / 3 + 1;
    bool abbreviated = length >= 2 && strncmp(word, candidate, length) == 0;
    int d = abbreviated ? 1 : tg_edit_distance(word, candidate, slips);
    if (d <= slips && d < *distance) {
        *best = candidate;
        *distance = d;
    }
}

static const char *const built_in[] = {"help", "version"};

static const char *nearest_flag(const tg_flags *flags, const char *word)
{
    const char *best = NULL;
    int distance = MAX_WORD;
    for (int i = 0; i < flags->count; i++)
        consider(word, flags->flags[i].name, &best, &distance);
    for (size_t i = 0; i < sizeof built_in / sizeof *built_in; i++)
        consider(word, built_in[i], &best, &distance);
    return best;
}

/* ---- values ---- */

/* " from 0 to 1", " above 0", or "". */
static void limits_text(const tg_flag *flag, char *text, size_t size)
{
    bool none = flag->low == 0 && flag->high == 0;
    bool endless = !(flag->high < INFINITY);
    const char *from = flag->above_low ? "above" : endless ? "of at least" : "from";
    if (none)
        snprintf(text, size, "%s", "");
    else if (endless)
        tg_format(text, size, " %s %.15g", from, flag->low);
    else
        tg_format(text, size, " %s %.15g %s %.15g", from, flag->low, flag->above_low ? "and up to" : "to", flag->high);
}

static bool within(const tg_flag *flag, double value)
{
    if (flag->low == 0 && flag->high == 0)
        return true;
    return (flag->above_low ? value > flag->low : value >= flag->low) && value <= flag->high;
}

static bool parse_integer(const tg_flag *flag, const char *text, char **end, int64_t *value)
{
    errno = 0;
    *value = strtoll(text, end, 10);
    return *end != text && errno == 0 && within(flag, (double)*value);
}

static bool parse_unsigned(const char *text, uint64_t *value)
{
    char *end;
    errno = 0;
    *value = strtoull(text, &end, 10);
    return end != text && !*end && errno == 0 && !strchr(text, '-');
}

static bool parse_real(const tg_flag *flag, const char *text, double *value)
{
    char *end;
    *value = tg_take_f64(text, &end);
    return end != text && !*end && isfinite(*value) && within(flag, *value);
}

static bool parse_list(const tg_flag *flag, const char *text, tg_integer_list *list)
{
    list->count = 0;
    for (char *end;; text = end + 1) {
        if (list->count == TG_MAX_LIST || !parse_integer(flag, text, &end, &list->values[list->count]))
            return false;
        list->count++;
        if (*end != ',')
            return !*end;
    }
}

static bool parse_choice(const tg_flag *flag, const char *text, int *value)
{
    const char *word;
    for (int i = 0; (word = flag->choice(i)); i++) {
        if (strcmp(word, text) == 0) {
            *value = i;
            return true;
        }
    }
    return false;
}

static bool parse_value(const tg_flags *flags, const tg_flag *flag, const char *text)
{
    void *value = (char *)flags->values + flag->offset;
    char *end;
    switch (flag->kind) {
    case TG_FLAG_SWITCH: *(bool *)value = strcmp(text, "yes") == 0; return true;
    case TG_FLAG_INTEGER: return parse_integer(flag, text, &end, value) && !*end;
    case TG_FLAG_UNSIGNED: return parse_unsigned(text, value);
    case TG_FLAG_REAL: return parse_real(flag, text, value);
    case TG_FLAG_TEXT: *(const char **)value = text; return true;
    case TG_FLAG_CHOICE: return parse_choice(flag, text, value);
    case TG_FLAG_LIST: return parse_list(flag, text, value);
    }
    return false;
}

/* What a flag expects, after "is not ". */
static void expectation(const tg_flag *flag, char *text, size_t size)
{
    char limits[80];
    limits_text(flag, limits, sizeof limits);
    switch (flag->kind) {
    case TG_FLAG_INTEGER: snprintf(text, size, "a whole number%s", limits); break;
    case TG_FLAG_UNSIGNED: snprintf(text, size, "a whole number from 0 to 18446744073709551615"); break;
    case TG_FLAG_REAL: snprintf(text, size, "a number%s", limits); break;
    case TG_FLAG_LIST: snprintf(text, size, "a list of up to %d whole numbers%s, parted by commas", TG_MAX_LIST, limits); break;
    default: snprintf(text, size, "a value for it"); break;
    }
}

/* "sgd, momentum, adam". */
static void choices_text(const tg_flag *flag, char *text, size_t size)
{
    const char *word;
    size_t at = 0;
    text[0] = 0;
    for (int i = 0; (word = flag->choice(i)) && at < size; i++)
        at += (size_t)snprintf(text + at, size - at, "%s%s", i ? ", " : "", word);
}

/* ---- parsing ---- */

static tg_flags_answer wrong_value(const tg_flag *flag, const char *text, char *message, size_t size)
{
    char expected[512];
    if (flag->kind == TG_FLAG_CHOICE) {
        const char *best = NULL, *word;
        int distance = MAX_WORD;
        for (int i = 0; (word = flag->choice(i)); i++)
            consider(text, word, &best, &distance);
        choices_text(flag, expected, sizeof expected);
        tg_message(message, size, "--%s: \"%.60s\" is none of %s%s%s%s", flag->name, text, expected,
                   best ? "; did you mean " : "", best ? best : "", best ? "?" : "");
    } else {
        expectation(flag, expected, sizeof expected);
        tg_message(message, size, "--%s: \"%.60s\" is not %s", flag->name, text, expected);
    }
    return TG_FLAGS_WRONG;
}

static tg_flags_answer unknown(const tg_flags *flags, const char *name, int length, char *message, size_t size)
{
    char word[MAX_WORD + 1];
    snprintf(word, sizeof word, "%.*s", length, name);
    const char *best = nearest_flag(flags, word);
    if (best)
        tg_message(message, size, "unknown flag --%s; did you mean --%s?", word, best);
    else
        tg_message(message, size, "unknown flag --%s; --help lists all flags", word);
    return TG_FLAGS_WRONG;
}

static const tg_flag *find_flag(const tg_flags *flags, const char *name, int length)
{
    for (int i = 0; i < flags->count; i++)
        if (strlen(flags->flags[i].name) == (size_t)length && strncmp(flags->flags[i].name, name, (size_t)length) == 0)
            return &flags->flags[i];
    return NULL;
}

/* One call of tg_flags_parse(), at argv[at]. */
typedef struct parser {
    const tg_flags *flags;
    int argc, at, operands;
    bool flags_ended; /* by "--" */
    char **argv;
    char *message;
    size_t size;
} parser;

static tg_flags_answer parse_switch(const parser *p, const tg_flag *flag, bool has_value)
{
    if (has_value) {
        tg_message(p->message, p->size, "--%s takes no value", flag->name);
        return TG_FLAGS_WRONG;
    }
    parse_value(p->flags, flag, "yes");
    return TG_FLAGS_RUN;
}

/* Takes the argument, and its value if that stands apart. */
static tg_flags_answer parse_argument(parser *p)
{
    char *argument = p->argv[p->at];
    if (p->flags->operands && !p->flags_ended && strcmp(argument, "--") == 0) {
        p->flags_ended = true;
        return TG_FLAGS_RUN;
    }
    if (p->flags->operands && (p->flags_ended || argument[0] != '-' || !argument[1])) {
        p->argv[++p->operands] = argument;
        return TG_FLAGS_RUN;
    }
    if (strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0)
        return TG_FLAGS_HELP;
    if (strcmp(argument, "--version") == 0)
        return TG_FLAGS_VERSION;
    if (strncmp(argument, "--", 2) != 0 || !argument[2]) {
        tg_message(p->message, p->size, "\"%.60s\" is no flag: flags begin with --, and --help lists them", argument);
        return TG_FLAGS_WRONG;
    }
    const char *name = argument + 2, *equals = strchr(name, '=');
    int length = equals ? (int)(equals - name) : (int)strlen(name);
    const tg_flag *flag = find_flag(p->flags, name, length);
    if (!flag)
        return unknown(p->flags, name, length, p->message, p->size);
    if (flag->kind == TG_FLAG_SWITCH)
        return parse_switch(p, flag, equals != NULL);
    const char *text = equals ? equals + 1 : p->at + 1 < p->argc ? p->argv[++p->at] : NULL;
    if (!text) {
        tg_message(p->message, p->size, "--%s needs a value: --%s %s", flag->name, flag->name,
                   flag->argument ? flag->argument : "NAME");
        return TG_FLAGS_WRONG;
    }
    return parse_value(p->flags, flag, text) ? TG_FLAGS_RUN : wrong_value(flag, text, p->message, p->size);
}

tg_flags_answer tg_flags_parse(const tg_flags *flags, int argc, char **argv, char *message, size_t size)
{
    parser p = {.flags = flags, .argc = argc, .argv = argv, .message = message, .size = size};
    tg_flags_answer answer = TG_FLAGS_RUN;
    tg_message(message, size, "%s", "");
    for (int i = 0; i < flags->count; i++) {
        const tg_flag *flag = &flags->flags[i];
        if (flag->initial && !parse_value(flags, flag, flag->initial))
            return wrong_value(flag, flag->initial, message, size);
    }
    for (p.at = 1; p.at < argc && answer == TG_FLAGS_RUN; p.at++)
        answer = parse_argument(&p);
    if (flags->operands)
        *flags->operand_count = p.operands;
    return answer;
}

/* ---- the help page ---- */

/* Writes words from `text`, broken before WIDTH; further lines begin at `indent`, and so does a line of the text's own. `column`: where
   the first stands. Ends the line. */
static void wrap(FILE *out, const char *text, int indent, int column)
{
    for (bool first = true; *text; first = false) {
        int length = (int)strcspn(text, " \n");
        bool broken = !first && column + 1 + length > WIDTH;
        if (broken)
            fprintf(out, "\n%*s", indent, "");
        column = (broken ? indent : column + !first) + length;
        fprintf(out, "%s%.*s", first || broken ? "" : " ", length, text);
        text += length;
        while (*text == ' ' || *text == '\n')
            text++;
    }
    fprintf(out, "\n");
}

static void help_entry(FILE *out, const char *name, const char *argument, const char *text)
{
    char head[128];
    int column = snprintf(head, sizeof head, "  --%s%s%s", name, argument ? " " : "", argument ? argument : "");
    if (column + 2 > INDENT) {
        fprintf(out, "%.127s\n%*s", head, INDENT, "");
    } else {
        fprintf(out, "%-*s", INDENT, head);
    }
    wrap(out, text, INDENT, INDENT);
}

static void help_flag(FILE *out, const tg_flag *flag)
{
    char text[2048], choices[1024] = "", limits[80] = "";
    bool choice = flag->kind == TG_FLAG_CHOICE, number = flag->kind == TG_FLAG_INTEGER || flag->kind == TG_FLAG_REAL;
    bool shown = flag->initial && *flag->initial && flag->kind != TG_FLAG_SWITCH;
    if (choice)
        choices_text(flag, choices, sizeof choices);
    if (number)
        limits_text(flag, limits, sizeof limits);
    snprintf(text, sizeof text, "%s%s%s%s%s%s%s%s%s", flag->help, choice ? " One of " : "", choices, choice ? "." : "",
             *limits ? " A number" : "", limits, *limits ? "." : "", shown ? " Default: " : "", shown ? flag->initial : "");
    if (shown)
        strncat(text, ".", sizeof text - strlen(text) - 1);
    help_entry(out, flag->name, choice && !flag->argument ? "NAME" : flag->argument, text);
}

tg_status tg_flags_help(const tg_flags *flags, FILE *out)
{
    fprintf(out, "Usage: %s [FLAGS]%s%s\n\n", flags->program, flags->operands ? " " : "", flags->operands ? flags->operands : "");
    wrap(out, flags->about, 0, 0);
    fprintf(out, "\nFlags:\n");
    for (int i = 0; i < flags->count; i++)
        help_flag(out, &flags->flags[i]);
    help_entry(out, "help", NULL, "Shows this page (also -h).");
    help_entry(out, "version", NULL, "Shows the version.");
    if (flags->examples)
        fprintf(out, "\nExamples:\n%s\n", flags->examples);
    if (flags->notes)
        fprintf(out, "\n%s\n", flags->notes);
    return ferror(out) ? TG_ERROR_IO : TG_OK;
}
