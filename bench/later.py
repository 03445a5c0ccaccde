# SPDX-License-Identifier: MIT
"""Is the model of a later episode a better programmer than that of the first one?

    python3 bench/later.py [CSV]     goes on where CSV (bench/later.csv) ends, then says what may be said

Five runs (seeds 1 to 5) in which a T5 writes the candidates, of 4 episodes each: model 0 is the one that the
default source defined, model k that of the last episode, whose source was selected by scores. Both write 4 children
of each of the same 20 parents, drawn as the pairs that both were trained on, with the same random numbers; parents
and children are then scored alike. A child is better where it is a program and its score is lower than its parent's;
what is none, or has no score, gains nothing. Differences are of a parent's means, in pairs; p by exact sign
flips of the five runs.
"""
import csv, json, os, random, re, subprocess, sys, tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from experience import sign_flips

PHOENIX = os.environ.get("PHOENIX", "build/phoenix")
RUNS, EPISODES, PARENTS, CHILDREN = 5, 4, 20, 4
SETTINGS = "--d-model 32 --few-shot 128 --threads 1".split()
FIELDS = "run,model,parent,child,copy,status,parent_score,score".split(",")


def phoenix(*arguments, **more):
    done = subprocess.run([PHOENIX] + [str(a) for a in arguments], stdout=subprocess.PIPE, universal_newlines=True, **more)
    if done.returncode not in (0, 3):  # 3: a source without a score
        sys.exit("%s: exit code %d" % (" ".join(map(str, arguments[:2])), done.returncode))
    return done.stdout


def score(source, seed, known={}):
    """(status, score or None) of a text; the same text is scored once."""
    if (source, seed) not in known:
        said = json.loads(phoenix("evaluate", "-", "--seed", seed, *SETTINGS, input=source))
        known[source, seed] = said["status"], said["score"] if said["status"] == "ok" else None
    return known[source, seed]


def rows_of(run, work):
    folder = os.path.join(work, "run-%d" % run)
    phoenix("evolve", "--run", folder, "--seed", run, "--episodes", EPISODES, "--batches", 1, "--fresh-seeds", 0, "--proposer", "t5",
            "--held-out", 64, "--jobs", 1, "--quiet", *SETTINGS)
    pairs = os.path.join(work, "pairs.jsonl")
    phoenix("refine", "--count", PARENTS, "--seed", 5000 + run, "--out", pairs)
    for p, line in enumerate(open(pairs)):
        parent = json.loads(line)["source"]
        path = os.path.join(work, "parent.c")
        with open(path, "w") as f:
            f.write(parent)
        status, before = score(parent, run)
        if status != "ok":
            continue  # a parent too large for the budgets of a candidate
        for model, episode in (("0", 0), ("k", EPISODES - 1)):
            text = phoenix("generate", os.path.join(folder, "episode-%d" % episode, "model"), path, "--count", CHILDREN,
                           "--seed", p + 1, "--threads", 1)
            children = re.split(r"^/\* version .*\*/\n", text, flags=re.M)[1:]
            assert len(children) == CHILDREN, text
            for c, child in enumerate(children):
                child = child.rstrip("\n") + "\n"
                status, after = score(child, run)
                yield [run, model, p, c, int(child == parent), status, "%.6g" % before,
                       "" if after is None else "%.6g" % after]


def gain(r):
    return max(0.0, float(r["parent_score"]) - float(r["score"])) if r["score"] else 0.0


def say(rows):
    measures = (("programs with a score", lambda r: float(bool(r["score"]))),
                ("copies", lambda r: float(r["copy"])),
                ("better than the parent", lambda r: float(gain(r) > 0)),
                ("gain of those, 0 for others", gain))
    print("| of a child | model 0 | model k | difference [95 %] | p |\n| --- | --- | --- | --- | --- |")
    for title, of in measures:
        mean, by_run = {}, {}
        for model in "0k":
            mine = [r for r in rows if r["model"] == model]
            mean[model] = sum(map(of, mine)) / len(mine)
            for r in mine:
                by_run.setdefault(r["run"], {}).setdefault(r["parent"], {}).setdefault(model, []).append(of(r))
        d = {run: [sum(m["k"]) / len(m["k"]) - sum(m["0"]) / len(m["0"]) for m in parents.values()]
             for run, parents in by_run.items()}
        draw = random.Random(1)
        boots = sorted(sum(sum(draw.choices(x, k=len(x))) / len(x) for x in draw.choices(list(d.values()), k=len(d))) / len(d)
                       for _ in range(10000))
        runs = [sum(x) / len(x) for x in d.values()]
        print("| %s | %.4f | %.4f | %+.4f [%+.4f, %+.4f] | %.3f |" % (
            title, mean["0"], mean["k"], sum(runs) / len(runs), boots[250], boots[9749], sign_flips(runs)))
    print("\n%d runs, %d children of each model" % (len({r["run"] for r in rows}), len(rows) // 2))


def main():
    path = sys.argv[1] if len(sys.argv) > 1 else "bench/later.csv"
    have = list(csv.DictReader(open(path))) if os.path.exists(path) else []
    for run in range(1, RUNS + 1):
        if any(r["run"] == str(run) for r in have):
            continue
        with tempfile.TemporaryDirectory() as work:
            rows = list(rows_of(run, work))
        with open(path, "a") as f:  # a run's rows at once: one that was stopped leaves none
            out = csv.writer(f, lineterminator="\n")
            if f.tell() == 0:
                out.writerow(FIELDS)
            out.writerows(rows)
        have += [dict(zip(FIELDS, map(str, r))) for r in rows]
    say(have)


main()
