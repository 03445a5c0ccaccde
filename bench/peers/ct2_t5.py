# SPDX-License-Identifier: MIT
"""CTranslate2's side of phoenix bench's generation, for peers.sh.

    ct2_t5.py write CASE FOLDER HOME            the T5 of torch_t5.py as a model of CTranslate2's, whose sources are in HOME
    ct2_t5.py run CASE FOLDER HOME SECONDS      one sample of its ct2-translator, in HOME/build; one JSON object

Each line of the input is one call, and as many samples of it are num_hypotheses, for which the encoder is run once.
"""
import json, os, resource, subprocess, sys

NEW_TOKENS = 64


def linear(spec, *layers):
    import numpy
    spec.weight = numpy.concatenate([layer.weight.detach().numpy() for layer in layers])


def stack(spec, ours, embedding, decoder):
    import numpy
    spec.scale_embeddings = False
    (spec.embeddings if decoder else spec.embeddings[0]).weight = embedding
    spec.layer_norm.gamma = ours.norm.weight.detach().numpy()
    for layer, block in zip(spec.layer, ours.blocks):
        kinds = [(layer.self_attention, block.attention, block.norm1)] + ([(layer.attention, block.cross, block.norm2)] if decoder else [])
        for its, a, norm in kinds:
            its.queries_scale = 1.0
            its.layer_norm.gamma = norm.weight.detach().numpy()
            for part, of in zip(its.linear, [[a.q, a.k, a.v], [a.o]] if a is block.attention else [[a.q], [a.k, a.v], [a.o]]):
                linear(part, *of)
        layer.self_attention.relative_attention_bias = ours.relative.weight.detach().numpy()
        layer.self_attention.relative_attention_max_distance = numpy.dtype("int32").type(128)
        layer.ffn.layer_norm.gamma = block.norm3.weight.detach().numpy()
        linear(layer.ffn.linear_0, block.wi)
        linear(layer.ffn.linear_1, block.wo)


def write(case, folder, home):
    sys.path.insert(0, home + "/python")
    import torch
    from ctranslate2.specs import TransformerSpec
    from torch_t5 import LAYERS, SHAPES, T5
    d, heads, vocabulary, tokens, rows = SHAPES[case]
    torch.manual_seed(0)
    model = T5(d, heads, vocabulary)
    embedding = model.embedding.weight.detach().numpy()
    spec = TransformerSpec.from_config((LAYERS, LAYERS), heads, pre_norm=True, relative_attention_bias=True, rms_norm=True)
    stack(spec.encoder, model.encoder, embedding, False)
    stack(spec.decoder, model.decoder, embedding, True)
    spec.decoder.projection.weight = embedding
    spec.decoder.scale_outputs = d ** -0.5
    words = ["<pad>", "</s>", "<unk>"] + ["w%d" % i for i in range(3, vocabulary)]
    spec.register_source_vocabulary(words)
    spec.register_target_vocabulary(words)
    spec.config.bos_token = spec.config.decoder_start_token = "<pad>"
    spec.config.eos_token, spec.config.unk_token = "</s>", "<unk>"
    spec.validate()
    spec.optimize()
    os.makedirs(folder, exist_ok=True)
    spec.save(folder)
    with open(folder + "/about.json", "w") as file:
        json.dump({"source": " ".join(words[3:3 + tokens]), "rows": rows}, file)


def run(case, folder, home, seconds):
    about = json.load(open(folder + "/about.json"))

    def call(lines):
        """seconds a line; the program says tokens of first hypotheses a second"""
        said = subprocess.run([home + "/build/cli/ct2-translator", "--model", folder, "--intra_threads", "1", "--beam_size", "1",
                               "--sampling_topk", "0", "--n_best", str(about["rows"]), "--min_decoding_length", str(NEW_TOKENS),
                               "--max_decoding_length", str(NEW_TOKENS), "--batch_size", "1", "--log_throughput", "--out", os.devnull],
                              input=(about["source"] + "\n") * lines, stderr=subprocess.PIPE, text=True, check=True).stderr
        return NEW_TOKENS / float(said.split()[-1])

    spent = call(int(float(seconds) / call(8)) + 8)
    rss = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    print(json.dumps({"case": case, "threads": 1, "seconds": spent, "rate": about["rows"] * NEW_TOKENS / spent, "rss_bytes": rss}))


{"write": write, "run": run}[sys.argv[1]](*sys.argv[2:])
