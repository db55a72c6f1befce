/* Values and derivatives of activation functions far out, where they are small: relative to themselves, on every instruction set. */
#include <float.h>

#include "exec/float_mode.h"
#include "ops/op_entries.h"
#include "workbench.h"

enum { BLOCK = 1024 };

typedef struct tail {
    const char *op;
    double x, y, first, second; /* by mpmath, to 60 digits */
} tail;

static const tail tails[] = {
    {"elu", -1.0, -0.44248439117999037, 0.25751560882000961, 0.25751560882000961},
    {"elu", -10.0, -0.69996822004916626, 3.1779950833739394e-5, 3.1779950833739394e-5},
    {"elu", -20.0, -0.69999999855719246, 1.4428075357069904e-9, 1.4428075357069904e-9},
    {"elu", -50.0, -0.7, 1.3501248935747424e-22, 1.3501248935747424e-22},
    {"elu", -80.0, -0.7, 1.2633959714917905e-35, 1.2633959714917905e-35},
    {"gelu", -1.0625, -0.15300465268959413, -0.097041730902392494, 0.19762236216423914},
    {"gelu", -2.0, -0.045500263896358414, -0.085231801078196897, -0.1079819330263761},
    {"gelu", -3.5, -0.00081420177662433763, -0.0028217603536246352, -0.0089449976242190407},
    {"gelu", -5.0, -1.4332578593959696e-6, -7.1469460017922946e-6, -3.4194548838888847e-5},
    {"gelu", -8.0, -4.9767684594174273e-15, -3.979607261086796e-14, -3.1324080717928732e-13},
    {"gelu", -12.0, -2.1317785344932148e-32, -2.5578956616748956e-31, -3.0478649046415457e-30},
    {"gelu", 3.0, 2.9959503059051097, 1.0119456472041839, -0.03102293888356605},
    {"silu", -5.0, -0.033464254621424278, -0.026547432429665919, -0.019499225490032505},
    {"silu", -20.0, -4.1223072363804072e-8, -3.9161918660646783e-8, -3.7100764881019119e-8},
    {"silu", -50.0, -9.6437492398195889e-21, -9.4508742550231971e-21, -9.2579992702268054e-21},
    {"silu", -80.0, -1.4438811102763321e-33, -1.425832596397878e-33, -1.4077840825194238e-33},
    {"softplus", -5.0, 0.0067153484891180686, 0.0066928509242848556, 0.0066480566707901549},
    {"softplus", -20.0, 2.0611536203143807e-9, 2.0611536181902036e-9, 2.0611536139418493e-9},
    {"softplus", -50.0, 1.9287498479639178e-22, 1.9287498479639178e-22, 1.9287498479639178e-22},
    {"softplus", -80.0, 1.8048513878454152e-35, 1.8048513878454152e-35, 1.8048513878454152e-35},
    {"sigmoid", -5.0, 0.0066928509242848556, 0.0066480566707901549, 0.0065590677663225629},
    {"sigmoid", -20.0, 2.0611536181902036e-9, 2.0611536139418493e-9, 2.0611536054451409e-9},
    {"sigmoid", -50.0, 1.9287498479639178e-22, 1.9287498479639178e-22, 1.9287498479639178e-22},
    {"sigmoid", -80.0, 1.8048513878454152e-35, 1.8048513878454152e-35, 1.8048513878454152e-35},
    {"tanh", 9.999999974752427e-07, 9.9999999747490937e-7, 0.999999999999, -1.9999999949478187e-6},
    {"tanh", -1.3552527156068805e-20, -1.3552527156068805e-20, 1.0, 2.7105054312137611e-20},
    {"exp", -50.0, 1.9287498479639178e-22, 1.9287498479639178e-22, 1.9287498479639178e-22},
    {"exp", -80.0, 1.8048513878454152e-35, 1.8048513878454152e-35, 1.8048513878454152e-35},
    {"exp", 80.0, 5.5406223843935101e+34, 5.5406223843935101e+34, 5.5406223843935101e+34},
    {"erf", -4.0, -0.9999999845827421, 1.2698234671866558e-7, 1.0158587737493247e-6},
    {"erf", 4.0, 0.9999999845827421, 1.2698234671866558e-7, -1.0158587737493247e-6},
    {"erf", 8.0, 1.0, 1.8097067968559843e-28, -2.8955308749695748e-27},
    {"erf", 1.3552527156068805e-20, 1.5292389304404234e-20, 1.1283791670955126, -3.0584778608808469e-20},
};
#define TAILS ((int)(sizeof tails / sizeof *tails))

