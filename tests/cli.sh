#!/bin/sh
# SPDX-License-Identifier: MIT
# What the command does with bad input: the exit code, one line on standard error, nothing on
# standard output, no file touched. Runs build/phoenix; the last line is the sum.
set -u
cd "$(dirname "$0")/.." || exit 1
phoenix=${BUILD:-$PWD/build}/phoenix
work=$(mktemp -d "${TMPDIR:-/tmp}/phoenix-cli-XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
mkdir "$work/here" "$work/seen"
cd "$work/here" || exit 1
passed=0 failed=0 skipped=0

files() { # in the folders' own order, which stays while nothing is made or taken away
    find . -print
    find . -type f -exec cksum {} +
}

run() {
    files >"$work/seen/before"
    "$phoenix" "$@" >"$work/seen/out" 2>"$work/seen/err" <"${input:-/dev/null}"
    code=$?
    files >"$work/seen/after"
}

verdict() { # the command line; what is wrong, or nothing
    if [ -z "$2" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED phoenix $1: $2"
        head -n 5 "$work/seen/err"
    fi
}

# bad CODE PATTERN ARGUMENTS...: one line on standard error that fits the pattern.
bad() {
    want=$1 pattern=$2
    shift 2
    run "$@"
    wrong=
    [ "$code" -eq "$want" ] || wrong="exit code $code, want $want"
    [ "$(wc -l <"$work/seen/err")" -eq "${lines:-1}" ] || wrong="$wrong; not one line of error"
    # shellcheck disable=SC2254
    case $(head -n 1 "$work/seen/err") in
    "phoenix: "$pattern) ;;
    *) wrong="$wrong; the error is not $pattern" ;;
    esac
    [ ! -s "$work/seen/out" ] || wrong="$wrong; something on standard output"
    cmp -s "$work/seen/before" "$work/seen/after" || wrong="$wrong; files changed"
    verdict "$*" "$wrong"
}

# good PATTERN ARGUMENTS...: exit code 0, nothing on standard error, output that fits.
good() {
    pattern=$1
    shift
    run "$@"
    wrong=
    [ "$code" -eq 0 ] || wrong="exit code $code"
    [ ! -s "$work/seen/err" ] || wrong="$wrong; something on standard error"
    # shellcheck disable=SC2254
    case $(cat "$work/seen/out") in
    $pattern) ;;
    *) wrong="$wrong; the output is not $pattern" ;;
    esac
    cmp -s "$work/seen/before" "$work/seen/after" || wrong="$wrong; files changed"
    verdict "$*" "$wrong"
}

skip() {
    skipped=$((skipped + 1))
    echo "SKIPPED $1"
}

small="--d-model 16 --batch 8"
tiny="$small --few-shot 16"                              # to evaluate
stage="$small --samples 8 --held-out 1 --fidelity 0"     # to train
both="$stage --few-shot 16"                              # to evolve
cat >good.c <<'END'
#include "phoenix.h"

t5 *model(void)
{
    t5_config config = t5_small();
    config.num_layers = 1;
    config.num_decoder_layers = 1;
    config.num_heads = 2;
    config.d_kv = 8;
    config.d_ff = 32;
    return t5_new(config);
}
END
sed 's/= 32;/= ;/' good.c >parse.c
sed 's/d_ff = 32/d_fff = 32/' good.c >check.c
sed 's/= 32/= 1 \/ (config.num_layers - 1)/' good.c >run.c
: >empty.c
mkdir folder folder/full
dd if=/dev/zero of=huge.c bs=1024 count=1025 2>/dev/null

# ---- what is no command line ----

bad 2 "*nothing*" nothing
bad 2 "*--nothing*" --nothing
for command in evolve refine train generate trace predict evaluate verify report why diff; do
    bad 2 "*--nothing*" $command --nothing
    bad 2 "*--nothing*" $command --nothing 3
done
for command in evolve refine train generate evaluate verify; do
    bad 2 "*nothing more*" $command one two extra
