#include <string.h>

#include "graph/types.h"
#include "harness.h"

START_TEST(shapes_have_counts_and_bytes)
{
    ck_assert_int_eq(tg_shape_count(TG_SHAPE(3, 4, 5)), 60);
    ck_assert_int_eq(tg_shape_count(TG_SCALAR), 1);
    ck_assert_int_eq(tg_shape_count(TG_SHAPE(3, 0)), 0);
    ck_assert_int_eq(tg_type_bytes((tg_type){TG_F64, TG_SHAPE(3, 4)}), 96);
    ck_assert_int_eq(tg_type_bytes((tg_type){TG_U8, TG_SHAPE(3, 4)}), 12);
}
END_TEST

START_TEST(shapes_that_overflow_or_are_negative_are_invalid)
{
    ck_assert(tg_shape_valid(TG_SCALAR));
    ck_assert(tg_shape_valid(TG_SHAPE(0)));
    ck_assert(tg_shape_valid(TG_SHAPE(INT64_C(1) << 59)));
    ck_assert(!tg_shape_valid(TG_SHAPE(INT64_C(1) << 60)));
    ck_assert(!tg_shape_valid(TG_SHAPE(INT64_C(1) << 32, INT64_C(1) << 32)));
    ck_assert(!tg_shape_valid(TG_SHAPE(0, INT64_C(1) << 32, INT64_C(1) << 32)));
    ck_assert(!tg_shape_valid(TG_SHAPE(2, -1)));
    ck_assert(!tg_shape_valid(TG_SHAPE(1, 1, 1, 1, 1, 1, 1, 1, 1)));
}
END_TEST

START_TEST(shapes_broadcast_from_the_right)
{
    tg_shape result;
    ck_assert(tg_shape_broadcast(TG_SHAPE(4, 1, 3), TG_SHAPE(2, 1), &result));
    ck_assert(tg_shape_equal(result, TG_SHAPE(4, 2, 3)));
    ck_assert(tg_shape_broadcast(TG_SCALAR, TG_SHAPE(2, 5), &result));
    ck_assert(tg_shape_equal(result, TG_SHAPE(2, 5)));
    ck_assert(tg_shape_broadcast(TG_SHAPE(1), TG_SHAPE(0), &result));
    ck_assert(tg_shape_equal(result, TG_SHAPE(0)));
    ck_assert(!tg_shape_broadcast(TG_SHAPE(3), TG_SHAPE(4), &result));
    ck_assert(!tg_shape_broadcast(TG_SHAPE(2, 3), TG_SHAPE(3, 2), &result));
}
END_TEST

START_TEST(axes_become_masks)
{
    uint32_t mask;
    ck_assert(tg_axes_mask(TG_AXES(0, -1), 3, &mask));
    ck_assert_uint_eq(mask, 5);
    ck_assert(tg_axes_mask(TG_ALL_AXES, 4, &mask));
    ck_assert_uint_eq(mask, 15);
    ck_assert(tg_axes_mask(TG_ALL_AXES, 0, &mask));
    ck_assert_uint_eq(mask, 0);
    ck_assert(!tg_axes_mask(TG_AXES(3), 3, &mask));
    ck_assert(!tg_axes_mask(TG_AXES(-4), 3, &mask));
    ck_assert(!tg_axes_mask(TG_AXES(1, -2), 3, &mask));
}
END_TEST

START_TEST(shapes_print_as_in_python_and_never_overrun)
{
    char text[64];
    ck_assert_str_eq(tg_shape_text(TG_SHAPE(128, 784), text, sizeof text), "[128, 784]");
    ck_assert_str_eq(tg_shape_text(TG_SCALAR, text, sizeof text), "[]");
    ck_assert_str_eq(tg_shape_text(TG_SHAPE(1, 2, 3, 4, 5, 6, 7, 8, 9), text, sizeof text), "[1, 2, 3, 4, 5, 6, 7, 8, ...]");
    memset(text, 'x', sizeof text);
    tg_shape_text(TG_SHAPE(12345, 67890), text, 6);
    ck_assert_uint_lt(strlen(text), 6);
    ck_assert_int_eq(text[6], 'x');
}
END_TEST

START_TEST(dtypes_have_sizes_and_names)
{
    static const struct {
        tg_dtype dtype;
        size_t size;
        const char *name;
        bool is_float;
    } expected[] = {{TG_F32, 4, "f32", true}, {TG_F64, 8, "f64", true}, {TG_I32, 4, "i32", false}, {TG_U8, 1, "u8", false}};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        ck_assert_uint_eq(tg_dtype_size(expected[i].dtype), expected[i].size);
        ck_assert_str_eq(tg_dtype_name(expected[i].dtype), expected[i].name);
        ck_assert(tg_dtype_is_float(expected[i].dtype) == expected[i].is_float);
    }
}
END_TEST

START_TEST(every_status_has_a_text_of_its_own)
{
    for (int a = TG_OK; a <= TG_ERROR_DIVERGED; a++)
        for (int b = a + 1; b <= TG_ERROR_DIVERGED + 1; b++)
            ck_assert_str_ne(tg_status_text((tg_status)a), tg_status_text((tg_status)b));
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("types");
    tcase_add_test(tests, shapes_have_counts_and_bytes);
    tcase_add_test(tests, shapes_that_overflow_or_are_negative_are_invalid);
    tcase_add_test(tests, shapes_broadcast_from_the_right);
    tcase_add_test(tests, axes_become_masks);
    tcase_add_test(tests, shapes_print_as_in_python_and_never_overrun);
    tcase_add_test(tests, dtypes_have_sizes_and_names);
    tcase_add_test(tests, every_status_has_a_text_of_its_own);
    return harness_run("types", tests);
}
