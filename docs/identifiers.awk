# SPDX-License-Identifier: MIT
# identifiers.awk -- C identifiers in snake_case and in camelCase, as pairs of text, a JSON object a line:
#
#     awk -v count=20000 -f docs/identifiers.awk >names.jsonl
#
# Words are made of syllables, so that hardly any word is seen twice; one in eight ends in a number. awk's rand()
# differs from awk to awk, so the numbers are drawn here: Park & Miller 1988, "Random number generators: good ones
# are hard to find".
function below(n) {
    state = state * 16807 % 2147483647
    return int(state / 2147483647 * n)
}

function syllable() {
    return substr("bcdfghjklmnprstvwz", 1 + below(18), 1) substr("aeiou", 1 + below(5), 1)
}

function word(    text, left) {
    text = syllable()
    for (left = 1 + below(2); left > 0; left--)
        text = text syllable()
    if (below(2))
        text = text substr("lmnrst", 1 + below(6), 1)
    return below(8) ? text : text below(100)
}

BEGIN {
    state = 1
    for (made = 0; made < count; ) {
        snake = camel = word()
        for (words = 1 + below(3); words > 0; words--) {
            next_word = word()
            snake = snake "_" next_word
            camel = camel toupper(substr(next_word, 1, 1)) substr(next_word, 2)
        }
        if (snake in seen)
            continue
        seen[snake] = 1
        made++
        printf "{\"source\": \"%s\", \"target\": \"%s\"}\n", snake, camel
    }
}
