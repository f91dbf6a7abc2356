# Records what PyTorch makes of every operator that has a gradient rule: test/oracles/gradients.json.
#
#   apt-get install python3-torch && /usr/bin/python3 test/oracles/gradients.py
#
# Every case computes in float64 from inputs that float32 holds exactly. The loss is the sum of each output times `pull`, so that every
# element has a gradient of its own. test/engine/train/cases.ts has the same cases, by name, as ONNX nodes.
import json
import math
import os

import torch
import torch.nn.functional as F

torch.manual_seed(7)
cases = {}


def pull(count):
    """What output elements count in the loss: no zeros, no repeats side by side, exact in float32."""
    return ((torch.arange(count, dtype=torch.float64) * 7) % 11 - 5.5) / 4


def spread(*dims, low=-2.0, high=2.0):
    """Odd multiples of 1/128, drawn without repeats where there are enough: no two equal, none at a kink."""
    grid = torch.arange(math.ceil(low * 64), math.floor(high * 64), dtype=torch.float64) * 2 + 1
    count = math.prod(dims)
    places = torch.randperm(len(grid))[:count] if count <= len(grid) else torch.randint(len(grid), (count,))
    return (grid[places] / 128).reshape(dims)


def positive(*dims):
    return spread(*dims, low=0.1, high=2.0)


def inner(*dims):
    return spread(*dims, low=-0.9, high=0.9)


def ints(*values):
    return torch.tensor(values, dtype=torch.int64)


def case(name, compute, **inputs):
    assert name not in cases, name
    given = {key: value.clone().requires_grad_(value.dtype.is_floating_point) for key, value in inputs.items()}
    answer = compute(**given)
    outputs = answer if isinstance(answer, (tuple, list)) else (answer,)
    loss = sum((y.reshape(-1) * pull(y.numel())).sum() for y in outputs)
    loss.backward()
    cases[name] = {
        'in': {key: packed(value) for key, value in inputs.items()},
        'out': [packed(y) for y in outputs],
        'grad': {key: packed(value.grad) for key, value in given.items() if value.grad is not None},
    }


def packed(value):
    values = value.detach().reshape(-1)
    if not value.dtype.is_floating_point:
        return [list(value.shape), [int(v) for v in values], 'bool' if value.dtype == torch.bool else 'int64']
    return [list(value.shape), [shortest(v) for v in values.to(torch.float32).numpy()]]


def shortest(value):
    number = float(str(value))
    return int(number) if number == int(number) else number


# Arithmetic, with broadcasting of either side.
for op, f in {'Add': torch.add, 'Sub': torch.sub, 'Mul': torch.mul}.items():
    case(op, lambda a, b: f(a, b), a=spread(2, 3), b=spread(2, 3))
    case(f'{op} broadcast right', lambda a, b: f(a, b), a=spread(2, 3, 2), b=spread(3, 1))
    case(f'{op} broadcast left', lambda a, b: f(a, b), a=spread(2), b=spread(2, 1, 2))
    case(f'{op} scalar', lambda a, b: f(a, b), a=spread(2, 2), b=spread())
    case(f'{op} with itself', lambda a: f(a, a), a=spread(4))
