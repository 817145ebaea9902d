#!/usr/bin/env python3
"""Judges a page of `infoplane report` from its bytes alone, with Python's own library.

    report_check.py PAGE RUN.json... [overlap.json...]

The page is well-formed: every element is closed by its own end tag, in order; no id stands twice; every reference
finds its id; nothing is loaded from outside; no script but the page's own. Every number of the tables of layers, means,
losses, the lens and the overlap is that of its JSON, digit for digit in value="" and rounded in the text.
"""
import html.parser
import json
import math
import re
import sys

VOID = {"meta", "link", "input", "br", "hr", "img"}
LN2 = math.log(2)
problems = []


def problem(text):
    problems.append(text)


class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.stack, self.ids, self.references = [], {}, []
        self.tables, self.scripts, self.svgs, self.titles = [], 0, 0, 0
        self.cell = self.row = None

    def handle_starttag(self, tag, attributes):
        a = dict(attributes)
        if len(a) != len(attributes):
            problem(f"line {self.getpos()[0]}: an attribute stands twice in <{tag}>")
        if "id" in a:
            if a["id"] in self.ids:
                problem(f"id {a['id']} stands twice")
            self.ids[a["id"]] = tag
        for key, value in attributes:
            if key.startswith("on"):
                problem(f"<{tag}> has a handler {key}")
            if key in ("src", "srcset", "action", "xlink:href") or (key == "href" and not (value or "").startswith(("#", "data:,"))):
                problem(f"<{tag}> reaches out: {key}={value}")
        if tag == "a" and a.get("href", "").startswith("#"):
            self.references.append(a["href"][1:])
        if tag == "label" and "for" in a:
            self.references.append(a["for"])
        self.scripts += tag == "script"
        self.svgs += tag == "svg" and a.get("class") == "panel"
        self.titles += tag == "title"
        if tag == "svg" and a.get("class") == "panel" and not a.get("aria-label"):
            problem("a panel has no name for screen readers")
        if tag == "table":
            self.tables.append({"caption": "", "head": [], "rows": []})
        if tag == "tr":
            self.row = []
        if tag in ("td", "th"):
            self.cell = {"text": "", "value": None, "tag": tag}
        if tag == "data" and self.cell is not None:
            self.cell["value"] = a.get("value")
        if tag not in VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.stack.pop()

    def handle_endtag(self, tag):
        if not self.stack or self.stack[-1] != tag:
            problem(f"line {self.getpos()[0]}: </{tag}> closes {self.stack[-1:] or 'nothing'}")
        if tag in self.stack:
            while self.stack.pop() != tag:
                pass
        if tag in ("td", "th") and self.cell is not None and self.row is not None:
            self.row.append(self.cell)
            self.cell = None
        if tag == "tr" and self.tables:
            where = "head" if "thead" in self.stack else "rows"
            self.tables[-1][where].append(self.row)

    def handle_data(self, data):
        if self.cell is not None:
            self.cell["text"] += data
        if self.stack and self.stack[-1] == "caption":
            self.tables[-1]["caption"] += data


def same(cell, nats, where, bits=True):
    """A cell against a number of run.json (None: not computed)."""
    if nats is None:
        if cell["text"] != "–":
            problem(f"{where}: shows {cell['text']} for null")
        return 1
    if cell["value"] is None or float(cell["value"]) != nats:
        problem(f"{where}: value {cell['value']} is not {nats!r}")
        return 1
    shown, meant = float(re.sub("\u2009", "", cell["text"])), nats / LN2 if bits else nats
    decimals = len(cell["text"].partition(".")[2])
    if abs(shown - meant) > 0.5001 * 10.0**-decimals:
        problem(f"{where}: shows {shown} for {meant}")
    return 1


def by_layer(page, caption, runs, cells):
    """Rows of run and layer, in order; cells(layer) gives the numbers that follow."""
    table = next((t for t in page.tables if t["caption"].startswith(caption)), None)
    if table is None:
        problem(f"no table {caption}")
        return 0
    rows, seen = iter(table["rows"]), 0
    for number, run in enumerate(runs, 1):
        for layer in run["layers"]:
            row = next(rows, None)
            if row is None:
                problem(f"{caption}: rows are missing")
                return seen
            if not row[0]["text"].startswith(f"{number} {run['model']['name']}") or int(row[1]["value"]) != layer["layer"]:
                problem(f"{caption}: row of {row[0]['text']!r} where run {number}, layer {layer['layer']} belongs")
            expected = cells(layer)
            if len(expected) != len(row) - 2:
                problem(f"{caption}: {len(row) - 2} cells, not {len(expected)}")
            for i, (nats, bits) in enumerate(expected):
                seen += same(row[2 + i], nats, f"{caption}, run {number}, layer {layer['layer']}, cell {i}", bits)
    if next(rows, None) is not None:
        problem(f"{caption}: too many rows")
    return seen


def estimates(side, runs):
    keys = ("I", "null", "corrected", "low", "high")
    if any(run["estimator"]["bootstrap"] for run in runs):
        keys += ("boot_low", "boot_high")
    return lambda layer: [(e[k], True) for e in layer[side] for k in keys]


