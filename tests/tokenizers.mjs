// SPDX-License-Identifier: MIT
// tokenizers.mjs -- for suite_tokenizers.sh: makes folders with the tokenizers of T5, CodeT5 and ByT5, and lines of
// mixed text; and holds what phoenix makes of the lines against Hugging Face's tokenizers in JavaScript.
//
//     node tokenizers.mjs make FOLDER LINES      writes FOLDER/lines and a folder for each tokenizer
//     node tokenizers.mjs hold FOLDER KIND       FOLDER/KIND.jsonl (print_ids.c) against the reference
//
// Random numbers are drawn here, the same each time. Of the normalization the reference knows Unicode's NFKC, so the
// charsmap that is written says the same, for single characters and for those that two compose to.
import fs from 'node:fs';

const [, , what, folder, argument] = process.argv;
let state = 1;
const below = (n) => {
  state = (state * 16807) % 2147483647;
  return Math.floor((state / 2147483647) * n);
};
const pick = (list) => list[below(list.length)];

// ---- texts ----

const scripts = [
  [0x61, 0x7a], [0x41, 0x5a], [0x61, 0x7a], [0x30, 0x39], [0xc0, 0xff], [0x100, 0x17f], [0x391, 0x3c9], [0x410, 0x44f],
  [0x531, 0x556], [0x5d0, 0x5ea], [0x627, 0x64a], [0x904, 0x939], [0x985, 0x9b9], [0xe01, 0xe2e], [0x10d0, 0x10fa],
  [0x1200, 0x1248], [0x3041, 0x3096], [0x30a1, 0x30fa], [0x4e00, 0x9fff], [0xac00, 0xd7a3], [0x1f600, 0x1f64f],
  [0xff01, 0xff5e], [0x1d400, 0x1d433], [0x2460, 0x249b], [0x2150, 0x215f], [0x660, 0x669], [0xfb00, 0xfb06],
  [0x2190, 0x21ff], [0x20a0, 0x20b5], [0xe000, 0xe010], [0x1100, 0x1112],
];
const marks = ['.', ',', '!', '?', '(', ')', "'s", "'ll", "'", '"', '-', '_', '=', ';', '{', '}', '//', '+', '\\', '%', '#', '€', '…'];
const spaces = [' ', ' ', ' ', ' ', '  ', '   ', '\t', '\u00a0', '\u3000', '\u2003'];
const spelt = ['<extra_id_0>', '<extra_id_42>', '</s>', '<pad>', '<mask>', '<s>', '<unk>', '<extra_id_'];
const accents = ['\u0301', '\u0308', '\u0327'];

const word = () => {
  const [from, to] = pick(scripts);
  let text = '';
  for (let n = 1 + below(8); n > 0; n--) text += String.fromCodePoint(from + below(to - from + 1));
  return below(12) ? text : text + pick(accents);
};

const line = () => {
  let text = below(6) ? '' : pick(spaces);
  for (let n = 1 + below(10); n > 0; n--) {
    text += below(9) ? word() : pick(spelt);
    if (below(3) === 0) text += pick(marks);
    if (below(8)) text += pick(spaces);
  }
  return text;
};

// ---- the charsmap: a double array as Darts-clone lays it out ----

const nfkc = (text) =>
  text
    .replace(/[\u0001-\u0008\u000B\u000E-\u001F\u007F\u008F\u009F]/g, '')
    .replace(/[\u0009\u000A\u000C\u000D\u00A0\u1680\u2000-\u200F\u2028\u2029\u202F\u205F\u2581\u3000\uFEFF\uFFFD]/g, ' ')
    .split('\uFF5E').map((part) => part.normalize('NFKC')).join('\uFF5E');

const charsmap = () => {
  const keys = new Map();
  for (let c = 1; c < 0x110000; c++) {
    if (c >= 0xd800 && c < 0xe000) continue;
    const text = String.fromCodePoint(c), normal = nfkc(text), parts = [...text.normalize('NFD')];
    if (normal !== text) keys.set(text, normal);
    if (parts.length === 2 && parts.join('').normalize('NFKC') === normal) keys.set(parts.join(''), normal);
  }
  return keys;
};

const double_array = (keys) => {
  const root = { next: new Map(), value: -1 }, values = [];
  let size = 0;
  for (const [key, value] of keys) {
    let node = root;
    for (const byte of Buffer.from(key)) {
      if (!node.next.has(byte)) node.next.set(byte, { next: new Map(), value: -1 });
      node = node.next.get(byte);
    }
    node.value = size;
    const bytes = Buffer.from(value + '\0');
    values.push(bytes);
    size += bytes.length;
  }
  const units = [0], used = [true], bases = new Set();
  const queue = [[root, 0, 0]];
  let first = 1;
  while (queue.length) {
    const [node, at, label] = queue.shift();
    const labels = [...node.next.keys()];
    if (node.value >= 0) labels.unshift(0);
    let base = first;
    while (bases.has(base) || labels.some((l) => (base ^ l) === 0 || used[base ^ l])) base++;
    bases.add(base);
    for (const l of labels) {
      used[base ^ l] = true;
      units[base ^ l] = 0;
    }
    while (used[first]) first++;
    const offset = at ^ base;
    if (offset >= 1 << 21) throw new Error('the trie is too large');
    units[at] = (offset << 10 | (node.value >= 0 ? 256 : 0) | label) >>> 0;
    if (node.value >= 0) units[base] = (0x80000000 | node.value) >>> 0;
    for (const [l, child] of node.next) queue.push([child, base ^ l, l]);
  }
  const trie = Buffer.alloc(4 + 4 * units.length);
  trie.writeUInt32LE(4 * units.length, 0);
  for (let i = 0; i < units.length; i++) trie.writeUInt32LE(units[i] ?? 0, 4 + 4 * i);
  return Buffer.concat([trie, ...values]);
};

