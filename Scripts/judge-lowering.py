#!/usr/bin/env python3
"""Compare `hone lower` with real Triton's front end, kernel by kernel.

usage: hone lower --format json FILES... | judge-lowering.py [--show N] [--json] [--path DIR]

For each record the same module is compiled by Triton (no GPU is needed: only its front end runs) with
the same argument types and constants. Compared are acceptance or refusal, and, where both accept, the
multisets of memory, dot, reduction, scan, atomic and loop operations with their types.
Needs a Python with the `triton` package; torch and other packages are replaced by stand-ins.
"""
import argparse
import collections
import contextlib
import importlib.abc
import importlib.machinery
import importlib.util
import json
import re
import sys
import traceback
import types
import warnings

warnings.filterwarnings("ignore")


class Anything(types.ModuleType):
    """Stands in for a package that is not installed: any attribute, call or subclass works."""

    def __init__(self, name="anything"):
        super().__init__(name)
        self.__path__ = []

    def __getattr__(self, name):
        if name.startswith("__") and name.endswith("__") and name != "__version__":
            raise AttributeError(name)
        if name == "__version__":
            return "2.9.0"
        if name in ("Module", "Function"):
            return type(name, (object,), {})
        value = Anything(self.__name__ + "." + name)
        setattr(self, name, value)
        return value

    def __call__(self, *args, **kwargs):
        if len(args) == 1 and callable(args[0]) and not kwargs:
            return args[0]
        return Anything(self.__name__ + "()")

    def __mro_entries__(self, bases):
        return (object,)

    def __getitem__(self, key):
        return Anything()

    def __iter__(self):
        return iter(())

    def __bool__(self):
        return False

    def __index__(self):
        return 8

    def __eq__(self, other):
        return self is other

    def __hash__(self):
        return id(self)

    def __lt__(self, other):
        return False

    __le__ = __gt__ = __ge__ = __lt__

    def __or__(self, other):
        return self

    __ror__ = __or__

    def __enter__(self):
        return self

    def __exit__(self, *args):
        return False


