"""Every construct of Python 3.8 to 3.13 once, with odd spacing and comments on purpose."""
from __future__ import annotations
import os, sys as system
import os.path as p
from . import sibling
from ...up.more import (a as b, c,)  # trailing comma
from .x import *

# Numbers
numbers = [0, 00, 7, 1_000, 0xFF_ff, 0o17, 0B101, 123456789012345678901234567890, 0xffffffffffffffffffff,
           9223372036854775807, 9223372036854775808, 0o1777777777777777777777777, 0b1, 1., .5, 1e10, 1E-5,
           1_0.2_5e+1_0, 3j, 1.5J, 0e0, 012.5, 09j, 1e400]
x = 1if numbers else 2

# Strings
strings = ['a', "b", '''c
d''', r'\n', b'\x00\xff\101', rb"\d", Rb'\x', u'u', U"U", 'a' "b" 'c', b'1' b'2',
           '\a\b\f\n\r\t\v\\\'\"\0\12\377\x41\u00e9\U0001F600\N{DIGIT ONE}\N{lf}', 'é€𝒳', '\
joined', '\q \_', '\ud800', '\udc00x', "", '''''']
fstrings = [f'', f'a', f'{x}', f'{x!r}', f'{x:>10}', f'{x!s:{x}.{x}}', f'{{}}', f'a{{b{x}}}c', f'{x=}', f'{ x = }',
            f'{x=!s}', f'{x=:>5}', f"{'a'}" 'b' f'{x}c', f'''{
x
+ 1}''', rf'\n{x}\{x}', fr"{x:\d}", f'{x:%Y-%m-%d}', f'{x, 1}', f'{lambda_ if x else 1}', f'{(lambda: 1)}',
            f'{x!r:^{1 + 1}}', f'\N{DIGIT TWO}{x}\x41', f'{ {1: 2}[1] }', f'{x:{"a"}}', f'{"a" "b"}', f'{x:{{1}}}',
            f'{yield_}', f'{x != 1}', f'{x:=5}', f'{x}' f'{x}', u'u' f'{x}', f'{x!a}{x}', f"{f'{x}'}", f'{*x, 1}']
nested = f"{f"{f"{1}"}"}" + f'{x["a"]!r:{y['b']}}'
multiline = f"{x  # comment
}"
debug = f'''{
    x  # gone
    = }'''