// The longest key at each place is replaced, which is all that a charsmap can say.
const replaced = (keys, text) => {
  const chars = [...text];
  let out = '';
  for (let i = 0; i < chars.length; ) {
    const two = i + 1 < chars.length ? chars[i] + chars[i + 1] : '';
    const key = keys.has(two) ? two : chars[i];
    out += keys.get(key) ?? key;
    i += key === two ? 2 : 1;
  }
  return out;
};

// ---- the tokenizers ----

const added = (id, content, lstrip = false) =>
  ({ id, content, single_word: false, lstrip, rstrip: false, normalized: false, special: true });

const unigram = (lines, map) => {
  const pieces = [['<pad>', 0], ['</s>', 0], ['<unk>', 0]], seen = new Set(['<pad>', '</s>', '<unk>']);
  const add = (text) => {
    if (seen.has(text)) return;
    seen.add(text);
    pieces.push([text, -Math.fround(1 + below(100000) / 10000)]);
  };
  add('\u2581');
  for (const text of lines.slice(0, 3000)) {
    for (const w of nfkc(text).split(/\s+/)) {
      const chars = [...('\u2581' + w)], from = below(chars.length);
      add(chars.slice(0, 1 + below(chars.length)).join(''));
      add(chars.slice(from, from + 1 + below(4)).join(''));
      if (below(2)) add(chars[from]);
    }
  }
  const extra = Array.from({ length: 100 }, (_, i) => added(pieces.length + 99 - i, `<extra_id_${i}>`));
  return {
    version: '1.0', truncation: null, padding: null,
    added_tokens: [added(0, '<pad>'), added(1, '</s>'), added(2, '<unk>'), ...extra],
    normalizer: { type: 'Precompiled', precompiled_charsmap: map.toString('base64') },
    pre_tokenizer: { type: 'Sequence', pretokenizers: [{ type: 'WhitespaceSplit' },
      { type: 'Metaspace', replacement: '\u2581', add_prefix_space: true }] },
    post_processor: { type: 'TemplateProcessing',
      single: [{ Sequence: { id: 'A', type_id: 0 } }, { SpecialToken: { id: '</s>', type_id: 0 } }],
      pair: [], special_tokens: { '</s>': { id: '</s>', ids: [1], tokens: ['</s>'] } } },
    decoder: { type: 'Metaspace', replacement: '\u2581', add_prefix_space: true },
    model: { type: 'Unigram', unk_id: 2, vocab: pieces },
  };
};

const alphabet = () => {
  const visible = (b) => (b >= 33 && b <= 126) || (b >= 161 && b <= 255 && b !== 173);
  let hidden = 256;
  return Array.from({ length: 256 }, (_, b) => String.fromCodePoint(visible(b) ? b : hidden++));
};

const gpt2 = (lines) => {
  const bytes = alphabet(), names = ['<pad>', '<s>', '</s>', '<unk>', '<mask>', ...bytes];
  const vocab = Object.fromEntries(names.map((name, i) => [name, i])), merges = [];
  const pieces = lines.slice(0, 400).flatMap((text) => text.replace(/[<>]/g, '').match(/ ?\S+/g) ?? [])
    .map((piece) => [...Buffer.from(piece)].map((b) => bytes[b]));
  for (let round = 0; round < 400; round++) {
    const counts = new Map();
    for (const p of pieces)
      for (let i = 0; i + 1 < p.length; i++) {
        const pair = p[i] + ' ' + p[i + 1];
        counts.set(pair, (counts.get(pair) ?? 0) + 1);
      }
    const [best] = [...counts].reduce((a, b) => (b[1] > a[1] ? b : a));
    const [left, right] = best.split(' ');
    merges.push(best);
    if (!(left + right in vocab)) vocab[left + right] = Object.keys(vocab).length;
    for (const p of pieces)
      for (let i = 0; i + 1 < p.length; i++) if (p[i] === left && p[i + 1] === right) p.splice(i, 2, left + right);
  }
  const size = Object.keys(vocab).length;
  const extra = Array.from({ length: 100 }, (_, i) => added(size + 99 - i, `<extra_id_${i}>`));
  return {
    version: '1.0', truncation: null, padding: null,
    added_tokens: [added(0, '<pad>'), added(1, '<s>'), added(2, '</s>'), added(3, '<unk>'), added(4, '<mask>', true), ...extra],
    normalizer: null,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    post_processor: { type: 'RobertaProcessing', sep: ['</s>', 2], cls: ['<s>', 1], trim_offsets: true, add_prefix_space: false },
    decoder: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    model: { type: 'BPE', dropout: null, unk_token: null, continuing_subword_prefix: '', end_of_word_suffix: '',
      fuse_unk: false, vocab, merges },
  };
};

