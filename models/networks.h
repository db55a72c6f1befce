/* The notebook's two networks. */
#ifndef MODELS_NETWORKS_H
#define MODELS_NETWORKS_H

#include "graph/tape.h"
#include "train/flags.h"
#include "train/layers.h"

#define CLASSES 10

typedef struct network_settings {
    tg_integer_list hidden;        /**< units of the fully connected network's hidden layers */
    tg_integer_list filters;       /**< of the convolutional network's convolutions */
    int64_t kernel_size;           /**< of these: their kernels' height and width */
    tg_activation_kind activation; /**< after each hidden layer and convolution */
    double dropout;                /**< after each hidden layer, or before the convolutional network's outputs; 0: none */
    tg_initializer kernel;         /**< of all kernels; biases begin at 0 */
} network_settings;

/** The notebook's: 100 and 50 units; 32 and 64 filters of 3x3; sigmoid, Glorot-uniform. */
network_settings network_defaults(void);

/** u8 pixels of any shape to the graph's working float in [0, 1]: x / 255. */
tg_tensor scale_pixels(tg_tensor pixels);
/** Fully connected: images [n, 784] -> logits [n, 10]. Its activations are layers of their own, as in the notebook. */
tg_tensor fcnn(tg_tensor image, const network_settings *settings);
/** Logits -> probabilities, by a layer of its own. */
tg_tensor fcnn_probabilities(tg_tensor logits);
/** Convolutional: images [n, 28, 28, 1] -> logits [n, 10]. Its activations are parts of its layers, as in the notebook. */
tg_tensor cnn(tg_tensor image, const network_settings *settings);
/** Whether the convolutions and poolings fit into images of 28x28; if not, `message` says in one sentence why. */
bool cnn_fits(const network_settings *settings, char *message, size_t size);
/** Logits -> probabilities, outside of any layer: the last dense layer's activation, which training does without. */
tg_tensor cnn_probabilities(tg_tensor logits);

#endif
