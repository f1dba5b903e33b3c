#!/usr/bin/env python3
"""Judges recorded traces by a real torch on the CPU.

For each problem file (KernelBench's form: Model, get_inputs, get_init_inputs) `hone-host` records
what `Model` does to tensors; this script runs those steps with torch, every operator called by the
recorded name with the recorded argument names, and compares with what the file itself computes.

    swift build --product hone-host
    "$(Scripts/python-env --torch)" Scripts/judge-trace.py PROBLEM.py ...

Sizes are made smaller first, by replacing the integers at module level where the file still runs.
"""
import argparse, ast, json, math, pathlib, re, subprocess, sys, warnings

import torch
import torch.nn.functional as F

warnings.filterwarnings("ignore")

DTYPES = {
    "fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16, "fp64": torch.float64,
    "int8": torch.int8, "int16": torch.int16, "int32": torch.int32, "int64": torch.int64,
    "uint8": torch.uint8, "i8": torch.int8, "i16": torch.int16, "i32": torch.int32,
    "i64": torch.int64, "u8": torch.uint8, "int1": torch.bool, "i1": torch.bool,
}


class Replay:
    """The steps of a trace on real tensors: one flat tensor per storage."""

    def __init__(self):
        self.storages = {}

    def tensor(self, shape):
        flat = self.storages[shape["storage"]]
        dtype = DTYPES[shape["dtype"]]
        if flat.dtype != dtype:
            flat = flat.view(dtype)
        return torch.as_strided(flat, shape["shape"], shape["strides"], shape["offset"])

    def extent(self, shape):
        if 0 in shape["shape"]:
            return shape["offset"]
        return shape["offset"] + 1 + sum(
            (n - 1) * s for n, s in zip(shape["shape"], shape["strides"]))

    def place(self, shape):
        known = self.storages.get(shape["storage"])
        if known is None or known.numel() < self.extent(shape):
            self.storages[shape["storage"]] = torch.zeros(
                self.extent(shape), dtype=DTYPES[shape["dtype"]])
        return self.tensor(shape)

    def value(self, value):
        if isinstance(value, list):
            return [self.value(item) for item in value]
        if isinstance(value, dict):
            if "tensor" in value:
                return self.tensor(value["tensor"])
            if "dtype" in value:
                return DTYPES[value["dtype"]]
            if "float" in value:
                return float(value["float"])
            return None
        return value

    def step(self, step):
        if "name" not in step:
            raise NotImplementedError("launch")
        arguments = {name: self.value(value) for name, value in step["arguments"].items()}
        results = step["results"]
        made = call(step["name"], arguments, results, self)
        if made is None:
            return
        made = [made] if isinstance(made, torch.Tensor) else flat(made)
        if len(made) != len(results):
            raise AssertionError(f"{step['name']}: {len(made)} results, recorded {len(results)}")
        in_place = {shape["storage"] for shape in results} & set(self.storages)
        for tensor, shape in zip(made, results):
            if not in_place:
                assert tensor.dtype == DTYPES[shape["dtype"]], (step["name"], tensor.dtype, shape)
                assert list(tensor.shape) == shape["shape"], (step["name"], tensor.shape, shape)
            self.place(shape).copy_(tensor)


def flat(value):
    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, dict):
        value = value.values()
    if not isinstance(value, (list, tuple)) and not hasattr(value, "__iter__"):
        return []
    return [tensor for item in value for tensor in flat(item)]


