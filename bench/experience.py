# SPDX-License-Identifier: MIT
"""What runs of bench/experience.sh came to.

    experience.py row FOLDER TASK,ARM,SEED   prints a run's row
    experience.py CSV [ARM]                  each arm against that one (rules), in pairs: differences, exact sign flips, Holm

A row: the score of the first source and of the last one, both again after full training on fresh data, the
operations of all candidates that were trained, and of the T5s that wrote them, and how the best score fell with them ("GFLOP:score ...").
"""
import csv, json, random, sys


def row(folder, name):
    spent, best, curve, first, full = 0.0, None, [], None, {}
    for line in open(folder + "/journal.jsonl"):
        event = json.loads(line)
        if event["event"] in ("default", "evaluated"):
            if not event["reused"]:
                spent += event.get("flops", 0) / 1e9
            if event["status"] == "ok" and (best is None or event["score"] < best):
                best = event["score"]
                curve.append("%.3f:%.6g" % (spent, best))
            first = best if first is None else first
        elif event["event"] in ("trained", "proposed"):  # of a T5 that writes
            spent += event.get("flops", 0) / 1e9
        elif event["event"] == "compared":
            full["first" if event["candidate"] == 0 else "last"] = event["score"]
    cells = [full.get(k) for k in ("first", "last")]
    print(",".join([name, "%.6g" % first, "%.6g" % best] + ["" if c is None else "%.6g" % c for c in cells] +
                   ["%.3f" % spent, " ".join(curve)]))


def at_operations(r, limit):
    """The best score that the run had when it had spent so much."""
    score = float(r["first"])
    for step in r["curve"].split():
        spent, best = map(float, step.split(":"))
        if spent <= limit:
            score = best
    return score


def sign_flips(d):
    """The share of all choices of signs whose sum is as far from 0: exact, by the sums of two halves."""
    def sums(part):
        s = [0.0]
        for x in part:
            s = [a + b for a in s for b in (x, -x)]
        return sorted(s)
    import bisect
    total, left, right = abs(sum(d)) - 1e-12, sums(d[: len(d) // 2]), sums(d[len(d) // 2:])
    count = sum(len(right) - bisect.bisect_left(right, total - a) + bisect.bisect_right(right, -total - a)
                for a in left)
    return min(1.0, count / 2.0 ** len(d))


def holm(p):
    adjusted, running = [0.0] * len(p), 0.0
    for rank, i in enumerate(sorted(range(len(p)), key=lambda i: p[i])):
        running = max(running, min(1.0, (len(p) - rank) * p[i]))
        adjusted[i] = running
    return adjusted


def gain_in_full(r):
    """No last source but the first: nothing was gained."""
    return float(r["full_first"]) - float(r["full_last"]) if r["full_last"] else 0.0


def interval(d):
    """95 % of the means of as many draws from the differences."""
    draw = random.Random(1)
    means = sorted(sum(draw.choices(d, k=len(d))) / len(d) for _ in range(10000))
    return means[250], means[9749]


def table(path, base):
    """A row an arm: its differences from the base by the seeds that both have, and what they may be worth."""
    runs = {}
    for r in csv.DictReader(open(path)):
        runs.setdefault(r["task"], {}).setdefault(r["arm"], {})[r["seed"]] = r
    for task, arms in runs.items():
        if base not in arms:
            continue
        of_base = arms.pop(base)
        seeds = {a: sorted(set(of_base) & set(r), key=int) for a, r in arms.items()}
        spent = {s: min(float(a[s]["gflops"]) for a in [of_base, *arms.values()] if s in a) for s in of_base}
        measures = (lambda r, s: float(r["first"]) - float(r["last"]),
                    lambda r, s: float(r["first"]) - at_operations(r, spent[s]),
                    lambda r, s: gain_in_full(r))
        cells = {a: [str(len(seeds[a]))] for a in arms}
        mean = [sum(of(r, s) for s, r in of_base.items()) / len(of_base) for of in measures]
        for of in measures:
            d = {a: [of(arms[a][s], s) - of(of_base[s], s) for s in seeds[a]] for a in arms}
            p = [sign_flips(d[a]) for a in arms]
            for a, one, all_ in zip(arms, p, holm(p)):
                cells[a] += ["%+.4f [%+.4f, %+.4f]" % (sum(d[a]) / len(d[a]), *interval(d[a])), "%.4f" % all_]
        gflops = {a: sum(float(r[s]["gflops"]) for s in seeds[a]) / len(seeds[a]) for a, r in arms.items()}
        print("| `%s` | pairs | gain, equal candidates [95 %%] | Holm | equal operations | Holm | in full | Holm | GFLOPs |" % task)
        print("| --- " * 9 + "|")
        print("| %s | %d | %.4f |  | %.4f |  | %.4f |  | %.0f |" % (
            base, len(of_base), *mean, sum(float(r["gflops"]) for r in of_base.values()) / len(of_base)))
        for a in arms:
            print("| %s | %s | %.0f |" % (a, " | ".join(cells[a]), gflops[a]))
        print()


if __name__ == "__main__":
    row(sys.argv[2], sys.argv[3]) if sys.argv[1] == "row" else table(sys.argv[1], *(sys.argv[2:] or ["rules"]))
