#include <string.h>

#include "harness.h"
#include "train/progress_bar.h"

static const tg_progress_value values[] = {
    {"accuracy", 0.9134}, {"loss", 0.3295}, {"val_accuracy", 0.9314}, {"val_loss", 0.2486}};
static char text[TG_BAR_SIZE];

static const char *bar(int64_t step, double per_step, int n_values, int width)
{
    tg_progress progress = {step, 391, 0.42, per_step, n_values, values};
    return tg_bar_text(&progress, (tg_bar_look){.width = width, .ascii = true}, text, sizeof text);
}

/* Keras's own: keras.utils.Progbar(391).update(391, ...), in ASCII and without colours. */
START_TEST(the_last_line_is_keras_s)
{
    ck_assert_str_eq(bar(391, 0.00106, 4, 120), "391/391 ==================== 0s 1ms/step - accuracy: 0.9134 - loss: 0.3295 - "
                                                "val_accuracy: 0.9314 - val_loss: 0.2486");
}
END_TEST

START_TEST(the_time_left_is_in_keras_s_forms)
{
    ck_assert_str_eq(bar(40, 0.1, 2, 120), " 40/391 ==------------------ 35s 100ms/step - accuracy: 0.9134 - loss: 0.3295");
    ck_assert_str_eq(bar(0, 0, 0, 120), "  0/391 -------------------- 0s 0s/step");
    ck_assert_str_eq(bar(1, 0.2, 0, 120), "  1/391 -------------------- 1:18 200ms/step");
    ck_assert_str_eq(bar(191, 20, 0, 120), "191/391 =========----------- 1:06:40 20s/step");
}
END_TEST

START_TEST(a_running_line_leaves_out_what_does_not_fit)
{
    ck_assert_str_eq(bar(195, 0.001, 2, 80), "195/391 =========----------- 0s 1ms/step - accuracy: 0.9134 - loss: 0.3295");
    ck_assert_str_eq(bar(195, 0.001, 2, 65), "195/391 ====------ 0s 1ms/step - accuracy: 0.9134 - loss: 0.3295");
    ck_assert_str_eq(bar(195, 0.001, 2, 60), "195/391 =========----------- 0s 1ms/step - accuracy: 0.9134");
    ck_assert_str_eq(bar(195, 0.001, 2, 30), "195/391 ====----- 0s 1ms/step");
    ck_assert_str_eq(bar(195, 0.001, 2, 9), "195/391 ");
    ck_assert_str_eq(bar(195, 0.001, 2, 5), "195/");
}
END_TEST

START_TEST(the_last_line_loses_nothing)
{
    ck_assert_str_eq(bar(391, 0.001, 4, 80), "391/391 ==================== 0s 1ms/step - accuracy: 0.9134 - loss: 0.3295\n"
                                             "        val_accuracy: 0.9314 - val_loss: 0.2486");
    ck_assert_str_eq(bar(391, 0.001, 4, 60), "391/391 ==================== 0s 1ms/step - accuracy: 0.9134\n"
                                             "        loss: 0.3295 - val_accuracy: 0.9314\n        val_loss: 0.2486");
}
END_TEST

START_TEST(without_a_known_number_of_steps_there_is_no_bar)
{
    tg_progress progress = {12, 0, 3.2, 0.25, 2, values};
    tg_bar_look look = {.width = 80, .ascii = true};
    ck_assert_str_eq(tg_bar_text(&progress, look, text, sizeof text),
                     "12/Unknown 3s 250ms/step - accuracy: 0.9134 - loss: 0.3295");
    look.width = 50;
    ck_assert_str_eq(tg_bar_text(&progress, look, text, sizeof text), "12/Unknown 3s 250ms/step - accuracy: 0.9134");
}
END_TEST

/* The columns of the longest line: bytes outside of codes that begin a character. */
static int columns(const char *lines)
{
    int longest = 0, column = 0;
    for (const char *c = lines; *c; c++) {
        if (*c == '\33')
            c += strcspn(c, "m");
        else if (*c == '\n')
            column = 0;
        else
            column += ((unsigned char)*c & 0xc0) != 0x80;
        longest = column > longest ? column : longest;
    }
    return longest;
}

