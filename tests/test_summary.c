#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "ops/ops.h"
#include "train/layers.h"
#include "train/summary.h"

static tg_context *context;
static tg_variables *variables;
static tg_graph *graph;

static void setup(void)
{
    context = harness_context(1);
    variables = tg_variables_new(context, 7);
    graph = tg_graph_new(variables, TG_EVALUATION);
}

static void teardown(void)
{
    tg_graph_free(graph);
    tg_variables_free(variables);
    tg_context_free(context);
}

static char *write_summary(tg_tensor output, bool ascii)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    ck_assert_int_eq(tg_summary_write(out, output, (tg_summary_options){.title = "net", .ascii = ascii}), TG_OK);
    fclose(out);
    return text;
}

static tg_tensor small_network(void)
{
    tg_tensor x = tg_input(graph, "x", TG_FLOAT, TG_SHAPE(5, 784));
    return tg_activation_layer(tg_dense(x, 100, NULL), TG_ACTIVATION_SIGMOID, NULL);
}

static const char table[] = "Model: \"net\"\n"
                            "┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━┳━━━━━━━━━━━┓\n"
                            "┃ Layer (type)                 ┃ Output Shape       ┃   Param # ┃ Mult-Adds ┃\n"
                            "┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━╇━━━━━━━━━━━┩\n"
                            "│ dense (Dense)                │ (None, 100)        │    78,500 │    78,400 │\n"
                            "├──────────────────────────────┼────────────────────┼───────────┼───────────┤\n"
                            "│ activation (Activation)      │ (None, 100)        │         0 │         0 │\n"
                            "└──────────────────────────────┴────────────────────┴───────────┴───────────┘\n"
                            " Total params: 78,500 (306.64 KB)\n"
                            " Trainable params: 78,500 (306.64 KB)\n"
                            " Non-trainable params: 0 (0.00 B)\n";

START_TEST(the_table_is_keras_s)
{
    char *text = write_summary(small_network(), false);
    ck_assert_msg(strcmp(text, table) == 0, "%s", text);
    free(text);
}
END_TEST

START_TEST(ascii_draws_it_too)
{
    char *text = write_summary(small_network(), true);
    ck_assert_ptr_nonnull(strstr(text, "+------------------------------+--------------------+-----------+-----------+\n"
                                       "| Layer (type)                 | Output Shape       |   Param # | Mult-Adds |\n"
                                       "+==============================+====================+===========+===========+\n"));
    for (const char *c = text; *c; c++)
        ck_assert(*c == '\n' || (*c >= ' ' && *c <= '~'));
    free(text);
}
END_TEST

START_TEST(columns_grow_with_what_they_hold)
{
    tg_tensor x = tg_input(graph, "x", TG_FLOAT, TG_SHAPE(1, 3));
    char *text = write_summary(tg_dense(x, 4, "a_layer_whose_name_is_longer_than_the_colümn"), false);
    const char *row = strstr(text, "│ a_layer_whose_name_is_longer_than_the_colümn (Dense) │ (None, 4)");
    ck_assert_ptr_nonnull(row);
    free(text);
}
END_TEST

START_TEST(rows_have_the_figures)
{
    tg_tensor x = tg_input(graph, "x", TG_FLOAT, TG_SHAPE(2, 28, 28, 1));
    tg_tensor h = tg_max_pool2d_layer(tg_conv2d_layer(x, 32, 3, NULL), 2, NULL);
    tg_tensor output = tg_dense(tg_flatten_layer(h, NULL), 10, NULL);
    tg_dense(output, 7, "beyond"); /* not part of what `output` needs */
    tg_summary_row rows[4];
    ck_assert_int_eq(tg_summary_rows(output, rows, 4), 4);
    ck_assert_int_eq(tg_summary_rows(output, NULL, 0), 4);
    static const struct {
        const char *name, *kind;
        int64_t parameters;
        double multiply_adds;
    } expected[] = {{"conv2d", "Conv2D", 320, 26 * 26 * 32 * 9},
                    {"max_pooling2d", "MaxPooling2D", 0, 0},
                    {"flatten", "Flatten", 0, 0},
                    {"dense", "Dense", 54090, 54080}};
    for (int i = 0; i < 4; i++) {
        ck_assert_str_eq(rows[i].layer->name, expected[i].name);
        ck_assert_str_eq(rows[i].layer->kind, expected[i].kind);
        ck_assert_int_eq(rows[i].parameters, expected[i].parameters);
        ck_assert_int_eq(rows[i].bytes, 4 * expected[i].parameters);
        ck_assert_double_eq(rows[i].multiply_adds, expected[i].multiply_adds);
    }
    ck_assert(tg_shape_equal(rows[0].shape, TG_SHAPE(2, 26, 26, 32)));
}
END_TEST

