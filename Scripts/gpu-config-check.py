#!/usr/bin/env python3
"""Runs every autotune config of modules alone on a GPU and compares with Model in fp64.

usage: gpu-config-check.py FOLDER OUT.json

FOLDER holds one folder per case with candidate.py, problem.py and, if the problem is to be run at
another size, constants.json ({"M": 69}: module-level names of problem.py). Outputs of torch.empty
are poisoned with NaN. The relative L2 error of each config goes to OUT. Needs torch, triton, a GPU.
"""
import importlib.util
import json
import os
import sys
import traceback


def load(path, name, constants=()):
    text = open(path).read()
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    for key, value in dict(constants).items():
        if "[" in key:
            base, index = key[:-1].split("[")
            items = list(getattr(module, base))
            items[int(index)] = value
            setattr(module, base, type(getattr(module, base))(items))
        else:
            setattr(module, key, value)
    return module


def main():
    import torch
    import triton

    folder, out = sys.argv[1:3]
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    empty, empty_like = torch.empty, torch.empty_like

    def poisoned(tensor):
        if tensor.is_floating_point() and tensor.is_cuda:
            tensor.fill_(float("nan"))
        return tensor

    torch.empty = lambda *a, **k: poisoned(empty(*a, **k))
    torch.empty_like = lambda *a, **k: poisoned(empty_like(*a, **k))
    results = {"gpu": torch.cuda.get_device_name(), "torch": torch.__version__,
               "triton": triton.__version__, "cases": {}}
    for case in sorted(os.listdir(folder)):
        path = f"{folder}/{case}"
        rows = []
        try:
            constants = {}
            if os.path.exists(f"{path}/constants.json"):
                constants = json.load(open(f"{path}/constants.json"))
            problem = load(f"{path}/problem.py", "problem", constants)
            candidate = load(f"{path}/candidate.py", "candidate")
            torch.manual_seed(0)
            inputs = [x.cuda() if torch.is_tensor(x) else x for x in problem.get_inputs()]
            arguments = problem.get_init_inputs()
            torch.manual_seed(1)
            model = problem.Model(*arguments).cuda()
            torch.manual_seed(1)
            new = candidate.ModelNew(*arguments).cuda()
            mine, theirs = list(new.parameters()), list(model.parameters())
            for a, b in zip(mine, theirs):
                if a.shape == b.shape:
                    a.data.copy_(b.data)
            twice = model.double()
            wide = [x.double() if torch.is_tensor(x) and x.is_floating_point() else x for x in inputs]
            with torch.no_grad():
                want = twice(*wide)
            tuners = [v for v in vars(candidate).values() if hasattr(v, "configs") and hasattr(v, "fn")]
            count = max([len(t.configs) for t in tuners] or [1])
            all_configs = [list(t.configs) for t in tuners]
            for index in range(count):
                for tuner, configs in zip(tuners, all_configs):
                    tuner.configs = [configs[min(index, len(configs) - 1)]]
                    tuner.cache.clear()
                try:
                    with torch.no_grad():
                        got = new(*inputs)
                    torch.cuda.synchronize()
                    error = ((got.double() - want).norm() / want.norm()).item()
                    rows.append({"config": index + 1, "relative_l2": error,
                                 "not_a_number": int(torch.isnan(got).sum())})
                except Exception as problem_seen:
                    rows.append({"config": index + 1, "error": str(problem_seen)[:200]})
        except Exception:
            rows.append({"error": traceback.format_exc()[-400:]})
        results["cases"][case] = rows
        print(case, rows, flush=True)
        json.dump(results, open(out, "w"), indent=1)


if __name__ == "__main__":
    main()
