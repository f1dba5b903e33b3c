/// What bodies of `forward` over `x`, `y` (2×3), `w` (3×4) and `k` (2 ints) record.
enum TraceTable {
  private static let x = "%0:fp32[2, 3]"
  private static let y = "%1:fp32[2, 3]"
  private static let w = "%2:fp32[3, 4]"
  private static let k = "%3:int64[2]"
  private static let z = "%4:fp32[2, 3]"

  static let operators: [(String, [String])] = [
    (
      "x * 2 + y",
      ["\(z) = mul(input=\(x), other=2)", "%5:fp32[2, 3] = add(input=\(z), other=\(y))"]
    ),
    ("2 - x", ["\(z) = sub(input=2, other=\(x))"]),
    ("-x", ["\(z) = neg(input=\(x))"]),
    ("x ** 2.5", ["\(z) = pow(exponent=2.5, input=\(x))"]),
    ("x @ w", ["%4:fp32[2, 4] = matmul(input=\(x), other=\(w))"]),
    ("x >= y", ["%4:int1[2, 3] = ge(input=\(x), other=\(y))"]),
    ("x += y", ["\(x) = add(input=\(x), other=\(y))"]),
    ("x[1] = 3", ["%0+3:fp32[3] = fill(input=%0+3:fp32[3], value=3)"]),
    (
      "x[:, 0] = y[:, 1]",
      ["%0:fp32[2]/[3] = copy(input=%0:fp32[2]/[3], src=%1+1:fp32[2]/[3])"]
    ),
    (
      "x[:, k] = 1.5",
      ["\(x) = index_put(indices=[None, \(k)], input=\(x), values=1.5)"]
    ),
    ("x[:, k]", ["%4:fp32[2, 2] = index(indices=[None, \(k)], input=\(x))"]),
    ("w[k, 1:]", ["%4:fp32[2, 3] = index(indices=[\(k)], input=%2+1:fp32[3, 3]/[4, 1])"]),
    ("x.add_(y, alpha=2)", ["\(x) = add(alpha=2, input=\(x), other=\(y))"]),
    ("F.relu(x, inplace=True)", ["\(x) = relu(input=\(x))"]),
    ("nn.ReLU(inplace=True)(x)", ["\(x) = relu(input=\(x))"]),
    ("torch.mul(x, y, out=x)", ["\(x) = mul(input=\(x), other=\(y))"]),
    ("x.copy_(y[0])", ["\(x) = copy(input=\(x), src=%1:fp32[3])"]),
    ("x.zero_()", ["\(x) = zero(input=\(x))"]),
    ("x.data.fill_(2)", ["\(x) = fill(input=\(x), value=2)"]),
    ("x.uniform_(-1, 1)", ["\(x) = uniform(from=-1, input=\(x), to=1)"]),
    ("F.gelu(x, approximate='tanh')", ["\(z) = gelu(approximate='tanh', input=\(x))"]),
    ("F.leaky_relu(x, 0.2)", ["\(z) = leaky_relu(input=\(x), negative_slope=0.2)"]),
    ("nn.LeakyReLU(0.2)(x)", ["\(z) = leaky_relu(input=\(x), negative_slope=0.2)"]),
    ("F.softplus(x, 2, 9)", ["\(z) = softplus(beta=2, input=\(x), threshold=9)"]),
    ("F.hardtanh(x, -2, 2)", ["\(z) = hardtanh(input=\(x), max_val=2, min_val=-2)"]),
    ("F.elu(x, alpha=0.5)", ["\(z) = elu(alpha=0.5, input=\(x))"]),
    ("x.clamp(min=0)", ["\(z) = clamp(input=\(x), min=0)"]),
    ("torch.clip(x, -1, 1)", ["\(z) = clamp(input=\(x), max=1, min=-1)"]),
    ("torch.true_divide(x, 2)", ["\(z) = div(input=\(x), other=2)"]),
    ("F.softmax(x)", ["\(z) = softmax(dim=1, input=\(x))"]),
    ("F.dropout(x, 0.25, training=False)", ["\(z) = dropout(input=\(x), p=0.25, training=false)"]),
    (
      "F.layer_norm(x, (3,), eps=1e-3)",
      ["\(z) = layer_norm(eps=0.001, input=\(x), normalized_shape=[3])"]
    ),
    ("x.sum(1, keepdim=True)", ["%4:fp32[2, 1] = sum(dim=1, input=\(x), keepdim=true)"]),
    ("x.std(1, False)", ["%4:fp32[2] = std(correction=0, dim=1, input=\(x))"]),
    ("x.max(1)", ["%4:fp32[2], %5:int64[2] = max(dim=1, input=\(x))"]),
    ("torch.max(x, y)", ["\(z) = maximum(input=\(x), other=\(y))"]),
    ("torch.cat([x, y], dim=1)", ["%4:fp32[2, 6] = cat(dim=1, tensors=[\(x), \(y)])"]),
    (
      "torch.einsum('ij,jk->ik', x, w)",
      ["%4:fp32[2, 4] = einsum(equation='ij,jk->ik', operands=[\(x), \(w)])"]
    ),
    ("x.half()", ["%4:fp16[2, 3] = to(dtype=fp16, input=\(x))"]),
    ("x.float()", []), ("x.view(6)", []), ("x.t()", []), ("x.contiguous()", []),
    ("x.expand(4, 2, 3)", []), ("x.detach()", []), ("x[0]", []), ("x.reshape(3, 2)", []),
    ("x.t().contiguous()", ["%4:fp32[3, 2] = contiguous(input=%0:fp32[3, 2]/[1, 3])"]),
    (
      "x.t().reshape(6) + 1",
      [
        "%4:fp32[3, 2] = contiguous(input=%0:fp32[3, 2]/[1, 3])",
        "%5:fp32[6] = add(input=%4:fp32[6], other=1)",
      ]
    ),
    ("x.clone()", ["\(z) = clone(input=\(x))"]),
    ("torch.zeros(2, 3)", ["\(z) = zeros(size=[2, 3])"]),
    ("torch.zeros(size=(2, 3))", ["\(z) = zeros(size=[2, 3])"]),
    ("torch.empty((2, 3), device='cuda')", ["\(z) = empty(size=[2, 3])"]),
    ("torch.full((2, 3), 7.0)", ["\(z) = full(fill_value=7.0, size=[2, 3])"]),
    ("torch.arange(4)", ["%4:int64[4] = arange(end=4, start=0, step=1)"]),
    ("torch.tensor([[1, 2]])", ["%4:int64[1, 2] = tensor(data=[[1, 2]])"]),
    ("torch.randint(5, (2,))", ["%4:int64[2] = randint(high=5, low=0, size=[2])"]),
    ("x.new_zeros(2)", ["%4:fp32[2] = new_zeros(input=\(x), size=[2])"]),
    ("torch.rand_like(x)", ["\(z) = rand_like(input=\(x))"]),
    ("nn.init.constant_(w, 3)", ["\(w) = init.constant(value=3.0)"]),
    ("nn.init.uniform_(w, -2, 2)", ["\(w) = init.uniform(high=2.0, low=-2.0)"]),
    (
      "x.add_(torch.zeros(4, 2, 3))",
      [
        "module.py:9:9: error: this raises RuntimeError: output with shape [2, 3] doesn't match the broadcast shape [4, 2, 3]"
      ]
    ),
  ]
}