# Expressions
x = (1 + 2 - 3 * 4 / 5 // 6 % 7 @ 8) ** -9 ** ~10
x = not a and b or not c
x = a < b <= c > d >= e == f != g is h is not i in j not in k
x = a | b ^ c & d << e >> f
x = -a ** +b
x = await_ = a if b else c if d else e
x = lambda: 0
x = lambda a, /, b=1, *c, d, e=2, **f: (a, b)
x = lambda *, a: a
x = lambda *args, **kwargs: lambda: args
x = (), (1,), (1, 2), (a), ((a)), 1,
x = [], [1], [1, 2,], [*a, *b]
x = {}, {1}, {1, 2,}, {*a}, {1: 2}, {1: 2, **a, 3: 4,}, {**a}
x = [i for i in j], {i for i in j if k if l}, {i: j for i, j in k}, (i for i, in j for k in i)
x = [i async for i in j], [*a, (b := c)], [(yield), (yield 1), (yield from x)]
x = f(), f(a), f(a,), f(*a, b, *c, k=1, **d, l=2), f(i for i in j), f(a)(b)[c].d, f(a := 1), f(k=lambda: 1)
x = a[1], a[1:2], a[1:2:3], a[:], a[::], a[1, 2], a[1:2, ::3], a[b,], a[*b], a[*b, 1:2], a[b := 1], a[lambda: 1]
x = a.b.c . d
x = ...
x = (yield)
x: int
x: int = 1
(x): int = 1
a.b: int
a[0]: list[int] = []
x: tuple[int, ...] = 1, 2
a = b = c, *d = [e, (f, g)] = h
x += 1; x -= 1; x *= 1; x /= 1; x //= 1; x %= 1; x @= 1; x &= 1; x |= 1; x ^= 1; x >>= 1; x <<= 1; x **= yield_
if (n := len(a)) > 1: pass
print(*a, sep='')
x = a if b else lambda: c
x = a \
    + b \

# Names: normal form and soft keywords
ﬁ = µ = 𝕩 = 1
match = case = type = _ = 1
match[1]; match(1); match * a; match.x; type(x); type
match -a
match: int = 1
print(match, case, type)
type X = int
type X[T, *Ts, **P] = list[T]
type Y[T: int = str, U: (int, str) = int, *Ts = *tuple[int], **P = [int]] = T

# Statements
del a, b[0], c.d, (e, f), [g]
del (a)
assert a
assert a, "b"
raise
raise a
raise a from b
global_ = 1
pass; pass
if a: pass
elif b: pass
elif c:
    pass
else: pass
while a: break
else:
    pass
for a in b: continue
for a, *b in c, d: pass
for (a, b), [c] in d:
    pass
else:
    pass
for a.b in c: pass
for a[0], in *b, c: pass
try:
    pass
except: pass
try: pass
except a: pass
except (a, b) as c:
    pass
else: pass
finally: pass
try: pass
finally: pass
try: pass
except* a: pass
except *b as c: pass
with a: pass
with a as b, c as (d, e): pass
with (a): pass
with (a, b): pass
with (a as b): pass
with (a as b, c,): pass
with (a, b) as c: pass
with (a), (b): pass
with (a, b)[0] as c: pass
with (yield_): pass
with (a := b): pass
with (i for i in j): pass
with (*a, b): pass
with (): pass
with (a) as b, c: pass
with (a if b else c) as d: pass
with a as b.c, d as e[0], f as [g]: pass


@a
@a.b(c)
@(lambda f: f)
@a[0] if b else c
def f(a, b: int, /, c=1, d: int = 2, *e: int, f, g: int = 3, **h: dict) -> int:
    """doc"""
    global i, j
    nonlocal_ = 1

    def inner():
        nonlocal nonlocal_
        return
    return 1, *a
    yield
    yield a, *b
    yield from a
    x = yield
    x = yield a
    x += yield a
    x: int = yield a
    await a


def f(*, a): pass
def f(*a: *Ts): pass
def f(**a,): pass
def f(a, /): pass
def f(a=1, /, b=2, *, c): pass
def f[T](a: T) -> T: pass
def f[T: int, *Ts, **P](): pass
async def f():
    async for a in b: pass
    else: pass
    async with a as b, c: pass
    async with (a as b): pass
    return await a + await b ** await c, [i async for i in j if await k]
    await (yield)


class C: pass
class C(): pass
class C(a, *b, metaclass=c, **d):
    x: int

    @property
    async def f(self): ...
class C[T](a[T]): pass

match a:
    case 1: pass
    case -1 | 1.5 | -2j | 1 + 2j | -1 - 2j: pass
    case 'a' 'b' | b'c': pass
    case None | True | False: pass
    case a: pass
match a, *b:
    case _: pass
match (a):
    case a.b | a.b.c: pass
    case (a): pass
    case (a, b) | [a, b]: pass
    case () | []: pass
    case (a,): pass
    case a, *b: pass
    case *_, a: pass
    case [*a]: pass
    case {}: pass
    case {1: a, 'b': _, a.b: c, -1: d, None: e, **rest}: pass
    case {'a': 1,}: pass
    case C(): pass
    case a.C(1, b, k=2, l=_,): pass
    case (1 | 2) as x if x > 1: pass
    case {'a': [1, {'b': C(x=(1 as y))}]} as z: pass
match -a:
    case 1: pass
match {}:
    case 1: pass
match not a:
    case match: pass
    case case: pass
match match:
    case type: pass
match (yield_), 1:
    case "a": pass
if a:
	if b:
		tabs = 1
	tabs = 2
if a:
    pass
  # a comment at an odd column

    pass
x = [
  1,
# comment
  2
]; y = {
}
if a: x = 1; y = 2;
