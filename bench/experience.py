"""What runs of bench/experience.sh came to.

    experience.py row FOLDER TASK,ARM,SEED   prints a run's row
    experience.py CSV                        each arm against "rules", in pairs: differences, exact sign flips, Holm

A row: the score of the first source and of the last one, both again after full training on fresh data, the
operations of all candidates that were trained, and how the best score fell with them ("GFLOP:score ...").
"""
import csv, json, sys


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


def table(path):
    runs = {}
    for r in csv.DictReader(open(path)):
        runs.setdefault(r["task"], {}).setdefault(r["arm"], {})[r["seed"]] = r
    for task, arms in runs.items():
        seeds = sorted(set.intersection(*[set(a) for a in arms.values()]), key=int)
        spent = {s: min(float(a[s]["gflops"]) for a in arms.values()) for s in seeds}
        measures = (("gain, equal candidates", lambda r, s: float(r["first"]) - float(r["last"])),
                    ("gain, equal operations", lambda r, s: float(r["first"]) - at_operations(r, spent[s])),
                    ("gain in full", lambda r, s: gain_in_full(r)))
        print("\n%s: %d paired seeds; operations of a run: %s GFLOP" % (task, len(seeds), ", ".join(
            "%s %.1f" % (a, sum(float(runs[task][a][s]["gflops"]) for s in seeds) / len(seeds)) for a in arms)))
        for title, of in measures:
            mean = {a: sum(of(arms[a][s], s) for s in seeds) / len(seeds) for a in arms}
            others = [a for a in arms if a != "rules"]
            d = {a: [of(arms[a][s], s) - of(arms["rules"][s], s) for s in seeds] for a in others}
            p = [sign_flips(d[a]) for a in others]
            print("\n| %s | mean | less rules | larger in | p | Holm |\n| --- | --- | --- | --- | --- | --- |" % title)
            print("| rules | %.4f |  |  |  |  |" % mean["rules"])
            for a, one, all_ in zip(others, p, holm(p)):
                print("| %s | %.4f | %+.4f | %d of %d | %.4f | %.4f |" % (
                    a, mean[a], mean[a] - mean["rules"], sum(x > 0 for x in d[a]), len(seeds), one, all_))


if __name__ == "__main__":
    row(sys.argv[2], sys.argv[3]) if sys.argv[1] == "row" else table(sys.argv[1])
