# SPDX-License-Identifier: MIT
"""Networks worth deploying: what searches of --scope deploy-all find with equal operations, beside the first source
and a network by hand (docs/residual.c).

    python3 bench/deploy.py DATA CSV [TASK...]      goes on where CSV ends; tasks: digits mnist cifar-10 ...

DATA has a folder for each task's images, named as the task; digits need none. A search is charged for its candidates'
trainings, for a T5's and for what that writes, in the journal's own counts, and ends with the last candidate that is
paid for. The best of its candidates by held-out images is then trained on the whole training set, as often as SEEDS
says and each time with another seed, and measured on the test set. A row of the CSV is a search, or one of the two
networks beside it; rows that are there are not made again, and a run that was stopped goes on.

Arms: counts, rules (both greedy), ageing (regularised evolution), random, halving (of refinements, by counts),
inherit (greedy, by counts, --inherit yes).

From the environment: PHOENIX=build/phoenix  RUNS=runs/deploy (folder of the runs)  JOBS=2  ARMS= and SEARCHES= (seeds;
only these)
"""
import csv, json, os, signal, subprocess, sys, tempfile, time

PHOENIX = os.environ.get("PHOENIX", "build/phoenix")
RUNS = os.environ.get("RUNS", "runs/deploy")
JOBS = os.environ.get("JOBS", "2")
FIELDS = "task,seed,arm,candidates,gflops,held_wrong,test_wrong,test_least,test_most,parameters,flash,ram,image_flops".split(",")

# Operations of a search, the most of one candidate, searches, trainings of a winner, and other settings. "small" has
# 64 kB of weights and 32 kB of activations, a byte each; budgets are counted with four.
SMALL = "--budget-flash 262144 --budget-ram 131072".split()
TASKS = {
    "digits": (6e11, 6e10, 3, 1, []),
    "mnist": (1e13, 1e12, 3, 1, "--final-epochs 6".split()),
    "fashion-mnist": (1e13, 1e12, 3, 1, []),
    "emnist": (1e13, 1e12, 3, 1, "--final-epochs 6".split()),
    "cifar-10": (3e13, 3e12, 2, 1, "--final-epochs 15".split()),
    "mnist-small": (1e13, 1e12, 1, 1, "--final-epochs 6".split() + SMALL),
    "cifar-10-small": (3e13, 3e12, 1, 1, "--final-epochs 15".split() + SMALL),
}
ARMS = {
    "counts": "--strategy greedy --proposer counts".split(),
    "rules": "--strategy greedy --proposer rules".split(),
    "ageing": "--strategy ageing --proposer rules".split(),
    "random": "--strategy random".split(),
    "halving": "--strategy refined-halving --proposer counts".split(),
    "inherit": "--strategy greedy --proposer counts --inherit yes".split(),
}


def options(task, data):
    name = task.replace("-small", "")
    return ["--task", name] + ([] if name == "digits" else ["--data", os.path.join(data, name)])


def events(folder):
    """The whole lines of a run's journal."""
    try:
        with open(os.path.join(folder, "journal.jsonl")) as f:
            return [json.loads(line) for line in f if line.endswith("\n")]
    except FileNotFoundError:
        return []


def found(folder, budget):
    """(whether all is spent, best text, its score, candidates, operations) of what the budget pays for."""
    texts, spent, best, count, share = [None], 0, None, 0, 1  # only "asked" names another share
    for e in events(folder):
        if e["event"] == "asked":
            share = e.get("share", 1)
        elif e["event"] == "proposed":
            texts += e["texts"]
        more = 0 if e.get("reused") else e.get("flops", 0)
        if spent + more > budget:
            return True, best, count, spent
        spent += more
        if e["event"] in ("default", "evaluated"):
            count += 1
            if e["status"] == "ok" and share == 1 and (not best or e["score"] < best[1]):
                best = texts[e["candidate"]], e["score"]
    return False, best, count, spent


