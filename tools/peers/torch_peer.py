"""The two networks in PyTorch: eager, channels-last, fused Adam, the data as one tensor and no loader in the way."""
import time

import torch
from torch import nn

import common

options = common.flags(__doc__)
torch.set_num_threads(options.threads)
torch.manual_seed(options.seed)
convolves = options.model == "cnn"
layout = {"memory_format": torch.channels_last} if convolves else {}
parts = [(torch.from_numpy(x).to(**layout), torch.from_numpy(y)) for x, y in common.training_data((1, 28, 28) if convolves else (784,))]

if convolves:
    layers, side, channels = [], 28, [1, *options.filters]
    for inputs, outputs in zip(channels, channels[1:]):
        layers += [nn.Conv2d(inputs, outputs, 3), nn.Sigmoid(), nn.MaxPool2d(2)]
        side = (side - 2) // 2
    layers += [nn.Flatten(), nn.Linear(side * side * channels[-1], 10)]
else:
    layers, units = [], [784, *options.hidden]
    for inputs, outputs in zip(units, units[1:]):
        layers += [nn.Linear(inputs, outputs), nn.Sigmoid()]
    layers.append(nn.Linear(units[-1], 10))
network = nn.Sequential(*layers).to(**layout)
for layer in network:
    if hasattr(layer, "weight"):
        nn.init.xavier_uniform_(layer.weight)
        nn.init.zeros_(layer.bias)
optimizer = torch.optim.Adam(network.parameters(), lr=common.LEARNING_RATE, eps=common.EPSILON, fused=True)


def train_epoch(x, y):
    order = torch.randperm(len(y))
    total, hits = torch.zeros(()), torch.zeros((), dtype=torch.int64)
    for indices in order.split(options.batch_size):
        inputs, classes = x[indices].contiguous(**layout), y[indices]
        optimizer.zero_grad()
        logits = network(inputs)
        loss = nn.functional.cross_entropy(logits, classes)
        loss.backward()
        optimizer.step()
        total += loss.detach() * len(classes)
        hits += (logits.argmax(1) == classes).sum()
    return total.item() / len(y), hits.item() / len(y)


@torch.no_grad()
def evaluate(x, y):
    logits = torch.cat([network(part) for part in x.split(1000)])
    return nn.functional.cross_entropy(logits, y).item(), (logits.argmax(1) == y).float().mean().item()


train, validation, test = parts
for epoch in range(1, options.epochs + 1):
    begin = time.perf_counter()
    loss, accuracy = train_epoch(*train)
    seconds = time.perf_counter() - begin
    val_loss, val_accuracy = evaluate(*validation)
    common.say(epoch=epoch, seconds=seconds, loss=loss, accuracy=accuracy, val_loss=val_loss, val_accuracy=val_accuracy)
common.say(peer="torch", model=options.model, threads=options.threads, test_accuracy=evaluate(*test)[1])
