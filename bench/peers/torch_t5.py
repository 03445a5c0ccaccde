# SPDX-License-Identifier: MIT
"""PyTorch's side of phoenix bench's T5 cases, for peers.sh: a training step, or generation.

    torch_t5.py CASE THREADS SECONDS        CASE: train/t5-512-v512, generate/128, fewshot/..., ...

One sample of at least SECONDS after a warm-up; one JSON object. The model is T5 as published (RMSNorm, no
biases, dot products not scaled, relative position biases, ReLU, one embedding for all) and was written to
be as fast as PyTorch 1.13 makes it: one product for each of Q, K and V, all heads in one batched product,
AdamW tensor by tensor; fused Q, K, V and the multi-tensor AdamW were measured slower. BLAS and allocator
are peers.sh's business, since both are chosen when the process starts.
"""
import json, math, resource, sys, time
import torch
import torch.nn as nn
import torch.nn.functional as F

# d_model, heads, vocabulary, source tokens, batch, and target tokens where they are not as many; d_kv 64, d_ff 1024, 2 + 2 layers
SHAPES = {
    "train/t5-512-v512": (512, 8, 512, 48, 32),
    "train/t5-512-v32100": (512, 8, 32100, 48, 32),
    "train/t5-128": (128, 2, 512, 28, 32),
    "train/t5-64": (64, 2, 512, 28, 32),
    "train/loop-128": (128, 8, 377, 24, 8, 8),
    "train/loop-64": (64, 8, 377, 24, 8, 8),
    "train/loop-32": (32, 8, 377, 24, 8, 8),
    "generate/512": (512, 8, 512, 48, 8),
    "generate/512-v32100": (512, 8, 32100, 48, 8),
    "generate/128": (128, 2, 512, 28, 8),
    "generate/512-one": (512, 8, 512, 48, 1),
    "generate/128-one": (128, 2, 512, 28, 1),
    # one step of a few-shot evaluation, batch 8 (peers.sh fewshot): from the papers' setting to phoenix's,
    # whose first 1024 pairs have 24.2 tokens a sequence, at most 25, and a tokenizer of 377
    "fewshot/papers": (512, 8, 32100, 100, 8),
    "fewshot/tokens": (512, 8, 32100, 25, 8),
    "fewshot/vocabulary": (512, 8, 377, 25, 8),
    "fewshot/padding": (512, 8, 377, 24, 8),
}
D_KV, D_FF, LAYERS, NEW_TOKENS = 64, 1024, 2, 64


class RMSNorm(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(d))

    def forward(self, x):
        return self.weight * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6))


def bucket(distance, both_ways, buckets=32, far=128):
    """The bucket of each key position minus query position."""
    out = torch.zeros_like(distance)
    if both_ways:
        buckets //= 2
        out = (distance > 0).long() * buckets
        distance = distance.abs()
    else:
        distance = (-distance).clamp(min=0)
    exact = buckets // 2
    ratio = torch.log(distance.clamp(min=1).float() / exact) / math.log(far / exact)
    large = exact + (ratio * (buckets - exact)).long()
    return out + torch.where(distance < exact, distance, large.clamp(max=buckets - 1))


class Attention(nn.Module):
    def __init__(self, d, heads):
        super().__init__()
        self.heads = heads
        inner = heads * D_KV
        self.q, self.k, self.v = (nn.Linear(d, inner, bias=False) for _ in range(3))
        self.o = nn.Linear(inner, d, bias=False)
        nn.init.normal_(self.q.weight, std=(d * D_KV) ** -0.5)
        for layer in (self.k, self.v, self.o):
            nn.init.normal_(layer.weight, std=d ** -0.5)

    def split(self, t):
        return t.view(t.shape[0], t.shape[1], self.heads, D_KV).transpose(1, 2)

    def forward(self, x, memory, bias):
        scores = torch.matmul(self.split(self.q(x)), self.split(self.k(memory)).transpose(2, 3))
        if bias is not None:
            scores = scores + bias
        y = torch.matmul(torch.softmax(scores, -1), self.split(self.v(memory)))
        return self.o(y.transpose(1, 2).reshape(x.shape[0], x.shape[1], self.heads * D_KV))


class Block(nn.Module):
    def __init__(self, d, heads, decoder):
        super().__init__()
        self.norm1, self.attention = RMSNorm(d), Attention(d, heads)
        if decoder:
            self.norm2, self.cross = RMSNorm(d), Attention(d, heads)
        self.norm3 = RMSNorm(d)
        self.wi, self.wo = nn.Linear(d, D_FF, bias=False), nn.Linear(D_FF, d, bias=False)
        nn.init.normal_(self.wi.weight, std=d ** -0.5)
        nn.init.normal_(self.wo.weight, std=D_FF ** -0.5)

    def feed_forward(self, x):
        return x + self.wo(F.relu(self.wi(self.norm3(x))))

    def of_source(self, memory):
        """keys and values of cross-attention to one source, which all samples share"""
        k, v = self.cross.split(self.cross.k(memory)), self.cross.split(self.cross.v(memory))
        return k[0].transpose(1, 2).contiguous(), v[0].contiguous()

    def after_attention(self, x, keys, values):
        """The rest of the block for one position: the samples are the rows of one product with the source's keys."""
        rows, heads = x.shape[0], self.cross.heads
        q = self.cross.q(self.norm2(x)).view(rows, heads, D_KV).transpose(0, 1)
        y = torch.bmm(torch.softmax(torch.bmm(q, keys), -1), values)
        return self.feed_forward(x + self.cross.o(y.transpose(0, 1).reshape(rows, heads * D_KV)))

    def forward(self, x, bias, memory=None):
        h = self.norm1(x)
        x = x + self.attention(h, h, bias)
        if memory is not None:
            x = x + self.cross(self.norm2(x), memory, None)
        return self.feed_forward(x)