START_TEST(no_line_is_wider_than_the_window)
{
    for (int width = 1; width <= 140; width++)
        for (int64_t step = 0; step <= 391; step += 17)
            for (int look = 0; look < 4; look++) {
                tg_progress progress = {step, 391, 1e4, 31.5, step == 391 ? 4 : 2, values};
                tg_bar_look how = {.width = width, .ascii = look & 1, .color = look & 2};
                tg_bar_text(&progress, how, text, sizeof text);
                ck_assert_msg(columns(text) <= (width > 1 ? width - 1 : 1), "%d columns for a width of %d: %s", columns(text),
                              width, text);
            }
}
END_TEST

START_TEST(colours_and_lines_are_by_look)
{
    tg_progress progress = {2, 4, 1, 0.001, 0, NULL};
    tg_bar_text(&progress, (tg_bar_look){.width = 80}, text, sizeof text);
    ck_assert_str_eq(text, "2/4 ━━━━━━━━━━────────── 0s 1ms/step");
    tg_bar_text(&progress, (tg_bar_look){.width = 80, .ascii = true, .color = true}, text, sizeof text);
    ck_assert_str_eq(text, "\33[1m2/4\33[0m \33[32m==========\33[0m\33[2m----------\33[0m \33[1m0s\33[0m 1ms/step");
}
END_TEST

START_TEST(a_small_buffer_is_not_overrun)
{
    tg_progress progress = {391, 391, 1, 0.001, 4, values};
    for (size_t size = 1; size < 200; size++) {
        memset(text, '#', sizeof text);
        tg_bar_text(&progress, (tg_bar_look){.width = 120}, text, size);
        ck_assert_uint_lt(strlen(text), size);
        ck_assert_int_eq(text[size], '#');
    }
}
END_TEST

START_TEST(a_file_is_no_terminal_and_a_full_disk_is_told)
{
    const tg_progress progress = {.step = 1, .steps = 1};
    FILE *file = tmpfile();
    ck_assert_ptr_nonnull(file);
    ck_assert(!tg_terminal_can_redraw(file));
    ck_assert_int_eq(tg_terminal_width(file), 80);
    fclose(file);
    FILE *full = fopen("/dev/full", "w");
    if (!full)
        return;
    tg_progress_bar b = tg_progress_bar_begin(full, (tg_bar_look){.ascii = true});
    ck_assert_int_eq(tg_progress_bar_draw(&b, 1, 2, values, 2), TG_ERROR_IO);
    ck_assert_int_eq(tg_progress_bar_finish(&b, &progress), TG_ERROR_IO);
    fclose(full);
}
END_TEST

START_TEST(drawings_replace_one_another)
{
    FILE *out = tmpfile();
    ck_assert_ptr_nonnull(out);
    tg_progress_bar b = tg_progress_bar_begin(out, (tg_bar_look){.ascii = true});
    ck_assert(!tg_progress_bar_due(&b));
    b.drawn -= 0.051;
    ck_assert(tg_progress_bar_due(&b));
    ck_assert_int_eq(tg_progress_bar_draw(&b, 1, 2, values, 1), TG_OK);
    ck_assert(!tg_progress_bar_due(&b));
    const tg_progress last = {2, 2, 0.2, 0.1, 1, values};
    ck_assert_int_eq(tg_progress_bar_finish(&b, &last), TG_OK);
    tg_progress_bar_leave(&b);
    size_t size = (size_t)ftell(out);
    rewind(out);
    ck_assert_uint_lt(size, sizeof text);
    ck_assert_uint_eq(fread(text, 1, size, out), size);
    text[size] = 0;
    const char *second = strstr(text, "\r\33[J");
    ck_assert_msg(second != NULL && strncmp(text, "1/2 ==========---------- 0s ", 28) == 0, "%s", text);
    ck_assert_str_eq(second, "\r\33[J2/2 ==================== 0s 100ms/step - accuracy: 0.9134\n");
    fclose(out);
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("progress_bar");
    tcase_add_test(tests, the_last_line_is_keras_s);
    tcase_add_test(tests, the_time_left_is_in_keras_s_forms);
    tcase_add_test(tests, a_running_line_leaves_out_what_does_not_fit);
    tcase_add_test(tests, the_last_line_loses_nothing);
    tcase_add_test(tests, without_a_known_number_of_steps_there_is_no_bar);
    tcase_add_test(tests, no_line_is_wider_than_the_window);
    tcase_add_test(tests, colours_and_lines_are_by_look);
    tcase_add_test(tests, a_small_buffer_is_not_overrun);
    tcase_add_test(tests, a_file_is_no_terminal_and_a_full_disk_is_told);
    tcase_add_test(tests, drawings_replace_one_another);
    return harness_run("progress_bar", tests);
}