static tg_tensor apply(const char *op, tg_tensor x)
{
    static const struct {
        const char *name;
        tg_tensor (*record)(tg_where where, tg_tensor x);
    } ops[] = {{"gelu", tg_gelu_at},       {"silu", tg_silu_at}, {"softplus", tg_softplus_at},
               {"sigmoid", tg_sigmoid_at}, {"tanh", tg_tanh_at}, {"exp", tg_exp_at},
               {"erf", tg_erf_at}};
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
        if (strcmp(ops[i].name, op) == 0)
            return ops[i].record(TG_HERE, x);
    return tg_elu(x, 0.7);
}

static void expect_near(const tail *t, tg_isa isa, const char *what, tg_tensor got, double right, double tolerance)
{
    double *value = workbench_eval(got);
    ck_assert_msg(fabs(*value - right) <= tolerance * fabs(right), "%s of %s at %g, %s, %s, is %.9g, not %.9g", what, t->op, t->x,
                  tg_dtype_name(tg_tensor_dtype(got)), tg_isa_name(isa), *value, right);
    free(value);
}

START_TEST(tails_keep_their_digits)
{
    const tail *t = &tails[_i];
    for (int isa = 0; isa < TG_ISA_COUNT; isa++)
        for (int d = 0; tg_isa_available((tg_isa)isa) && d < 2; d++) {
            tg_dtype dtype = d ? TG_F64 : TG_F32;
            double tolerance = d ? 1e-12 : 2e-5;
            workbench b = workbench_open_on((tg_isa)isa, 1, dtype);
            tg_tensor x = workbench_values(&b, dtype, TG_SCALAR, &t->x), y = apply(t->op, x), first = tg_gradient(y, x);
            expect_near(t, (tg_isa)isa, "the value", y, t->y, d ? 1e-15 : 1e-6);
            expect_near(t, (tg_isa)isa, "the derivative", first, t->first, tolerance);
            expect_near(t, (tg_isa)isa, "the second derivative", tg_gradient(first, x), t->second, 4 * tolerance);
            workbench_close(&b);
        }
}
END_TEST

/* The values of part `part`: from 2^-126 up to 2^-97, then from 0 to 110. */
static void fill(int part, bool negative, float x[BLOCK], double wide[BLOCK])
{
    for (int i = 0; i < BLOCK; i++) {
        float step = (float)i / BLOCK, size = part < 30 ? ldexpf(1 + step, part - 126) : (float)(part - 30) + step;
        wide[i] = x[i] = negative ? -size : size;
    }
}

/* Under the flags of a run: what is not below the normal range is no worse there than elsewhere. */
START_TEST(no_op_loses_digits_near_the_least_normal)
{
    static float x[BLOCK], got[BLOCK];
    static double wide[BLOCK], right[BLOCK];
    int count;
    const tg_op_entry *entry = &tg_op_entries(&count)[_i];
    const tg_op *op = entry->op;
    tg_type single = {TG_F32, TG_SHAPE(BLOCK)}, twice = {TG_F64, TG_SHAPE(BLOCK)};
    const void *attributes = entry->samples[0].attributes;
    if (!(op->traits & TG_POINTWISE) || op->min_inputs != 1 || op == &tg_op_cast || op == &tg_op_stop_gradient)
        return;
    for (int isa = 0; isa < TG_ISA_COUNT; isa++)
        for (int run = 0; tg_isa_available((tg_isa)isa) && run < 2 * (30 + 110); run++) {
            tg_work work = {.n_inputs = 1, .inputs = &single, .output = single, .attributes = attributes, .isa = (tg_isa)isa};
            fill(run / 2, run % 2, x, wide);
            tg_float_mode before = tg_float_mode_enter(true);
            op->block (&work)(got, (const void *const[]){x}, BLOCK, attributes);
            tg_float_mode_leave(before);
            work.inputs = &twice;
            work.output = twice;
            op->block (&work)(right, (const void *const[]){wide}, BLOCK, attributes);
            for (int i = 0; i < BLOCK; i++) {
                double error = fabs(got[i] - right[i]), size = fabs(right[i]);
                bool vanished = size < FLT_MIN * (1 + 4 * FLT_EPSILON) && fabsf(got[i]) <= FLT_MIN;
                bool same = (isnan(right[i]) && isnan(got[i])) || got[i] == (float)right[i];
                if (!same && !vanished && !(error <= (op->tolerance + 0.5) * FLT_EPSILON * size))
                    ck_abort_msg("%s of %a, %s, is %a, not %a", op->name, (double)x[i], tg_isa_name((tg_isa)isa), (double)got[i],
                                 right[i]);
            }
        }
}
END_TEST

