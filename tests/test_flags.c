#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "train/flags.h"

static const char *colour_word(int i)
{
    static const char *const words[] = {"red", "green", "blue"};
    return i < 3 ? words[i] : NULL;
}

static struct values {
    bool loud;
    int64_t count;
    uint64_t seed;
    double rate;
    const char *file;
    int colour;
    tg_integer_list sizes;
} v;

static const tg_flag table[] = {
    {.name = "loud", .kind = TG_FLAG_SWITCH, .offset = offsetof(struct values, loud), .help = "Makes noise."},
    {.name = "count",
     .kind = TG_FLAG_INTEGER,
     .offset = offsetof(struct values, count),
     .initial = "3",
     .argument = "N",
     .low = 1,
     .high = 9,
     .help = "How many."},
    {.name = "seed",
     .kind = TG_FLAG_UNSIGNED,
     .offset = offsetof(struct values, seed),
     .initial = "1",
     .argument = "N",
     .help = "Where chance begins."},
    {.name = "rate",
     .kind = TG_FLAG_REAL,
     .offset = offsetof(struct values, rate),
     .initial = "0.5",
     .argument = "RATE",
     .high = 2,
     .above_low = true,
     .help = "How fast."},
    {.name = "file", .kind = TG_FLAG_TEXT, .offset = offsetof(struct values, file), .argument = "FILE", .help = "Where to."},
    {.name = "colour",
     .kind = TG_FLAG_CHOICE,
     .offset = offsetof(struct values, colour),
     .initial = "green",
     .choice = colour_word,
     .help = "What it looks like."},
    {.name = "sizes",
     .kind = TG_FLAG_LIST,
     .offset = offsetof(struct values, sizes),
     .initial = "10,20",
     .argument = "N,N,...",
     .low = 1,
     .high = 100,
     .help = "How large."},
};

static const tg_flags flags = {.program = "prog",
                               .about = "Does things.",
                               .examples = "  prog --loud",
                               .notes = "Exit status: 0.",
                               .flags = table,
                               .count = sizeof table / sizeof *table,
                               .values = &v};

static char message[512];

/* Parses up to eight words. */
static tg_flags_answer parse(const char *const words[8])
{
    char *argv[9] = {(char *)"prog"};
    int argc = 1;
    while (argc < 9 && words[argc - 1]) {
        argv[argc] = (char *)words[argc - 1];
        argc++;
    }
    v.file = NULL;
    v.loud = false;
    return tg_flags_parse(&flags, argc, argv, message, sizeof message);
}
#define PARSE(...) parse((const char *const[8]){__VA_ARGS__})

START_TEST(without_arguments_the_defaults_hold)
{
    ck_assert_int_eq(PARSE(NULL), TG_FLAGS_RUN);
    ck_assert(!v.loud && v.count == 3 && v.seed == 1 && v.rate == 0.5 && !v.file && v.colour == 1);
    ck_assert(v.sizes.count == 2 && v.sizes.values[0] == 10 && v.sizes.values[1] == 20);
    ck_assert_str_eq(message, "");
}
END_TEST

START_TEST(values_are_taken_in_both_spellings)
{
    ck_assert_int_eq(
        PARSE("--loud", "--count", "9", "--seed=18446744073709551615", "--rate=1e-3", "--file", "--count", "--colour=blue"),
        TG_FLAGS_RUN);
    ck_assert(v.loud && v.count == 9 && v.seed == UINT64_MAX && v.rate == 1e-3 && v.colour == 2);
    ck_assert_str_eq(v.file, "--count");
    ck_assert_int_eq(PARSE("--sizes", "7", "--file=", "--count=2", "--count=4"), TG_FLAGS_RUN);
    ck_assert(v.sizes.count == 1 && v.sizes.values[0] == 7 && v.count == 4);
    ck_assert_str_eq(v.file, "");
}
END_TEST