def lens(layer):
    return [(layer["lens"] and layer["lens"][k], True) for k in ("nats", "entropy")]


def overlaps(page, results):
    """The table of orders, and the documents that overlap most, of every overlap.json."""
    table = next(t for t in page.tables if t["caption"] == "shared n-grams by length")
    lists = [t for t in page.tables if t["caption"] == "documents that overlap most"]
    rows, seen = iter(table["rows"]), 0
    for result, listed in zip(results, lists, strict=True):
        for order in result["orders"]:
            row = next(rows)
            names = ("positions", "shared"), ("distinct", "shared_distinct"), ("documents", "overlapping")
            expected = [order["order"]]
            for all_, some in names:
                expected += [order[all_], order[some], 100.0 * order[some] / order[all_] if order[all_] else None]
            for cell, number in zip(row[1:], expected, strict=True):
                seen += same(cell, number, f"overlap, order {order['order']}", False)
        longest = result["orders"][-1]["order"]
        for row, document in zip(listed["rows"], result["top"], strict=True):
            if row[0]["text"] != f"{document['path']}: document {document['document']}":
                problem(f"overlap lists {row[0]['text']!r} for {document}")
            positions = document["symbols"] - longest + 1
            seen += same(row[1], positions, "overlap, a document's n-grams", False)
            share = 100.0 * (document["shared"][-1] / positions)
            seen += same(row[2], share, "overlap, a document's share", False)
    if next(rows, None) is not None:
        problem("overlap: too many rows")
    return seen


def main():
    text = open(sys.argv[1], "rb").read().decode("utf-8", "strict")
    results = [json.load(open(name)) for name in sys.argv[2:]]
    runs = [r for r in results if r["schema"] == "infoplane.run/1"]
    shared = [r for r in results if r["schema"] == "infoplane.overlap/1"]
    page = Page()
    page.feed(text)
    page.close()
    if page.stack:
        problem(f"never closed: {page.stack}")
    for reference in page.references:
        if reference not in page.ids:
            problem(f"no id {reference}")
    if page.scripts != 1:
        problem(f"{page.scripts} scripts, not the page's one")
    for word in re.findall(r"(?:https?:)?//[a-z0-9.-]+\.[a-z]{2,}", text):
        problem(f"an address in the page: {word}")
    if re.search(r"\bnan\b|\binf\b|-nan", text.split("<script>")[0]):
        problem("a number that is none is written out")
    seen = 0
    if runs:
        seen += by_layer(page, "I(X;Z) by layer", runs, estimates("X", runs))
        seen += by_layer(page, "I(Y;Z) by layer", runs, estimates("Y", runs))
        seen += by_layer(page, "I(Y;Z)/I(X;Z) by layer", runs, lambda l: [(o, False) for o in l["optimality"]])
        seen += by_layer(page, "H(Z) and I(C;Z)", runs, lambda l: [(l["H"], True), (l["context"], True)])
        if any(layer["lens"] for run in runs for layer in run["layers"]):
            seen += by_layer(page, "logit lens by layer", runs, lens)
        means = next(t for t in page.tables if t["caption"].startswith("means over the layers"))["rows"]
        for number, run in enumerate(runs):
            orders = run["estimator"]["orders"]
            for k in range(orders):
                row, where = means.pop(0), f"means, run {number + 1}, order {k + 1}"
                for side, at in (("X", 2), ("Y", 8)):
                    e = run["mean"][side][k]
                    for key, i in (("I", 0), ("null", 2), ("corrected", 3), ("low", 4), ("high", 5)):
                        seen += same(row[at + i], e[key], f"{where}, {side} {key}")
                seen += same(row[14], run["mean"]["optimality"][k], f"{where}, optimality", False)
                seen += same(row[15], run["mean"]["optimality_of_means"][k], f"{where}, ratio", False)
                if any(r["estimator"]["bootstrap"] for r in runs):
                    for side, at in (("X", 16), ("Y", 18)):
                        for i, key in enumerate(("boot_low", "boot_high")):
                            seen += same(row[at + i], run["mean"][side][k][key], f"{where}, {side} {key}")
        overview = next(t for t in page.tables if t["caption"] == "The runs of this page")["rows"]
        for row, run in zip(overview, runs, strict=True):
            loss = run["loss"] and run["loss"]["nats_per_token"]
            numbers = [run["model"]["parameters"], run["model"]["layers"]]
            for cell, number in zip(row[2:4], numbers):
                seen += same(cell, number, "overview", False)
            seen += same(row[4], loss, "overview, loss")
            mean = run["mean"]
            for cell, number in zip(row[5:9], (mean["H"], mean["context"], mean["X"][0]["I"], mean["Y"][0]["I"])):
                seen += same(cell, number, "overview, mean")
    if shared:
        seen += overlaps(page, shared)
    for line in problems[:20]:
        print(line)
    print(f"{page.svgs} panels, {page.titles - 1} marks with a value, {len(page.tables)} tables, {seen} cells compared")
    return 1 if problems or (runs and seen == 0) else 0


if __name__ == "__main__":
    sys.exit(main())
