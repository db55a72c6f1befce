#include "models/networks.h"

#include "ops/ops.h"

network_settings network_defaults(void)
{
    return (network_settings){
        .hidden = {2, {100, 50}},
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

/* Convolution, activation and pooling of half the extents. */
static tg_tensor block(tg_tensor x, int64_t filters, const network_settings *settings)
{
    tg_conv2d_layer_options options = tg_conv2d_layer_defaults(filters, 3, NULL);
    options.kernel = settings->kernel;
    options.activation = settings->activation;
    return tg_max_pool2d_layer(tg_conv2d_layer_with(x, options), 2, NULL);
}

tg_tensor fcnn(tg_tensor image, const network_settings *settings)
{
    tg_tensor h = image; /* [n, 784] */
    for (int i = 0; i < settings->hidden.count; i++) {
        h = dense(h, settings->hidden.values[i], settings); /* [n, 100], [n, 50] */
        h = tg_activation_layer(h, settings->activation, NULL);
    }
    return dense(h, CLASSES, settings); /* [n, 10] */
}

tg_tensor fcnn_probabilities(tg_tensor logits) { return tg_activation_layer(logits, TG_ACTIVATION_SOFTMAX, NULL); }

tg_tensor cnn(tg_tensor image, const network_settings *settings)
{
    tg_tensor h = block(image, 32, settings); /* [n, 26, 26, 32], [n, 13, 13, 32] */
    h = block(h, 64, settings);               /* [n, 11, 11, 64], [n, 5, 5, 64] */
    h = tg_flatten_layer(h, NULL);            /* [n, 1600] */
    return dense(h, CLASSES, settings);       /* [n, 10] */
}

tg_tensor cnn_probabilities(tg_tensor logits) { return tg_softmax(logits, -1); }