done
for command in evolve refine train evaluate; do
    bad 2 "*--seed*value*" $command --seed
    bad 2 "*--preset*value*" $command --preset
    bad 2 "*slow*quick*" $command --preset slow
    bad 2 "*--seed -1*whole number*0*" $command --seed -1
    bad 2 "*--seed 1x*whole number*" $command --seed 1x
    bad 2 "*--seed *whole number*" $command --seed ""
    bad 2 "*--seed 99999999999999999999*" $command --seed 99999999999999999999
    bad 2 "*--rate*number*0*10*" $command --rate 11
    bad 2 "*--rate nan*number*" $command --rate nan
    bad 2 "*--rate 0x1*number*" $command --rate 0x1
    bad 2 "*--optimizer best*adamw*" $command --optimizer best
    bad 2 "*--d-model 8*16*8192*" $command --d-model 8
    bad 2 "*--fresh-seeds 65*0*64*" $command --fresh-seeds 65
done
for command in evolve train generate predict evaluate; do
    bad 2 "*--threads 0*1*64*" $command --threads 0
    bad 2 "*--threads 65*1*64*" $command --threads 65
    bad 2 "*--threads*value*" $command --threads
done
bad 2 "*--jobs 0*1*1024*" evolve --jobs 0
bad 2 "*--count -1*" refine --count -1
bad 1 "*--position 5*there are 5*" trace --position 5
bad 1 "*--row 36*there are 36*" trace --row 36
bad 1 "*--head 8*there are 8*" trace --head 8
bad 1 "*--element 4096*there are 4096*" trace --element 4096
bad 1 "*--weight w*no such parameter*" trace --weight w
bad 1 "*folder/config.json*" trace folder
bad 2 "*--batch*nothing*one pair*" trace --batch 4
bad 2 "*--d-model*nothing*folder*" trace folder --d-model 32
bad 2 "*--task pairs*drawn*" trace --task pairs
bad 2 "*--top-p 0*" generate folder --top-p 0
bad 2 "*--temperature 1e400*" generate folder --temperature 1e400
bad 2 "--sandbox all: *none, limits, strict*" evaluate good.c --sandbox all
bad 2 "--sandbox : *none, limits, strict*" evaluate good.c --sandbox ""
bad 2 "--executor fast: *interpret, native*" evaluate good.c --executor fast
bad 2 "--executor : *interpret, native*" evolve --executor ""
bad 2 "*nothing more*" sandbox one
bad 2 "*SOURCE*" evaluate
bad 2 "*MODEL*" generate
bad 2 "*--out*" train good.c
bad 2 "*--out*--row*" table
bad 2 "*--row 768*" table --row 768
bad 2 "*nothing more*" table one
bad 2 "*--table*runs*" compare
bad 2 "*--evaluations 0*" compare --table good.c --evaluations 0
bad 2 "*sum*" compare --table good.c --copies 0.6 --several 0.6

# What was meant is guessed; nothing is done by a guess.
bad 2 "evlove: *did you mean evolve?*" evlove
bad 2 "*did you mean refine?*" help refne
bad 2 "--episode: there is no such option; did you mean --episodes?*" evolve --episode 3
bad 2 "--stratgy=greedy: *did you mean --strategy?*" evolve --stratgy=greedy
bad 2 "--strategy gready: *did you mean greedy?*" evolve --strategy gready
bad 2 "--preset qick: *quick*" evolve --preset qick --help
bad 2 "-x: there is no such option*" evolve -x
bad 2 "--quiet=yes: --quiet takes no value*" evolve --quiet=yes
bad 2 "--seed -1: *" evolve --seed=-1
bad 2 "--: nothing more*" evolve -- --
# An empty text is what a shell makes of a variable that is not set.
bad 2 "--run: *not an empty one*" evolve --run ""
bad 2 "--out: *not an empty one*" table --out=
bad 2 "*not an empty one*RUN*" report ""
bad 1 "--seed: *No such file*" evaluate -- --seed

