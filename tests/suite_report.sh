#!/bin/sh
# SPDX-License-Identifier: MIT
# Opens the pages of four runs, of T5s, networks, a table and pairs of text, in a browser: headless Chromium, from a phone's width to a large
# screen's, by day, by night and on paper. A page must say nothing on the console (its own policy makes a request or a
# script an error there), fit the width, have words that stand out from what is behind them (4.5 : 1), be read by
# the keyboard alone, and stay under 2 MB for 640 candidates. Three minutes; the last line is the sum. Screenshots and
# PDFs are left in build/report-*, to be looked at.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/verdict.sh
end() {
    echo "$passed passed, $failed failed, $skipped skipped"
    [ "$failed" -eq 0 ]
    exit
}

browser=
for name in chromium chromium-browser google-chrome chrome; do
    [ -n "$browser" ] || browser=$(command -v $name)
done
if [ -z "$browser" ]; then
    echo "SKIPPED: no Chromium is here (apt-get install chromium)"
    skipped=1
    end
fi
make -j2 >/dev/null
work=$(mktemp -d "${TMPDIR:-/tmp}/phoenix-report-XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# open PAGE SCHEME WIDTH HEIGHT OPTIONS...: 0 dark, 1 light. What the browser logs is in $work/log.
open() {
    opened=$1 colours=$2 size=$3,$4
    shift 4
    rm -rf "$work/profile"
    timeout 120 "$browser" --headless=new --no-sandbox --disable-gpu --hide-scrollbars \
        --user-data-dir="$work/profile" --disable-background-networking --enable-logging=stderr --v=0 \
        --blink-settings=preferredColorScheme="$colours" --window-size="$size" "$@" "file://$opened" \
        2>"$work/log"
}

build/phoenix evolve --run "$work/run" --quiet --episodes 10 --batches 8 --candidates 8 \
    --d-model 16 --few-shot 16 --batch 8 --samples 64 --held-out 4 --fidelity 2 --max-tokens 24 \
    >"$work/out" 2>&1 && build/phoenix report "$work/run" >"$work/out" 2>&1
verdict "a page is written" "$([ -s "$work/run/report.html" ] || cat "$work/out")"
bytes=$(wc -c <"$work/run/report.html")
verdict "640 candidates take less than 2 MB" "$([ "$bytes" -lt 2000000 ] || echo "$bytes bytes")"
build/phoenix evolve --run "$work/digits" --quiet --task digits --proposer rules --episodes 2 --batches 1 \
    --candidates 6 --images 200 --held-images 100 --fresh-seeds 3 --final-epochs 1 >"$work/out" 2>&1 &&
    build/phoenix report "$work/digits" >"$work/out" 2>&1
verdict "a page of networks is written" "$([ -s "$work/digits/report.html" ] || cat "$work/out")"
wrong=$(grep -c '<svg class="picture"' "$work/digits/report.html")
verdict "it has pictures" "$([ "$wrong" -ge 10 ] || echo "$wrong of them")"

awk 'BEGIN {
    print "x,y,colour,kind"
    for (i = 0; i < 200; i++)
        print i * 7 % 31 "," i * 11 % 17 "," (i % 3 ? "red" : "white") "," (i * 7 % 31 > i % 20 ? "rose" : "tulip")
}' >"$work/flowers.csv"
build/phoenix evolve --run "$work/table" --quiet --data "$work/flowers.csv" --label kind --proposer rules --episodes 2 \
    --batches 1 --candidates 6 --fresh-seeds 3 --final-epochs 2 >"$work/out" 2>&1 &&
    build/phoenix report "$work/table" >"$work/out" 2>&1
verdict "a page of a table is written" "$([ -s "$work/table/report.html" ] || cat "$work/out")"
awk 'BEGIN {for (i = 0; i < 120; i++) printf "{\"source\": \"%d and one\", \"target\": \"%d\"}\n", i, i + 1}' >"$work/sums.jsonl"
build/phoenix evolve --run "$work/pairs" --quiet --pairs "$work/sums.jsonl" --proposer rules --episodes 1 --batches 1 \
    --candidates 3 --d-model 16 --few-shot 32 --fresh-seeds 2 --final-epochs 1 >"$work/out" 2>&1 &&
    build/phoenix report "$work/pairs" >"$work/out" 2>&1
verdict "a page of pairs is written" "$([ -s "$work/pairs/report.html" ] || cat "$work/out")"