def call(name, arguments, results, replay):
    if name.startswith("init."):
        target = replay.place(results[0])
        kind = name[5:]
        with torch.no_grad():
            if kind == "uniform":
                target.uniform_(arguments["low"], arguments["high"])
            elif kind == "normal":
                target.normal_(arguments["mean"], arguments["std"])
            elif kind == "constant":
                target.fill_(arguments["value"])
            else:
                getattr(torch.nn.init, kind + "_")(target, **arguments)
        return None
    if name in ("zeros", "ones", "empty", "full", "rand", "randn", "randint", "arange", "eye",
                "linspace", "randperm"):
        dtype = arguments.pop("dtype", None)
        return getattr(torch, name)(**arguments, dtype=dtype)
    if name == "tensor":
        return torch.tensor(arguments["data"], dtype=arguments.get("dtype"))
    if name == "einsum":
        return torch.einsum(arguments["equation"], *arguments["operands"])
    if name == "contiguous":
        return arguments["input"].contiguous()
    if name == "to":
        return arguments["input"].to(arguments["dtype"])
    if name == "copy":
        return arguments["src"].expand(results[0]["shape"])
    if name == "fill":
        return torch.full(results[0]["shape"], arguments["value"])
    if name == "zero":
        return torch.zeros(results[0]["shape"])
    if name == "index":
        index = arguments["indices"]
        entries = tuple(slice(None) if i is None else i for i in index)
        return arguments["input"][entries]
    if name == "index_put":
        entries = tuple(slice(None) if i is None else i for i in arguments["indices"])
        arguments["input"][entries] = arguments["values"]
        return None
    if name in ("vector_norm", "matrix_norm"):
        return getattr(torch.linalg, name)(arguments.pop("input"), **arguments)
    if name in ("lstm", "gru", "rnn_tanh", "rnn_relu"):
        return recurrent(name, arguments)
    if name == "multi_head_attention_forward":
        return attention(arguments)
    if name == "batch_norm":
        arguments = {"running_mean": None, "running_var": None, **arguments}
    for place in (F, torch, torch.Tensor):
        function = getattr(place, name, None)
        if function is None:
            continue
        for key in ("input", "x1"):
            if key in arguments and not isinstance(arguments[key], torch.Tensor):
                arguments[key] = torch.tensor(arguments[key])
        if place is torch.Tensor:
            return function(arguments.pop("input"), **arguments)
        return function(**arguments)
    raise NotImplementedError(name)


def recurrent(name, arguments):
    x = arguments["input"]
    batch_first = arguments["batch_first"]
    hx = arguments.get("hx")
    weights = arguments["params"]
    hidden = weights[1].shape[1]
    count = arguments["num_layers"] * (2 if arguments["bidirectional"] else 1)
    batch = x.shape[0 if batch_first else 1]
    if hx is None:
        zeros = torch.zeros(count, batch, hidden, dtype=x.dtype)
        hx = [zeros, zeros] if name == "lstm" else zeros
    return getattr(torch._VF, name)(
        x, hx, weights, arguments["has_biases"], arguments["num_layers"],
        float(arguments["dropout"]), arguments["train"], arguments["bidirectional"], batch_first)


def attention(arguments):
    arguments.pop("is_causal", None)
    batch_first = arguments.pop("batch_first")
    query, key, value = (arguments.pop(name) for name in ("query", "key", "value"))
    if batch_first:
        query, key, value = (t.transpose(0, 1) for t in (query, key, value))
    output, weights = F.multi_head_attention_forward(
        query, key, value, query.shape[-1], arguments.pop("num_heads"),
        arguments.pop("in_proj_weight"), arguments.pop("in_proj_bias", None), None, None, False,
        arguments.pop("dropout_p"), arguments.pop("out_proj_weight"),
        arguments.pop("out_proj_bias", None), **arguments)
    output = output.transpose(0, 1) if batch_first else output
    return [output] if weights is None else [output, weights]


def run_file(path, constants):
    """The file's namespace with replaced constants."""
    tree = ast.parse(re.sub(r"""(['"])cuda\1""", "'cpu'", path.read_text()))
    scope = {"__name__": "problem"}
    for node in tree.body:
        exec(compile(ast.Module([node], []), str(path), "exec"), scope)
        if isinstance(node, ast.Assign):
            for name, value in constants.items():
                bare, _, index = name.partition("[")
                if bare not in {n.id for t in node.targets for n in ast.walk(t)
                                if isinstance(n, ast.Name)}:
                    continue
                if index:
                    items = list(scope[bare])
                    items[int(index[:-1])] = value
                    scope[bare] = type(scope[bare])(items)
                else:
                    scope[bare] = value
    return scope


