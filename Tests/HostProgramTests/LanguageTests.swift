import TestSupport
import Testing

@testable import HostProgram

/// Code whose last line sets `result`, and what Python's `repr(result)` is.
enum LanguageTable {
  static let rows: [(String, String)] = [
    ("result = 7 // -2, 7 % -2, -7 // 2, -7 % 2, 2 ** 10, 2 ** -1", "(-4, -1, -4, 1, 1024, 0.5)"),
    (
      "result = 7 / 2, 1e-5, 1.0, 1e16, 0.1 + 0.2, 10 / 5",
      "(3.5, 1e-05, 1.0, 1e+16, 0.30000000000000004, 2.0)"
    ),
    ("result = 5 & 3, 5 | 3, 5 ^ 3, ~5, 1 << 10, 1023 >> 3", "(1, 7, 6, -6, 1024, 127)"),
    ("result = True + 1, True & False, not 0, 3 < 4 <= 4 != 5", "(2, False, True, True)"),
    ("result = [x * y for x in range(4) if x % 2 for y in (1, 10)]", "[1, 10, 3, 30]"),
    (
      "result = {k: v for k, v in zip('abc', range(3))}, {1, 1, 2}",
      "({'a': 0, 'b': 1, 'c': 2}, {1, 2})"
    ),
    (
      "import triton.language as tl\nN = tl.constexpr(4)\nresult = {'n': N.value}", "{'n': 4}"
    ),
    (
      "import inspect, triton\nresult = 'cache_results' in inspect.signature(triton.autotune).parameters, list(inspect.signature(lambda a, b=1: a).parameters)",
      "(True, ['a', 'b'])"
    ),
    (
      "import threading\nlock = threading.Lock()\nwith lock:\n  result = 1", "1"
    ),
    ("a, *b, c = range(5)\nresult = a, b, c", "(0, [1, 2, 3], 4)"),
    (
      "x = [1, 2, 3, 4, 5]\nx[1:3] = [9]\ndel x[0]\nresult = x, x[::-1], x[-2:]",
      "([9, 4, 5], [5, 4, 9], [4, 5])"
    ),
    (
      "def f(a, b=2, *c, d, e=5, **g):\n  return a, b, c, d, e, g\nresult = f(1, 3, 4, d=6, z=7)",
      "(1, 3, (4,), 6, 5, {'z': 7})"
    ),
    ("def f(n):\n  return 1 if n < 2 else n * f(n - 1)\nresult = f(15)", "1307674368000"),
    (
      "def make():\n  n = 0\n  def step():\n    nonlocal n\n    n += 1\n    return n\n  return step\ns = make()\ns()\nresult = s(), s()",
      "(2, 3)"
    ),
    ("n = 1\ndef f():\n  global n\n  n = 5\nf()\nresult = n", "5"),
    (
      "class A:\n  k = 3\n  def __init__(self, x):\n    self.x = x\n  @property\n  def twice(self):\n    return self.x * 2\n  @staticmethod\n  def s(y):\n    return y + 1\n  @classmethod\n  def c(cls):\n    return cls(cls.k)\nclass B(A):\n  k = 4\n  def __init__(self, x):\n    super().__init__(x + 1)\nresult = B(1).twice, A.s(1), B.c().x, isinstance(B(1), A)",
      "(4, 2, 5, True)"
    ),
    (
      "class V:\n  def __init__(self, x):\n    self.x = x\n  def __add__(self, o):\n    return V(self.x + o.x)\n  def __eq__(self, o):\n    return self.x == o.x\n  def __len__(self):\n    return self.x\n  def __getitem__(self, i):\n    return self.x * i\n  def __call__(self, y):\n    return self.x + y\n  def __repr__(self):\n    return f'V({self.x})'\nv = V(1) + V(2)\nresult = v == V(3), len(v), v[4], v(1), str(v), [v]",
      "(True, 3, 12, 4, 'V(3)', [V(3)])"
    ),
    (
      "try:\n  1 // 0\nexcept (ValueError, ZeroDivisionError) as e:\n  result = str(e)\nfinally:\n  done = 1",
      "'integer division or modulo by zero'"
    ),
    ("def f():\n  try:\n    return 1\n  finally:\n    pass\nresult = f()", "1"),
    (
      "class E(Exception):\n  pass\ntry:\n  raise E('no', 3)\nexcept Exception as e:\n  result = type(e).__name__, e.args",
      "('E', ('no', 3))"
    ),
    ("for i in range(3):\n  if i == 5:\n    break\nelse:\n  result = 'done'", "'done'"),
    (
      "n = 10\nwhile True:\n  n -= 3\n  if n < 0:\n    break\n  if n % 2:\n    continue\nresult = n",
      "-2"
    ),
    ("result = [y := 3, y * 2], (lambda a, b=2: a + b)(1)", "([3, 6], 3)"),
    (
      "result = f'{3:>4}|{2.5:.2f}|{1234567:,}|{255:#x}|{\"a\"!r}|{7:03d}'",
      "\"   3|2.50|1,234,567|0xff|'a'|007\""
    ),
    (
      "result = '{} {1} {x:.1f}'.format(1, 2, x=3.14) if False else '{0} {1}'.format(1, 2)", "'1 2'"
    ),
    (
      "result = '%d %s %.2f' % (1, 'a', 2.5), 'a,b'.split(','), '-'.join(['x', 'y'])",
      "('1 a 2.50', ['a', 'b'], 'x-y')"
    ),
    (
      "d = {'a': 1}\nd.setdefault('b', []).append(2)\nd.update(c=3)\nresult = d, d.get('z', 0), d.pop('a'), sorted(d), 'b' in d",
      "({'b': [2], 'c': 3}, 0, 1, ['b', 'c'], True)"
    ),
    (
      "result = sorted([3, 1, 2], key=lambda v: -v), max([1, 5, 3]), min(4, 2), sum([1, 2], 10), abs(-3)",
      "([3, 2, 1], 5, 2, 13, 3)"
    ),
    (
      "result = list(map(lambda v: v + 1, [1, 2])), list(filter(None, [0, 1])), list(enumerate('ab', 1)), any([0, 1]), all([])",
      "([2, 3], [1], [(1, 'a'), (2, 'b')], True, True)"
    ),
    (
      "def g():\n  for i in range(3):\n    yield i\n  yield from (7, 8)\nresult = list(g()), sum(g())",
      "([0, 1, 2, 7, 8], 18)"
    ),
    (
      "import math\nresult = math.ceil(7 / 2), math.floor(-1.5), math.sqrt(16), math.prod([2, 3, 4]), math.gcd(12, 18), math.log2(8), math.isqrt(17)",
      "(4, -2, 4.0, 24, 6, 3.0, 4)"
    ),
    (
      "import itertools, functools\nresult = list(itertools.product([1, 2], 'a')), functools.reduce(lambda p, q: p * q, [2, 3, 4]), list(itertools.chain([1], [2]))",
      "([(1, 'a'), (2, 'a')], 24, [1, 2])"
    ),
    (
      "from functools import partial, lru_cache\n@lru_cache(maxsize=None)\ndef f(a, b):\n  return a - b\nresult = partial(f, b=1)(5)",
      "4"
    ),
    (
      "from dataclasses import dataclass, field\n@dataclass\nclass C:\n  a: int\n  b: int = 2\n  c: list = field(default_factory=list)\nresult = C(1).b, C(1, c=[3]).c, C(a=4).a",
      "(2, [3], 4)"
    ),
    (
      "from collections import namedtuple, defaultdict\nP = namedtuple('P', 'x y')\nd = defaultdict(list)\nd['k'].append(1)\nresult = P(1, y=2).y, d['k']",
      "(2, [1])"
    ),
    (
      "def f(v):\n  match v:\n    case 0 | 1:\n      return 'small'\n    case [a, b]:\n      return a + b\n    case int(n) if n > 5:\n      return 'big'\n    case _:\n      return 'other'\nresult = f(1), f([1, 2]), f(9), f(3)",
      "('small', 3, 'big', 'other')"
    ),
    ("import os\nresult = os.environ.get('HOME', 'none'), os.getenv('X')", "('none', None)"),
    (
      "try:\n  import package_that_is_not_there\n  result = 1\nexcept ImportError:\n  result = 0",
      "0"
    ),
    (
      "x = [1]\ny = x\ny += [2]\nresult = x, x is y, (1, 2) + (3,), [0] * 3",
      "([1, 2], True, (1, 2, 3), [0, 0, 0])"
    ),
    (
      "result = int('12'), float('1.5'), int(3.9), round(2.5), round(1.234, 2), bool(''), divmod(7, 2), (10).bit_length()",
      "(12, 1.5, 3, 2, 1.23, False, (3, 1), 4)"
    ),
    (
      "class M:\n  def __enter__(self):\n    return 5\n  def __exit__(self, *a):\n    return False\nwith M() as m:\n  result = m",
      "5"
    ),
  ]
}