# What a script finds out, in a copy without the policy: the title says it. Folded parts are opened. The colour
# behind words is that of the nearest element around them which has one.
cat >"$work/measure.js" <<'END'
document.querySelectorAll("details").forEach(d => d.open = true);
const channels = c => c.match(/[\d.]+/g).map(Number);
const light = c => {
    const [r, g, b] = c.slice(0, 3).map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const behind = e => {
    for (; e; e = e.parentElement) {
        const c = channels(getComputedStyle(e).backgroundColor);
        if (c.length < 4 || c[3] > 0) return c;
    }
    return [255, 255, 255];
};
let least = 99, dullest = "", stuck = 0, words = 0;
for (const e of document.querySelectorAll("body *")) {
    const own = [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim());
    const box = e.getBoundingClientRect(), style = getComputedStyle(e);
    if (/auto|scroll/.test(style.overflowX) && e.scrollWidth > e.clientWidth && e.tabIndex < 0) stuck++;
    if (!own || !box.width || e.closest("title,desc,style,script")) continue;
    const a = light(channels(e instanceof SVGElement ? style.fill : style.color)), b = light(behind(e));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    words++;
    if (ratio < least) { least = ratio; dullest = e.textContent.trim().slice(0, 30); }
}
/* What only a pointer reaches leads to what the keyboard does. */
for (const a of document.querySelectorAll("a[tabindex='-1']"))
    if (!document.getElementById(a.getAttribute("href").slice(1))) stuck++;
for (const i of document.querySelectorAll("input")) if (!i.labels.length || i.tabIndex < 0) stuck++;
document.title = "wide " + (document.documentElement.scrollWidth - innerWidth) + " stuck " + stuck +
    " words " + (words > 100) + " contrast " + (least >= 4.5 ? "enough" : least.toFixed(2) + " of " + dullest);
END

for run in run table pairs digits; do # the last one is used below
    widths="390 1400"
    case $run in run | digits) widths="390 768 1400 2200" ;; esac
    html=$work/$run/report.html
    { sed -e '/Content-Security-Policy/d' -e '/<\/body>/d' -e '/<\/html>/d' "$html"
        echo '<script>'
        cat "$work/measure.js"
        echo '</script></body></html>'; } >"$work/measured.html"
    for scheme in light dark; do
        number=0
        [ $scheme = dark ] || number=1
        for width in $widths; do
            what="$run, $scheme, $width wide"
            png=$PWD/build/report-$run-$scheme-$width.png
            rm -f "$png"
            open "$html" $number "$width" 2400 --screenshot="$png"
            wrong=$([ -s "$png" ] || tail -n 3 "$work/log")
            verdict "$what: drawn, and the console is silent" "$wrong$(grep CONSOLE "$work/log")"
            open "$work/measured.html" $number "$width" 800 --dump-dom >"$work/dom"
            title=$(sed -n 's|.*<title>\(wide [^<]*\)</title>.*|\1|p' "$work/dom" | head -n 1)
            verdict "$what: nothing sticks out, all can be reached and read" \
                "$([ "$title" = "wide 0 stuck 0 words true contrast enough" ] || echo "${title:-nothing was measured}")"
        done
        pdf=$PWD/build/report-$run-$scheme.pdf
        rm -f "$pdf"
        open "$html" $number 1000 1400 --no-pdf-header-footer --print-to-pdf="$pdf"
        pages=$(grep -a -c '/Type */Page\>' "$pdf" 2>/dev/null)
        wrong=$([ "${pages:-0}" -ge 2 ] || echo "${pages:-0} pages")
        verdict "$run, $scheme, on paper: printed, and the console is silent" "$wrong$(grep CONSOLE "$work/log")"
    done
    verdict "$run: dark differs from light" \
        "$(cmp -s build/report-$run-light-390.png build/report-$run-dark-390.png && echo "the same picture")"
done

# That the policy is upheld, and a breach of it seen: the same page with an image and a script. So are words too
# near to their ground, and what sticks out.
sed 's|</main>|<img src="http://127.0.0.1:9/x.png"><script>document.title = 1</script></main>|' "$html" \
    >"$work/breach.html"
open "$work/breach.html" 1 390 800 --screenshot="$work/breach.png"
verdict "an image and a script are refused" \
    "$([ "$(grep -c 'CONSOLE.*Content Security Policy' "$work/log")" -ge 2 ] || echo "no word of it")"
sed 's|</main>|<p style="color:#888;width:3000px;max-width:none">dull</p><div style="overflow-x:auto;width:9rem"><div \
style="width:99rem">x</div></div><input></main>|' "$work/measured.html" >"$work/breach.html"
open "$work/breach.html" 1 390 800 --dump-dom >"$work/dom"
verdict "what is dull, stuck or too wide is seen" \
    "$(grep -q '<title>wide [1-9][0-9]* stuck [12] words true contrast 3[0-9.]* of dull</title>' "$work/dom" ||
        grep -o '<title>wide[^<]*' "$work/dom")"
end
