// SPDX-License-Identifier: MIT
// Writes t5/unicode_table.h's ranges: node tests/unicode.js >t5/unicode_table.h
const ranges = (re) => {
  const out = [];
  let start = -1;
  for (let c = 0; c <= 0x110000; c++) {
    const is = c < 0x110000 && !(c >= 0xd800 && c < 0xe000) && re.test(String.fromCodePoint(c));
    if (is && start < 0) start = c;
    if (!is && start >= 0) { out.push([start, c - 1]); start = -1; }
  }
  return out;
};
const print = (name, re, what) => {
  let text = `/* ${what} */\nstatic const uint32_t ${name}[][2] = {\n`, line = '   ';
  for (const [a, b] of ranges(re)) {
    const item = ` {0x${a.toString(16)}, 0x${b.toString(16)}},`;
    if (line.length + item.length > 100) { text += line + '\n'; line = '   '; }
    line += item;
  }
  return text + line + '\n};\n';
};
console.log(`/* unicode_table.h -- made by tests/unicode.js of the Unicode Character Database ${process.versions.unicode}: ranges of
 * code points, first and last, in their order. For unicode.c. */
#ifndef T5_UNICODE_TABLE_H
#define T5_UNICODE_TABLE_H

#include <stdint.h>

/* clang-format off */
${print('letters', /\p{L}/u, 'General category L: letters of all scripts.')}
${print('number_ranges', /\p{N}/u, 'General category N: digits, numerals, fractions.')}
/* clang-format on */

#endif`);