/// The same with libraries that the judges' Python does not have.
enum LibraryTable {
  static let rows: [(code: String, result: String)] = [
    ("import torch\nresult = torch.float32 == torch.complex64", "False"),
    (
      "from packaging import version\nv = version.parse('3.10.0+cu124')\nresult = v >= version.parse('3.4'), v < version.Version('4.0.0rc1'), v.minor",
      "(True, True, 10)"
    ),
    (
      "import torch\nresult = isinstance(torch.ones(2), torch.distributed.tensor.DTensor), torch.get_autocast_dtype('cuda')",
      "(False, torch.float16)"
    ),
    (
      "import torch\na, b = torch.broadcast_tensors(torch.ones(3, 1), torch.ones(4))\nresult = a.shape, b.shape, a.stride()",
      "(torch.Size([3, 4]), torch.Size([3, 4]), (1, 0))"
    ),
    (
      "import torch\nmake = torch._C._dynamo.guards._empty_strided_cuda\nresult = make((2, 3), (1, 2), torch.float16).stride()",
      "(1, 2)"
    ),
  ]
}

@Suite struct LanguageTests {
  @Test func `Code evaluates as Python does`() {
    for (code, expected) in LanguageTable.rows + LibraryTable.rows {
      #expect(Snippet.result(code + "\n") == expected, "\(code)")
    }
  }