# What would change nothing is refused, with where it would change something.
bad 2 "--population 3: *--strategy genetic and ageing*" evolve --population 3
bad 2 "--sample 3: *ageing*" evolve --strategy=genetic --sample=3
bad 2 "--elitism no: *greedy and genetic*" evolve --strategy climb --elitism no
bad 2 "--early-stop yes: *greedy*" evolve --early-stop yes --strategy climb
bad 2 "--early-stop yes: *elitism*" evolve --early-stop yes --elitism no
bad 2 "--proposer rules: *refine*" evolve --strategy random --proposer rules
bad 2 "--constrained yes: *T5*" evolve --proposer rules --constrained yes
bad 2 "--images 5: *digits*" evolve --images 5
bad 2 "--few-shot 5: *--task self*" evolve --task digits --few-shot 5
bad 2 "--scope all: *" evolve --task digits --scope all
bad 2 "--d-model 32: *T5*" evolve --task digits --proposer rules --d-model 32
bad 2 "--clamp no: *--scope architecture*" evolve --scope all --clamp no
bad 2 "--cc gcc: *--executor native*" evolve --cc gcc
bad 2 "--data there: *--task self*" evolve --data there
bad 2 "--data there: *--task digits*" evolve --task digits --data there
bad 2 "--label y: *--task mnist reads pictures*" evolve --task mnist --label y
bad 2 "--without y: *--task images reads pictures*" train --out out --task images --data there --without y
bad 2 "--size 9: *--task table reads a table*" evolve --data there.csv --label y --size 9
run train --out unmeasured --d-model 16 --samples 8 --held-out 2 --fidelity 0 --max-tokens 4
verdict "train --fidelity 0" "$(grep 'of 0 samples' "$work/seen/out" || [ "$code" -eq 0 ] || echo "exit code $code")"
rm -rf unmeasured
bad 2 "--candidates 3: *only phoenix evolve*" train --out out --candidates 3
bad 2 "--strategy climb: *only phoenix evolve*" train --out out --strategy climb
bad 2 "--images 3: *" train --out out --task digits --images 3
bad 2 "--deadline 3: *candidates*" refine --deadline 3
bad 2 "--rate 0.1: *" refine --rate 0.1
bad 2 "--samples 3: *" evaluate good.c --samples 3
bad 2 "--image-rate 0.1: *" evaluate good.c --image-rate 0.1
bad 2 "--top-k: *--greedy*" generate folder --greedy --top-k 5
bad 2 "--beams: *--greedy*" generate folder --greedy --beams=5
bad 2 "--temperature: *--beams*" generate folder --beams=5 --temperature 2
bad 2 "*--run*" evolve --resume
bad 2 "*RUN*" report
bad 2 "*RUN CANDIDATE*" why one
bad 2 "*RUN A B*" diff one two
bad 2 "*nothing more*" why one two extra
bad 2 "*nothing more*" diff one two three extra

# ---- what is no source ----

bad 1 "missing.c: *No such file*" evaluate missing.c
bad 1 "missing.c: *No such file*" train missing.c --out out
bad 1 "folder: *folder*" evaluate folder
bad 1 "folder: *folder*" train folder --out out
bad 1 "huge.c: *1048576*" evaluate huge.c
bad 1 "huge.c: *1048576*" train huge.c --out out
input=huge.c bad 1 "standard input: *1 MiB*" evaluate -
# A source's own mistakes come like a compiler's: a line, then the place.
lines=3 bad 3 "parse.c:10:*" train parse.c --out out
lines=3 bad 3 "check.c:10:*d_fff*" train check.c --out out
lines=3 bad 3 "run.c:10:*" train run.c --out out
lines=3 bad 3 "empty.c:1:1: *" train empty.c --out out
lines=3 bad 3 "parse.c:10:*" train parse.c --task digits --out out
bad 3 "*network \*model(void)*" train good.c --task digits --out out
bad 1 "data/mnist: *make data*--data FOLDER*" train --task mnist --out out
bad 2 "*FILE, --task or --data*" predict folder
bad 1 "folder/network.json: *No such file*" predict folder missing.pgm
bad 2 "*--confusion*" predict folder missing.pgm --task digits --confusion
bad 2 "*MODEL*" predict

# For evaluate they are a result: one JSON object, exit code 3.
for name in parse check run; do
    # shellcheck disable=SC2086
    run evaluate $name.c $tiny
    wrong=
    [ $code -eq 3 ] || wrong="exit code $code"
    case $(cat "$work/seen/out") in
    *"\"status\":\"$name\",\"reason\":\"$name.c:10:"*) ;;
    *) wrong="$wrong; $(cat "$work/seen/out")" ;;
    esac
    [ ! -s "$work/seen/err" ] || wrong="$wrong; something on standard error"
    [ "$(wc -l <"$work/seen/out")" -eq 1 ] || wrong="$wrong; not one line"
    verdict "evaluate $name.c" "$wrong"
