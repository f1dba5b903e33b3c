#!/usr/bin/env python3
"""Records what real Triton computes for the tile machine's judge cases.

    PYTHON Scripts/judge-machine.py record [FAMILY…]        Triton's interpreter, on the CPU
    PYTHON Scripts/judge-machine.py gpu GOLDENS… > FILE     the same cases on an NVIDIA GPU
    PYTHON Scripts/judge-machine.py merge FILE              joins the two
    PYTHON Scripts/judge-machine.py verify [FAMILY…]        the interpreter again, against what is recorded
    PYTHON Scripts/judge-machine.py report                  where interpreter and GPU differ, as Markdown

PYTHON needs triton 3.6, numpy and torch (Scripts/python-env --torch). The cases are in Scripts/judge_machine;
goldens are JSON lines in Tests/TileMachineTests/JudgeGoldens, one file per family. `record` keeps what a
GPU said about a case that has not changed. Where both judges ran, the GPU's result is what the machine is
held to; the interpreter's where a tolerance is stated, since there the GPU approximates.
"""

import base64
import hashlib
import json
import os
import pathlib
import sys
import traceback

ROOT = pathlib.Path(__file__).resolve().parent.parent
GOLDENS = ROOT / "Tests/TileMachineTests/JudgeGoldens"
FAMILIES = ["elementwise", "tiles", "memory", "products", "control", "library"]


def encode(data):
    return base64.b64encode(data).decode()


def attempt(entry, device):
    """The changed pointers' final bytes, or the error."""
    from judge_machine.case import PRELUDE
    from judge_machine.run import execute

    def value(a):
        return bytes(a["zeros"]) if "zeros" in a else base64.b64decode(a["bytes"]) if "bytes" in a else a["value"]

    arguments = [(a["name"], a["type"], value(a)) for a in entry["arguments"]]
    try:
        results = execute(PRELUDE + entry["body"], arguments, entry["constexprs"], entry["grid"], device)
    except Exception as error:  # whatever the judge throws is its answer
        cause = error
        while cause.__cause__ is not None:
            cause = cause.__cause__
        if os.environ.get("JUDGE_TRACE"):
            traceback.print_exc()
        return {"error": f"{type(cause).__name__}: {cause}".strip().splitlines()[-1][:300]}
    before = {name: value for name, kind, value in arguments if kind.startswith("*")}
    return {name: encode(data) for name, data in results.items() if data != before[name]}


def key(entry):
    fields = {k: entry[k] for k in ("body", "arguments", "constexprs", "grid")}
    return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()


def load(path):
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def save(path, entries):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(e, sort_keys=True) + "\n" for e in entries))


