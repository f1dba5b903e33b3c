"""Views, copies, joins, indexing, reductions and products, for judge-trace.py."""
import torch
import torch.nn as nn
import torch.nn.functional as F

batch = 2
rows = 6
columns = 8


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        weight = torch.randn(columns, rows)
        self.weight = nn.Parameter(weight)
        self.packed = self.weight.t().contiguous()
        self.halved = self.weight.detach().half()
        self.register_buffer("mask", torch.tril(torch.ones(rows, rows)).bool())

    def forward(self, x, a, b, k):
        out = [self.packed, self.halved, self.mask]
        # views and copies
        t = x.transpose(1, 2)
        out += [t, t.contiguous(), t.reshape(batch, -1), x.reshape(-1), t.flatten(1), x.flatten()]
        out += [x.permute(2, 0, 1), x.permute(2, 0, 1).reshape(columns, -1), x.view(batch, -1)]
        out += [x[0], x[:, 1], x[..., -1], x[:, ::2, 1:3], x[:, None], x[0, 1, 2], x[:, -1:]]
        out += [x.unsqueeze(1), x[:1].squeeze(), x[:1].squeeze(0), a.t(), a.T, x.mT, x.narrow(1, 2, 3)]
        out += [x.select(1, 2), *x.unbind(0), *x.chunk(3, dim=1), *x.split(4, 1), *x.split([2, 4], 1)]
        out += [a.diagonal(), a.diagonal(1), a.diagonal(-2), torch.diagonal(x, 1, 1, 2), torch.diag(a)]
        out += [torch.diag(a[0]), torch.diag(a[0], 1), torch.diag(a, -1), x.movedim(0, 2)]
        out += [a[0].expand(3, columns), a[:, :1].expand(-1, 4), a[0].expand(3, columns).contiguous()]
        out += [a.expand_as(x), a[0].repeat(2, 3), a.repeat_interleave(2, dim=1), a.tile(2), x.clone()]
        out += [a.as_strided((3, 3), (columns, 2), 1), a.unfold(1, 3, 2), x.unflatten(2, (2, 4))]
        out += [t.clone(), t.clone(memory_format=torch.contiguous_format), x.swapaxes(0, 1), x.ravel()]
        # joins
        out += [torch.cat([a, b.t()], 0), torch.cat((a, b.t()), dim=1), torch.stack([a, b.t()])]
        out += [torch.stack((a, b.t()), dim=-1), torch.hstack([a, a]), torch.vstack([a[0], a])]
        out += [torch.flip(x, [1]), a.flip(0, 1), torch.roll(a, 2, 1), torch.roll(a, (1, 2), (0, 1))]
        out += [F.pad(a, (1, 2)), F.pad(x, (1, 1, 2, 0), value=3.0), F.pad(x, (1, 2), mode="reflect")]
        out += [F.pad(x, (1, 2), "replicate"), *torch.meshgrid(a[0], b[0], indexing="ij")]
        # indexing
        out += [x[:, k], x[k % batch], a[k, k], x[:, :, k], x[k % batch, :, k], a[[0, 2]], x[:, [1, 3]]]
        out += [a.index_select(1, k), torch.gather(a, 1, k.expand(rows, 3)), a.take_along_dim(k.expand(rows, 3), 1)]
        out += [torch.zeros(rows, columns).scatter_(1, k.expand(rows, 3), 1.5)]
        out += [torch.zeros(rows, columns).scatter(1, k.expand(rows, 3), a), a.index_add(1, k, a[:, :3])]
        out += [torch.zeros(rows, columns).scatter_add_(1, k.expand(rows, 3), a)]
        out += [a.index_fill(1, k, -1.0), a.index_copy(1, k, b.t()[:, :3]), F.one_hot(k, 10)]
        out += [F.embedding(k, b), torch.tril(a), torch.triu(a, 1), torch.tril(x, diagonal=-1)]
        # reductions
        out += [x.sum(), x.sum(1), x.sum(dim=(0, 2), keepdim=True), x.mean(-1), torch.mean(x, [0, 1])]
        out += [x.sum(2, dtype=torch.float64), k.sum(), x.prod(1), x.amax(1), x.amin((1, 2)), x.max()]
        out += [*x.max(1), *torch.min(x, dim=2, keepdim=True), x.argmax(1), x.argmin(), torch.argmax(x, 2, True)]
        out += [x.std(), x.std(1), x.var(2, unbiased=False), torch.var(x, dim=1, correction=0, keepdim=True)]
        out += [*torch.var_mean(x, 1), *torch.std_mean(x, dim=2, unbiased=False), x.std(1, False)]
        out += [torch.logsumexp(x, 1), x.logsumexp((1, 2), keepdim=True), x.norm(), x.norm(2, 1), x.norm(p=1, dim=2)]
        out += [torch.norm(x, dim=1, keepdim=True), torch.norm(a, p="fro"), (x > 0).any(1), (x > 0).all()]
        out += [torch.count_nonzero(x > 0, 1), x.cumsum(1), torch.cumsum(k, 0), x.cumprod(dim=2), *x.cummax(1)]
        out += [*x.sort(2), *torch.sort(x, 1, descending=True), x.argsort(1), *x.topk(2), *torch.topk(x, 3, 1, False)]
        out += [F.softmax(x, -1), F.softmax(x, dim=1, dtype=torch.float64), F.log_softmax(x, 2), x.softmax(0), F.softmin(x, 1)]
        out += [F.normalize(x), F.normalize(x, p=1, dim=2), F.cosine_similarity(x, x.flip(0), dim=2), *x.median(1)]
        out += [torch.linalg.norm(x, dim=1), torch.linalg.vector_norm(x, ord=1, dim=2, keepdim=True)]
        # products
        out += [a @ b, torch.matmul(x, b), torch.mm(a, b), torch.bmm(x, x.mT), torch.mv(a, b[:, 0]), torch.dot(a[0], a[1])]
        out += [torch.outer(a[0], a[1]), torch.addmm(a[:, :rows], a, b, beta=0.5, alpha=2), a.matmul(b), a[0] @ b]
        out += [torch.baddbmm(x[:, :, :rows], x, x.mT, alpha=0.1), F.linear(x, a), F.linear(x, b.t(), bias=a[:, 0])]
        out += [torch.einsum("bij,jk->bik", x, b), torch.einsum("ij,ij->", a, a), torch.einsum("bij,bkj->bik", [x, x])]
        out += [F.scaled_dot_product_attention(x, x, x, is_causal=True), torch.trace(a)]
        out += [F.scaled_dot_product_attention(x, x, x, attn_mask=self.mask, scale=0.3)]
        return out


def get_inputs():
    return [torch.randn(batch, rows, columns), torch.randn(rows, columns),
            torch.randn(columns, rows), torch.tensor([1, 4, 2])]


def get_init_inputs():
    return []