case('Div', lambda a, b: a / b, a=spread(2, 3), b=positive(2, 3))
case('Div broadcast right', lambda a, b: a / b, a=spread(2, 3, 2), b=positive(3, 1))
case('Div broadcast left', lambda a, b: a / b, a=spread(3), b=positive(2, 3))
case('Pow', lambda a, b: a**b, a=positive(2, 3), b=spread(2, 3))
case('Pow broadcast', lambda a, b: a**b, a=positive(2, 3), b=spread(3))
case('Pow base broadcast', lambda a, b: a**b, a=positive(1), b=spread(2, 2))
case('Pow 2', lambda a: a**2, a=spread(2, 3))
case('Pow 3', lambda a: a**3, a=spread(2, 3))
case('Pow half', lambda a: a**0.5, a=positive(2, 3))
case('Pow 0', lambda a: a**0 + a, a=spread(2))
case('Pow int exponents', lambda a: a ** torch.tensor([0.0, 1.0, 2.0]), a=spread(2, 3))
case('Mod', lambda a, b: torch.fmod(a, b), a=spread(2, 3), b=positive(3))
case('Neg', lambda a: -a, a=spread(5))
case('Sum', lambda a, b, c: a + b + c, a=spread(2, 3), b=spread(3), c=spread(2, 1))
case('Sum of one', lambda a: a * 1, a=spread(3))
case('Mean', lambda a, b, c: (a + b + c) / 3, a=spread(2, 3), b=spread(3), c=spread(2, 1))
case('Max', lambda a, b: torch.maximum(a, b), a=spread(2, 3), b=spread(2, 3))
case('Max of three', lambda a, b, c: torch.maximum(torch.maximum(a, b), c), a=spread(2, 3), b=spread(3), c=spread(2, 1))
case('Max ties', lambda a, b: torch.maximum(a, b), a=torch.tensor([1.0, 2.0, 3.0]).double(), b=torch.tensor([1.0, 3.0, 2.0]).double())
case('Min', lambda a, b: torch.minimum(a, b), a=spread(2, 3), b=spread(3))
case('Min ties', lambda a, b: torch.minimum(a, b), a=torch.tensor([1.0, 2.0, 3.0]).double(), b=torch.tensor([1.0, 3.0, 2.0]).double())

# Functions of one value.
for op, (f, draw) in {
    'Abs': (torch.abs, spread),
    'Acos': (torch.acos, inner),
    'Acosh': (torch.acosh, lambda n: positive(n) + 1),
    'Asin': (torch.asin, inner),
    'Asinh': (torch.asinh, spread),
    'Atan': (torch.atan, spread),
    'Atanh': (torch.atanh, inner),
    'Cos': (torch.cos, spread),
    'Cosh': (torch.cosh, spread),
    'Erf': (torch.erf, spread),
    'Exp': (torch.exp, spread),
    'Log': (torch.log, positive),
    'Reciprocal': (torch.reciprocal, positive),
    'Sin': (torch.sin, spread),
    'Sinh': (torch.sinh, spread),
    'Sqrt': (torch.sqrt, positive),
    'Tan': (torch.tan, inner),
    'Tanh': (torch.tanh, spread),
    'Sigmoid': (torch.sigmoid, spread),
    'Relu': (torch.relu, spread),
    'Softplus': (F.softplus, spread),
    'Softsign': (F.softsign, spread),
    'Mish': (F.mish, spread),
    'Selu': (F.selu, spread),
    'Elu': (F.elu, spread),
    'Celu': (F.celu, spread),
    'LeakyRelu': (F.leaky_relu, spread),
    'Gelu': (F.gelu, spread),
}.items():
    case(op, lambda a: f(a), a=draw(8))