done

# ---- what cannot be written ----

# shellcheck disable=SC2086
bad 1 "good.c: *folder*" train good.c --out good.c/out $stage
# shellcheck disable=SC2086
bad 1 "good.c: *" train good.c --out good.c $stage
bad 1 "good.c: *folder*" train --task digits --final-epochs 10000 --out good.c/out # and not hours later
bad 1 "good.c: *heading*" table --out good.c
bad 1 "missing: *No such file*" table --out missing/table.csv
mkfifo pipe
bad 1 "pipe: is no regular file" table --out pipe
rm pipe
bad 1 "good.c: *heading*" compare --table good.c
cat >"few designs.csv" <<END_OF_TABLE
num_layers,num_decoder_layers,num_heads,d_ff,seed,parameters,flops,full_flops,quarter,half,score,tail,held_out,full
1,1,2,64,1,90240,10393901952,41598047616,2.46867442,1.74984837,1.33806944,0.908140719,0.888564527,0.780212104
END_OF_TABLE
bad 1 "the table lacks designs; go on with: *phoenix table --out 'few designs.csv'" compare --table "few designs.csv"
rm "few designs.csv"
bad 1 "missing: expected a run in this folder*" compare missing
bad 1 "missing: *No such file*" refine --count 2 --out missing/pairs.jsonl
bad 1 "folder*" refine --count 2 --out folder
bad 1 "good.c: *folder*" evolve --run good.c/run
if [ -c /dev/full ]; then
    full() {
        files >"$work/seen/before"
        "$phoenix" "$@" >/dev/full 2>"$work/seen/err" </dev/null
        code=$?
        wrong=
        [ $code -eq 1 ] || wrong="exit code $code"
        [ "$(wc -l <"$work/seen/err")" -eq 1 ] || wrong="$wrong; not one line of error"
        verdict "$* >/dev/full" "$wrong"
    }
    full --help
    full --version
    full evolve --help
    full refine --count 1
    full refine --count 10000000
    full refine --floor
    # shellcheck disable=SC2086
    full evaluate good.c $tiny
    # shellcheck disable=SC2086
    full evaluate run.c $tiny
    echo '{"format":1}' >folder/config.json
    full verify folder # a case that fails, so that the exit code alone says nothing of the disk
    rm folder/config.json
else
    skip "a full disk behind standard output: no /dev/full here"
fi

# ---- runs ----

bad 1 "nothing: expected a run in this folder*" evolve --run nothing --resume
bad 1 "folder: expected a run in this folder*" evolve --run folder --resume
mkdir taken
echo '{"format":1}' >taken/manifest.json
bad 1 "taken: *--resume*" evolve --run taken
run evolve --run absent --launcher absent --proposer rules --jobs 1 --samples 8 --top-p=0.5
verdict "evolve --proposer rules --samples 8" "$(grep -q -e "--samples 8: would change nothing: .*stage" "$work/seen/err" || echo "it does not say that nothing is trained")"
verdict "evolve --proposer rules --top-p=0.5" "$(grep -q -e "--top-p 0.5: would change nothing" "$work/seen/err" || echo "it does not say that nothing is sampled")"
verdict "evolve --launcher absent" "$(grep -q "cannot be started: absent: No such file" "$work/seen/err" || echo "what is absent is not named")"
# A run whose first source is refused leaves no folder; a folder with a user's own source.c is not taken.
# shellcheck disable=SC2086
bad 1 "default source: *at most 100 in this run*" evolve --run refused $both --max-parameters 100 --quiet
mkdir mine
cp good.c mine/source.c
# shellcheck disable=SC2086
bad 1 "mine: has source.c, and a run writes to that name*" evolve --run mine $both --quiet
bad 1 "taken/manifest.json: *version*" evolve --run taken --resume
echo 'garbage' >taken/manifest.json
bad 1 "taken/manifest.json:1:1: *" evolve --run taken --resume

# shellcheck disable=SC2086
"$phoenix" evolve --run short --seed 99 $both --seed 1 --episodes 1 --batches 1 --candidates 1 --max-tokens 4 --quiet \
    >/dev/null 2>&1 || echo "no short run was made"
