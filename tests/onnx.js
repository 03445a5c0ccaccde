// SPDX-License-Identifier: MIT
// What onnxruntime makes of exported ONNX files, held against what the program says.
//   node onnx.js network MODEL.onnx PIXELS.idx.gz PREDICTED.jsonl
//   node onnx.js table MODEL.onnx MODEL.json ROWS.csv PREDICTED.jsonl
//   node onnx.js t5 STEM EXPECTED.json
'use strict';
const ort = require('onnxruntime-node');
const fs = require('fs');
const zlib = require('zlib');
const most = 1e-5;

function softmax(row) {
    const top = Math.max(...row), e = row.map(x => Math.exp(x - top)), sum = e.reduce((a, b) => a + b);
    return e.map(x => x / sum);
}

// The probabilities of all images of a set.
async function network(model, pixels, predicted) {
    const session = await ort.InferenceSession.create(model);
    const idx = zlib.gunzipSync(fs.readFileSync(pixels));
    const [count, height, width] = [4, 8, 12].map(at => idx.readUInt32BE(at));
    const images = new ort.Tensor('uint8', new Uint8Array(idx.subarray(16)), [count, 1, height, width]);
    const { logits } = await session.run({ pixels: images });
    const lines = fs.readFileSync(predicted, 'utf8').trim().split('\n').map(JSON.parse);
    const classes = logits.dims[1];
    let apart = 0;
    if (lines.length !== count || count < 100)
        throw new Error(`${lines.length} answers about ${count} images`);
    lines.forEach((line, i) => {
        const p = softmax(Array.from(logits.data.subarray(i * classes, (i + 1) * classes)));
        p.forEach((x, k) => { apart = Math.max(apart, Math.abs(x - line.probabilities[k])); });
    });
    return [count, apart];
}

// The probabilities, or the number, of each row of a CSV file without quotes; MODEL.json is the network.json.
async function table(model, described, csv, predicted) {
    const session = await ort.InferenceSession.create(model);
    const { columns, names } = JSON.parse(fs.readFileSync(described, 'utf8'));
    const [head, ...rows] = fs.readFileSync(csv, 'utf8').trim().split('\n').map(line => line.split(','));
    const cell = (row, c) => {
        const text = row[head.indexOf(c.name)];
        return text === 'NA' ? NaN : c.values ? c.values.indexOf(text) : Number(text);
    };
    const cells = Float32Array.from(rows.flatMap(row => columns.map(c => cell(row, c))));
    const out = await session.run({ columns: new ort.Tensor('float32', cells, [rows.length, columns.length]) });
    const lines = fs.readFileSync(predicted, 'utf8').trim().split('\n').map(JSON.parse);
    let apart = 0;
    if (lines.length !== rows.length || lines.length < 50)
        throw new Error(`${lines.length} answers about ${rows.length} rows`);
    lines.forEach((line, i) => (names ? line.probabilities : [line.value]).forEach((x, k, all) => {
        const got = (names ? out.probabilities : out.value).data[i * all.length + k];
        apart = Math.max(apart, Math.abs(x - got) / Math.max(1, Math.abs(x)));
    }));
    return [rows.length, apart];
}

function ids(list) {
    return new ort.Tensor('int64', BigInt64Array.from(list, BigInt), [1, list.length]);
}

function log_probability(row, id) {
    const top = Math.max(...row);
    return row[id] - top - Math.log(row.reduce((sum, x) => sum + Math.exp(x - top), 0));
}

// Greedy search with a past, token by token; then all tokens at once, with an empty past.
async function t5(stem, expected) {
    const encoder = await ort.InferenceSession.create(stem + '-encoder.onnx');
    const decoder = await ort.InferenceSession.create(stem + '-decoder.onnx');
    const want = JSON.parse(fs.readFileSync(expected, 'utf8'));
    const { hidden } = await encoder.run({ input_ids: ids(want.source) });
    const empty = {};
    for (const name of decoder.inputNames)
        if (name.startsWith('past_'))
            empty[name] = new ort.Tensor('float32', new Float32Array(0), [1, want.heads, 0, want.d_kv]);
    let past = empty, id = 0, apart = 0;
    for (let i = 0; i < want.ids.length; i++) {
        const out = await decoder.run({ input_ids: ids([id]), hidden, ...past });
        const row = Array.from(out.logits.data);
        id = row.indexOf(Math.max(...row));
        if (id !== want.ids[i])
            throw new Error(`token ${i} is ${id}, expected ${want.ids[i]}`);
        apart = Math.max(apart, Math.abs(log_probability(row, id) - want.p[i]));
        past = {};
        for (const name of Object.keys(empty))
            past[name] = out[name.replace('past', 'present')];
    }
    const all = await decoder.run({ input_ids: ids([0, ...want.ids.slice(0, -1)]), hidden, ...empty });
    const tokens = all.logits.dims[2];
    want.ids.forEach((wanted, i) => {
        const row = Array.from(all.logits.data.subarray(i * tokens, (i + 1) * tokens));
        apart = Math.max(apart, Math.abs(log_probability(row, wanted) - want.p[i]));
    });
    return [want.ids.length, apart];
}

const [what, ...rest] = process.argv.slice(2);
({ network, table, t5 })[what](...rest).then(([count, apart]) => {
    console.log(`${what} ${rest[0]}: ${count} compared, apart by at most ${apart.toExponential(1)}`);
    process.exit(apart < most && count > 0 ? 0 : 1);
}, error => {
    console.log(`${what} ${rest[0]}: ${error.message}`);
    process.exit(1);
});
