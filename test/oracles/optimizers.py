#!/usr/bin/env python3
"""Records PyTorch's AdamW and SGD on a dozen weights, and its running statistics, to test/oracles/optimizers.json.

Needs PyTorch (Debian: python3-torch). Run: python3 test/oracles/optimizers.py
"""
import json
import pathlib

import torch

torch.manual_seed(11)
STEPS = 6
start = torch.randn(12, dtype=torch.float64).float()
gradients = [torch.randn(12).mul(10 ** ((step % 3) - 1)) for step in range(STEPS)]
rates = [0.01, 0.02, 0.02, 0.015, 0.01, 0.001]


def run(make):
    weights = torch.nn.Parameter(start.clone())
    optimizer = make(weights)
    after = []
    for gradient, rate in zip(gradients, rates):
        optimizer.param_groups[0]["lr"] = rate
        weights.grad = gradient.clone()
        optimizer.step()
        after.append(weights.detach().tolist())
    return after


clipped = torch.nn.Parameter(start.clone())
clipped.grad = gradients[2].clone()
norm = torch.nn.utils.clip_grad_norm_([clipped], 1.0)

momentum = 0.1
norms = torch.nn.BatchNorm2d(3, momentum=momentum)
batches = [torch.randn(4, 3, 2, 2) * 2 + 1 for _ in range(3)]
for batch in batches:
    norms(batch)

recorded = {
    "torch": torch.__version__,
    "start": start.tolist(),
    "gradients": [g.tolist() for g in gradients],
    "rates": rates,
    "adamw": run(lambda w: torch.optim.AdamW([w], lr=0.01, weight_decay=0.1)),
    "sgd": run(lambda w: torch.optim.SGD([w], lr=0.01, momentum=0.9, weight_decay=0.1)),
    "nesterov": run(lambda w: torch.optim.SGD([w], lr=0.01, momentum=0.9, weight_decay=0.1, nesterov=True)),
    "clip": {"norm": norm.item(), "gradient": clipped.grad.tolist()},
    "running": {
        "mean": [b.mean((0, 2, 3)).tolist() for b in batches],
        "variance": [b.var((0, 2, 3), unbiased=False).tolist() for b in batches],
        "count": 16,
        "after": {"mean": norms.running_mean.tolist(), "variance": norms.running_var.tolist()},
    },
}
pathlib.Path(__file__).with_suffix(".json").write_text(json.dumps(recorded) + "\n")