START_TEST(operands_are_gathered_where_they_are_asked_for)
{
    char *argv[] = {(char *)"prog", (char *)"a", (char *)"--count", (char *)"4",  (char *)"-",      (char *)"--loud",
                    (char *)"b",    (char *)"",  (char *)"--",      (char *)"-c", (char *)"--loud", NULL};
    int operands = -1;
    tg_flags taking = flags;
    taking.operands = "FILE...";
    taking.operand_count = &operands;
    v.loud = false;
    ck_assert_int_eq(tg_flags_parse(&taking, 11, argv, message, sizeof message), TG_FLAGS_RUN);
    ck_assert(v.count == 4 && v.loud);
    ck_assert_int_eq(operands, 6);
    const char *const expected[] = {"a", "-", "b", "", "-c", "--loud"};
    for (int i = 0; i < 6; i++)
        ck_assert_str_eq(argv[1 + i], expected[i]);
    argv[1] = (char *)"-x";
    ck_assert_int_eq(tg_flags_parse(&taking, 2, argv, message, sizeof message), TG_FLAGS_WRONG);
    ck_assert_str_eq(message, "\"-x\" is no flag: flags begin with --, and --help lists them");
    ck_assert_int_eq(operands, 0);
}
END_TEST

START_TEST(help_and_version_are_answers)
{
    ck_assert_int_eq(PARSE("--count=2", "--help", "--nonsense"), TG_FLAGS_HELP);
    ck_assert_int_eq(PARSE("-h"), TG_FLAGS_HELP);
    ck_assert_int_eq(PARSE("--version"), TG_FLAGS_VERSION);
}
END_TEST

static const struct {
    const char *words[3], *message;
} mistakes[] = {
    {{"--cuont", "2"}, "unknown flag --cuont; did you mean --count?"},
    {{"--colours=red"}, "unknown flag --colours; did you mean --colour?"},
    {{"--si"}, "unknown flag --si; did you mean --sizes?"},
    {{"--hlep"}, "unknown flag --hlep; did you mean --help?"},
    {{"--xyzzyx"}, "unknown flag --xyzzyx; --help lists all flags"},
    {{"--count"}, "--count needs a value: --count N"},
    {{"--colour"}, "--colour needs a value: --colour NAME"},
    {{"--loud=yes"}, "--loud takes no value"},
    {{"--count", "ten"}, "--count: \"ten\" is not a whole number from 1 to 9"},
    {{"--count", "3x"}, "--count: \"3x\" is not a whole number from 1 to 9"},
    {{"--count", "10"}, "--count: \"10\" is not a whole number from 1 to 9"},
    {{"--count", "99999999999999999999"}, "--count: \"99999999999999999999\" is not a whole number from 1 to 9"},
    {{"--count", ""}, "--count: \"\" is not a whole number from 1 to 9"},
    {{"--seed", "-1"}, "--seed: \"-1\" is not a whole number from 0 to 18446744073709551615"},
    {{"--rate", "0"}, "--rate: \"0\" is not a number above 0 and up to 2"},
    {{"--rate", "nan"}, "--rate: \"nan\" is not a number above 0 and up to 2"},
    {{"--rate", "1e999"}, "--rate: \"1e999\" is not a number above 0 and up to 2"},
    {{"--sizes", "3,,4"}, "--sizes: \"3,,4\" is not a list of up to 64 whole numbers from 1 to 100, parted by commas"},
    {{"--sizes", "3,"}, "--sizes: \"3,\" is not a list of up to 64 whole numbers from 1 to 100, parted by commas"},
    {{"--sizes", "3,0"}, "--sizes: \"3,0\" is not a list of up to 64 whole numbers from 1 to 100, parted by commas"},
    {{"--colour", "gren"}, "--colour: \"gren\" is none of red, green, blue; did you mean green?"},
    {{"--colour", "purple"}, "--colour: \"purple\" is none of red, green, blue"},
    {{"loud"}, "\"loud\" is no flag: flags begin with --, and --help lists them"},
    {{"-x"}, "\"-x\" is no flag: flags begin with --, and --help lists them"},
    {{"--"}, "\"--\" is no flag: flags begin with --, and --help lists them"},
};

START_TEST(a_mistake_gets_one_sentence)
{
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        ck_assert_int_eq(PARSE(mistakes[i].words[0], mistakes[i].words[1]), TG_FLAGS_WRONG);
        ck_assert_str_eq(message, mistakes[i].message);
    }
}
END_TEST

START_TEST(a_list_has_its_limit)
{
    char list[512] = "1";
    for (int i = 1; i < TG_MAX_LIST; i++)
        strcat(list, ",1");
    ck_assert_int_eq(PARSE("--sizes", list), TG_FLAGS_RUN);
    ck_assert_int_eq(v.sizes.count, TG_MAX_LIST);
    strcat(list, ",1");
    ck_assert_int_eq(PARSE("--sizes", list), TG_FLAGS_WRONG);
}
END_TEST