def search(task, data, arm, seed):
    """Goes on with the run until the budget is spent; an interrupt ends it as Ctrl-C would."""
    budget, most, _, _, more = TASKS[task]
    folder = os.path.join(RUNS, "%s-%s-%d" % (task, arm, seed))
    command = [PHOENIX, "evolve", "--run", folder, "--quiet", "--jobs", JOBS]
    if events(folder):
        command += ["--resume"] + options(task, data)[2:]
    else:
        command += options(task, data) + ["--scope", "deploy-all", "--seed", str(seed), "--episodes", "1000", "--batches", "1"]
        command += ["--max-flops", "%g" % most, "--deadline", "1000000"] + more + ARMS[arm]
    if not found(folder, budget)[0]:
        with open(folder + ".log", "a") as log:
            run = subprocess.Popen(command, stdout=log, stderr=log)
            try:
                while run.poll() is None and not found(folder, budget)[0]:
                    time.sleep(1)
            finally:
                if run.poll() is None:
                    run.send_signal(signal.SIGINT)
                run.wait()
    over, best, count, spent = found(folder, budget)
    if not over:
        sys.exit("%s: the run ended with %g of %g operations; see %s.log" % (folder, spent, budget, folder))
    return best, count, spent


def first_source(task, data):
    """Of the scope; a training of it leaves it beside the network."""
    with tempfile.TemporaryDirectory() as folder:
        command = [PHOENIX, "train", "--out", folder, "--quiet"] + options(task, data)
        subprocess.run(command + ["--scope", "deploy-all", "--final-epochs", "1"], check=True, stdout=subprocess.DEVNULL)
        return open(os.path.join(folder, "model", "source.c")).read()


def say(command, text):
    done = subprocess.run(command, input=text, stdout=subprocess.PIPE, universal_newlines=True)
    if done.returncode != 0:
        sys.exit("%s: exit code %d" % (" ".join(command), done.returncode))
    return json.loads(done.stdout)


def in_earnest(task, data, text, seed):
    """What a program comes to on the test set, and what its network takes."""
    _, _, _, times, more = TASKS[task]
    more = [m for m in more if m not in SMALL]
    base = [PHOENIX, "evaluate", "-"] + options(task, data) + ["--scope", "deploy-all", "--deadline", "1000000"] + more
    wrong = [say(base + ["--part", "final", "--threads", JOBS, "--seed", str(1000 * (seed + 1) + i)], text)["score"]
             for i in range(times)]
    takes = say(base + ["--plan"], text)
    return ["%.6g" % (sum(wrong) / times), "%.6g" % min(wrong), "%.6g" % max(wrong)] + [
        takes[k] for k in ("parameters", "flash", "ram", "image_flops")]


def main(data, path, tasks):
    done = set()
    if os.path.exists(path):
        done = {(r["task"], r["seed"], r["arm"]) for r in csv.DictReader(open(path))}
    else:
        with open(path, "w") as f:
            f.write(",".join(FIELDS) + "\n")
    os.makedirs(RUNS, exist_ok=True)
    arms = os.environ.get("ARMS", " ".join(ARMS)).split()
    for task in tasks:
        for seed in range(1, TASKS[task][2] + 1):
            if os.environ.get("SEARCHES") and str(seed) not in os.environ["SEARCHES"].split():
                continue
            for arm in ["default", "hand"] + arms:
                if (task, str(seed), arm) in done:
                    continue
                print("%s, seed %d: %s" % (task, seed, arm), file=sys.stderr, flush=True)
                row = [task, seed, arm]
                if arm in ARMS:
                    best, count, spent = search(task, data, arm, seed)
                    row += [count, "%.0f" % (spent / 1e9), "%.6g" % best[1]]
                    text = best[0] or first_source(task, data)
                else:
                    row += ["", "", ""]
                    text = open("docs/residual.c").read() if arm == "hand" else first_source(task, data)
                row += in_earnest(task, data, text, seed)
                with open(path, "a") as f:
                    f.write(",".join(map(str, row)) + "\n")


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(1))  # ends a run as well, by search()
    if len(sys.argv) < 3 or not set(sys.argv[3:]) <= set(TASKS):
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2], sys.argv[3:] or ["digits"])
