#!/usr/bin/env python3
"""`infoplane correlate` against figures computed here, by other means: runs with made-up measures, scored by the public
leaderboard's table and by results files as lm-evaluation-harness writes them.

  python3 correlate_check.py PROGRAM FOLDER [LEADERBOARD.csv]

Writes runs and results files into FOLDER, runs PROGRAM, and compares every r, partial r and p. Standard library only.
Ranks are found by counting, partial correlations by the recursion formula, Student's p by integrating its density: none
is the way the program goes. Ends with 1 when a figure is further off than 1e-10."""
import csv, json, math, os, random, subprocess, sys

program, folder = sys.argv[1], sys.argv[2]
random.seed(5)
worst = 0.0


def pearson(x, y):
    mx, my = math.fsum(x) / len(x), math.fsum(y) / len(y)
    top = math.fsum((a - mx) * (b - my) for a, b in zip(x, y))
    return top / math.sqrt(math.fsum((a - mx) ** 2 for a in x) * math.fsum((b - my) ** 2 for b in y))


def ranks(x):
    return [sum(b < a for b in x) + (sum(b == a for b in x) + 1) / 2 for a in x]


def partial(x, y, given):
    if not given:
        return pearson(x, y)
    *rest, z = given
    a, b, c = partial(x, y, rest), partial(x, z, rest), partial(y, z, rest)
    return (a - b * c) / math.sqrt((1 - b * b) * (1 - c * c))


