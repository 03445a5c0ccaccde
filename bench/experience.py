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
    """Each arm's seeds are those that the base has as well."""
    runs = {}
    for r in csv.DictReader(open(path)):
        runs.setdefault(r["task"], {}).setdefault(r["arm"], {})[r["seed"]] = r
    for task, arms in runs.items():
        rules = arms.pop(base)
        seeds = {a: sorted(set(rules) & set(r), key=int) for a, r in arms.items()}
        spent = {s: min(float(a[s]["gflops"]) for a in [rules, *arms.values()] if s in a) for s in rules}
        measures = (("gain, equal candidates", lambda r, s: float(r["first"]) - float(r["last"])),
                    ("gain, equal operations", lambda r, s: float(r["first"]) - at_operations(r, spent[s])),
                    ("gain in full", lambda r, s: gain_in_full(r)))
        print("\n%s: GFLOP of a run: %s %.1f, %s" % (
            task, base, sum(float(r["gflops"]) for r in rules.values()) / len(rules), ", ".join(
                "%s %.1f" % (a, sum(float(arms[a][s]["gflops"]) for s in seeds[a]) / len(seeds[a])) for a in arms)))
        for title, of in measures:
            d = {a: [of(arms[a][s], s) - of(rules[s], s) for s in seeds[a]] for a in arms}
            p = [sign_flips(d[a]) for a in arms]
            print("\n| %s | pairs | mean | of %s | difference [95 %%] | larger in | p | Holm |" % (title, base))
            print("| --- | --- | --- | --- | --- | --- | --- | --- |")
            for a, one, all_ in zip(arms, p, holm(p)):
                n = len(seeds[a])
                print("| %s | %d | %.4f | %.4f | %+.4f [%+.4f, %+.4f] | %d | %.4f | %.4f |" % (
                    a, n, sum(of(arms[a][s], s) for s in seeds[a]) / n, sum(of(rules[s], s) for s in seeds[a]) / n,
                    sum(d[a]) / n, *interval(d[a]), sum(x > 0 for x in d[a]), one, all_))


if __name__ == "__main__":
    row(sys.argv[2], sys.argv[3]) if sys.argv[1] == "row" else table(sys.argv[1], *(sys.argv[2:] or ["rules"]))