for other in "--seed 3" "--preset first-look" "--elitism no" "--rate 0.1" "--d-model 32"; do
    # shellcheck disable=SC2086
    bad 2 "$other: the run was started with another*" evolve --run short --resume --jobs 1 $other
done
# Of a setting that is given twice the last one counts, on the first start as on a later one.
bad 2 "--seed 99: the run was started with another*" evolve --run short --resume --seed 1 --seed 99
# shellcheck disable=SC2086
run evolve --run short --resume --seed 99 $both --seed 1 --jobs 3 --quiet
verdict "evolve --run short --resume --seed 99 $both --seed 1 --jobs 3" "$(cat "$work/seen/err")"
good "short, finished: 14 files, 2 candidates, 0 models compared: 0 differ" verify short --quiet
# A name is whoever's made the folder: a terminal is not to act on it.
hostile=$(printf 'sh\033ort')
mv short "$hostile"
good 'sh\\x1bort, finished: *' verify "$hostile" --files --quiet
mkdir "$hostile/vectors"
echo garbage >"$hostile/vectors/config.json"
run verify "$hostile/vectors"
verdict "verify of vectors" "$([ "$code" -eq 1 ] && ! grep -q "$(printf '\033')" "$work/seen/out" || cat "$work/seen/out")"
rm -r "$hostile/vectors"
mv "$hostile" short
cp short/journal.jsonl taken/
bad 1 "taken/manifest.json:1:1: *" verify taken
rm taken/manifest.json
bad 1 "taken: expected a run in this folder*" verify taken
bad 1 "folder: expected a run, or config.json*" verify folder

# A run whose sources are known: of two candidates that are no programs. It is looked at, and asked.
# shellcheck disable=SC2086
"$phoenix" evolve --run runs/a --quiet --episodes 1 --batches 1 --candidates 2 --max-tokens 8 \
    $both >/dev/null 2>&1 || echo "no run was made"
cp -r runs/a runs/b
good "default: the first source*d_ff = 1024*" why runs/a default
good "0.0.1: candidate 1 of the 2 of batch 0 in episode 0*Model 0*made from*default*parse:*discarded*" \
    why runs/a 0.0.1
good "--- default*+++ 0.0.0*@@ -*" diff runs/a default 0.0.0
good "" diff runs/a default last
bad 1 "0.0.2: no candidate of runs/a: *0.0.1*" why runs/a 0.0.2
bad 1 "x: no candidate*" diff runs/a default x
bad 1 "nothing: expected a run in this folder*" why nothing last
bad 1 "nothing: expected a run in this folder*" diff nothing default last
bad 1 "nothing: expected a run in this folder*" report nothing
bad 1 "runs: *" report runs/a --out runs
bad 1 "missing: *" report runs/a --out missing/x.html
bad 2 "*--out*" report runs/a runs/b
mkdir pages
wrong=
run report runs/a --out pages/a.html --figures
[ "$code,$(cat "$work/seen/out" "$work/seen/err")" = 0,pages/a.html ] || wrong="exit code $code"
[ -s pages/figures/funnel.svg ] && [ -s pages/figures/funnel.csv ] || wrong="$wrong; no figures"
cp pages/a.html pages/again.html
run report runs/a --out pages/a.html
cmp -s pages/again.html pages/a.html || wrong="$wrong; another page of the same run"
run report runs/a
grep -q '<a href="journal.jsonl">' runs/a/report.html || wrong="$wrong; it does not lead to its files"
# The command that it shows makes a run with the same journal.
again=$(sed -n 's|.*<pre class="wrap"[^>]*>\(.*\) evolve \(.*\)</pre>.*|evolve \2|p' runs/a/report.html)
# shellcheck disable=SC2086
"$phoenix" $again --run runs/printed --quiet >/dev/null 2>&1
cmp -s runs/printed/journal.jsonl runs/a/journal.jsonl || wrong="$wrong; $again makes another run"
run report runs/a runs/b --out pages/ab.html
[ $code -eq 0 ] && grep -q "<h1>2 runs</h1>" pages/ab.html || wrong="$wrong; no page of two runs"
verdict "report runs/a" "$wrong"
# What is written takes the place of nothing that a run has written.
bad 1 "runs/a/journal.jsonl: is what a run has written*" report runs/a --out runs/a/journal.jsonl
bad 1 "runs/a/experience.csv: is what a run has written*" experience runs/a --out runs/a/experience.csv
bad 1 "runs/a/source.c: is what a run has written*" refine --count 1 --out runs/a/source.c
# shellcheck disable=SC2086
bad 1 "runs/a: is the folder of a run*" train good.c --out runs/a $stage
bad 1 "-: expected the name of a file*" experience runs/a --out -
ln -s runs/a/journal.jsonl journal-link
bad 1 "journal-link: is what a run has written*" experience runs/a --out journal-link
rm journal-link
echo garbage >>runs/b/journal.jsonl
bad 1 "runs/b/journal.jsonl:*" report runs/b
bad 1 "runs/b/journal.jsonl:*" why runs/b 0.0.0

