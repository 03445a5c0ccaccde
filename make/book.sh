#!/bin/sh
# SPDX-License-Identifier: MIT
# One HTML file of the book: sh make/book.sh SRC FILE. Needs pandoc; without it the chapters are there as Markdown.
set -eu
cd "$1"
to=$2
if ! command -v pandoc >/dev/null 2>&1; then
    echo "make: the book as one page needs pandoc (apt-get install pandoc); its chapters are docs/book/*.md" >&2
    exit 1
fi
title=$(sed -n '1s/^# //p' docs/book/README.md)
# Chapters become sections of one page: links between them lead to anchors, links out of the book to the tree.
for page in docs/book/README.md docs/book/[0-9]*.md docs/book/[a-z]*.md; do
    name=$(basename "$page" .md)
    printf '\n<a id="%s"></a>\n\n' "$name"
    sed -E -e 's/\]\(([0-9a-z-]+)\.md\)/](#\1)/g' -e 's/\]\([0-9a-z-]+\.md#/](#/g' -e 's|\]\(\.\./|](docs/|g' \
        -e '/^<!--.*-->$/d' "$page"
done | sed 's|](docs/\.\./|](|g' >"$to.md"
cat >"$to.css" <<'END_OF_STYLE'
html { color-scheme: light dark; }
body { max-width: 49rem; margin: 0 auto; padding: 1rem; font: 1rem/1.55 Georgia, serif; }
p, ul, ol { max-width: 46rem; }
code { font: 0.85rem/1.4 ui-monospace, monospace; }
pre, pre code { font: 0.78rem/1.4 ui-monospace, monospace; white-space: pre; } /* a hundred columns fit */
pre { overflow-x: auto; padding: 0.7rem; border: 1px solid #8885; border-radius: 4px; }
table { border-collapse: collapse; display: block; overflow-x: auto; }
td, th { padding: 0.2rem 0.7rem 0.2rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid #8884; }
h1 { margin-top: 3rem; line-height: 1.2; }
img { max-width: 100%; }
nav ul { list-style: none; padding-left: 1rem; }
/* On paper nothing scrolls: a hundred columns fit the line, and what is longer goes on in the next. */
@media print { pre, pre code { font-size: 6.5pt; white-space: pre-wrap; overflow-wrap: anywhere; } pre { overflow: visible; } }
END_OF_STYLE
pandoc --from gfm --to html5 --standalone --toc --toc-depth=1 --metadata title="phoenix: $title" \
    --metadata pagetitle="phoenix: $title" --resource-path=docs/book --self-contained --css "$to.css" \
    "$to.md" --output "$to.part"
mv "$to.part" "$to"
rm -f "$to.md" "$to.css"
echo "$to"