case('Elu alpha', lambda a: F.elu(a, 0.5), a=spread(8))
case('Celu alpha', lambda a: F.celu(a, 0.5), a=spread(8))
case('Selu alpha gamma', lambda a: torch.where(a > 0, 1.5 * a, 1.5 * 0.5 * (a.exp() - 1)), a=spread(8))
case('LeakyRelu alpha', lambda a: F.leaky_relu(a, 0.25), a=spread(8))
case('Gelu tanh', lambda a: F.gelu(a, approximate='tanh'), a=spread(8))
case('HardSigmoid', lambda a: torch.clamp(0.2 * a + 0.5, 0, 1), a=spread(12, low=-4, high=4))
case('HardSigmoid alpha beta', lambda a: torch.clamp(a / 4 + 0.25, 0, 1), a=spread(12, low=-4, high=4))
case('HardSwish', lambda a: F.hardswish(a), a=spread(12, low=-5, high=5))
case('ThresholdedRelu', lambda a: torch.where(a > 1, a, torch.zeros_like(a)), a=spread(8))
case('ThresholdedRelu alpha', lambda a: torch.where(a > 0.5, a, torch.zeros_like(a)), a=spread(8))
case('Shrink', lambda a: torch.where(a.abs() > 0.5, a, torch.zeros_like(a)), a=spread(8))
case('Shrink lambd bias', lambda a: torch.where(a.abs() > 0.75, a - 0.25 * a.sign(), torch.zeros_like(a)), a=spread(8))
case('PRelu', lambda a, b: torch.where(a > 0, a, b * a), a=spread(2, 3, 2), b=positive(3, 1))
case('PRelu scalar', lambda a, b: torch.where(a > 0, a, b * a), a=spread(2, 3), b=positive(1))
case('Swish', lambda a: a * torch.sigmoid(a), a=spread(8))
case('Swish alpha', lambda a: a * torch.sigmoid(1.5 * a), a=spread(8))
for op in ['Floor', 'Ceil', 'Round', 'Sign']:
    case(f'{op} beside', lambda a: getattr(torch, op.lower())(a) + a, a=spread(4))

# Choosing and bounding.
case('Where', lambda c, a, b: torch.where(c, a, b), c=torch.tensor([[True], [False]]), a=spread(2, 3), b=spread(3))
case('Clip', lambda a: torch.clamp(a, -0.5, 1), a=spread(8))
case('Clip low', lambda a: torch.clamp(a, min=-0.5), a=spread(8))
case('Clip high', lambda a: torch.clamp(a, max=0.5), a=spread(8))
case('Clip bounds', lambda a, l, h: torch.where(a < l, l, torch.where(a > h, h, a)), a=spread(8), l=torch.tensor(-0.5).double(), h=torch.tensor(0.75).double())
case('Cast', lambda a: a * 1, a=spread(3))
case('CastLike', lambda a: a * 1, a=spread(3))
case('Identity', lambda a: a * 1, a=spread(3))
case('Dropout', lambda a: a * 1, a=spread(3))
case('Dropout training none', lambda a: a * 1, a=spread(3))

# Reductions.
reductions = {
    'ReduceSum': (lambda a, d, k: a.sum(d, k), spread),
    'ReduceMean': (lambda a, d, k: a.mean(d, k), spread),
    'ReduceMax': (lambda a, d, k: a.amax(d, k), spread),
    'ReduceMin': (lambda a, d, k: a.amin(d, k), spread),
    'ReduceL1': (lambda a, d, k: a.abs().sum(d, k), spread),
    'ReduceL2': (lambda a, d, k: (a * a).sum(d, k).sqrt(), spread),
    'ReduceLogSum': (lambda a, d, k: a.sum(d, k).log(), positive),
    'ReduceLogSumExp': (lambda a, d, k: a.exp().sum(d, k).log(), spread),
    'ReduceSumSquare': (lambda a, d, k: (a * a).sum(d, k), spread),
}
for op, (f, draw) in reductions.items():
    case(op, lambda a: f(a, (0, 1, 2), True), a=draw(2, 3, 2))
    case(f'{op} axis', lambda a: f(a, (1,), True), a=draw(2, 3, 2))
    case(f'{op} axes', lambda a: f(a, (0, 2), False), a=draw(2, 3, 2))
