# SPDX-License-Identifier: MIT
"""What runs of bench/transfer.sh came to.

    transfer.py row FOLDER TASK,ARM,SEED     prints a run's row
    transfer.py CSV [EXPERIENCE]             for each task left out, what the others' experience saved

A row: how the best score fell with the evaluations, of which the first source is one ("1:0.5 4:0.3 25:0.3"; the last is how many
there were). EXPERIENCE: the folder of each task's outcomes: which edits it shares with which others, by their names.
"""
import csv, json, os, sys
from experience import holm, interval, sign_flips


def row(folder, name):
    count, best, curve = 0, None, []
    for line in open(folder + "/journal.jsonl"):
        event = json.loads(line)
        if event["event"] not in ("default", "evaluated") or event["reused"]:
            continue
        count += 1
        if event["status"] == "ok" and (best is None or event["score"] < best):
            best = event["score"]
            curve.append("%d:%.6g" % (count, best))
    print(",".join([name, " ".join(curve + ["%d:%.6g" % (count, best)])]))


def curve_of(r):
    return [(int(n), float(s)) for n, s in (step.split(":") for step in r["curve"].split())]


def needed(curve, score):
    """Evaluations until the score; one more than there were, where it never came."""
    return next((n for n, s in curve if s <= score), curve[-1][0] + 1)


def names(path):
    return {e[:-1] for r in csv.DictReader(open(path)) for e in r["edits"].split() if e != "?"}


def shared(folder):
    known = {f[:-4]: names(os.path.join(folder, f)) for f in sorted(os.listdir(folder))}
    for task, own in known.items():
        met = {other: sorted(own & theirs) for other, theirs in known.items() if other != task}
        told = "; ".join("%s: %s" % (o, " ".join(n)) for o, n in met.items() if n)
        print("%s has edits in common with %s" % (task, told or "no other task: nothing can pass"))


def table(path):
    runs = {}
    for r in csv.DictReader(open(path)):
        runs.setdefault(r["task"], {}).setdefault(r["seed"], {})[r["arm"]] = curve_of(r)
    arm, tests, lines = "counts of the others", [], []
    for task, seeds in runs.items():
        whole = [a for a in seeds.values() if {"rules", "counts", arm} <= a.keys()]
        for base in "rules", "counts":
            if len(whole) < 2:
                continue
            goal = [a["rules"][-1][1] for a in whole]
            saved = [needed(a[base], g) - needed(a[arm], g) for a, g in zip(whole, goal)]
            gain = [a[base][-1][1] - a[arm][-1][1] for a in whole]
            tests.append(sign_flips(saved))
            lines.append((task, base, len(whole),
                          sum(needed(a[base], g) for a, g in zip(whole, goal)) / len(whole),
                          "%+.1f [%+.1f, %+.1f]" % (sum(saved) / len(saved), *interval(saved)),
                          "%+.4f [%+.4f, %+.4f]" % (sum(gain) / len(gain), *interval(gain))))
    print("| left out | against | pairs | its evaluations to the rules' last score | saved by the others' outcomes [95 %] | Holm "
          "| last score lower by [95 %] |")
    print("| --- " * 7 + "|")
    for (task, base, pairs, own, saved, gain), p in zip(lines, holm(tests)):
        print("| %s | %s | %d | %.1f | %s | %.4f | %s |" % (task, base, pairs, own, saved, p, gain))


if __name__ == "__main__":
    if sys.argv[1] == "row":
        row(sys.argv[2], sys.argv[3])
    else:
        table(sys.argv[1])
        if len(sys.argv) > 2:
            shared(sys.argv[2])
