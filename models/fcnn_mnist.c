/* The notebook's fully connected network on MNIST. */
#include "models/mnist_program.h"

int main(int argc, char **argv)
{
    static const mnist_program program = {
        .name = "fcnn_mnist",
        .model = "fcnn",
        .about = "Trains a fully connected network on MNIST's digits: the flattened image, two hidden layers of 100 and 50 "
                 "sigmoid units, and 10 outputs. About 97 % of the test images are recognised after 10 epochs.",
        .examples = "  fcnn_mnist                                     train as the notebook does\n"
                    "  fcnn_mnist --hidden 512 --activation relu --initializer he_normal\n"
                    "  fcnn_mnist --data /usr/share/datasets/fashion-mnist --epochs 20\n"
                    "  fcnn_mnist --optimizer nesterov --learning-rate 0.1 --batch-size 64\n"
                    "  fcnn_mnist --epochs 0 --dump-graph g.dot && dot -Tsvg g.dot > g.svg",
        .flat = true,
        .hidden = true,
        .network = fcnn,
        .probabilities = fcnn_probabilities,
    };
    return run_mnist_program(&program, argc, argv);
}