case('ReduceSum noop', lambda a: a * 1, a=spread(2, 2))
case('ReduceMax ties', lambda a: a.amax((1,), True), a=torch.tensor([[1.0, 1.0, 0.0], [2.0, 2.0, 2.0]]).double())
case('ReduceMin ties', lambda a: a.amin((1,), True), a=torch.tensor([[1.0, 1.0, 0.0], [2.0, 2.0, 2.0]]).double())
case('ReduceL2 zero', lambda a: a.norm(dim=1), a=torch.tensor([[0.0, 0.0], [3.0, 4.0]]).double())
case('ReduceProd', lambda a: a.prod(1), a=spread(2, 3, 2))
case('ReduceProd axes', lambda a: a.prod(2, True).prod(0, True), a=spread(2, 3, 2))
case('ReduceProd zeros', lambda a: a.prod(1), a=torch.tensor([[1.0, 0.0, 3.0], [0.0, 2.0, 0.0], [2.0, 3.0, 4.0]]).double())

# Products.
for name, a, b in [
    ('', (2, 3), (3, 4)),
    (' vector vector', (3,), (3,)),
    (' vector matrix', (3,), (3, 2)),
    (' matrix vector', (2, 3), (3,)),
    (' vector batch', (3,), (2, 3, 2)),
    (' batch vector', (2, 2, 3), (3,)),
    (' batch matrix', (2, 2, 3), (3, 2)),
    (' matrix batch', (2, 3), (2, 3, 2)),
    (' batches', (2, 2, 3), (2, 3, 2)),
    (' batches broadcast', (2, 1, 2, 3), (1, 2, 3, 2)),
    (' batches lead', (2, 3), (2, 1, 3, 2)),
]:
    case(f'MatMul{name}', torch.matmul, **{'input': spread(*a), 'other': spread(*b)})
for ta in [0, 1]:
    for tb in [0, 1]:
        case(
            f'Gemm {ta}{tb}',
            lambda a, b, c: 0.5 * (a.T if ta else a) @ (b.T if tb else b) + 1.5 * c,
            a=spread(*((3, 2) if ta else (2, 3))),
            b=spread(*((4, 3) if tb else (3, 4))),
            c=spread(4),
        )
case('Gemm no bias', lambda a, b: a @ b, a=spread(2, 3), b=spread(3, 2))
case('Gemm bias column', lambda a, b, c: a @ b + c, a=spread(2, 3), b=spread(3, 2), c=spread(2, 1))
case('Gemm bias scalar', lambda a, b, c: a @ b + c, a=spread(2, 3), b=spread(3, 2), c=spread())
for equation, shapes in [
    ('ij,jk->ik', [(2, 3), (3, 2)]),
    ('bij,bkj->bik', [(2, 2, 3), (2, 2, 3)]),
    ('bhqd,bhkd->bhqk', [(1, 2, 2, 3), (1, 2, 2, 3)]),
    ('ij->ji', [(2, 3)]),
    ('ij->i', [(2, 3)]),
    ('ij->', [(2, 3)]),
    ('ij,jk', [(2, 3), (3, 2)]),
    ('i,j->ij', [(2,), (3,)]),
    ('ij,jk,kl->il', [(2, 2), (2, 3), (3, 2)]),
    ('...ij,...jk->...ik', [(2, 2, 3), (2, 3, 2)]),
    ('...ij,jk->...ik', [(2, 2, 3), (3, 2)]),
    ('ij,k->j', [(2, 3), (2,)]),
]:
    named = dict(zip('abc', [spread(*shape) for shape in shapes]))
    case(f'Einsum {equation}', lambda **given: torch.einsum(equation, *given.values()), **named)