  @Test(.enabled(if: Checkout.judgePython != nil, "\(Checkout.judgePythonReason)"))
  func `A real Python prints the table's answers`() async throws {
    var code = ""
    for (snippet, _) in LanguageTable.rows {
      code += "exec(compile(\(Evaluator.quoted(snippet)), 'snippet', 'exec'), g := {})\n"
      code += "print(repr(g['result']))\n"
    }
    // The environment is the one thing a real Python sees and the evaluator does not.
    code = "import os\nos.environ.clear()\n" + code
    let lines = try await Program.run(Checkout.judgePython ?? "", ["-"], input: code)
      .output.split(separator: "\n").map(String.init)
    #expect(lines == LanguageTable.rows.map(\.1))
  }

  @Test(arguments: [
    ("while True:\n  pass", "refused host-limit: the host program runs past 100000 steps"),
    ("def f():\n  return f()\nf()", "raises RecursionError: maximum recursion depth exceeded"),
    ("x = [0] * (10 ** 9)", "refused host-limit: a value with 1000000000 items is past the limit"),
    (
      "x = 'a' * (10 ** 12)",
      "refused host-limit: a value with 1000000000000 items is past the limit"
    ),
    ("x = 2 ** 100", "refused host-limit: the result of '**' does not fit in 64 bits"),
    ("x = 1 << 70", "refused host-limit: the result of '<<' does not fit in 64 bits"),
    ("x = 2 ** 62 * 4", "refused host-limit: the result of '*' does not fit in 64 bits"),
    (
      "import flash_attn\nflash_attn.run()",
      "refused not-modelled: the module 'flash_attn' is not modelled, and its value is needed here"
    ),
    ("result = undefined_name", "raises NameError: name 'undefined_name' is not defined"),
    ("x = -2 ** 63\nresult = -x", "refused host-limit: the result of '**' does not fit in 64 bits"),
    ("result = [1][5]", "raises IndexError: list index out of range"),
    ("x = []\nx.append(x)\nresult = x == x", "True"),
    (
      "async def f():\n  pass\nf()",
      "refused not-modelled: the coroutine 'f' is not modelled, and its value is needed here"
    ),
    (
      "for i in range(10 ** 18):\n  pass",
      "refused host-limit: the host program runs past 100000 steps"
    ),
  ])
  func `Limits and refusals end an evaluation`(code: String, outcome: String) {
    let answer = Snippet.result(code + "\n")
    #expect(answer.hasPrefix(outcome), "\(answer)")
  }
}
