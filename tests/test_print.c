#include "graph/print.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"

/* An array and what NumPy prints of it. `values` NULL: the ramp 0, 1, 2, ... 255, 0, 1, ..., in steps of 1/4 for floats. */
typedef struct numpy_case {
    tg_type type;
    const double *values;
    const char *text;
} numpy_case;

static const numpy_case cases[] = {
#include "reference/print_numpy.inc"
};

static void *convert(const numpy_case *c)
{
    int64_t count = tg_shape_count(c->type.shape);
    void *data = calloc((size_t)count + 1, tg_dtype_size(c->type.dtype));
    for (int64_t i = 0; i < count; i++) {
        double x = c->values ? c->values[i] : (double)(i % 256) / (tg_dtype_is_float(c->type.dtype) ? 4 : 1);
        switch (c->type.dtype) {
        case TG_F32: ((float *)data)[i] = (float)x; break;
        case TG_F64: ((double *)data)[i] = x; break;
        case TG_I32: ((int32_t *)data)[i] = (int32_t)x; break;
        default: ((uint8_t *)data)[i] = (uint8_t)x;
        }
    }
    return data;
}

START_TEST(values_as_numpy)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = NULL;
        size_t size;
        FILE *out = open_memstream(&text, &size);
        void *data = convert(&cases[i]);
        ck_assert_int_eq(tg_print_values(out, cases[i].type, data), TG_OK);
        fclose(out);
        ck_assert_msg(strcmp(text, cases[i].text) == 0, "case %zu (%s): NumPy prints\n%s\nbut this is\n%s", i,
                      tg_dtype_name(cases[i].type.dtype), cases[i].text, text);
        free(text);
        free(data);
    }
}
END_TEST

START_TEST(write_errors_are_told)
{
    FILE *full = fopen("/dev/full", "w");
    if (!full)
        return;
    setvbuf(full, NULL, _IONBF, 0);
    ck_assert_int_eq(tg_print_values(full, (tg_type){TG_F32, TG_SHAPE(2)}, (float[]){1, 2}), TG_ERROR_IO);
    fclose(full);
}
END_TEST

static void describe_scaled(const void *attributes, char *text, size_t size)
{
    (void)attributes;
    snprintf(text, size, "by 2");
}

static const tg_op scaled = {.name = "scaled",
                             .formula = "y = 2 a b",
                             .traits = TG_POINTWISE,
                             .min_inputs = 2,
                             .max_inputs = 2,
                             .shape = tg_shape_pointwise,
                             .describe = describe_scaled};

START_TEST(tape_as_table)
{
    tg_context *context = harness_context(1);
    tg_variables *variables = tg_variables_new(context, 1);
    tg_graph *graph = tg_graph_new(variables, TG_TRAINING);
    tg_where here = {"src/net.c", 7};
    tg_tensor x = tg_input_at(here, graph, "x", TG_F32, TG_SHAPE(2, 3));
    tg_layer_begin_at(here, graph, "Dense", "dense", false);
    tg_tensor k = tg_variable_at(here, graph, "kernel", TG_FLOAT, TG_SHAPE(3), (tg_init){0});
    tg_tensor y = tg_layer_end(tg_name(tg_apply_at(here, graph, &scaled, (tg_tensor[]){x, k}, 2, NULL, 0), "h"));
    ck_assert(tg_ok(y));
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    ck_assert_int_eq(tg_print_tape(out, graph), TG_OK);
    fclose(out);
    ck_assert_str_eq(text, "id  op                     formula    inputs  type        layer  line\n"
                           " 0  input x                fed                f32 [2, 3]         net.c:7\n"
                           " 1  variable dense/kernel  stored             f32 [3]     dense  net.c:7\n"
                           " 2  scaled by 2 h          y = 2 a b  0, 1    f32 [2, 3]  dense  net.c:7\n");
    free(text);
    tg_graph_free(graph);
    tg_variables_free(variables);
    tg_context_free(context);
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("print");
    tcase_add_test(tests, values_as_numpy);
    tcase_add_test(tests, write_errors_are_told);
    tcase_add_test(tests, tape_as_table);
    return harness_run("print", tests);
}