# ---- tasks with images ----

"$phoenix" refine --task digits --count 1 | sed -n '/^#include/,/^}/p;/refined/q' >network.c
good '{"parameters":*"flops":*}' evaluate network.c --task digits --plan
good '*"status":"ok"*' evaluate network.c --task digits --images 32 --held-images 32
run evaluate network.c
verdict "evaluate network.c, a network where a T5 was expected" \
    "$([ $code -eq 3 ] && grep -q "expected a definition of t5" "$work/seen/out" || echo "exit code $code")"
good 'layer *in *out *parameters *operations*Linear(*sum *' evaluate network.c --task digits --layers
# A loss, other than a share of images, may be above 1.
run evolve --run loss --task digits --score mean --proposer rules --quiet --episodes 1 --batches 1 --candidates 1 \
    --images 32 --held-images 32 --image-epochs 1 --final-epochs 1 --fresh-seeds 0
verdict "evolve --task digits --score mean" "$([ $code -eq 0 ] || cat "$work/seen/err")"
rm -rf loss
bad 2 "--part final: *" evolve --run none --task digits --part final
bad 2 "--layers: *" evaluate network.c --layers
bad 3 "network.c: expected a definition of t5*" evaluate network.c --plan
bad 1 "source.c: *" evolve --run none --source source.c
lines=3 bad 3 "parse.c:10:*" evolve --run none --source parse.c
"$phoenix" train network.c --task digits --final-epochs 1 --out net >/dev/null 2>&1 || echo "no network was trained"
bad 1 "net: is the folder of a trained network *, expected that of a T5" trace net
bad 1 "net/model/source.c: is part of a trained model*" export net --out net/model/source.c
mkdir net-2.c
bad 1 "net-2.c: *no regular file" export net --out net-2.c
rmdir net-2.c
bad 2 "--weights t5.c: is the name of the C file*" export net --out t5.c --weights t5.c
bad 2 "*quote, backslash or control character*" export net --out 'a"b.c'
# A name that is a link stays one: what it leads to is written. What leads nowhere is refused.
echo old >elsewhere.c
ln -s elsewhere.c link.c
ln -s nowhere.c dangling.c
run export net --out link.c
verdict "export net --out link.c" "$([ -L link.c ] && grep -q net_run elsewhere.c || echo "the link was replaced")"
bad 1 "dangling.c: cannot follow this symbolic link*" export net --out dangling.c
rm -f link.c dangling.c elsewhere.c link.h
# What is multiplied from finite numbers need not be one, and is no answer then.
cp -r net overflows
sed 's/"deviation":\[[^]]*\]/"deviation":[1e-40]/' net/model/network.json >overflows/model/network.json
bad 1 "digits, from 0 on: the network's answer*too large for a float" predict overflows --task digits
printf 'x,y\n' >two.csv
for i in 1 2 3 4 5 6 7 8; do printf '%s,a\n-%s,b\n' $i $i; done >>two.csv
"$phoenix" train --data two.csv --label y --final-epochs 1 --out table >/dev/null 2>&1 || echo "no table was trained on"
sed '/"names":/d' table/model/network.json >nameless && cp nameless table/model/network.json
bad 1 "table/model/network.json: expected an array of 2 called \"names\"" predict table two.csv
bad 1 "--data good.c: would change nothing: --task digits*" predict net --data good.c
bad 1 "--task pairs: has no images*" predict net --task pairs
bad 1 "--task images: --data FOLDER was expected with it" evaluate network.c --task images
bad 1 "nowhere: *" evaluate network.c --task mnist --data nowhere
bad 1 "data/mnist: *make data*" evolve --run none --task mnist
bad 1 "data/mnist: *make data*" evolve --task mnist # says nothing of a folder that it then does not make
bad 1 "data/cifar-10: *make data*" evaluate network.c --task=cifar-10
bad 2 "--task x: expected one of self, digits, *" evaluate network.c --task x

