# SPDX-License-Identifier: MIT
"""Makes nn_ops.json and nn_ops.safetensors beside it, in the format of docs/vectors.md: the ops that networks for
images are made of, in the shapes that such networks have. PyTorch computes them in float64 from inputs that are float32,
and what it finds is rounded to float32 once.

    python3 tests/vectors/make.py
"""
import json, os, struct
import torch
import torch.nn.functional as F

FOLDER = os.path.dirname(os.path.abspath(__file__))
ops, tensors = [], {}
generator = torch.Generator().manual_seed(1)


def draw(*shape, scale=1.0, offset=0.0):
    return (torch.randn(*shape, generator=generator) * scale + offset).double().requires_grad_()


def case(op, name, attrs, inputs, params, function, out=()):
    """function(inputs, params) -> y; out: names and tensors that come out beside y."""
    y = function(inputs, params)
    weight = torch.randn(y.shape, generator=generator).double()
    (y * weight).sum().backward()
    found = {"in." + k: v for k, v in inputs.items()} | {"in.loss_weight": weight}
    found |= {"param." + k: v for k, v in params.items()}
    found |= {"out.y": y} | {"out." + k: v for k, v in out}
    found |= {"grad." + k: v.grad for k, v in (inputs | params).items() if v.grad is not None}
    prefix = f"{op}.{name}."
    tensors.update({prefix + k: v.detach().float().contiguous() for k, v in found.items()})
    ops.append({"op": op, "case": name, "attrs": attrs, "gradient_of": "sum(out.y * in.loss_weight)",
                "tensors": [prefix + k for k in found]})


def conv(name, images, weight, stride, padding, relu=False):
    def run(i, p):
        y = F.conv2d(i["x"], p["weight"], p["bias"], stride, padding)
        return F.relu(y) if relu else y
    fan_in = weight[1] * weight[2] * weight[3]
    params = {"weight": draw(*weight, scale=fan_in ** -0.5), "bias": draw(weight[0])}
    case("conv2d_relu" if relu else "conv2d", name, {"kernel": weight[2], "stride": stride, "padding": padding,
                                                     "bias": True}, {"x": draw(*images)}, params, run)


def pool(op, name, images, kernel, stride):
    function = F.max_pool2d if op == "maxpool2d" else F.avg_pool2d
    case(op, name, {"kernel": kernel, "stride": stride, "padding": 0}, {"x": draw(*images)}, {},
         lambda i, p: function(i["x"], kernel, stride))


def linear_relu(name, rows, outputs):
    params = {"weight": draw(outputs, rows[1], scale=rows[1] ** -0.5), "bias": draw(outputs)}
    case("linear_relu", name, {"bias": True}, {"x": draw(*rows)}, params,
         lambda i, p: F.relu(F.linear(i["x"], p["weight"], p["bias"])))


def norm(name, images, train, momentum=0.1, eps=1e-5, offset=0.0):
    C = images[1]
    params = {"weight": draw(C, offset=1.0), "bias": draw(C)}
    given = {"running_mean": torch.randn(C, generator=generator), "running_var": torch.rand(C, generator=generator) + 0.5}
    running = {k: v.double() for k, v in given.items()}
    inputs = {"x": draw(*images, offset=offset)} | {k: v.clone() for k, v in running.items()}
    attrs = {"mode": "train" if train else "eval", "momentum": momentum, "eps": eps}

    def run(i, p):
        return F.batch_norm(i["x"], running["running_mean"], running["running_var"], p["weight"], p["bias"], train,
                            momentum, eps)
    case("batchnorm2d", name, attrs, inputs, params, run, running.items() if train else ())


def main():
    conv("k3p1_8x8", (1, 8, 9, 6), (8, 8, 3, 3), 1, 1)
    conv("k3p0_9x11", (1, 9, 7, 10), (11, 9, 3, 3), 1, 0)
    conv("k3p2", (2, 8, 4, 5), (8, 8, 3, 3), 1, 2)
    conv("k3p1_image", (1, 3, 7, 8), (9, 3, 3, 3), 1, 1)
    conv("k2s2", (3, 4, 7, 6), (5, 4, 2, 2), 2, 0)
    conv("k5s3p2", (2, 3, 9, 8), (4, 3, 5, 5), 3, 2)
    conv("whole", (2, 4, 5, 5), (3, 4, 5, 5), 1, 0)
    conv("k3p1_8x8", (1, 8, 9, 6), (8, 8, 3, 3), 1, 1, relu=True)
    conv("k3p0_gray", (2, 1, 8, 8), (8, 1, 3, 3), 1, 0, relu=True)
    conv("k5s2p2", (1, 3, 9, 9), (6, 3, 5, 5), 2, 2, relu=True)
    linear_relu("rows", (5, 19), 9)
    linear_relu("one", (1, 5), 20)
    for op in "maxpool2d", "avgpool2d":
        pool(op, "k2s2", (2, 2, 6, 8), 2, 2)
        pool(op, "k2s2_odd", (2, 2, 5, 7), 2, 2)
        pool(op, "k3s2", (2, 2, 7, 6), 3, 2)
        pool(op, "k3s1", (2, 2, 5, 6), 3, 1)
        pool(op, "k2s3", (2, 2, 6, 8), 2, 3)
        pool(op, "whole", (3, 2, 4, 4), 4, 4)
    norm("train_large", (3, 4, 6, 5), True)
    norm("train_row", (9, 5, 1, 1), True)
    norm("train_momentum", (3, 4, 5, 3), True, momentum=0.4, eps=1e-3)
    norm("train_offset", (2, 3, 6, 5), True, offset=8.0)
    norm("eval_large", (3, 4, 6, 5), False)
    norm("eval_one", (1, 5, 1, 1), False, eps=1e-3)

    header, at = {}, 0
    for name, t in tensors.items():
        header[name] = {"dtype": "F32", "shape": list(t.shape), "data_offsets": [at, at + 4 * t.numel()]}
        at += 4 * t.numel()
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(os.path.join(FOLDER, "nn_ops.safetensors"), "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for t in tensors.values():
            file.write(t.numpy().astype("<f4").tobytes())
    with open(os.path.join(FOLDER, "nn_ops.json"), "w") as file:
        json.dump({"torch": torch.__version__, "ops": ops}, file)
        file.write("\n")


main()
