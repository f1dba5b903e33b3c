"""Elementwise operators, Python operators, in-place forms and assignments, for judge-trace.py."""
import torch
import torch.nn as nn
import torch.nn.functional as F

rows = 6
columns = 8


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.rand(columns) + 0.5)
        self.register_buffer("steps", torch.arange(columns, dtype=torch.float32))
        self.register_buffer("table", torch.tensor([[1.0, 2.0], [3.0, 4.5]]))
        self.act = nn.LeakyReLU(0.2, inplace=True)
        self.elu = nn.ELU(1.5)
        self.soft = nn.Softplus(2, 10)
        self.prelu = nn.PReLU()
        self.hard = nn.Hardtanh(-0.5, 0.25)
        self.shrink = nn.Softshrink(0.3)
        self.threshold = nn.Threshold(0.1, 20)

    def forward(self, x, y, i, m):
        out = []
        # unary
        for f in (torch.exp, torch.sin, torch.cos, torch.tanh, torch.erf, torch.floor, torch.ceil,
                  torch.trunc, torch.sign, torch.square, torch.expm1, torch.sigmoid, torch.abs,
                  torch.negative, torch.reciprocal, torch.isnan, torch.isfinite, torch.exp2,
                  torch.atan, torch.sinh, torch.cosh, torch.neg):
            out.append(f(x))
        p = x.abs() + 0.5
        out += [p.log(), p.log2(), p.log10(), p.log1p(), p.sqrt(), p.rsqrt(), torch.lgamma(p)]
        # parameters by position and by name
        out += [F.gelu(x), F.gelu(x, approximate="tanh"), F.leaky_relu(x, 0.3), F.elu(x, 0.7)]
        out += [F.celu(x, alpha=2.0), F.selu(x), F.softplus(x, 3, 15), F.hardtanh(x, -0.2, 0.4)]
        out += [F.threshold(x, 0.2, -1.0), F.hardshrink(x, 0.1), F.softshrink(x, lambd=0.2)]
        out += [F.relu6(x * 9), F.silu(x), F.mish(x), F.hardswish(x), F.hardsigmoid(x)]
        out += [F.logsigmoid(x), F.softsign(x), F.tanhshrink(x), torch.round(x * 10, decimals=0)]
        out += [torch.clamp(x, -0.1, 0.1), x.clamp(min=0.05), torch.clip(x, max=0.3)]
        out += [torch.clamp_min(x, 0.1), x.clamp_max(0.1), torch.clamp(x, min=y, max=y + 1)]
        out += [torch.nan_to_num(x / 0 * 0, nan=1.5), F.glu(x, 1), torch.logit(m * 0.5, eps=1e-3)]
        out += [self.act(x * 2), self.elu(x), self.soft(x), self.prelu(x), self.hard(x)]
        out += [self.shrink(x), self.threshold(x)]
        # binary, numbers on either side
        out += [x + y, x - 2, 2 - x, x * y, 3 * x, x / y, 1 / p, x // 0.5, x % 0.3, p**2.5, 2**x]
        out += [-x, ~i, i & 3, i | 4, i ^ 5, i << 1, i >> 1, x < y, x >= 0, x == x, i != 2, abs(x)]
        out += [torch.add(x, y, alpha=2), torch.sub(x, y, alpha=3), torch.rsub(x, 1.0)]
        out += [torch.div(x, y, rounding_mode="floor"), torch.div(i, 2, rounding_mode="trunc")]
        out += [torch.true_divide(i, 2), i / 4, torch.floor_divide(i, 3), torch.remainder(x, 0.3)]
        out += [torch.fmod(x, 0.3), torch.pow(p, 3), torch.pow(2.0, x), torch.maximum(x, y)]
        out += [torch.minimum(x, y), torch.max(x, y), torch.min(x, other=y), torch.atan2(x, y)]
        out += [torch.hypot(x, y), torch.logaddexp(x, y), torch.logical_and(x > 0, y > 0)]
        out += [torch.logical_not(x > 0), torch.where(x > y, x, y), torch.where(x > 0, x, 0.0)]
        out += [torch.lerp(x, y, 0.25), torch.addcmul(x, x, y, value=0.5), torch.copysign(x, y)]
        out += [torch.addcdiv(x, x, p, value=2.0), x.masked_fill(y > 0, -1.0), torch.heaviside(x, y)]
        out += [torch.isclose(x, y, rtol=0.5, atol=0.1), x.eq(y), x.ne(1), x.gt(y), x.le(0.5)]
        # types
        out += [x.half(), x.double() * 2, x.to(torch.bfloat16), i.float(), x.long(), (x > 0).int()]
        out += [i + x, i * 2.5, i.to(torch.uint8), x.type_as(i), x.bool(), x.type(torch.float64)]
        # in place
        a = x.clone()
        a.add_(y)
        a += 1
        a *= self.scale
        a.mul_(0.5).sub_(0.25)
        a.clamp_(-1, 1)
        a /= 2
        a.relu_()
        F.relu(a, inplace=True)
        F.elu(a, 1.0, inplace=True)
        out.append(a)
        b = torch.zeros(rows, columns)
        b[1] = 2
        b[:, 3] = y[:, 0]
        b[2:4, ::2] = x[2:4, ::2]
        b[-1, -1] += 5
        b[0, 1:3] *= 7
        b[y > 0.5] = -3
        b[torch.tensor([0, 5]), torch.tensor([2, 6])] = 9
        b[[1, 2]] = x[[3, 4]]
        b.t()[0] = 4
        b.view(-1)[5] = 8
        out.append(b)
        c = torch.empty(rows, columns)
        c.copy_(x)
        c[0].fill_(3)
        c[1].zero_()
        c.data[2] = 1
        out.append(c)
        d = torch.empty_like(x)
        torch.mul(x, y, out=d)
        e = torch.full((rows, columns), 2.0)
        e.masked_fill_(x > 0, 0.5)
        out += [d, e, self.steps * 2, self.table @ self.table, x * self.steps]
        return out


def get_inputs():
    return [torch.randn(rows, columns), torch.randn(rows, columns),
            torch.randint(0, 7, (rows, columns)), torch.rand(rows, columns)]


def get_init_inputs():
    return []