# ---- model folders ----

# shellcheck disable=SC2086
"$phoenix" train good.c --out trained $stage >/dev/null 2>&1 || echo "no model was trained"
good "/\\* version 1*version 2*" generate trained/model --count 2 --max-tokens 4
good "/\\* version 1*" generate runs/a --count 1 --max-tokens 4
good "/\\* version 1*" generate trained/model good.c --count 1 --max-tokens 4 --greedy --diff
bad 1 "missing/config.json: *" generate missing
bad 1 "missing.c: *" generate trained/model missing.c
# Another folder of this program's is called what it is.
bad 1 "trained: is the folder of a T5 (phoenix generate*, expected that of a trained network" predict trained good.c
bad 1 "trained/model: is the folder of a T5 *, expected that of a run" report runs/a trained/model --out x.html
bad 1 "runs/a: is the folder of a run, in which there is no trained network so far" predict runs/a good.c
bad 1 "good.c: is no folder, expected that of a T5" generate good.c
bad 1 "huge.c: *" generate trained/model huge.c
for name in config.json model.safetensors tokenizer.json; do
    size=$(wc -c <trained/model/$name)
    for part in 0 1 2 3; do
        rm -rf broken
        cp -r trained/model broken
        dd if=trained/model/$name of=broken/$name bs=$((size / 4)) count=$part 2>/dev/null
        bad 1 "broken/$name*" generate broken --count 1
    done
    rm broken/$name
    bad 1 "broken*$name*" generate broken --count 1
done
PHOENIX_KERNEL=nothing
export PHOENIX_KERNEL
bad 1 "*PHOENIX_KERNEL*" generate trained/model
# shellcheck disable=SC2086
bad 1 "*PHOENIX_KERNEL*" train good.c --out out $stage
# shellcheck disable=SC2086
bad 1 "good.c: PHOENIX_KERNEL*" evaluate good.c $tiny
unset PHOENIX_KERNEL

# ---- what is right ----

good "phoenix [0-9]*" --version
good "*evolve*refine*train*generate*evaluate*report*why*diff*verify*" --help
verdict "--help, in 80 columns" "$("$phoenix" --help | awk 'length > 80')"
for command in evolve refine train generate evaluate verify report why diff; do
    good "phoenix $command*--help*" $command --help
done
for command in evolve refine train generate predict export evaluate table compare report why diff verify sandbox bench; do
    good "phoenix $command*options:*--help*" $command -h
    verdict "help $command all, in 80 columns" "$("$phoenix" help $command all | awk 'length > 80')"
    verdict "help $command all: a default is in its range" "$("$phoenix" help $command all | tr -s ' \n' ' ' |
        grep -o '([^ ()]* [.][.] [^ ()]*; default [^ ()]*)' | tr -d '(;)' | LC_ALL=C awk '$5 + 0 < $1 + 0 || $5 + 0 > $3 + 0')"
done
good "phoenix train*options:*--help*" help train
good "phoenix train*options:*--help*" --help train
good "phoenix train*options:*--warmup*" help train all
good "phoenix: *evolve*refine*" -h
good "phoenix [0-9]*" -V
good "phoenix [0-9]*" version
good "*more settings and options*" evolve --help
good "*the run:*the search:*--population*networks for images:*--flip*" evolve --help all
good "*--patience *--images *" evolve --task=digits -h all
case $("$phoenix" evolve -h) in
*"--patience"*) verdict "evolve -h" "has --patience, which few need" ;;
*) verdict "evolve -h" "" ;;
esac
good "*--images*" evolve --task=digits -h
good "*--size *" predict -h
good "*default 10)*" evolve --preset=first-look --help
for pair in "refine candidates" "refine deadline" "train strategy" "train images" "evaluate fresh-seeds" "evolve part"; do
    case $("$phoenix" help "${pair% *}" all) in
    *"--${pair#* } "*) verdict "help ${pair% *} all" "has --${pair#* }, of which it has no use" ;;
    *) verdict "help ${pair% *} all" "" ;;
    esac
