"""Runs a notebook from top to bottom in this process, with nothing but the standard library.

    python notebook.py NOTEBOOK [--store]

Cells share one namespace and start in the notebook's folder. What a cell prints must be what is stored as its printed output:
the figures are the same on every machine, so a notebook whose text no longer holds fails here. --store writes the new output
instead (pictures are left as they are; a Jupyter stores those).
"""
import contextlib
import io
import json
import os
import sys


def run(path, store=False):
    """Differences between what is stored and what is printed, as lines."""
    with open(path, encoding="utf-8") as file:
        notebook = json.load(file)
    wrong, names, number = [], {"__name__": "__main__"}, 0
    before = os.getcwd()
    os.chdir(os.path.dirname(os.path.abspath(path)))
    try:
        for i, cell in enumerate(notebook["cells"]):
            if cell["cell_type"] != "code":
                continue
            number += 1
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                exec(compile("".join(cell["source"]), f"{os.path.basename(path)}, cell {i}", "exec"), names)
            stored = "".join("".join(o["text"]) for o in cell["outputs"] if o.get("name") == "stdout")
            if store:
                rest = [o for o in cell["outputs"] if o.get("name") != "stdout"]
                text = printed.getvalue().splitlines(keepends=True)
                cell["outputs"] = ([{"name": "stdout", "output_type": "stream", "text": text}] if text else []) + rest
                cell["execution_count"] = number
            elif stored != printed.getvalue():
                wrong.append(f"cell {i}: stored\n{stored}printed\n{printed.getvalue()}")
    finally:
        os.chdir(before)
    if store:
        with open(path, "w", encoding="utf-8") as file:
            json.dump(notebook, file, indent=1, ensure_ascii=False)
            file.write("\n")
    return wrong


if __name__ == "__main__":
    differences = run(sys.argv[1], "--store" in sys.argv)
    sys.exit("\n".join(differences) if differences else 0)