def differences(types, ulps, expected, other):
    """Where the judge that is not believed differs: output → [lanes, first lane, its bytes, expected bytes]."""
    found = {}
    for name in sorted(set(expected) | set(other)):
        size = types[name]
        a, b = (base64.b64decode(r[name]) if name in r else None for r in (expected, other))
        if a is None or b is None:
            found[name] = ["untouched by one"]
            continue
        lanes = [k for k in range(len(a) // size) if a[k * size : (k + 1) * size] != b[k * size : (k + 1) * size]]
        if lanes:
            k = lanes[0]
            found[name] = [len(lanes), k, b[k * size : (k + 1) * size][::-1].hex(), a[k * size : (k + 1) * size][::-1].hex()]
    return found


def settle(entry, answers):
    """Chooses what the machine is held to among {judge: answer}; notes where the other judge differs."""
    from judge_machine.case import TYPES

    order = sorted(["gpu", "interpreter"], key=lambda judge: judge != entry["believe"])
    able = [j for j in order if j in answers and "error" not in answers[j]]
    entry["judge"] = able[0] if able else None
    entry["expected"] = answers[able[0]] if able else {}
    entry["others"] = {}
    sizes = {a["name"]: TYPES[a["type"][1:]][1] for a in entry["arguments"] if a["type"].startswith("*")}
    for judge, answer in answers.items():
        if judge != entry["judge"]:
            entry["others"][judge] = answer if "error" in answer else differences(sizes, entry["ulps"], entry["expected"], answer)


def record(families):
    os.environ["TRITON_INTERPRET"] = "1"
    import importlib

    for family in families or FAMILIES:
        path = GOLDENS / f"{family}.jsonl"
        known = {key(e): e for e in load(path)}
        entries = []
        for case in importlib.import_module(f"judge_machine.{family}").cases():
            entry = case.json()
            old = known.get(key(entry))
            answers = {}
            if "interpreter" in case.judges:
                answers["interpreter"] = attempt(entry, "cpu")
                if "error" in answers["interpreter"]:
                    print(f"{entry['name']}: {answers['interpreter']['error']}", file=sys.stderr)
            if old and old["judge"] == "gpu":
                answers["gpu"] = old["expected"]
            settle(entry, answers)
            if old and old["judge"] != "gpu" and "gpu" in old["others"]:
                entry["others"]["gpu"] = old["others"]["gpu"]
            entries.append(entry)
        names = [e["name"] for e in entries]
        assert len(names) == len(set(names)), [n for n in names if names.count(n) > 1]
        save(path, entries)
        print(f"{family}: {len(entries)} cases, {path.stat().st_size} bytes", file=sys.stderr)


def verify(families):
    """Whether the interpreter still says what it said; exit code 1 and the cases' names if not, 3 without
    triton or torch."""
    os.environ["TRITON_INTERPRET"] = "1"
    try:
        import torch, triton  # noqa: F401
    except ImportError as error:
        print(error)
        sys.exit(3)
    from judge_machine.case import TYPES

    changed = []
    for family in families or FAMILIES:
        for entry in load(GOLDENS / f"{family}.jsonl"):
            if entry["judge"] != "interpreter" and "interpreter" not in entry["others"]:
                continue
            answer = attempt(entry, "cpu")
            sizes = {a["name"]: TYPES[a["type"][1:]][1] for a in entry["arguments"] if a["type"].startswith("*")}
            recorded = entry["others"].get("interpreter", {})
            now = answer if "error" in answer else differences(sizes, entry["ulps"], entry["expected"], answer)
            if now != recorded:
                changed.append(entry["name"])
    print("\n".join(changed))
    sys.exit(1 if changed else 0)


def gpu(paths):
    for path in paths:
        for entry in load(pathlib.Path(path)):
            print(json.dumps({"key": key(entry), "name": entry["name"], "gpu": attempt(entry, "cuda")}), flush=True)


def merge(path):
    lines = pathlib.Path(path).read_text().splitlines()
    answers = {a["key"]: a["gpu"] for a in map(json.loads, (l for l in lines if l.startswith('{"key"')))}
    for file in sorted(GOLDENS.glob("*.jsonl")):
        entries = load(file)
        for entry in entries:
            if entry["judge"] == "gpu" and entry["expected"] == answers.get(key(entry)):
                continue
            if key(entry) in answers:
                both = {"gpu": answers[key(entry)]}
                if entry["judge"] == "interpreter":
                    both["interpreter"] = entry["expected"]
                elif "error" in entry["others"].get("interpreter", {}):
                    both["interpreter"] = entry["others"]["interpreter"]
                settle(entry, both)
        save(file, entries)


def report():
    from judge_machine.report import differences

    for file in sorted(GOLDENS.glob("*.jsonl")):
        for line in differences(load(file)):
            print(line)


if __name__ == "__main__":
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
    command, rest = (sys.argv[1:2] or ["help"])[0], sys.argv[2:]
    if command == "record":
        record(rest)
    elif command == "verify":
        verify(rest)
    elif command == "gpu":
        gpu(rest)
    elif command == "merge":
        merge(rest[0])
    elif command == "report":
        report()
    else:
        sys.exit(__doc__)