// ---- SentencePiece's file ----

const varint = (n) => {
  const bytes = [];
  for (; n > 127; n = Math.floor(n / 128)) bytes.push((n % 128) | 128);
  return Buffer.from([...bytes, n]);
};
const bytes_field = (name, bytes) => Buffer.concat([varint((name << 3) | 2), varint(bytes.length), bytes]);
const number_field = (name, number) => Buffer.concat([varint(name << 3), varint(number)]);
const float_field = (name, number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(number);
  return Buffer.concat([varint((name << 3) | 5), bytes]);
};
const spiece = (pieces, map) =>
  Buffer.concat([
    ...pieces.map(([text, score], id) =>
      bytes_field(1, Buffer.concat([bytes_field(1, Buffer.from(text)), float_field(2, score),
        id < 3 ? number_field(3, id === 2 ? 2 : 3) : Buffer.alloc(0)]))),
    bytes_field(2, Buffer.concat([number_field(3, 1), number_field(4, pieces.length)])),
    bytes_field(3, Buffer.concat([bytes_field(1, Buffer.from('nmt_nfkc')), bytes_field(2, map)])),
  ]);

// ---- what is asked for ----

const write = (kind, name, data) => {
  fs.mkdirSync(`${folder}/${kind}`, { recursive: true });
  fs.writeFileSync(`${folder}/${kind}/${name}`, typeof data === 'string' || Buffer.isBuffer(data) ? data : JSON.stringify(data));
};

if (what === 'make') {
  const keys = charsmap(), map = double_array(keys), lines = [];
  let left_out = 0;
  while (lines.length < Number(argument)) {
    const text = line();
    if (replaced(keys, text) === nfkc(text)) lines.push(text);
    else left_out++;
  }
  console.log(`${lines.length} lines; ${left_out} left out, whose marks NFKC puts in another order`);
  fs.writeFileSync(`${folder}/lines`, lines.map((text) => text + '\n').join(''));
  const u = unigram(lines, map), g = gpt2(lines);
  write('unigram', 'tokenizer.json', u);
  write('spiece', 'spiece.model', spiece(u.model.vocab, map));
  write('gpt2', 'tokenizer.json', g);
  write('merges', 'vocab.json', g.model.vocab);
  write('merges', 'merges.txt', '#version: 0.2\n' + g.model.merges.join('\n') + '\n');
  write('merges', 'added_tokens.json', Object.fromEntries(g.added_tokens.slice(5).map((t) => [t.content, t.id])));
  write('bytes', 'tokenizer_config.json', { tokenizer_class: 'ByT5Tokenizer' });
} else {
  // ByT5 has no reference there, and is its own definition (Xue et al. 2021).
  const of_bytes = (text) => {
    const names = ['<pad>', '</s>', '<unk>', ...Array.from({ length: 125 }, (_, i) => `<extra_id_${i}>`)];
    const ids = text.split(/(<pad>|<\/s>|<unk>|<extra_id_\d+>)/).flatMap((part) => {
      const id = names.indexOf(part);
      return id < 0 ? [...Buffer.from(part)].map((b) => b + 3) : [id < 3 ? id : id + 256];
    });
    return { ids: [...ids, 1], text: null };
  };
  let reference = of_bytes;
  if (argument !== 'bytes') {
    const { Tokenizer } = await import('@huggingface/tokenizers');
    const of = { spiece: 'unigram', merges: 'gpt2' }[argument] ?? argument;
    const t = new Tokenizer(JSON.parse(fs.readFileSync(`${folder}/${of}/tokenizer.json`)), {});
    reference = (text) => {
      const ids = Array.from(t.encode(text).ids, Number);
      return { ids, text: t.decode(ids, { skip_special_tokens: true, clean_up_tokenization_spaces: false }) };
    };
  }
  const lines = fs.readFileSync(`${folder}/lines`, 'utf8').split('\n').slice(0, -1);
  const got = fs.readFileSync(`${folder}/${argument}.jsonl`, 'utf8').split('\n').slice(0, -1).map((l) => JSON.parse(l));
  let wrong = got.length === lines.length ? 0 : 1, tokens = 0;
  for (let i = 0; i < lines.length && got.length === lines.length; i++) {
    const want = reference(lines[i]);
    // What is decoded ends at the first end token, here as in generation.
    const ended = want.ids.indexOf(want.ids.at(-1)) < want.ids.length - 1;
    const same = want.ids.join() === got[i].ids.join() && (ended || want.text === null || want.text === got[i].text);
    tokens += want.ids.length;
    if (!same && ++wrong <= 3) console.log(JSON.stringify({ line: lines[i], want, got: got[i] }));
  }
  console.log(`${argument}: ${lines.length} lines, ${tokens} tokens, ${wrong} lines differ`);
  process.exitCode = wrong ? 1 : 0;
}