START_TEST(nested_layers_are_one_row_and_states_are_told_apart)
{
    tg_tensor x = tg_input(graph, "x", TG_FLOAT, TG_SHAPE(2, 3));
    tg_layer_begin(graph, "Block", "block", false);
    tg_tensor h = tg_dense(tg_dense(x, 4, NULL), 5, NULL);
    tg_tensor mean = tg_state(graph, "mean", TG_F64, TG_SHAPE(5), (tg_init){TG_INIT_CONSTANT, 0, 0});
    tg_tensor output = tg_layer_end(tg_add(h, tg_cast(mean, TG_FLOAT)));
    tg_summary_row row;
    ck_assert_int_eq(tg_summary_rows(output, &row, 1), 1);
    ck_assert_str_eq(row.layer->name, "block");
    ck_assert(row.parameters == 16 + 25 && row.states == 5 && row.bytes == 4 * 41 && row.state_bytes == 40);
    char *text = write_summary(output, true);
    ck_assert_ptr_nonnull(
        strstr(text, " Total params: 46 (204.00 B)\n Trainable params: 41 (164.00 B)\n Non-trainable params: 5 (40.00 B)\n"));
    free(text);
}
END_TEST

START_TEST(failures_are_told)
{
    ck_assert_int_eq(tg_summary_rows(tg_none(), NULL, 0), 0);
    ck_assert_int_eq(tg_summary_write(stderr, tg_none(), (tg_summary_options){0}), TG_ERROR_GRAPH);
    FILE *out = fopen("/dev/full", "w");
    if (!out)
        return;
    setvbuf(out, NULL, _IONBF, 0);
    ck_assert_int_eq(tg_summary_write(out, small_network(), (tg_summary_options){0}), TG_ERROR_IO);
    fclose(out);
}
END_TEST

START_TEST(counts_and_sizes_read_well)
{
    char text[48];
    ck_assert_str_eq(tg_count_text(0, text, sizeof text), "0");
    ck_assert_str_eq(tg_count_text(999, text, sizeof text), "999");
    ck_assert_str_eq(tg_count_text(84060, text, sizeof text), "84,060");
    ck_assert_str_eq(tg_count_text(-1234567, text, sizeof text), "-1,234,567");
    ck_assert_str_eq(tg_count_text(-123, text, sizeof text), "-123");
    ck_assert_str_eq(tg_bytes_text(0, text, sizeof text), "0.00 B");
    ck_assert_str_eq(tg_bytes_text(336240, text, sizeof text), "328.36 KB");
    ck_assert_str_eq(tg_bytes_text(1024.0 * 1024, text, sizeof text), "1.00 MB");
    ck_assert_str_eq(tg_bytes_text(1e18, text, sizeof text), "888.18 PB");
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("summary");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, the_table_is_keras_s);
    tcase_add_test(tests, ascii_draws_it_too);
    tcase_add_test(tests, columns_grow_with_what_they_hold);
    tcase_add_test(tests, rows_have_the_figures);
    tcase_add_test(tests, nested_layers_are_one_row_and_states_are_told_apart);
    tcase_add_test(tests, failures_are_told);
    tcase_add_test(tests, counts_and_sizes_read_well);
    return harness_run("summary", tests);
}