START_TEST(the_help_page_shows_every_flag_and_default)
{
    static const char *const parts[] = {
        "Usage: prog [FLAGS]\n\nDoes things.\n\nFlags:\n",
        "\n  --loud                  Makes noise.\n",
        "\n  --count N               How many. A number from 1 to 9. Default: 3.\n",
        "\n  --rate RATE             How fast. A number above 0 and up to 2. Default: 0.5.\n",
        "\n  --colour NAME           What it looks like. One of red, green, blue. Default:\n                          green.\n",
        "\n  --help                  ",
        "\n  --version               ",
        "\nExamples:\n  prog --loud\n",
        "\nExit status: 0.\n",
    };
    char *page = NULL;
    size_t size;
    FILE *out = open_memstream(&page, &size);
    ck_assert_int_eq(tg_flags_help(&flags, out), TG_OK);
    fclose(out);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        ck_assert_msg(strstr(page, parts[i]) != NULL, "missing: %s in:\n%s", parts[i], page);
    for (const char *line = page; *line; line += strcspn(line, "\n") + 1)
        ck_assert_uint_le(strcspn(line, "\n"), 80);
    free(page);
}
END_TEST

/* What a value reads as, typed again, gives the value again. */
START_TEST(values_read_as_they_are_typed)
{
    static const tg_flag unset = {
        .name = "rate", .kind = TG_FLAG_REAL, .offset = offsetof(struct values, rate), .high = 2, .above_low = true};
    char *typed[] = {"program", "--loud",   "--count", "7",       "--seed", "18446744073709551615", "--rate", "0.1", "--file",
                     "a b",     "--colour", "blue",    "--sizes", "5,6,7"};
    static const char *const said[] = {"", "7", "18446744073709551615", "0.1", "a b", "blue", "5,6,7"};
    char text[64];
    ck_assert_int_eq(tg_flags_parse(&flags, sizeof typed / sizeof *typed, typed, message, sizeof message), TG_FLAGS_RUN);
    for (size_t i = 0; i < sizeof said / sizeof *said; i++) {
        ck_assert(tg_flag_text(&table[i], &v, text, sizeof text));
        ck_assert_str_eq(text, said[i]);
    }
    v = (struct values){.count = 3};
    ck_assert(!tg_flag_text(&table[0], &v, text, sizeof text)); /* an absent switch */
    ck_assert(!tg_flag_text(&table[4], &v, text, sizeof text)); /* no text */
    ck_assert(!tg_flag_text(&unset, &v, text, sizeof text));    /* outside of the limits */
    ck_assert_str_eq(text, "");
    v.rate = 1.5;
    ck_assert(tg_flag_text(&unset, &v, text, sizeof text));
    ck_assert_str_eq(text, "1.5");
}
END_TEST

START_TEST(a_full_disk_is_told)
{
    FILE *out = fopen("/dev/full", "w");
    if (!out)
        return;
    setvbuf(out, NULL, _IONBF, 0);
    ck_assert_int_eq(tg_flags_help(&flags, out), TG_ERROR_IO);
    fclose(out);
}
END_TEST

START_TEST(slips_are_counted)
{
    ck_assert_int_eq(tg_edit_distance("epochs", "epochs", 3), 0);
    ck_assert_int_eq(tg_edit_distance("epoch", "epochs", 3), 1);
    ck_assert_int_eq(tg_edit_distance("epcohs", "epochs", 3), 1);
    ck_assert_int_eq(tg_edit_distance("kitten", "sitting", 3), 3);
    ck_assert_int_eq(tg_edit_distance("", "abc", 5), 3);
    ck_assert_int_eq(tg_edit_distance("abc", "wxyz", 2), 3);
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("flags");
    tcase_add_test(tests, without_arguments_the_defaults_hold);
    tcase_add_test(tests, values_are_taken_in_both_spellings);
    tcase_add_test(tests, operands_are_gathered_where_they_are_asked_for);
    tcase_add_test(tests, help_and_version_are_answers);
    tcase_add_test(tests, a_mistake_gets_one_sentence);
    tcase_add_test(tests, a_list_has_its_limit);
    tcase_add_test(tests, the_help_page_shows_every_flag_and_default);
    tcase_add_test(tests, values_read_as_they_are_typed);
    tcase_add_test(tests, a_full_disk_is_told);
    tcase_add_test(tests, slips_are_counted);
    return harness_run("flags", tests);
}
