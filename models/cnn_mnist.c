/* The notebook's convolutional network on MNIST. */
#include "models/mnist_program.h"

int main(int argc, char **argv)
{
    static const mnist_program program = {
        .name = "cnn_mnist",
        .model = "cnn",
        .about = "Trains a convolutional network on MNIST's digits: two 3x3 convolutions of 32 and 64 filters with sigmoid, each "
                 "followed by 2x2 max-pooling, and 10 outputs. About 98 % of the test images are recognised after 10 epochs.",
        .examples = "  cnn_mnist                                      train as the notebook does\n"
                    "  cnn_mnist --activation relu --epochs 3\n"
                    "  cnn_mnist --data synthetic --quiet\n"
                    "  cnn_mnist --json > history.jsonl\n"
                    "  cnn_mnist --epochs 0 --dump-graph g.dot && dot -Tsvg g.dot > g.svg",
        .network = cnn,
        .probabilities = cnn_probabilities,
    };
    return run_mnist_program(&program, argc, argv);
}
