# SPDX-License-Identifier: MIT
"""The table and the CSV of one group of peers.sh.

    ratios.py GROUP RAW.jsonl OUT.csv

Ratios are of times within one round, the peer's over phoenix's: 2 means that phoenix is twice as fast.
"""
import csv, json, math, sys

BATCHES = 1024 // 8  # steps of a few-shot evaluation


def quantile(values, share):
    v = sorted(values)
    at = share * (len(v) - 1)
    low = int(at)
    return v[low] if low + 1 >= len(v) else v[low] + (at - low) * (v[low + 1] - v[low])


def median(values):
    return quantile(values, 0.5)


def geometric(values):
    return math.exp(sum(math.log(v) for v in values) / len(values))


def time_text(s):
    return "%.3g us" % (s * 1e6) if s < 1e-3 else "%.4g ms" % (s * 1e3) if s < 1 else "%.4g s" % s


def read(path):
    """{case: {by: {round: line}}}, in the order of the first round"""
    table = {}
    for text in open(path):
        line = json.loads(text)
        table.setdefault(line["case"], {}).setdefault(line["by"], {})[line["round"]] = line
    return table


def seconds(lines, rounds):
    return [lines[r]["seconds"] for r in rounds]


def compare(group, table, out):
    head = ["case", "peer", "phoenix_seconds", "share_of_peak", "peer_seconds", "ratio", "ratio_low", "ratio_high",
            "phoenix_rss_mib", "peer_rss_mib", "rounds"]
    out.writerow(head)
    print("%-30s %-13s %10s %7s %10s %7s %15s %9s" % ("case", "peer", "phoenix", "share", "peer", "ratio", "quartiles", "RSS MiB"))
    means, best = {}, []
    for case, by in table.items():
        ours = by.pop("phoenix", None)
        if not ours:
            continue
        ratios_of_peers = []
        for peer, lines in sorted(by.items()):
            rounds = sorted(set(ours) & set(lines))
            if not rounds:
                continue
            mine, theirs = seconds(ours, rounds), seconds(lines, rounds)
            ratios = [t / m for t, m in zip(theirs, mine)]
            share = median([ours[r].get("share", 0) for r in rounds])
            rss = [median([x[r]["rss_bytes"] / 2 ** 20 for r in rounds]) for x in (ours, lines)]
            ratio = median(ratios)
            ratios_of_peers.append(ratio)
            means.setdefault(peer, []).append(ratio)
            low, high = quantile(ratios, 0.25), quantile(ratios, 0.75)
            print("%-30s %-13s %10s %6.1f%% %10s %7.3f %7.3f-%-7.3f %4.0f/%-4.0f"
                  % (case, peer, time_text(median(mine)), 100 * share, time_text(median(theirs)), ratio, low, high, *rss))
            out.writerow([case, peer] + ["%.6g" % v for v in [median(mine), share, median(theirs), ratio, low, high] + rss] + [len(rounds)])
        if ratios_of_peers:
            best.append((min(ratios_of_peers), case))
    if len(best) > 1:
        for peer, ratios in sorted(means.items()):
            print("%-30s %-13s geometric mean of the ratio over %d cases: %.3f" % (group, peer, len(ratios), geometric(ratios)))
        print("%-30s %-13s geometric mean %.3f; the lowest %.3f at %s"
              % (group, "best of them", geometric([b[0] for b in best]), *min(best)))


def fewshot(table, out):
    """What an evaluation costs in core-seconds, and what each difference between the two ways makes of it."""
    chain = [("threads", "as the papers: 100 tokens, vocabulary 32,100, padded, one process on all cores", "fewshot/papers"),
             ("papers", "processes instead of threads: the same on one core", "fewshot/papers"),
             ("tokens", "tokens: phoenix's source, padded to 25", "fewshot/tokens"),
             ("vocabulary", "vocabulary: 377 tokens", "fewshot/vocabulary"),
             ("padding", "no padding: 24 tokens", "fewshot/padding")]
    ours = table["evaluate/default-512"]["phoenix"]
    rounds = set(ours)
    for by, _, case in chain:
        rounds &= set(table[case][by])
    costs = [[table[case][by][r]["seconds"] * BATCHES * table[case][by][r]["threads"] for r in sorted(rounds)] for by, _, case in chain]
    costs.append([ours[r]["seconds"] for r in sorted(rounds)])
    names = [name for _, name, _ in chain] + ["kernels: phoenix, all of it (its data and tokenizer too)"]
    out.writerow(["step", "core_seconds", "factor", "factor_in_all"])
    print("%-82s %12s %7s %7s" % ("a few-shot evaluation: 1024 pairs, batch 8, d_model 512", "core-seconds", "factor", "in all"))
    for i, name in enumerate(names):
        factor = median([a / b for a, b in zip(costs[max(i - 1, 0)], costs[i])])
        in_all = median([a / b for a, b in zip(costs[0], costs[i])])
        print("%-82s %12.2f %7.2f %7.2f" % (name, median(costs[i]), factor, in_all))
        out.writerow([name] + ["%.6g" % v for v in (median(costs[i]), factor, in_all)])


def main():
    group, raw, path = sys.argv[1:4]
    table = read(raw)
    with open(path, "w", newline="") as file:
        out = csv.writer(file)
        if group == "fewshot":
            fewshot(table, out)
        else:
            compare(group, table, out)


main()
