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

static tg_tensor conv(tg_tensor x, int64_t filters, int64_t size, const network_settings *settings)
{
    tg_conv2d_layer_options options = tg_conv2d_layer_defaults(filters, size, NULL);
    options.kernel = settings->kernel;
    return tg_conv2d_layer_with(x, options);
}

static tg_tensor activate(tg_tensor x, const network_settings *settings)
{
    return tg_activation_layer(x, settings->activation, NULL);
}

tg_tensor fcnn(tg_tensor image, const network_settings *settings)
{
    tg_tensor h = image;                                        /* [n, 784] */
    for (int i = 0; i < settings->hidden.count; i++) {
        h = dense(h, settings->hidden.values[i], settings);     /* [n, 100], [n, 50] */
        h = activate(h, settings);
    }
    return dense(h, CLASSES, settings);                         /* [n, 10] */
}

tg_tensor cnn(tg_tensor image, const network_settings *settings)
{
    tg_tensor h = conv(image, 32, 3, settings);                 /* [n, 26, 26, 32] */
    h = activate(h, settings);
    h = tg_max_pool2d_layer(h, 2, NULL);                        /* [n, 13, 13, 32] */
    h = conv(h, 64, 3, settings);                               /* [n, 11, 11, 64] */
    h = activate(h, settings);
    h = tg_max_pool2d_layer(h, 2, NULL);                        /* [n, 5, 5, 64] */
    h = tg_flatten_layer(h, NULL);                              /* [n, 1600] */
    return dense(h, CLASSES, settings);                         /* [n, 10] */
}