def make(path, constants):
    scope = run_file(path, constants)
    torch.manual_seed(1)
    made = scope["get_init_inputs"]()
    model = scope["Model"](**made) if isinstance(made, dict) else scope["Model"](*made)
    return model, scope["get_inputs"]()


def smaller(found, limit):
    result = {}
    for text in found:
        name, _, value = text.rpartition("=")
        value = int(value)
        if value > limit:
            result[name] = max(limit, 1)
    return result


def judge(tool, path):
    probe = run_tool(tool, path, {})
    if "error" in probe:
        return "refused: " + probe["error"].splitlines()[0]
    constants = {}
    for limit in (16, 24, 32, 48, 64, 128, 256):
        constants = smaller(probe["constants"], limit)
        try:
            model, inputs = make(path, constants)
            with torch.no_grad():
                model(*[i.clone() if isinstance(i, torch.Tensor) else i for i in inputs])
            break
        except Exception:
            continue
    model, inputs = make(path, constants)
    record = run_tool(tool, path, constants)
    if "error" in record:
        return "refused: " + record["error"].splitlines()[0]
    trace = record["trace"]
    if "gap" in trace:
        return "gap: " + trace["gap"].splitlines()[0]
    replay = Replay()
    state = dict(model.state_dict())
    state.update(dict(model.named_buffers()))
    with torch.no_grad():
        given = iter(flat(list(inputs)))
        last = {}  # what is set replaces what the last step that writes there gives
        for index, step in enumerate(trace["setup"]):
            for shape in step.get("results", []):
                last[shape["storage"]] = index
        checked = set()
        values = {}
        for tensor in trace["tensors"]:
            if tensor["role"] == "input":
                value = next(given)
            else:
                value = state[tensor["name"]]
                checked.add(tensor["name"])
            assert list(value.shape) == tensor["shape"]["shape"], (tensor, value.shape)
            assert value.dtype == DTYPES[tensor["shape"]["dtype"]], (tensor, value.dtype)
            values.setdefault(last[tensor["shape"]["storage"]], []).append((tensor, value))
        for index, step in enumerate(trace["setup"]):
            replay.step(step)
            for tensor, value in values.get(index, []):
                replay.place(tensor["shape"]).copy_(value)
        missing = set(state) - checked
        assert not missing, f"not named: {missing}"
        torch.manual_seed(2)
        wanted = flat(model(*inputs))
        torch.manual_seed(2)
        for step in trace["forward"]:
            replay.step(step)
    assert len(wanted) == len(trace["outputs"]), "another number of outputs"
    for index, (tensor, shape) in enumerate(zip(wanted, trace["outputs"])):
        got = replay.tensor(shape)
        assert list(tensor.shape) == shape["shape"], (tensor.shape, shape)
        if not torch.equal(got.nan_to_num(), tensor.nan_to_num()):
            error = (got.double() - tensor.double()).abs().max().item()
            scale = tensor.double().abs().max().item()
            if not error <= 1e-5 * max(scale, 1e-30):
                return f"output {index} differs by {error:.3g} at scale {scale:.3g}"
    return "ok" if constants else "ok (full size)"


def run_tool(tool, path, constants):
    options = [part for name, value in constants.items() for part in ("--set", f"{name}={value}")]
    output = subprocess.run(
        [tool, "--reference", "--trace-json", *options], input=f"{path}\t{path}\n", text=True,
        capture_output=True, timeout=120).stdout
    return json.loads(output)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("problems", nargs="+", type=pathlib.Path)
    parser.add_argument("--tool", default=".build/debug/hone-host")
    parser.add_argument("--raising", action="store_true", help="show the first failure's stack")
    arguments = parser.parse_args()
    bad = 0
    for path in arguments.problems:
        try:
            verdict = judge(arguments.tool, path)
        except Exception as error:
            if arguments.raising:
                raise
            verdict = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
        if not verdict.startswith("ok"):
            bad += 1
        if verdict != "ok":
            print(f"{path.name}: {verdict}", flush=True)
    print(f"{len(arguments.problems) - bad} of {len(arguments.problems)} agree")
    return 1 if bad else 0


sys.exit(main())