# Moving.
case('Reshape', lambda a: a.reshape(3, 2), a=spread(2, 3))
case('Reshape zero and open', lambda a: a.reshape(2, 6), a=spread(2, 3, 2))
case('Flatten', lambda a: a.reshape(2, 6), a=spread(2, 3, 2))
case('Flatten axis 2', lambda a: a.reshape(6, 2), a=spread(2, 3, 2))
case('Squeeze', lambda a: a.squeeze(1), a=spread(2, 1, 3))
case('Squeeze all', lambda a: a.squeeze(), a=spread(1, 2, 1))
case('Unsqueeze', lambda a: a[:, None, :, None], a=spread(2, 3))
case('Transpose', lambda a: a.permute(2, 1, 0), a=spread(2, 3, 2))
case('Transpose perm', lambda a: a.permute(1, 2, 0), a=spread(2, 3, 2))
case('Expand', lambda a: a.expand(2, 3, 2), a=spread(3, 1))
case('Expand smaller target', lambda a: a.expand(2, 3), a=spread(2, 1))
case('Tile', lambda a: a.repeat(2, 3), a=spread(2, 2))
case('Tile one axis', lambda a: a.repeat(1, 2, 1), a=spread(2, 2, 2))
case('Concat', lambda a, b: torch.cat([a, b], 1), a=spread(2, 1), b=spread(2, 2))
case('Concat of three', lambda a, b, c: torch.cat([a, b, c], -1), a=spread(2, 1), b=spread(2, 2), c=spread(2, 1))
case('Concat with itself', lambda a: torch.cat([a, a], 0), a=spread(2, 2))
case('Concat with a constant', lambda a: torch.cat([torch.ones(1, 2).double(), a], 0), a=spread(2, 2))
case('Split', lambda a: torch.split(a, [1, 2], 1), a=spread(2, 3))
case('Split in halves', lambda a: torch.split(a, 2, 0), a=spread(4, 2))
case('Split uneven', lambda a: torch.split(a, 2, 0), a=spread(5))
case('Split one used', lambda a: torch.split(a, [1, 2, 1], 0)[1], a=spread(4, 2))
case('Slice', lambda a: a[1:3, :2], a=spread(4, 3))
case('Slice steps', lambda a: a[::2, 1::3], a=spread(4, 7))
case('Slice negative', lambda a: a[-3:-1], a=spread(5))
case('Slice backwards', lambda a: a.flip(0)[::2], a=spread(6))
case('Slice backwards part', lambda a: a[1:5].flip(0), a=spread(6, 2))
case('Slice beyond', lambda a: a[2:], a=spread(5))
case('Slice by data', lambda a: a[1:3], a=spread(4, 2))
case('Pad', lambda a: F.pad(a, (1, 2, 0, 1)), a=spread(2, 3))
case('Pad value', lambda a, b: F.pad(a - b, (1, 1)) + b, a=spread(2, 3), b=spread())
case('Pad axes', lambda a: F.pad(a, (0, 0, 1, 2)), a=spread(2, 3))
case('Pad negative', lambda a: a[:, 1:], a=spread(2, 3))
case('Pad both ways', lambda a: F.pad(a[:, 1:], (0, 2)), a=spread(2, 3))
case('Pad reflect', lambda a: F.pad(a, (2, 1, 1, 1), mode='reflect'), a=spread(1, 1, 3, 4))
case('Pad edge', lambda a: F.pad(a, (2, 1, 1, 0), mode='replicate'), a=spread(1, 1, 2, 3))
case('Pad wrap', lambda a: F.pad(a, (2, 1), mode='circular'), a=spread(1, 2, 4))
case('DepthToSpace', lambda a: a.reshape(1, 2, 2, 2, 2, 2).permute(0, 3, 4, 1, 5, 2).reshape(1, 2, 4, 4), a=spread(1, 8, 2, 2))
case('DepthToSpace CRD', lambda a: F.pixel_shuffle(a, 2), a=spread(1, 8, 2, 2))
case('SpaceToDepth', lambda a: a.reshape(1, 2, 2, 2, 2, 2).permute(0, 3, 5, 1, 2, 4).reshape(1, 8, 2, 2), a=spread(1, 2, 4, 4))
case('ReverseSequence', lambda a: torch.stack([a[:, 0].flip(0), torch.cat([a[:2, 1].flip(0), a[2:, 1]])], 1), a=spread(3, 2))
case('CumSum', lambda a: a.cumsum(1), a=spread(2, 4))
case('CumSum exclusive', lambda a: a.cumsum(0) - a, a=spread(4, 2))
case('CumSum reverse', lambda a: a.flip(0).cumsum(0).flip(0), a=spread(4))
case('CumSum exclusive reverse', lambda a: a.flip(0).cumsum(0).flip(0) - a, a=spread(4))
case('Trilu', lambda a: a.triu(), a=spread(3, 4))
case('Trilu lower', lambda a: a.tril(), a=spread(3, 3))
case('Trilu k', lambda a: a.triu(1), a=spread(2, 3, 3))
case('Trilu lower k', lambda a: a.tril(-1), a=spread(3, 3))

