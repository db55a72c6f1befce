/* The square root of each instruction set rounds correctly, whatever it is made of. */
#include <math.h>
#include <string.h>

#include "harness.h"
#include "ops/kernel_set.h"

enum { BLOCK = 1024, STEP = 4099 };

static void check(const tg_kernels *kernels, uint32_t first, uint32_t step)
{
    static float x[BLOCK], y[BLOCK];
    const void *const inputs[] = {x};
    for (uint32_t i = 0; i < BLOCK; i++) {
        uint32_t bits = first + i * step;
        memcpy(&x[i], &bits, sizeof bits);
    }
    kernels->lane_sqrt(y, inputs, BLOCK, NULL);
    for (int i = 0; i < BLOCK; i++) {
        float exact = (float)sqrt(x[i]); /* rounding twice is rounding once: an f64 has more than twice an f32's digits */
        if (memcmp(&y[i], &exact, sizeof exact) != 0 && !(isnan(exact) && isnan(y[i])))
            ck_abort_msg("%s: sqrt(%a) is %a, not %a", kernels->set, (double)x[i], (double)y[i], (double)exact);
    }
}

/* Every float of [1, 4), whose roots have all the digits there are, and others of the whole range. */
START_TEST(roots_are_rounded_correctly)
{
    if (!tg_isa_available((tg_isa)_i))
        return;
    const tg_kernels *kernels = tg_kernels_for((tg_isa)_i);
    for (uint32_t bits = 0x3f800000; bits < 0x40800000; bits += BLOCK)
        check(kernels, bits, 1);
    for (uint32_t i = 0, bits = 0; i < 1024; i++, bits += BLOCK * STEP)
        check(kernels, bits, STEP);
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("square_root");
    tcase_add_loop_test(tests, roots_are_rounded_correctly, 0, TG_ISA_COUNT);
    return harness_run("square_root", tests);
}
