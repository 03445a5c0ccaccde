// SPDX-License-Identifier: MIT
// ONNX Runtime's side of phoenix bench's generation, for peers.sh: a sample of at least SECONDS after a warm-up, one JSON object.
//   node onnx_t5.js CASE FOLDER SECONDS        FOLDER is what onnx_t5.py wrote for the case
// One thread. Weights are constants of the graph, which are packed when its session is made.
'use strict';
globalThis.setImmediate = run => run(); // run() gives each call to the event loop by it: a tenth of a small model's time
const ort = require('onnxruntime-node');
const fs = require('fs');
const [name, folder, least] = process.argv.slice(2);
const { rows, heads, d_kv, new_tokens, source, vocabulary, kept, biases } = JSON.parse(fs.readFileSync(folder + '/about.json', 'utf8'));

async function main() {
    const options = { intraOpNumThreads: 1, interOpNumThreads: 1, executionMode: 'sequential', graphOptimizationLevel: 'all' };
    const [encoder, step] = await Promise.all(['/encoder.onnx', '/step.onnx'].map(file =>
        ort.InferenceSession.create(folder + file, options)));
    const floats = (data, shape) => new ort.Tensor('float32', data, shape);
    const ids = new ort.Tensor('int64', BigInt64Array.from({ length: source }, (_, i) => BigInt(i)), [1, source]);
    const tokens = new BigInt64Array(rows);
    const feeds = { tokens: new ort.Tensor('int64', tokens, [rows]) };
    const bias = biases.map(b => floats(Float32Array.from(b), [1, heads, 1, new_tokens + 1]));
    for (const cache of kept)
        feeds[cache] = floats(new Float32Array(rows * heads * new_tokens * d_kv), [rows, heads, new_tokens, d_kv]);

    async function generate() {
        Object.assign(feeds, await encoder.run({ source: ids }));
        tokens.fill(0n);
        for (let t = 0; t < new_tokens; t++) {
            feeds.bias = bias[t];
            const out = await step.run(feeds), p = out.probabilities.data;
            for (const cache of kept) {
                const all = feeds[cache].data, now = out['new_' + cache].data;
                for (let i = 0; i < rows * heads; i++)
                    all.set(now.subarray(i * d_kv, (i + 1) * d_kv), (i * new_tokens + t) * d_kv);
            }
            for (let row = 0; row < rows; row++) {
                let left = Math.random(), id = 0;
                while (id < vocabulary - 1 && (left -= p[row * vocabulary + id]) > 0)
                    id++;
                tokens[row] = BigInt(id);
            }
        }
    }
    for (let i = 0; i < 3; i++)
        await generate();
    let calls = 0, spent = 0;
    for (const began = performance.now(); spent < least; calls++, spent = (performance.now() - began) / 1e3)
        await generate();
    console.log(JSON.stringify({
        case: name, threads: 1, seconds: spent / calls, rate: rows * new_tokens * calls / spent,
        rss_bytes: process.resourceUsage().maxRSS * 1024,
    }));
}
main();
