#!/bin/sh
# SPDX-License-Identifier: MIT
# four tables of Debian's python3-sklearn: a network against nearest neighbours, Fisher's discriminant and least squares
#
# Each table is divided into five parts, and each part is the test set of a network, with default settings, and of the old
# methods, so that every row is answered once by each of them. The rule was fixed before the first run: a network may be
# worse than the best of the old methods by no more than two standard deviations of what chance does, by the sign test of
# McNemar (of the rows that only one of both has right, the network has at least half, less two deviations), or for numbers
# by the mean difference of the squared errors and its own deviation. The table as one file then goes through train, predict
# and export, which have to agree.
#
#   sh tests/suite_tables.sh [FOLDER]    FOLDER: where the tables are put as CSV files, to be tried
keep=
[ $# -eq 0 ] || keep=$(mkdir -p "$1" && cd "$1" && pwd) || exit 1
. "$(dirname "$0")/copy.sh"
passed=0 failed=0

for need in apt-get dpkg-deb; do
    command -v $need >/dev/null 2>&1 || missing=$need
done
if [ -n "${missing:-}" ] || ! (mkdir debian && cd debian && apt-get -qq download python3-sklearn && dpkg-deb -x ./*.deb .) >fetch.log 2>&1; then
    echo "SKIPPED: python3-sklearn cannot be had here: ${missing:-$(tail -n 1 fetch.log)}"
    echo "0 passed, 0 failed, 4 skipped"
    exit 0
fi
make -j2 >make.log 2>&1 || tail -n 5 make.log
phoenix=$copy/build/phoenix
data=debian/usr/lib/python3/dist-packages/sklearn/datasets/data

# The first line of those files says how many rows and columns there are, and what the classes 0, 1, 2 are called.
header() { # COLUMNS
    awk -v n="$1" 'BEGIN {for (i = 1; i <= n; i++) printf "x%d,", i; print "class"}'
}
named() { # FILE COLUMNS
    header "$2"
    awk -F , -v OFS=, 'NR == 1 {for (i = 3; i <= NF; i++) name[i - 3] = $i; next} {$NF = name[$NF]; print}' "$1"
}
named $data/iris.csv 4 >iris.csv
named $data/wine_data.csv 13 >wine.csv
named $data/breast_cancer.csv 30 >cancer.csv
gzip -dc $data/diabetes_data_raw.csv.gz | tr ' ' , >rows
gzip -dc $data/diabetes_target.csv.gz >targets
{
    header 10
    paste -d , rows targets
} >diabetes.csv

# answers MODEL FILE or OPTION...: a row's label and the network's answer, both as numbers.
answers() {
    $phoenix predict "$@" --json |
        sed -e 's/.*"class":\([0-9]*\),.*"label":\([0-9]*\),.*/\2 \1/' -e 's/.*"value":\([^,]*\),"label":\([^}]*\)}/\2 \1/'
}

# same TASK REPORTED ANSWERS: whether the share that is right, or R2, is what `train` printed, to its four digits.
same() {
    awk -v task="$1" -v reported="$2" '
        {n++; right += $1 == $2; sum += $1; squares += $1 * $1; error += ($1 - $2) ^ 2}
        END {
            share = task == "table" ? right / n : 1 - error / (squares - sum * sum / n)
            exit !(n > 0 && sprintf("%.2f", 100 * share) == reported)
        }' "$3"
}

# train TASK DATA OUT: to train.log and, of it, the percentage to $reported.
train() {
    check "$1 $2: training" $phoenix train --task "$1" --data "$2" --label class --out "$3"
    reported=$(sed -n 's/.*test rows \([0-9.]*\) %.*/\1/p' one.log)
}

# table NAME TASK
table() {
    table=$1 task=$2 numbers=0 rows=$(($(wc -l <"$1.csv") - 1))
    [ "$task" = table ] || numbers=1
    : >"$table.all"
    for part in 0 1 2 3 4; do
        rm -rf fold
        mkdir fold
        awk -v part=$part 'NR == 1 {print >"fold/train.csv"; print >"fold/test.csv"; next}
            {print >(NR % 5 == part ? "fold/test.csv" : "fold/train.csv")}' "$table.csv"
        train "$task" fold fold/model
        answers fold/model fold/test.csv >net
        awk -F , -v numbers=$numbers -f tests/vision/baselines.awk fold/train.csv fold/test.csv >old
        check "$table: as reported" same "$task" "$reported" net
        paste -d ' ' net old >>"$table.all"
    done
    # a line of it: the label and the network's answer, the label as it is written and the old methods' answers
    check "$table: no worse than what was there before" awk -v numbers=$numbers -v name="$table" -v rows=$rows '
        numbers {
            n++; sum += $1; squares += $1 ^ 2; net += ($1 - $2) ^ 2; old += ($1 - $4) ^ 2
            more = ($1 - $2) ^ 2 - ($1 - $4) ^ 2; difference += more; spread += more ^ 2
            next
        }
        {
            n++
            right += $1 == $2
            for (k = 4; k <= NF; k++) {
                was[k] += $3 == $k
                only[k] += $1 == $2 && $3 != $k
                other[k] += $1 != $2 && $3 == $k
            }
        }
        END {
            if (numbers) {
                variance = squares - sum ^ 2 / n
                worse = difference / sqrt(spread - difference ^ 2 / n)
                printf "%s: of %d rows R2 %.4f, least squares %.4f: %.2f deviations worse\n", name, n, \
                    1 - net / variance, 1 - old / variance, worse
            } else {
                best = was[4] > was[5] ? 4 : 5
                worse = only[best] + other[best] ? (other[best] - only[best]) / sqrt(only[best] + other[best]) : 0
                printf "%s: of %d rows %d right (%.2f %%), nearest neighbour %d (%.2f %%), Fisher %d (%.2f %%): %.2f deviations worse\n",
                    name, n, right, 100 * right / n, was[4], 100 * was[4] / n, was[5], 100 * was[5] / n, worse
            }
            exit !(n == rows && worse <= 2)
        }' "$table.all"
    tail -n 1 one.log
    train "$task" "$table.csv" "$table"
    echo "$table.csv: $(grep 'test rows' one.log)"
    answers "$table" --task "$task" --data "$table.csv" >net
    check "$table: predict says the same" same "$task" "$reported" net
    check "$table: export" $phoenix export "$table" --out "$table.c" --check --data "$table.csv"
    grep check: one.log
}
[ -z "$keep" ] || cp iris.csv wine.csv cancer.csv diabetes.csv "$keep" || exit 1
table iris table
table wine table
table cancer table
table diabetes regression
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ]
