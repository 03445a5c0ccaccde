# SPDX-License-Identifier: MIT
"""PyTorch's side of phoenix bench's networks for images, for peers.sh.

    torch_nets.py CASE THREADS SECONDS [oneDNN] [NHWC]      CASE: train/mlp, train/table2, train/cifar,
                                                            train/residual-SIDE, train/separable-SIDE

Forward, cross-entropy, backward, SGD with momentum; batch 64. oneDNN 0: PyTorch's own convolutions (im2col
and BLAS); NHWC 1: channels last. One sample of at least SECONDS after a warm-up; one JSON object.
"""
import json, resource, sys, time
import torch
import torch.nn as nn
import torch.nn.functional as F

BATCH = 64


class Sum(nn.Module):
    """a block with a sum around it"""

    def __init__(self, *layers):
        super().__init__()
        self.block = nn.Sequential(*layers)

    def forward(self, x):
        return x + self.block(x)


def bent(layer, channels, activation):
    return [layer, nn.BatchNorm2d(channels), activation()]


def whole_stage(a, b):
    first = bent(nn.Conv2d(a, b, 3, 2, 1), b, nn.ReLU) if a != b else []
    return first + [Sum(*bent(nn.Conv2d(b, b, 3, 1, 1), b, nn.ReLU), nn.Conv2d(b, b, 3, 1, 1), nn.BatchNorm2d(b))]


def separable_stage(a, b):
    first, wide = [], 4 * b
    if a != b:
        first = bent(nn.Conv2d(a, a, 3, 2, 1, groups=a), a, nn.ReLU6) + bent(nn.Conv2d(a, b, 1), b, nn.ReLU6)
    return first + [Sum(*bent(nn.Conv2d(b, wide, 1), wide, nn.ReLU6),
                        *bent(nn.Conv2d(wide, wide, 3, 1, 1, groups=wide), wide, nn.ReLU6),
                        nn.Conv2d(wide, b, 1), nn.BatchNorm2d(b))]


def build(case):
    """model, shape of an image, classes"""
    if "-" in case:
        name, side = case[len("train/"):].split("-")
        stage, activation = (whole_stage, nn.ReLU) if name == "residual" else (separable_stage, nn.Hardswish)
        return nn.Sequential(
            *bent(nn.Conv2d(3, 32, 3, padding=1), 32, activation), *stage(32, 32), *stage(32, 64), *stage(64, 128),
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(128, 10)), (3, int(side), int(side)), 10
    if case == "train/mlp":
        return nn.Sequential(nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10)), (784,), 10
    if case == "train/table2":
        return nn.Sequential(
            nn.Conv2d(1, 128, 3), nn.ReLU(), nn.Conv2d(128, 256, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
            nn.Linear(256 * 12 * 12, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 62)), (1, 28, 28), 62
    return nn.Sequential(
        nn.Conv2d(3, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(),
        nn.MaxPool2d(2), nn.Conv2d(64, 128, 3, padding=1), nn.ReLU(), nn.Flatten(),
        nn.Linear(128 * 8 * 8, 128), nn.ReLU(), nn.Linear(128, 10)), (3, 32, 32), 10


def main():
    case, threads, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    onednn = int(sys.argv[4]) if len(sys.argv) > 4 else 1
    nhwc = int(sys.argv[5]) if len(sys.argv) > 5 else 0
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    torch.backends.mkldnn.set_flags(bool(onednn))
    model, shape, classes = build(case)
    x, y = torch.randn(BATCH, *shape), torch.randint(0, classes, (BATCH,))
    if nhwc and len(shape) == 3:
        model, x = model.to(memory_format=torch.channels_last), x.contiguous(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, foreach=False)

    def step():
        loss = F.cross_entropy(model(x), y)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()

    for _ in range(100 if case == "train/mlp" else 2):
        step()
    calls, began = 0, time.perf_counter()
    while calls == 0 or time.perf_counter() - began < seconds:
        step()
        calls += 1
    spent = (time.perf_counter() - began) / calls
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"case": case, "threads": threads, "seconds": spent, "rate": BATCH / spent, "rss_bytes": rss}))


main()