class Stack(nn.Module):
    def __init__(self, d, heads, decoder):
        super().__init__()
        self.decoder = decoder
        self.relative = nn.Embedding(32, heads)
        nn.init.normal_(self.relative.weight, std=d ** -0.5)
        self.blocks = nn.ModuleList(Block(d, heads, decoder) for _ in range(LAYERS))
        self.norm = RMSNorm(d)

    def bias(self, n):
        p = torch.arange(n)
        b = self.relative(bucket(p[None, :] - p[:, None], not self.decoder)).permute(2, 0, 1).unsqueeze(0)
        if self.decoder:
            b = b + torch.full((n, n), torch.finfo(torch.float32).min).triu(1)
        return b

    def forward(self, x, memory=None):
        bias = self.bias(x.shape[1])
        for block in self.blocks:
            x = block(x, bias, memory)
        return self.norm(x)


class T5(nn.Module):
    def __init__(self, d, heads, vocabulary):
        super().__init__()
        self.scale, self.heads = d ** -0.5, heads
        self.embedding = nn.Embedding(vocabulary, d)
        self.encoder, self.decoder = Stack(d, heads, False), Stack(d, heads, True)

    def loss(self, source, target):
        memory = self.encoder(self.embedding(source))
        h = self.decoder(self.embedding(F.pad(target[:, :-1], (1, 0))), memory) * self.scale
        logits = F.linear(h, self.embedding.weight)
        return F.cross_entropy(logits.view(-1, logits.shape[-1]), target.view(-1))

    @torch.inference_mode()
    def generate(self, source, count):
        """count samples of NEW_TOKENS tokens of one source, keys and values kept."""
        heads, rows = self.heads, count
        memory = self.encoder(self.embedding(source))
        bias = self.decoder.bias(NEW_TOKENS)[0]
        cross, kept = [], []
        for block in self.decoder.blocks:
            cross.append(block.of_source(memory))
            kept.append(tuple(torch.empty(rows * heads, NEW_TOKENS, D_KV) for _ in range(2)))
        out = torch.zeros(rows, NEW_TOKENS + 1, dtype=torch.long)
        for t in range(NEW_TOKENS):
            x = self.embedding(out[:, t])
            row_bias = bias[:, t, : t + 1].repeat(rows, 1).unsqueeze(1)
            for block, (ck, cv), (k, v) in zip(self.decoder.blocks, cross, kept):
                a, h = block.attention, block.norm1(x)
                k[:, t] = a.k(h).reshape(rows * heads, D_KV)
                v[:, t] = a.v(h).reshape(rows * heads, D_KV)
                q = a.q(h).reshape(rows * heads, 1, D_KV)
                scores = torch.baddbmm(row_bias, q, k[:, : t + 1].transpose(1, 2))
                y = torch.bmm(torch.softmax(scores, -1), v[:, : t + 1])
                x = block.after_attention(x + a.o(y.view(rows, heads * D_KV)), ck, cv)
            logits = F.linear(self.decoder.norm(x) * self.scale, self.embedding.weight)
            out[:, t + 1] = torch.multinomial(torch.softmax(logits, -1), 1)[:, 0]
        return out


def sample(work, seconds):
    """Seconds of one call, of as many as take that long."""
    work()
    work()
    calls, began = 0, time.perf_counter()
    while calls == 0 or time.perf_counter() - began < seconds:
        work()
        calls += 1
    return (time.perf_counter() - began) / calls


def main():
    case, threads, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    d, heads, vocabulary, tokens, batch, *other = SHAPES[case]
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    model = T5(d, heads, vocabulary)
    if case.startswith("generate"):
        source = torch.randint(0, vocabulary, (1, tokens))
        spent = sample(lambda: model.generate(source, batch), seconds)
        rate = batch * NEW_TOKENS / spent
    else:
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, weight_decay=0.01, foreach=False)
        source = torch.randint(0, vocabulary, (batch, tokens))
        target = torch.randint(0, vocabulary, (batch, *(other or [tokens])))

        def step():
            loss = model.loss(source, target)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            if case.startswith("fewshot"):
                torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()

        spent = sample(step, seconds)
        rate = batch / spent
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"case": case, "threads": threads, "seconds": spent, "rate": rate, "rss_bytes": rss}))


if __name__ == "__main__":
    main()