# Gathering and scattering.
case('Gather', lambda a, i: a[i], a=spread(4, 3), i=ints(2, 0, 2))
case('Gather table', lambda a, i: a[i], a=spread(5, 3), i=torch.tensor([[0, 3, 3], [4, 0, 3]]))
case('Gather negative', lambda a, i: a[i], a=spread(4, 2), i=ints(-1, 0, -1))
case('Gather axis 1', lambda a, i: a[:, i], a=spread(2, 4, 2), i=torch.tensor([[0, 3], [3, 1]]))
case('Gather last axis', lambda a, i: a[..., i], a=spread(2, 3), i=ints(2, 2))
case('Gather one', lambda a: a[:, 1], a=spread(2, 3, 2))
case('Gather last', lambda a: a[:, -1:], a=spread(2, 3, 2))
case('GatherElements', lambda a, i: a.gather(1, i), a=spread(2, 3), i=torch.tensor([[0, 0, 2, 1], [1, 1, 1, 0]]))
case('GatherElements axis 0', lambda a, i: a.gather(0, i), a=spread(3, 2), i=torch.tensor([[0, 2], [2, 2]]))
case('GatherND', lambda a, i: a[i[:, 0], i[:, 1]], a=spread(2, 3, 2), i=torch.tensor([[0, 1], [1, 2], [0, 1]]))
case('GatherND rows', lambda a, i: a[i[..., 0]], a=spread(3, 2), i=torch.tensor([[[0], [2]], [[2], [1]]]))
case('GatherND batch', lambda a, i: torch.stack([a[b][i[b, :, 0]] for b in range(2)]), a=spread(2, 3, 2), i=torch.tensor([[[1], [1]], [[0], [2]]]))
case('ScatterElements', lambda a, i, u: a.scatter(1, i, u), a=spread(2, 3), i=torch.tensor([[0, 2], [1, 0]]), u=spread(2, 2))
case('ScatterElements add', lambda a, i, u: a.scatter_add(0, i, u), a=spread(3, 2), i=torch.tensor([[0, 2], [0, 2]]), u=spread(2, 2))
case('ScatterND', lambda a, i, u: a.index_put((i[:, 0],), u), a=spread(4, 2), i=torch.tensor([[3], [1]]), u=spread(2, 2))
case('ScatterND add', lambda a, i, u: a.index_put((i[:, 0], i[:, 1]), u, accumulate=True), a=spread(2, 3), i=torch.tensor([[0, 1], [1, 2], [0, 1]]), u=spread(3))
case('OneHot', lambda a, i: a[0] + (a[1] - a[0]) * F.one_hot(i, 3), a=spread(2), i=ints(2, 0))
case('OneHot axis 0', lambda a, i: a[0] + (a[1] - a[0]) * F.one_hot(i, 3).T, a=spread(2), i=ints(2, 0))
case('Range', lambda a, c: a + c * torch.arange(4), a=torch.tensor(0.25).double(), c=torch.tensor(0.5).double())
case('TopK', lambda a: a.topk(2, 1)[0], a=spread(2, 4))
case('TopK smallest axis 0', lambda a: a.topk(2, 0, largest=False)[0], a=spread(4, 2))