done
good "*refined*" refine --count=1 --seed=3
good "phoenix sandbox*--help*" sandbox --help
good "this machine has*limits holds*limits does not hold*" sandbox
good "*phoenix.h*refined*" refine --count 1
good "entropy floor: *" refine --floor
# shellcheck disable=SC2086
good '{"source":"*"status":"ok"*"losses":*}' evaluate good.c $tiny
# shellcheck disable=SC2086
good '{"parameters":*"steps":*"flops":*"peak_bytes":*}' evaluate good.c $tiny --plan
for level in none limits; do
    # shellcheck disable=SC2086
    good '{"source":"*"sandbox":"'$level'"}' evaluate good.c $tiny --sandbox $level
done
# shellcheck disable=SC2086
case $("$phoenix" sandbox) in
*"is strict"*) good '{"source":"*"sandbox":"strict"}' evaluate good.c $tiny ;;
*) bad 1 "--sandbox strict: *" evaluate good.c $tiny --sandbox strict ;;
esac

# The byte order mark of a text that another program has saved is no part of it.
marked() { printf '\357\273\277' && cat "$1"; }
marked good.c >marked.c
marked net/model/network.json >marked.json && cp marked.json net/model/network.json
marked trained/model/config.json >marked.json && cp marked.json trained/model/config.json
marked trained/model/tokenizer.json >marked.json && cp marked.json trained/model/tokenizer.json
# shellcheck disable=SC2086
good "$("$phoenix" evaluate good.c $tiny --plan)" evaluate marked.c $tiny --plan
# shellcheck disable=SC2086
input=marked.c good "$("$phoenix" evaluate good.c $tiny --plan)" evaluate - $tiny --plan
good "*digits*right*" predict net --task digits
good "/\\* version 1*" generate trained/model marked.c --count 1 --max-tokens 4 --greedy --diff

# Both executors: the same sealed bytes, whatever becomes of the source.
sealed() {
    # shellcheck disable=SC2086
    "$phoenix" evaluate "$@" $tiny 2>"$work/seen/err" | sed 's/,"seconds":.*//'
}
for source in good parse check run; do
    wrong=
    want=$(sealed $source.c --executor interpret)
    [ "$(sealed $source.c --executor native)" = "$want" ] || wrong="another result"
    [ "$(sealed $source.c --executor native --cc /nothing/cc)" = "$want" ] || wrong="another result"
    case $source,$(cat "$work/seen/err") in
    [pc]*) ;; # nothing to compile
    *,"phoenix: --cc /nothing/cc: "*"the interpreter is used") ;;
    *) wrong="$wrong; it does not say that there is no compiler" ;;
    esac
    verdict "evaluate $source.c --executor native" "$wrong"
done
if command -v cc >/dev/null 2>&1; then
    printf '#!/bin/sh\nexec cc "$@" -Ofast\n' >fast && chmod +x fast
    wrong=
    want=$(sealed good.c --executor interpret)
    [ "$(sealed good.c --executor native --cc "$PWD/fast")" = "$want" ] || wrong="another result"
    case $(cat "$work/seen/err") in
    *"-ffast-math"*"the interpreter is used") ;;
    *) cc -Ofast -dM -E -x c /dev/null | grep -q 'FINITE_MATH_ONLY__ 1' && wrong="$wrong; it is not said" ;;
    esac
    verdict "--cc that has -Ofast" "$wrong"
    # shellcheck disable=SC2086
    good '{"source":"*"executor":"native","sandbox":"*"}' evaluate good.c $tiny --executor native
else
    skip "--executor native: cc is not here"
fi
# shellcheck disable=SC2086
input=good.c good '{"source":"*"status":"ok"*"losses":*}' evaluate - $tiny
run
wrong=
[ $code -eq 2 ] || wrong="exit code $code"
[ ! -s "$work/seen/out" ] || wrong="$wrong; something on standard output"
[ -s "$work/seen/err" ] || wrong="$wrong; it does not say how it is used"
verdict "" "$wrong"

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
