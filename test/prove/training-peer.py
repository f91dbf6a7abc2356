"""PyTorch's side of training-speed.prove.ts: builds the network asked for and times steps, one line of JSON in, one out.

{"network": "mlp", "batch": 64, "threads": 2} builds; {"steps": 5} answers the milliseconds of each: [forward + backward, AdamW, processor time of both].
"""

import json
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F


class Classified(nn.Module):
    def __init__(self, net, shape, classes):
        super().__init__()
        self.net, self.shape, self.classes = net, shape, classes

    def batch(self, size):
        return torch.randn(size, *self.shape), torch.randint(0, self.classes, (size,))

    def forward(self, x, labels):
        return F.cross_entropy(self.net(x), labels)


def mlp():
    return Classified(nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10)), (784,), 10)


def small_cnn():
    # The pool before the Relu, as on the other side: the same numbers, less work.
    return Classified(nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1), nn.MaxPool2d(2), nn.ReLU(),
        nn.Conv2d(32, 64, 3, padding=1), nn.MaxPool2d(2), nn.ReLU(), nn.Flatten(), nn.Linear(64 * 49, 10)), (1, 28, 28), 10)


def normed(a, b, kernel, stride=1, groups=1):
    return [nn.Conv2d(a, b, kernel, stride, kernel // 2, groups=groups, bias=False), nn.BatchNorm2d(b)]


def mobile_net():
    layers, a = [*normed(1, 32, 3), nn.ReLU()], 32
    for b, stride in [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1)]:
        layers += [*normed(a, a, 3, stride, a), nn.ReLU(), *normed(a, b, 1), nn.ReLU()]
        a = b
    return Classified(nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(256, 10)), (1, 28, 28), 10)


class Basic(nn.Module):
    def __init__(self, a, b, stride):
        super().__init__()
        self.body = nn.Sequential(*normed(a, b, 3, stride), nn.ReLU(), *normed(b, b, 3))
        self.shortcut = nn.Sequential(*normed(a, b, 1, stride)) if stride > 1 or a != b else nn.Identity()

    def forward(self, x):
        return F.relu(self.body(x) + self.shortcut(x))


def residual_net():
    layers, a = [*normed(3, 64, 3), nn.ReLU()], 64
    for stage in range(4):
        b = 64 * 2**stage
        for block in range(2):
            layers.append(Basic(a, b, 2 if stage > 0 and block == 0 else 1))
            a = b
    return Classified(nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 10)), (3, 32, 32), 10)


class Block(nn.Module):
    def __init__(self, width=256, heads=4):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.q, self.k, self.v, self.o = (nn.Linear(width, width) for _ in range(4))
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def batch(self, size):
        return torch.randn(size, 128, 256), torch.randn(size, 128, 256)

    def forward(self, x, wanted):
        batch, steps, width = x.shape
        h = self.norm1(x)
        q, k, v = (part(h).view(batch, steps, self.heads, -1).transpose(1, 2) for part in (self.q, self.k, self.v))
        weights = F.softmax(q @ k.transpose(-1, -2) * (width // self.heads) ** -0.5, -1)
        x = x + self.o((weights @ v).transpose(1, 2).reshape(batch, steps, width))
        x = x + self.down(F.gelu(self.up(self.norm2(x))))
        return F.mse_loss(x, wanted)


class Rms(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-5) * self.weight


class Stories(nn.Module):
    """The shapes of stories260K: width 64, 5 layers, 8 heads on 4 keys, hidden 172, 512 tokens."""

    def __init__(self):
        super().__init__()
        linear = lambda a, b: nn.Linear(a, b, bias=False)
        self.embed, self.head, self.norm = nn.Embedding(512, 64), linear(64, 512), Rms(64)
        self.layers = nn.ModuleList(nn.ModuleDict({
            "norm1": Rms(64), "norm2": Rms(64), "q": linear(64, 64), "k": linear(64, 32), "v": linear(64, 32), "o": linear(64, 64),
            "gate": linear(64, 172), "up": linear(64, 172), "down": linear(172, 64)}) for _ in range(5))
        angles = torch.outer(torch.arange(512.0), 10000 ** (-torch.arange(0, 8, 2) / 8))
        self.cos, self.sin = angles.repeat(1, 2).cos(), angles.repeat(1, 2).sin()

    def batch(self, size):
        ids = torch.randint(0, 512, (size, 128))
        return ids, ids

    def forward(self, ids, labels):
        batch, steps = ids.shape
        cos, sin = self.cos[:steps], self.sin[:steps]
        turn = lambda x: x * cos + torch.cat((-x[..., 4:], x[..., :4]), -1) * sin
        hidden = torch.full((steps, steps), float("-inf")).triu(1)
        x = self.embed(ids)
        for layer in self.layers:
            h = layer["norm1"](x)
            q, k, v = (layer[name](h).view(batch, steps, -1, 8).transpose(1, 2) for name in "qkv")
            q, k = turn(q), turn(k)
            k, v = k.repeat_interleave(2, 1), v.repeat_interleave(2, 1)
            weights = F.softmax(q @ k.transpose(-1, -2) * 8**-0.5 + hidden, -1)
            x = x + layer["o"]((weights @ v).transpose(1, 2).reshape(batch, steps, -1))
            m = layer["norm2"](x)
            x = x + layer["down"](F.silu(layer["gate"](m)) * layer["up"](m))
        logits = self.head(self.norm(x))
        return F.cross_entropy(logits[:, :-1].reshape(-1, 512), labels[:, 1:].reshape(-1))


networks = {
    "mlp": mlp, "small-cnn": small_cnn, "mobile-net": mobile_net, "residual-net": residual_net,
    "transformer-block": Block, "stories260K": Stories,
}


def step(net, batch, optimizer):
    start, used = time.perf_counter(), time.process_time()
    optimizer.zero_grad(set_to_none=True)
    net(*batch).backward()
    between = time.perf_counter()
    optimizer.step()
    end = time.perf_counter()
    return [1000 * (between - start), 1000 * (end - between), 1000 * (time.process_time() - used)]


net = batch = optimizer = None
for line in sys.stdin:
    ask = json.loads(line)
    if "network" in ask:
        torch.set_num_threads(ask["threads"])
        torch.manual_seed(1)
        net = networks[ask["network"]]()
        batch = net.batch(ask["batch"])
        optimizer = torch.optim.AdamW(net.parameters(), lr=1e-4)
        answer = {"parameters": sum(p.numel() for p in net.parameters()), "torch": torch.__version__}
    else:
        answer = [step(net, batch, optimizer) for _ in range(ask["steps"])]
    print(json.dumps(answer), flush=True)
