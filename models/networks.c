#include "models/networks.h"

#include <stdio.h>

#include "ops/ops.h"

#define IMAGE_EXTENT 28

network_settings network_defaults(void)
{
    return (network_settings){
        .hidden = {2, {100, 50}},
        .filters = {2, {32, 64}},
        .kernel_size = 3,
        .activation = TG_ACTIVATION_SIGMOID,
        .kernel = tg_initializer_defaults(TG_GLOROT_UNIFORM),
    };
}

tg_tensor scale_pixels(tg_tensor pixels)
{
    tg_tensor x = tg_cast(pixels, TG_FLOAT);
    return tg_div(x, tg_scalar(x, 255));
}

static tg_tensor dense(tg_tensor x, int64_t units, const network_settings *settings)
{
    tg_dense_options options = tg_dense_defaults(units, NULL);
    options.kernel = settings->kernel;
    return tg_dense_with(x, options);
}

static tg_tensor drop(tg_tensor x, const network_settings *settings)
{
    return settings->dropout > 0 ? tg_dropout_layer(x, settings->dropout, NULL) : x;
}

/* Convolution, activation and pooling of half the extents. */
static tg_tensor block(tg_tensor x, int64_t filters, const network_settings *settings)
{
    tg_conv2d_layer_options options = tg_conv2d_layer_defaults(filters, settings->kernel_size, NULL);
    options.kernel = settings->kernel;
    options.activation = settings->activation;
    return tg_max_pool2d_layer(tg_conv2d_layer_with(x, options), 2, NULL);
}

tg_tensor fcnn(tg_tensor image, const network_settings *settings)
{
    tg_tensor h = image; /* [n, 784] */
    for (int i = 0; i < settings->hidden.count; i++) {
        h = dense(h, settings->hidden.values[i], settings); /* [n, 100], [n, 50] */
        h = drop(tg_activation_layer(h, settings->activation, NULL), settings);
    }
    return dense(h, CLASSES, settings); /* [n, 10] */
}

tg_tensor fcnn_probabilities(tg_tensor logits) { return tg_activation_layer(logits, TG_ACTIVATION_SOFTMAX, NULL); }

tg_tensor cnn(tg_tensor image, const network_settings *settings)
{
    tg_tensor h = image; /* [n, 28, 28, 1] */
    for (int i = 0; i < settings->filters.count; i++)
        h = block(h, settings->filters.values[i],
                  settings);                       /* [n, 26, 26, 32], [n, 13, 13, 32]; [n, 11, 11, 64], [n, 5, 5, 64] */
    h = drop(tg_flatten_layer(h, NULL), settings); /* [n, 1600] */
    return dense(h, CLASSES, settings);            /* [n, 10] */
}

bool cnn_fits(const network_settings *settings, char *message, size_t size)
{
    long long extent = IMAGE_EXTENT, k = settings->kernel_size;
    for (int i = 0; i < settings->filters.count; i++) {
        if (extent - k + 1 < 2) {
            snprintf(
                message, size,
                "convolution %d of %d does not fit: its image is %lldx%lld, of which a %lldx%lld kernel leaves less than the 2x2 "
                "that pooling needs",
                i + 1, settings->filters.count, extent, extent, k, k);
            return false;
        }
        extent = (extent - k + 1) / 2;
    }
    return true;
}

tg_tensor cnn_probabilities(tg_tensor logits) { return tg_softmax(logits, -1); }
