#include <stdlib.h>
#include <string.h>

#include "failing_allocator.h"
#include "graph/rebuild.h"
#include "harness.h"

START_TEST(defaults_give_a_context)
{
    unsetenv("TG_ISA");
    tg_context *context = tg_context_new(tg_context_defaults());
    ck_assert_ptr_nonnull(context);
    ck_assert_int_ge(tg_context_threads(context), 1);
    ck_assert(tg_isa_available(tg_context_isa(context)));
    tg_context_free(context);
    tg_context_free(NULL);
}
END_TEST

START_TEST(threads_are_as_asked_or_refused_in_words)
{
    tg_context_options options = tg_context_defaults();
    options.threads = 7;
    tg_context *context = tg_context_new(options);
    ck_assert_int_eq(tg_context_threads(context), 7);
    tg_context_free(context);
    char text[256];
    options.threads = -1;
    ck_assert_ptr_null(tg_context_new(options));
    tg_context_explain(options, text, sizeof text);
    ck_assert_ptr_nonnull(strstr(text, "-1 threads"));
    options.threads = 1025;
    ck_assert_ptr_null(tg_context_new(options));
}
END_TEST

START_TEST(the_environment_chooses_the_instruction_set)
{
    char text[256];
    setenv("TG_ISA", "baseline", 1);
    tg_context *context = tg_context_new(tg_context_defaults());
    ck_assert_int_eq(tg_context_isa(context), TG_ISA_BASELINE);
    tg_context_free(context);
    setenv("TG_ISA", "mmx", 1);
    ck_assert_ptr_null(tg_context_new(tg_context_defaults()));
    tg_context_explain(tg_context_defaults(), text, sizeof text);
    ck_assert_ptr_nonnull(strstr(text, "TG_ISA is \"mmx\""));
    setenv("TG_ISA", "", 1);
    context = tg_context_new(tg_context_defaults());
    ck_assert_ptr_nonnull(context);
    tg_context_free(context);
}
END_TEST

START_TEST(the_option_wins_over_the_environment)
{
    setenv("TG_ISA", "mmx", 1);
    tg_context_options options = tg_context_defaults();
    options.isa = TG_ISA_BASELINE;
    tg_context *context = tg_context_new(options);
    ck_assert_ptr_nonnull(context);
    ck_assert_int_eq(tg_context_isa(context), TG_ISA_BASELINE);
    tg_context_free(context);
}
END_TEST

START_TEST(a_set_that_is_missing_is_refused_in_words)
{
    unsetenv("TG_ISA");
    int missing = 0;
    for (int isa = 0; isa < TG_ISA_COUNT; isa++) {
        if (tg_isa_available((tg_isa)isa))
            continue;
        char text[256];
        tg_context_options options = tg_context_defaults();
        options.isa = (tg_isa)isa;
        ck_assert_ptr_null(tg_context_new(options));
        tg_context_explain(options, text, sizeof text);
        ck_assert_ptr_nonnull(strstr(text, tg_isa_name((tg_isa)isa)));
        missing++;
    }
    ck_assert_int_gt(missing, 0); /* no machine is both x86 and ARM */
}
END_TEST

START_TEST(memory_is_aligned_counted_and_given_back)
{
    failing_allocator counter = {0};
    tg_context_options options = tg_context_defaults();
    options.allocator = failing_allocator_interface(&counter);
    tg_context *context = tg_context_new(options);
    size_t before = tg_context_memory(context, NULL), peak;
    char *a = tg_allocate(context, 1000), *b = tg_allocate_zero(context, 500);
    ck_assert_uint_eq((uintptr_t)a % 64, 0);
    ck_assert_uint_eq(tg_context_memory(context, &peak), before + 1500);
    ck_assert_uint_eq(peak, before + 1500);
    for (int i = 0; i < 500; i++)
        ck_assert_int_eq(b[i], 0);
    tg_release(context, a, 1000);
    tg_release(context, b, 500);
    tg_release(context, NULL, 7);
    ck_assert_uint_eq(tg_context_memory(context, &peak), before);
    ck_assert_uint_eq(peak, before + 1500);
    tg_context_free(context);
    ck_assert_int_eq(counter.live, 0);
    ck_assert_uint_eq(counter.held, 0);
}
END_TEST

START_TEST(no_memory_gives_no_context)
{
    failing_allocator counter = {.refuse = 1};
    tg_context_options options = tg_context_defaults();
    options.allocator = failing_allocator_interface(&counter);
    ck_assert_ptr_null(tg_context_new(options));
    ck_assert_int_eq(counter.live, 0);
}
END_TEST

static int created, released;

static void release_object(void *object)
{
    (void)object;
    released++;
}

static tg_attachment create_object(tg_context *context)
{
    created++;
    return (tg_attachment){context, release_object};
}

START_TEST(attachments_are_made_once_and_released_with_the_context)
{
    tg_context *context = harness_context(1);
    ck_assert_ptr_eq(tg_context_attach(context, TG_SLOT_TEAM, create_object), context);
    ck_assert_ptr_eq(tg_context_attach(context, TG_SLOT_TEAM, create_object), context);
    ck_assert_int_eq(created, 1);
    tg_context_free(context);
    ck_assert_int_eq(released, 1);
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("context");
    tcase_add_test(tests, defaults_give_a_context);
    tcase_add_test(tests, threads_are_as_asked_or_refused_in_words);
    tcase_add_test(tests, the_environment_chooses_the_instruction_set);
    tcase_add_test(tests, the_option_wins_over_the_environment);
    tcase_add_test(tests, a_set_that_is_missing_is_refused_in_words);
    tcase_add_test(tests, memory_is_aligned_counted_and_given_back);
    tcase_add_test(tests, no_memory_gives_no_context);
    tcase_add_test(tests, attachments_are_made_once_and_released_with_the_context);
    return harness_run("context", tests);
}
