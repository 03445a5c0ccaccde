# SPDX-License-Identifier: MIT
"""What the trainings of bench/corpus.sh came to.

    corpus.py [CSV]    each kind of training against that without a corpus: differences by seed, 95 % intervals, exact sign flips
"""
import csv, sys
from experience import interval, sign_flips

MEASURES = ("distance", "one_edit", "legal", "total_variation")


def mean(values):
    return sum(values) / len(values)


def line(name, cells):
    print("| " + " | ".join([*name, *cells]) + " |")


def versus(name, own, base):
    """Own less base, of the seeds that both have."""
    seeds = sorted(set(own) & set(base), key=int)
    cells = [str(len(seeds)), "%.0f" % mean([float(own[s]["gflops"]) for s in seeds])] if seeds else []
    for m in MEASURES if seeds else ():
        d = [float(own[s][m]) - float(base[s][m]) for s in seeds]
        cells.append("%+.4f [%+.4f, %+.4f] %.2f" % (mean(d), *interval(d), sign_flips(d)))
    if seeds:
        line(name, cells)


def main(path):
    runs = {}
    for r in csv.DictReader(open(path)):
        pairs, arm = (r["pairs"], r["corpus"]) if r["control_of"] == "0" else (r["control_of"], "equal")
        runs.setdefault((r["form"], int(pairs)), {}).setdefault(arm, {})[r["seed"]] = r
    line(("form", "pairs", "training"), ("seeds", "GFLOP", *MEASURES))
    line(("---",) * 3, ("---",) * (2 + len(MEASURES)))
    for (form, pairs), arms in sorted(runs.items()):
        none = arms.get("none", {})
        if not none:
            continue
        line((form, str(pairs), "without"), [str(len(none)), "%.0f" % mean([float(r["gflops"]) for r in none.values()])] +
             ["%.4f" % mean([float(r[m]) for r in none.values()]) for m in MEASURES])
        versus((form, str(pairs), "tree less without"), arms.get("tree", {}), none)
        versus((form, str(pairs), "tree less equal operations"), arms.get("tree", {}), arms.get("equal", {}))
        versus((form, str(pairs), "sources less without"), arms.get("sources", {}), none)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "bench/corpus.csv")
