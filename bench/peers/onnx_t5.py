# SPDX-License-Identifier: MIT
"""The T5 of torch_t5.py as ONNX files for onnx_t5.js, and what that has to know of them; for peers.sh.

    onnx_t5.py CASE FOLDER        CASE: generate/512, ...

encoder.onnx gives the keys and values of cross-attention, once; step.onnx is one position of the decoder, from tokens to
probabilities. Of its own keys and values a step gives the new ones alone, and takes all before as buffers of NEW_TOKENS positions,
of which a bias hides what is not there yet: onnxruntime-node copies each output, and whole caches cost more than the step.
"""
import json, os, sys
import torch
import torch.nn.functional as F
from torch_t5 import D_KV, LAYERS, NEW_TOKENS, SHAPES, T5, RMSNorm


class Encoder(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, source):
        memory = self.model.encoder(self.model.embedding(source))
        out = []
        for block in self.model.decoder.blocks:
            out += block.of_source(memory)
        return tuple(out)


class Step(torch.nn.Module):
    def __init__(self, model, rows):
        super().__init__()
        self.model, self.rows = model, rows

    def forward(self, tokens, bias, *caches):
        model, rows, heads, out = self.model, self.rows, self.model.heads, []
        x = model.embedding(tokens)
        for block, (ck, cv, keys, values) in zip(model.decoder.blocks, zip(*[iter(caches)] * 4)):
            a, h = block.attention, block.norm1(x)
            q, k, v = (layer(h).view(rows, heads, 1, D_KV) for layer in (a.q, a.k, a.v))
            out += [k, v]
            before, now = torch.matmul(q, keys.transpose(2, 3)), (q * k).sum(-1, keepdim=True)
            p = torch.softmax(torch.cat((before, now), -1) + bias, -1)
            y = torch.matmul(p[..., :NEW_TOKENS], values) + p[..., NEW_TOKENS:] * v
            x = block.after_attention(x + a.o(y.reshape(rows, heads * D_KV)), ck, cv)
        logits = F.linear(model.decoder.norm(x) * model.scale, model.embedding.weight)
        return (torch.softmax(logits, -1), *out)


def norm(self, x):
    """in the words that ONNX Runtime knows the operation by"""
    return self.weight * (x / torch.sqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6))


def main():
    case, folder = sys.argv[1:]
    d, heads, vocabulary, tokens, rows = SHAPES[case]
    os.makedirs(folder, exist_ok=True)
    torch.manual_seed(0)
    RMSNorm.forward = norm
    model = T5(d, heads, vocabulary).eval()
    kinds = {"cross_keys": (heads, D_KV, tokens), "cross_values": (heads, tokens, D_KV),
             "keys": (rows, heads, NEW_TOKENS, D_KV), "values": (rows, heads, NEW_TOKENS, D_KV)}
    caches = {kind + str(i): shape for i in range(LAYERS) for kind, shape in kinds.items()}
    kept = [name for name in caches if "cross" not in name]
    with torch.no_grad():
        torch.onnx.export(Encoder(model), (torch.zeros(1, tokens, dtype=torch.long),), folder + "/encoder.onnx", input_names=["source"],
                          output_names=[name for name in caches if "cross" in name], opset_version=16)
        torch.onnx.export(Step(model, rows), (torch.zeros(rows, dtype=torch.long), torch.zeros(1, heads, 1, NEW_TOKENS + 1),
                                              *(torch.zeros(shape) for shape in caches.values())), folder + "/step.onnx",
                          input_names=["tokens", "bias", *caches], output_names=["probabilities"] + ["new_" + name for name in kept],
                          opset_version=16)
        bias = model.decoder.bias(NEW_TOKENS)[0]  # heads, a query's position, a key's
    own = bias[:, 0, :1]
    hidden = torch.full((heads, NEW_TOKENS), -1e30)
    biases = [torch.cat((bias[:, t, :t], hidden[:, t:], own), -1).flatten().tolist() for t in range(NEW_TOKENS)]
    with open(folder + "/about.json", "w") as file:
        json.dump({"rows": rows, "heads": heads, "d_kv": D_KV, "new_tokens": NEW_TOKENS, "source": tokens, "vocabulary": vocabulary,
                   "kept": kept, "biases": biases}, file)


main()
