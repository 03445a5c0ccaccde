#!/bin/sh
# Opens the page of a run in a browser: headless Chromium, on a desk and on a phone, by day and by
# night. It must say nothing on the console (the page's own policy makes a request or a script an
# error there), fit the width, and stay under 2 MB for 640 candidates. A few seconds; the last line
# is the sum. Screenshots are left in build/report-*.png, to be looked at.
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
    page=$1 scheme=$2 size=$3,$4
    shift 4
    rm -rf "$work/profile"
    timeout 120 "$browser" --headless=new --no-sandbox --disable-gpu --hide-scrollbars \
        --user-data-dir="$work/profile" --disable-background-networking --enable-logging=stderr --v=0 \
        --blink-settings=preferredColorScheme="$scheme" --window-size="$size" "$@" "file://$page" \
        2>"$work/log"
}

build/phoenix evolve --run "$work/run" --quiet --episodes 10 --batches 8 --candidates 8 \
    --d-model 16 --few-shot 16 --batch 8 --samples 64 --held-out 4 --fidelity 2 --max-tokens 24 \
    >"$work/out" 2>&1 && build/phoenix report "$work/run" >"$work/out" 2>&1
verdict "a page is written" "$([ -s "$work/run/report.html" ] || cat "$work/out")"
page=$work/run/report.html
bytes=$(wc -c <"$page")
verdict "640 candidates take less than 2 MB" "$([ "$bytes" -lt 2000000 ] || echo "$bytes bytes")"

for scheme in light dark; do
    for width in 1100 390; do
        png=$PWD/build/report-$scheme-$width.png
        rm -f "$png"
        number=0
        [ $scheme = dark ] || number=1
        open "$page" $number $width 2400 --screenshot="$png"
        verdict "$scheme, $width wide: drawn" "$([ -s "$png" ] || tail -n 3 "$work/log")"
        verdict "$scheme, $width wide: the console is silent" "$(grep CONSOLE "$work/log")"
    done
done
verdict "dark differs from light" \
    "$(cmp -s build/report-light-390.png build/report-dark-390.png && echo "the same picture")"

# That the policy is upheld, and a breach of it seen: the same page with an image and a script.
sed 's|</main>|<img src="http://127.0.0.1:9/x.png"><script>document.title = 1</script></main>|' "$page" \
    >"$work/breach.html"
open "$work/breach.html" 1 390 800 --screenshot="$work/breach.png"
verdict "an image and a script are refused" \
    "$([ "$(grep -c 'CONSOLE.*Content Security Policy' "$work/log")" -ge 2 ] || echo "no word of it")"

# Without the policy a script can measure the page.
for width in 1100 390; do
    sed -e '/Content-Security-Policy/d' -e 's|</body>|<script>document.title = "wide " +\
(document.documentElement.scrollWidth - innerWidth);</script></body>|' "$page" >"$work/measured.html"
    open "$work/measured.html" 1 $width 800 --dump-dom >"$work/dom"
    verdict "$width wide: nothing sticks out" \
        "$(grep -q '<title>wide 0</title>' "$work/dom" || grep '<title>' "$work/dom" | head -n 1)"
done
end