/* Subnormals of f64 in a store of f32, and of f32 in one of f64: the dtypes of an op decide, whatever is fused with what. */
START_TEST(subnormals_are_kept_in_f64_alone)
{
    workbench b = workbench_open(_i & 1 ? TG_F64 : TG_F32);
    tg_shape shape = TG_SHAPE(2, 2);
    tg_tensor wide = workbench_values(&b, TG_F64, shape, (const double[]){0x1p-1060, -0x1p-1060, 0x1p-1030, 1});
    tg_tensor narrow = workbench_values(&b, TG_F32, shape, (const double[]){0x1p-140, -0x1p-140, 0x1p-126, 1});
    tg_tensor product = tg_matmul(wide, workbench_values(&b, TG_F64, shape, (const double[]){1, 0, 0, 1}));
    tg_tensor half = tg_mul(narrow, tg_scalar(narrow, 0.5)),
              positive = tg_less(tg_scalar(wide, 0), tg_mul(wide, tg_scalar(wide, 0.5)));
    tg_tensor epilogue = tg_cast(tg_mul(product, tg_scalar(product, 0x1p1000)), TG_F32);
    tg_tensor roots[] = {tg_mul(wide, tg_scalar(wide, 0.5)),
                         tg_sum(wide, TG_AXES(0)),
                         product,
                         tg_mul(tg_cast(half, TG_F64), tg_scalar(wide, 0x1p126)),
                         tg_mul(tg_mul(epilogue, tg_scalar(epilogue, 0x1p-70)), tg_scalar(epilogue, 0x1p70)),
                         tg_cast(positive, TG_F32),
                         tg_sign(narrow),
                         tg_sign(wide)};
    const double right[][4] = {{0x1p-1061, -0x1p-1061, 0x1p-1031, 0.5},
                               {0x1.00000004p-1030, 1},
                               {0x1p-1060, -0x1p-1060, 0x1p-1030, 1},
                               {0, 0, 0, 0x1p125},
                               {0, 0, 0x1p-30, INFINITY},
                               {1, 0, 1, 1},
                               {0, 0, 1, 1},
                               {1, -1, 1, 1}};
    enum { ROOTS = sizeof roots / sizeof *roots };
    tg_compile_options options = tg_compile_defaults(b.context);
    options.fuse = _i & 2;
    options.simplify = _i & 4;
    tg_plan *plan = tg_compile_roots(b.graph, roots, ROOTS, options);
    ck_assert_msg(plan, "%s", tg_graph_error(b.graph));
    ck_assert_int_eq(tg_run(plan), TG_OK);
    for (int r = 0; r < ROOTS; r++)
        for (int64_t i = 0; i < tg_shape_count(tg_tensor_shape(roots[r])); i++) {
            double got = case_element(tg_tensor_dtype(roots[r]), tg_values(plan, roots[r]), i);
#if defined(__SSE__) || defined(__aarch64__)
            ck_assert_msg(got == right[r][i], "root %d, element %d is %a, not %a", r, (int)i, got, right[r][i]);
#else
            ck_assert_msg(fabs(got - right[r][i]) <= FLT_MIN * 0x1p70, "root %d, element %d", r, (int)i);
#endif
        }
    tg_plan_free(plan);
    workbench_close(&b);
}
END_TEST

int main(void)
{
    int count;
    tg_op_entries(&count);
    TCase *tests = harness_case("tails");
    tcase_add_loop_test(tests, tails_keep_their_digits, 0, TAILS);
    tcase_add_loop_test(tests, no_op_loses_digits_near_the_least_normal, 0, count);
    tcase_add_loop_test(tests, subnormals_are_kept_in_f64_alone, 0, 8);
    return harness_run("tails", tests);
}
