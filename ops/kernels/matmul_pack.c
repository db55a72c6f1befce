/* Packing for tiles; see ops/kernels/tile.h. */
#include "ops/kernels/integers.h"
#include "ops/kernels/kernels.h"
#include "ops/kernels/vector.h"

static void pack_row(float *to, const float *from, int64_t columns, int64_t width)
{
    int64_t j = 0;
    for (; j + VF_WIDTH <= columns; j += VF_WIDTH)
        vf_store(to + j, vf_load(from + j));
    for (; j < width; j += VF_WIDTH)
        vf_store_part(to + j, tg_least(width - j, VF_WIDTH), j < columns ? vf_load_part(from + j, columns - j) : vf_zero());
}

void TG_SET(pack)(const tg_pack *p)
{
    for (int64_t r = 0; r < p->rows; r++)
        pack_row(p->to + r * p->width, p->from + r * p->stride, p->columns, p->width);
}

/* Transposes a square of `rows` x `columns`, each at most VF_WIDTH, and fills `width` columns of it. */
static void pack_square(const tg_pack *p, float *to, const float *from, int64_t rows, int64_t columns, int64_t width)
{
    vf square[VF_WIDTH];
    for (int64_t j = 0; j < VF_WIDTH; j++)
        square[j] = j < columns ? vf_load_part(from + j * p->stride, rows) : vf_zero();
    vf_transpose(square);
    for (int64_t r = 0; r < rows; r++)
        vf_store_part(to + r * p->width, width, square[r]);
}

static void pack_full_square(const tg_pack *p, float *to, const float *from)
{
    vf square[VF_WIDTH];
    for (int j = 0; j < VF_WIDTH; j++)
        square[j] = vf_load(from + j * p->stride);
    vf_transpose(square);
    for (int r = 0; r < VF_WIDTH; r++)
        vf_store(to + r * p->width, square[r]);
}

void TG_SET(pack_transposed)(const tg_pack *p)
{
    for (int64_t r = 0; r < p->rows; r += VF_WIDTH)
        for (int64_t j = 0; j < p->width; j += VF_WIDTH) {
            int64_t rows = tg_least(p->rows - r, VF_WIDTH), columns = p->columns - j, width = tg_least(p->width - j, VF_WIDTH);
            float *to = p->to + r * p->width + j;
            const float *from = p->from + j * p->stride + r;
            if (rows == VF_WIDTH && columns >= VF_WIDTH)
                pack_full_square(p, to, from);
            else
                pack_square(p, to, from, rows, columns, width);
        }
}
