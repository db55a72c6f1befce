"""Inference of the two networks in onnxruntime, with weights drawn at random: one image's time, and the test set's."""
import numpy
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

import common

options = common.flags(__doc__, inference=True)
convolves = options.model == "cnn"
chance = numpy.random.default_rng(options.seed)
x, _ = common.images("test", (1, 28, 28) if convolves else (784,))
nodes, weights, latest = [], [], "x"


def add(op, *parameters, **attributes):
    """A node that takes the last one's result, and weights of these shapes."""
    global latest
    names = [f"w{len(weights) + i}" for i in range(len(parameters))]
    for name, shape in zip(names, parameters):
        weights.append(numpy_helper.from_array(chance.uniform(-0.1, 0.1, shape).astype(numpy.float32), name))
    nodes.append(helper.make_node(op, [latest, *names], [f"y{len(nodes)}"], **attributes))
    latest = nodes[-1].output[0]


if convolves:
    for inputs, filters in ((1, 32), (32, 64)):
        add("Conv", (filters, inputs, 3, 3), (filters,))
        add("Sigmoid")
        add("MaxPool", kernel_shape=[2, 2], strides=[2, 2])
    add("Flatten")
    add("Gemm", (1600, 10), (10,))
else:
    for inputs, outputs in ((784, 100), (100, 50)):
        add("Gemm", (inputs, outputs), (outputs,))
        add("Sigmoid")
    add("Gemm", (50, 10), (10,))
add("Softmax")
graph = helper.make_graph(nodes, options.model, [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", *x.shape[1:]])],
                          [helper.make_tensor_value_info(latest, TensorProto.FLOAT, ["n", 10])], weights)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
settings = onnxruntime.SessionOptions()
settings.intra_op_num_threads = options.threads
session = onnxruntime.InferenceSession(model.SerializeToString(), settings, providers=["CPUExecutionProvider"])
common.time_inference("onnxruntime", options, x, lambda first, end: session.run(None, {"x": x[first:end]}))