class StandIns(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds what nobody else finds, last in line."""

    def find_spec(self, name, path=None, target=None):
        root = name.split(".")[0]
        if root in ("triton", "libdevice"):
            return None
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec):
        return Anything(spec.name)

    def exec_module(self, module):
        pass


sys.meta_path.append(StandIns())

import triton  # noqa: E402
import triton.language as tl  # noqa: E402
from triton._C.libtriton import ir  # noqa: E402
from triton.backends.compiler import GPUTarget  # noqa: E402
from triton.compiler.compiler import ASTSource, make_backend  # noqa: E402


class Driver:
    def __init__(self, target):
        self.target = target

    def get_current_target(self):
        return self.target

    def __getattr__(self, name):
        return Anything(name)


def load(path, cache={}):
    if path not in cache:
        name = "judged_%d" % len(cache)
        spec = importlib.util.spec_from_file_location(name, path)
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        try:
            spec.loader.exec_module(module)
            cache[path] = module
        except Exception as error:  # the module cannot be judged
            cache[path] = error
    return cache[path]


def jit_function(module, name):
    value = getattr(module, name, None)
    while value is not None and not isinstance(value, triton.runtime.jit.JITFunction):
        value = getattr(value, "fn", None)
    return value


def constant(text, module):
    names = {"dtype": tl.dtype, "float": float}
    try:
        return eval(text, names)
    except NameError:
        return getattr(module, text)


def compile_front_end(record, capability):
    module = load(record["module"])
    if isinstance(module, Exception):
        raise ImportError(repr(module))
    function = jit_function(module, record["kernel"])
    if function is None:
        raise ImportError("no kernel " + record["kernel"])
    signature, constants, attributes = {}, {}, {}
    for argument in record["arguments"]:
        name = argument["name"]
        index = function.arg_names.index(name)
        if "constant" in argument:
            signature[name] = "constexpr"
            constants[(index,)] = constant(argument["constant"], module)
        else:
            signature[name] = argument["type"]
            if argument.get("isDivisibleBy16"):
                attributes[(index,)] = [["tt.divisibility", 16]]
    target = GPUTarget("cuda", capability, 32)
    triton.runtime.driver.set_active(Driver(target))
    backend = make_backend(target)
    options = backend.parse_options({})
    context = ir.context()
    ir.load_dialects(context)
    backend.load_dialects(context)
    source = ASTSource(function, signature, constants, attributes)
    result = source.make_ir(
        target, options, backend.get_codegen_implementation(options), backend.get_module_map(), context)
    return result.str_nodebug()


# --- Triton's IR as the lines of Hone's summary -------------------------------------------------

def pointee(type_text):
    """tensor<128x!tt.ptr<f32>> -> tensor<128xf32>; !tt.ptr<f32> -> f32"""
    return re.sub(r"!tt\.ptr<([^<>]*(?:<[^<>]*>)?[^<>]*)>", r"\1", type_text, count=1)


def summarize(text):
    """Lines per function, with calls expanded; unreachable blocks left out."""
    functions, calls, public = {}, {}, None
    name, dead, regions = None, False, []
    for line in text.splitlines():
        stripped = line.strip()
        match = re.match(r"tt\.func (public |private )?@(\"[^\"]*\"|[^(]+)\(", stripped)
        if match:
            name = match.group(2)
            functions[name], calls[name], dead, regions = [], [], False, []
            if match.group(1) == "public ":
                public = name
            continue
        if name is None:
            continue
        if re.match(r"\^bb\d+", stripped) and not regions:
            dead = "no predecessors" in stripped
        if dead:
            continue
        match = re.search(r"\"(tt\.reduce|tt\.scan)\"\(.*\) <\{(.*?)\}>", stripped)
        if match:
            regions.append((match.group(1), match.group(2)))
            continue
        if regions:
            match = re.match(r"\}\) (?:\{.*\} )?: \((.*)\) -> (.*)$", stripped)
            if match:
                kind, attributes = regions.pop()
                axis = re.search(r"axis = (\d+)", attributes).group(1)
                operands = " ".join(match.group(1).split(", "))
                line = "%s %s axis %s" % (kind[3:], operands, axis)
                if "reverse = true" in attributes:
                    line += " reverse"
                functions[name].append(line)
            continue
        match = re.search(r"tt\.call @(\"[^\"]*\"|[^(]+)\(", stripped)
        if match:
            calls[name].append(match.group(1))
            continue
        one = operation(stripped)
        if one:
            functions[name].append(one)

    def expand(function, depth=0):
        if depth > 60 or function not in functions:
            return []
        lines = list(functions[function])
        for callee in calls[function]:
            lines += expand(callee, depth + 1)
        return lines

    return expand(public)


def operation(line):
    match = re.match(r"(?:%[\w:, %#]+ = )?\"?(tt\.[a-z_]+|scf\.for|scf\.while|gpu\.barrier|ttg\.barrier|ttg\.local_barrier)\"?[ (]?(.*)$", line)
    if not match:
        return None
    name, rest = match.groups()
    type_text = rest.rsplit(" : ", 1)[-1] if " : " in rest else ""
    if name in ("tt.load", "tt.store"):
        short = name[3:]
        block = re.search(r"!tt\.ptr<(tensor<.*>)>$", type_text)
        if block:
            axes = re.search(r"boundaryCheck = array<i32(?:: ([\d, ]*))?>", rest)
            found = axes.group(1) if axes and axes.group(1) else ""
            return "%s %s block [%s]" % (short, block.group(1), found)
        operands = len(re.findall(r"%[\w#]+", rest.split(" : ")[0].split(" cacheModifier")[0].split(" evictionPolicy")[0]))
        line = "%s %s" % (short, pointee(type_text))
        if operands >= (2 if short == "load" else 3):
            line += " mask"
        if short == "load" and operands >= 3:
            line += " other"
        return line
    if name == "tt.dot":
        types_ = re.search(r" : (\S+) \* (\S+) -> (\S+)$", rest)
        precision = re.search(r"inputPrecision = (\w+)", rest)
        return "dot %s %s %s -> %s" % (
            (precision.group(1) if precision else "ieee").lower(), types_.group(1), types_.group(2), types_.group(3))
    if name == "tt.dot_scaled":
        return "dot_scaled -> " + rest.rsplit(" -> ", 1)[1]
    if name == "tt.atomic_rmw":
        op, sem, scope = [word.strip() for word in rest.split(",")[:3]]
        op = {"exch": "xchg"}.get(op, op)
        return "atomic_rmw %s %s %s %s" % (op, sem, scope, rest.rsplit(" -> ", 1)[1])
    if name == "tt.atomic_cas":
        sem, scope = [word.strip() for word in rest.split(",")[:2]]
        return "atomic_cas %s %s %s" % (sem, scope, rest.rsplit(" -> ", 1)[1])
    if name == "tt.histogram":
        left, right = type_text.rsplit(" -> ", 1)
        return "histogram %s -> %s" % (left.split(",")[0].strip("("), right)
    if name == "tt.gather":
        match = re.search(r"axis = (\d+).*: \((.*)\) -> ", rest)
        return "gather %s axis %s" % (match.group(2).replace(", ", " "), match.group(1))
    if name == "tt.extern_elementwise":
        return "extern %s %s" % (re.search(r'symbol = "(\w+)"', rest).group(1), rest.rsplit(" -> ", 1)[1])
    if name == "tt.elementwise_inline_asm":
        return "asm " + rest.rsplit(" -> ", 1)[1].replace(", ", " ").strip("()")
    if name == "tt.descriptor_load":
        return "descriptor_load " + rest.rsplit(" -> ", 1)[1]
    if name in ("tt.descriptor_store", "tt.descriptor_reduce"):
        return name[3:] + " " + rest.rsplit(", ", 1)[1]
    if name == "scf.for":
        match = re.search(r" : (i\d+)\s*\{?$", rest)
        return "for " + (match.group(1) if match else "index")
    if name == "scf.while":
        return "while"
    if "barrier" in name:
        return "barrier"
    return None


def reason(error):
    texts = []
    while error is not None:
        texts.append(str(error).strip().splitlines()[-1] if str(error).strip() else repr(error))
        error = error.__cause__
    return texts[-1]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--show", type=int, default=20, help="disagreements to show")
    parser.add_argument("--json", action="store_true", help="print one JSON object with the counts")
    parser.add_argument("--capability", type=int, default=89)
    parser.add_argument("--path", action="append", default=[], help="a folder to import packages from")
    options = parser.parse_args()
    sys.path[:0] = options.path
    counts = collections.Counter()
    shown = []
    decoder = json.JSONDecoder()
    text, position, records = sys.stdin.read(), 0, []
    while position < len(text.rstrip()):
        batch, position = decoder.raw_decode(text, position)
        records += batch
        while position < len(text) and text[position].isspace():
            position += 1
    for record in records:
        place = "%s:%s" % (record["module"], record["kernel"])
        try:
            with contextlib.redirect_stdout(sys.stderr):  # Triton prints modules it rejects
                theirs = summarize(compile_front_end(record, options.capability))
            refusal = None
        except ImportError as error:
            counts["not judged"] += 1
            shown.append("NOT JUDGED %s: %s" % (place, error)) if options.show < 0 else None
            continue
        except Exception as error:
            theirs, refusal = None, reason(error)
        ours = record.get("summary")
        if ours is None and theirs is None:
            counts["both refuse"] += 1
        elif ours is None:
            counts["only hone refuses"] += 1
            shown.append("ONLY HONE REFUSES %s line %s: %s" % (place, record.get("line"), record["message"]))
        elif theirs is None:
            counts["only triton refuses"] += 1
            shown.append("ONLY TRITON REFUSES %s: %s" % (place, refusal))
        else:
            left, right = collections.Counter(ours), collections.Counter(theirs)
            if left == right:
                counts["agree"] += 1
            else:
                counts["differ"] += 1
                shown.append("DIFFER %s\n   hone only:   %s\n   triton only: %s" % (
                    place, dict(left - right), dict(right - left)))
    if options.json:
        print(json.dumps({"counts": counts, "disagreements": shown}))
        return
    for line in shown[:abs(options.show)]:
        print(line)
    print(dict(counts))


main()