# Softmax and losses.
case('Softmax', lambda a: a.softmax(-1), a=spread(2, 4))
case('Softmax axis 1', lambda a: a.softmax(1), a=spread(2, 3, 2))
case('LogSoftmax', lambda a: a.log_softmax(-1), a=spread(2, 4))
case('LogSoftmax axis 1', lambda a: a.log_softmax(1), a=spread(2, 3, 2))
labels = ints(1, 0, 2)
deep = torch.tensor([[0, 2], [1, 1]])
for reduction in ['mean', 'sum', 'none']:
    case(f'SoftmaxCrossEntropyLoss {reduction}', lambda a, t: F.cross_entropy(a, t, reduction=reduction), a=spread(3, 4), t=labels)
    case(f'NegativeLogLikelihoodLoss {reduction}', lambda a, t: F.nll_loss(a, t, reduction=reduction), a=spread(3, 4), t=labels)
    weights = positive(3)
    case(f'SoftmaxCrossEntropyLoss weights {reduction}', lambda a, t: F.cross_entropy(a, t, weights, reduction=reduction), a=spread(2, 3, 2), t=deep)
    cases[f'SoftmaxCrossEntropyLoss weights {reduction}']['in']['w'] = packed(weights)
    case(f'NegativeLogLikelihoodLoss weights {reduction}', lambda a, t: F.nll_loss(a, t, weights, reduction=reduction), a=spread(2, 3, 2), t=deep)
    cases[f'NegativeLogLikelihoodLoss weights {reduction}']['in']['w'] = packed(weights)
case('SoftmaxCrossEntropyLoss ignored', lambda a, t: F.cross_entropy(a, t, ignore_index=-1), a=spread(3, 4), t=ints(1, -1, 2))
case('NegativeLogLikelihoodLoss ignored', lambda a, t: F.nll_loss(a, t, ignore_index=2), a=spread(3, 4), t=ints(1, 0, 2))
case('SoftmaxCrossEntropyLoss with log', lambda a, t: (F.cross_entropy(a, t), a.log_softmax(1)), a=spread(3, 4), t=labels)


# The fake-quantized pair: rounding passed straight through, the range cut off, the scale learned.
def quantized(x, s, z, low, high):
    ratio = x / s
    code = torch.clamp(ratio + (ratio.round() - ratio).detach() + z, low, high)
    return (code - z) * s


case('QuantizeLinear', lambda a, s: quantized(a, s, 0, -128, 127), a=spread(12), s=torch.tensor(1 / 96).float().double())
case('QuantizeLinear uint8', lambda a, s: quantized(a, s, 100, 0, 255), a=spread(12), s=torch.tensor(1 / 96).float().double())
case('QuantizeLinear channel', lambda a, s: quantized(a, s[None, :], 0, -128, 127), a=spread(4, 3), s=torch.tensor([0.0078125, 0.0103, 0.025]).float().double())
case('QuantizeLinear rows', lambda a, s: quantized(a, s[:, None], 0, -8, 7), a=spread(3, 4), s=torch.tensor([0.125, 0.2, 0.3]).float().double())
case('QuantizeLinear blocks', lambda a, s: quantized(a, s.repeat_interleave(2, 0), 0, -8, 7), a=spread(4, 3), s=torch.tensor([[0.125, 0.2, 0.3], [0.2, 0.25, 0.1]]).float().double())
case('QuantizeLinear short block', lambda a, s: quantized(a, s.repeat_interleave(2, 1)[:, :3], 0, -8, 7), a=spread(2, 3), s=torch.tensor([[0.125, 0.2], [0.2, 0.25]]).float().double())

if __name__ == '__main__':
    place = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'gradients.json')
    with open(place, 'w') as file:
        lines = [f'{json.dumps(name)}:{json.dumps(value, separators=(",", ":"))}' for name, value in cases.items()]
        file.write('{\n' + ',\n'.join(lines) + '\n}\n')
    print(f'{len(cases)} cases, {os.path.getsize(place)} bytes')
