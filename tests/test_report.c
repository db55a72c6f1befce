#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness.h"
#include "train/byte_array.h"
#include "train/report.h"

static char folder[64], path[160], message[TG_MESSAGE_SIZE];

static void setup(void)
{
    snprintf(folder, sizeof folder, "/tmp/tapegrad-report-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void teardown(void)
{
    static const char *const left[] = {"file", "a/b/c", "a/b", "a", ""};
    for (size_t i = 0; i < sizeof left / sizeof *left; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, left[i]);
        remove(path);
    }
}

START_TEST(mistakes_come_by_certainty)
{
    static const float probabilities[] = {0.9f, 0.1f, 0,     /* right */
                                          0.6f, 0.4f, 0,     /* wrong */
                                          0.2f, 0.1f, 0.7f,  /* wrong */
                                          0.5f, 0.5f, 0,     /* the first of equals: right */
                                          0.1f, 0.7f, 0.2f}; /* wrong, as certain as another */
    static const int32_t labels[] = {0, 1, 0, 0, 2};
    tg_mistake found[5];
    ck_assert_int_eq(tg_confident_mistakes(probabilities, labels, 5, 3, found, 5), 3);
    ck_assert(found[0].image == 2 && found[0].said == 2 && found[0].certainty == 0.7f);
    ck_assert(found[1].image == 4 && found[1].said == 1);
    ck_assert(found[2].image == 1 && found[2].said == 0);
    ck_assert_int_eq(tg_confident_mistakes(probabilities, labels, 5, 3, found, 1), 1);
    ck_assert_int_eq(found[0].image, 2);
    ck_assert_int_eq(tg_confident_mistakes(probabilities, labels, 5, 3, found, 0), 0);
    ck_assert_int_eq(tg_confident_mistakes(probabilities, labels, 1, 3, found, 5), 0);
}
END_TEST

START_TEST(scores_of_classes_follow_their_definitions)
{
    static const int64_t confusion[] = {8, 2, 0, 4, 6, 0, 0, 0, 0};
    tg_class_scores first = tg_class_scores_of(confusion, 3, 0), second = tg_class_scores_of(confusion, 3, 1);
    tg_class_scores none = tg_class_scores_of(confusion, 3, 2);
    ck_assert_double_eq(first.precision, 8.0 / 12);
    ck_assert_double_eq(first.recall, 8.0 / 10);
    ck_assert_double_eq_tol(first.f1, 2 * first.precision * first.recall / (first.precision + first.recall), 1e-15);
    ck_assert_int_eq(first.support, 10);
    ck_assert_double_eq(second.precision, 6.0 / 8);
    ck_assert_double_eq(second.recall, 6.0 / 10);
    ck_assert(none.precision == 0 && none.recall == 0 && none.f1 == 0 && none.support == 0);
}
END_TEST

START_TEST(a_folder_is_made_with_those_above)
{
    struct stat there;
    snprintf(path, sizeof path, "%s/a/b//c/", folder);
    ck_assert_int_eq(tg_report_folder(path, message, sizeof message), TG_OK);
    ck_assert(stat(path, &there) == 0 && S_ISDIR(there.st_mode));
    ck_assert_int_eq(tg_report_folder(path, message, sizeof message), TG_OK);
}
END_TEST

START_TEST(a_folder_that_cannot_be_is_told)
{
    char below[200];
    snprintf(path, sizeof path, "%s/file", folder);
    fclose(fopen(path, "w"));
    ck_assert_int_eq(tg_report_folder(path, message, sizeof message), TG_ERROR_IO);
    ck_assert_msg(strstr(message, path) && strstr(message, "directory"), "%s", message);
    snprintf(below, sizeof below, "%s/sub", path);
    ck_assert_int_eq(tg_report_folder(below, message, sizeof message), TG_ERROR_IO);
    ck_assert_ptr_nonnull(strstr(message, below));
    ck_assert_int_eq(tg_report_folder("", message, sizeof message), TG_ERROR_IO);
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("report");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, mistakes_come_by_certainty);
    tcase_add_test(tests, scores_of_classes_follow_their_definitions);
    tcase_add_test(tests, a_folder_is_made_with_those_above);
    tcase_add_test(tests, a_folder_that_cannot_be_is_told);
    return harness_run("report", tests);
}