def student(r, freedom):
    """Two-sided p: the density of r under no correlation, (1 - r^2)^(freedom/2 - 1), by Simpson's rule in sin(angle)."""
    def area(low, high, n=20000):
        h = (high - low) / n
        f = lambda a: math.cos(a) ** (freedom - 1)
        return h / 3 * (f(low) + f(high) + 4 * math.fsum(f(low + (2 * i + 1) * h) for i in range(n // 2))
                        + 2 * math.fsum(f(low + 2 * i * h) for i in range(1, n // 2)))
    return area(math.asin(abs(r)), math.pi / 2) / area(0, math.pi / 2)


def make_run(path, name, x, y, parameters, loss):
    layer = lambda l: {"layer": l, "H": 2, "context": 1.9, "X": [{"I": x, "distinct": 3}], "Y": [{"I": y, "distinct": 3}]}
    os.makedirs(path)
    run = {"schema": "infoplane.run/1", "infoplane": {"isa": "scalar", "compute": "f32", "threads": 1}, "run": {"started": ""},
           "model": {"path": "m", "name": name, "family": "llama", "parameters": parameters, "layers": 1, "width": 8,
                     "vocabulary": 9, "weights": "F32", "weights_stored": "F32"},
           "corpus": {"files": [], "documents": 4, "tokens": 40, "positions": 30, "max_tokens": 512, "text_fingerprint": "aa"},
           "estimator": {"bins": 100, "calibration": "vmf-bound", "seed": 0, "orders": 1, "labels": "exact", "min_count": 2,
                         "count_at": "corpus"},
           "loss": {"nats_per_token": loss, "tokens": 36}, "layers": [layer(0), layer(1)]}
    with open(os.path.join(path, "run.json"), "w") as f:
        json.dump(run, f)


def check(what, got, wanted):
    global worst
    worst = max(worst, abs(got - wanted))
    if not abs(got - wanted) <= 1e-10:
        sys.exit("FAILED: %s: %.17g, wanted %.17g" % (what, got, wanted))


def compare(result, models, scores):
    """models: name -> measures, parameters, loss; scores: name -> task -> score."""
    names = [m["name"] for m in result["models"]]
    if sorted(names) != sorted(set(models) & set(scores)):
        sys.exit("FAILED: the models are %s" % names)
    size = [math.log10(models[n]["parameters"]) for n in names]
    loss = [models[n]["loss"] for n in names]
    count = 0
    for e in result["entries"]:
        x = [models[n][e["measure"]] for n in names]
        y = [scores[n][e["task"]] for n in names]
        what = e["measure"] + ", " + e["task"]
        given = [[size], [size, loss]]
        for method, f in (("pearson", lambda v: v), ("spearman", ranks)):
            r = pearson(f(x), f(y))
            check(what, e[method]["r"], r)
            check(what + ": p", e[method]["p_t"], student(r, len(x) - 2))
            for k, z in enumerate(given):
                r = partial(f(x), f(y), [f(v) for v in z])
                check(what + ": partial", e["partial"][k][method]["r"], r)
                check(what + ": partial p", e["partial"][k][method]["p_t"], student(r, len(x) - 2 - len(z)))
        count += 1
    return count


def correlate(runs, scores):
    done = subprocess.run([program, "correlate", *runs, "--scores", scores, "--json", "--bootstrap", "100"],
                          capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit("FAILED: exit %d: %s" % (done.returncode, done.stderr))
    return json.loads(done.stdout), done.stderr


def measure(names, where, sizes):
    models, runs = {}, []
    for i, name in enumerate(names):
        x, y = random.uniform(1, 2), random.uniform(0.5, 1)
        models[name] = {"complexity": x, "expressivity": y, "optimality": y / x, "parameters": sizes[i],
                        "loss": random.uniform(2, 4)}
        runs.append(os.path.join(folder, where, str(i)))
        make_run(runs[-1], name, x, y, sizes[i], models[name]["loss"])
    return models, runs


# ---- results files ----
names = ["lab/one-%d" % i for i in range(5)] + ["other/two-%d" % i for i in range(4)]
models, runs = measure(names, "harness-runs", [random.randrange(10**7, 10**9) for _ in names])
scores = {}
for i, name in enumerate(names):
    value = lambda: round(random.random(), 4)
    bbh, ifeval, gsm = value(), value(), value()
    scores[name] = {"gsm8k": gsm, "leaderboard_bbh": bbh, "leaderboard_ifeval": ifeval, "mean": (gsm + bbh + ifeval) / 3}
    document = {
        "results": {
            "leaderboard": {"alias": "leaderboard"},
            "leaderboard_bbh": {"alias": " - leaderboard_bbh", "acc_norm,none": bbh, "acc_norm_stderr,none": 0.006},
            "leaderboard_bbh_boolean_expressions": {"alias": "  - boolean", "acc_norm,none": value(), "acc_norm_stderr,none": 0.03},
            "leaderboard_ifeval": {"alias": " - leaderboard_ifeval", "sample_len": 541, "prompt_level_strict_acc,none": ifeval,
                                   "prompt_level_strict_acc_stderr,none": 0.02, "inst_level_strict_acc,none": value(),
                                   "inst_level_strict_acc_stderr,none": "N/A"},
            "gsm8k": {"alias": "gsm8k", "exact_match,strict-match": value(), "exact_match_stderr,strict-match": 0.01,
                      "exact_match,flexible-extract": gsm, "exact_match_stderr,flexible-extract": 0.01},
            "wikitext": {"alias": "wikitext", "word_perplexity,none": 20 + value(), "word_perplexity_stderr,none": "N/A"}},
        "groups": {"leaderboard_bbh": {"alias": " - leaderboard_bbh", "acc_norm,none": bbh}},
        "group_subtasks": {"leaderboard": ["leaderboard_bbh", "leaderboard_ifeval"], "gsm8k": [], "wikitext": [],
                           "leaderboard_bbh": ["leaderboard_bbh_boolean_expressions"]},
        "configs": {}, "versions": {"gsm8k": 3.0}, "n-shot": {"gsm8k": 5},
        "higher_is_better": {"gsm8k": {"exact_match": True}, "wikitext": {"word_perplexity": False}},
        "n-samples": {"gsm8k": {"original": 1319, "effective": 1319}},
        "config": {"model": "hf", "model_args": "pretrained=%s,dtype=bfloat16" % name, "model_num_parameters": 12345, "limit": None},
        "git_hash": "0000000", "date": 1765108800.0}
    if i % 2:
        document["model_name"], document["config"]["model_args"] = name, {"pretrained": name}
    place = os.path.join(folder, "harness", name.replace("/", "__"))
    os.makedirs(place)
    with open(os.path.join(place, "results_2026-01-0%d.json" % (i + 1)), "w") as f:
        json.dump(document, f, indent=2)
result, said = correlate(runs, os.path.join(folder, "harness"))
print("results files: %d measures and tasks" % compare(result, models, scores))
if "less is better" not in said:
    sys.exit("FAILED: nothing said of the perplexity")

# ---- the public leaderboard ----
if len(sys.argv) > 3:
    tasks = ["IFEval", "BBH", "MATH Lvl 5", "GPQA", "MUSR", "MMLU-PRO"]
    best, rows, size = {}, {}, {}
    with open(sys.argv[3], encoding="utf-8", newline="") as f:
        for row in csv.DictReader(f):
            name, average = row["fullname"], float(next(row[k] for k in row if k and k.startswith("Average")))
            rows[name] = rows.get(name, 0) + 1
            if name not in best or average > best[name][0]:
                best[name] = average, row
            size[name] = float(row["#Params (B)"])
    several = sorted(n for n in rows if rows[n] > 1 and size[n] > 0)
    names = several[:6] + random.sample(sorted(n for n in rows if rows[n] == 1 and size[n] > 0), 24)
    models, runs = measure(names, "leaderboard-runs", [int(size[n] * 1e9) for n in names])
    scores = {n: {t: float(best[n][1][t]) for t in tasks} for n in best}
    for n in scores:
        scores[n]["mean"] = sum(scores[n].values()) / len(tasks)
    make_run(os.path.join(folder, "nobody"), "nobody/knows", 1, 1, 1, 1)
    result, said = correlate(runs + [os.path.join(folder, "nobody")], sys.argv[3])
    print("leaderboard: %d measures and tasks, %d models, %d of them with several rows, %d scores without a run" % (
        compare(result, models, scores), len(names), len(several[:6]), len(result["scores_without_runs"])))
    if result["runs_without_scores"] != ["nobody/knows"] or len(result["scores_without_runs"]) != len(best) - len(names):
        sys.exit("FAILED: what has no partner is not named")
    for n in several[:6]:
        if "%s has %d rows" % (n, rows[n]) not in said:
            sys.exit("FAILED: nothing said of the rows of %s" % n)
print("largest difference %.3g" % worst)
