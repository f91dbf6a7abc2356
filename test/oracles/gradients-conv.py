"""Gradients of convolutions, pools, resizing, normalisations, recurrent networks and attention as PyTorch computes them in float64.

Debian: apt-get install python3-torch; then: python3 test/oracles/gradients-conv.py
Writes test/oracles/gradients-conv.json. Inputs are not stored: both sides draw them from the same small generator.
"""

import base64
import json
import os
import struct

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)


def numbers(seed, count, scale, mean):
    """Uniform in mean ± scale, rounded to float32: the linear congruential generator of Numerical Recipes."""
    state, found = seed, []
    for _ in range(count):
        state = (1664525 * state + 1013904223) % 2**32
        found.append(struct.unpack("f", struct.pack("f", mean + scale * (state / 2**31 - 1)))[0])
    return found


def packed(tensor):
    return base64.b64encode(struct.pack(f"<{tensor.numel()}f", *tensor.detach().flatten().tolist())).decode()


cases = []


def case(name, op, inputs, forward, attributes=None, domain="", outputs=1, train=False, weights=None):
    """`inputs`: name → dims, or (dims, scale, mean). `forward` gives the outputs of the ONNX operator, in ONNX's layout."""
    specs, values = {}, {}
    for index, (key, dims) in enumerate(inputs.items()):
        dims, scale, mean = dims if isinstance(dims, tuple) else (dims, 1.0, 0.0)
        count = 1
        for dim in dims:
            count *= dim
        seed = 1000 * len(cases) + index + 1
        specs[key] = {"dims": dims, "seed": seed, "scale": scale, "mean": mean}
        values[key] = torch.tensor(numbers(seed, count, scale, mean)).reshape(dims).requires_grad_()
    results = forward(**values)
    results = list(results) if isinstance(results, (tuple, list)) else [results]
    loss = 0
    for index, result in enumerate(results[:outputs]):
        seed = 1000 * len(cases) + 500 + index
        loss = loss + (result * torch.tensor(numbers(seed, result.numel(), 1.0, 0.0)).reshape(result.shape)).sum()
    loss.backward()
    cases.append({
        "name": name,
        "op": op,
        "domain": domain,
        "attributes": attributes or {},
        "inputs": specs,
        "train": train,
        "outputs": [{"dims": list(result.shape), "values": packed(result)} for result in results[:outputs]],
        "gradients": {key: packed(value.grad) for key, value in values.items() if value.grad is not None},
    })


def conv(name, x, w, bias=True, strides=None, pads=None, dilations=None, group=1, auto_pad=None):
    rank = len(x) - 2
    strides, dilations = strides or [1] * rank, dilations or [1] * rank
    around = pads or [0] * 2 * rank
    if auto_pad in ("SAME_UPPER", "SAME_LOWER"):
        around = [0] * 2 * rank
        for i in range(rank):
            out = -(-x[2 + i] // strides[i])
            total = max((out - 1) * strides[i] + dilations[i] * (w[2 + i] - 1) + 1 - x[2 + i], 0)
            less, more = total // 2, total - total // 2
            around[i], around[rank + i] = (less, more) if auto_pad == "SAME_UPPER" else (more, less)
    function = [F.conv1d, F.conv2d, F.conv3d][rank - 1]

    def forward(x, w, b=None):
        # F.pad counts from the last axis, before and after.
        flat = [size for i in reversed(range(rank)) for size in (around[i], around[rank + i])]
        return function(F.pad(x, flat), w, b, stride=strides, dilation=dilations, groups=group)

    attributes = {"strides": strides, "dilations": dilations, "group": group}
    attributes.update({"auto_pad": auto_pad} if auto_pad else {"pads": around})
    inputs = {"x": x, "w": w, **({"b": [w[0]]} if bias else {})}
    case(f"Conv {name}", "Conv", inputs, forward, attributes)


conv("3×3, few channels", [2, 3, 7, 7], [4, 3, 3, 3], pads=[1, 1, 1, 1])
conv("3×3, many channels", [2, 17, 5, 5], [3, 17, 3, 3], pads=[1, 1, 1, 1])
conv("1×1", [2, 5, 4, 3], [6, 5, 1, 1])
conv("1×1, stride 2", [2, 5, 5, 6], [3, 5, 1, 1], strides=[2, 2])
conv("stride 2, many channels", [2, 16, 7, 6], [3, 16, 3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
conv("stride 2, few channels, odd rest", [2, 3, 8, 9], [4, 3, 3, 3], strides=[2, 3], pads=[1, 1, 1, 1], bias=False)
conv("7×7, stride 2", [1, 3, 12, 12], [4, 3, 7, 7], strides=[2, 2], pads=[3, 3, 3, 3])
conv("dilation 2", [2, 3, 8, 8], [4, 3, 3, 3], dilations=[2, 2], pads=[2, 2, 2, 2])
conv("dilation 2, many channels", [1, 16, 8, 8], [2, 16, 3, 3], dilations=[2, 2], pads=[2, 2, 2, 2])
conv("dilation 2, stride 2", [1, 3, 9, 9], [2, 3, 3, 3], dilations=[2, 2], strides=[2, 2], pads=[1, 1, 1, 1])
conv("asymmetric pads and kernel", [2, 3, 6, 7], [4, 3, 2, 5], pads=[0, 3, 1, 1])
conv("heavier than its data", [1, 5, 2, 3], [9, 5, 3, 3], pads=[1, 1, 1, 1])
conv("heavier than its data, stride 2", [1, 5, 3, 3], [9, 5, 3, 3], pads=[1, 1, 0, 1], strides=[2, 2])
conv("pads wider than the kernel", [1, 2, 4, 4], [3, 2, 2, 2], pads=[3, 3, 3, 3])
conv("SAME_UPPER, stride 2", [2, 3, 7, 8], [4, 3, 4, 3], strides=[2, 2], auto_pad="SAME_UPPER")
conv("SAME_LOWER", [2, 3, 7, 8], [4, 3, 4, 2], auto_pad="SAME_LOWER")
conv("VALID", [2, 3, 7, 8], [4, 3, 3, 3], auto_pad="VALID")
conv("two groups", [2, 4, 5, 5], [6, 2, 3, 3], group=2, pads=[1, 1, 1, 1])
conv("two groups, stride 2", [2, 4, 6, 6], [6, 2, 3, 3], group=2, pads=[1, 1, 1, 1], strides=[2, 2])
conv("depthwise", [2, 5, 6, 7], [5, 1, 3, 3], group=5, pads=[1, 1, 1, 1])
conv("depthwise, stride 2", [3, 4, 8, 8], [4, 1, 3, 3], group=4, pads=[1, 1, 1, 1], strides=[2, 2])
conv("depthwise 5×5, stride 2, odd", [2, 4, 9, 7], [4, 1, 5, 5], group=4, pads=[2, 2, 2, 2], strides=[2, 2])
conv("depthwise, dilation 2", [2, 3, 8, 9], [3, 1, 3, 3], group=3, pads=[2, 2, 2, 2], dilations=[2, 2])
conv("depthwise, SAME_UPPER", [2, 3, 7, 8], [3, 1, 4, 2], group=3, strides=[2, 2], auto_pad="SAME_UPPER")
conv("depthwise on one position", [2, 3, 1, 1], [3, 1, 3, 3], group=3, pads=[1, 1, 1, 1])
conv("depthwise, wide", [1, 2, 2, 90], [2, 1, 3, 3], group=2, pads=[1, 1, 1, 1])
conv("depthwise with multiplier", [2, 3, 5, 5], [6, 1, 3, 3], group=3, pads=[1, 1, 1, 1])
conv("1-d", [2, 3, 11], [4, 3, 5], strides=[2], pads=[2, 1])
conv("1-d, many channels, dilation", [2, 16, 12], [3, 16, 3], dilations=[3], pads=[3, 3])
conv("1-d depthwise", [2, 4, 10], [4, 1, 3], group=4, pads=[2, 0])
conv("3-d", [1, 2, 4, 5, 4], [3, 2, 2, 3, 2], pads=[0, 1, 1, 1, 1, 0], strides=[1, 2, 1])
conv("3-d depthwise", [1, 3, 4, 4, 4], [3, 1, 2, 2, 2], group=3)


def conv_transpose(name, x, w, strides=None, pads=None, dilations=None, group=1, output_padding=None, bias=True):
    rank = len(x) - 2
    strides, dilations = strides or [1] * rank, dilations or [1] * rank
    pads, output_padding = pads or [0] * 2 * rank, output_padding or [0] * rank
    function = [F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d][rank - 1]

    def forward(x, w, b=None):
        y = function(x, w, b, stride=strides, dilation=dilations, groups=group, output_padding=output_padding)
        for i in range(rank):
            y = y.narrow(2 + i, pads[i], y.shape[2 + i] - pads[i] - pads[rank + i])
        return y

    attributes = {"strides": strides, "dilations": dilations, "group": group, "pads": pads, "output_padding": output_padding}
    inputs = {"x": x, "w": w, **({"b": [w[1] * group]} if bias else {})}
    case(f"ConvTranspose {name}", "ConvTranspose", inputs, forward, attributes)


conv_transpose("stride 2", [2, 4, 4, 5], [4, 3, 2, 2], strides=[2, 2])
conv_transpose("stride 2, output padding", [2, 3, 4, 4], [3, 2, 3, 3], strides=[2, 2], pads=[1, 1, 1, 1], output_padding=[1, 1])
conv_transpose("groups, dilation", [1, 4, 4, 4], [4, 2, 3, 3], group=2, dilations=[2, 2], pads=[1, 0, 2, 1])
conv_transpose("depthwise", [2, 3, 5, 5], [3, 1, 4, 4], group=3, strides=[2, 2], pads=[1, 1, 1, 1])
conv_transpose("many channels", [1, 3, 4, 4], [3, 17, 3, 3], strides=[2, 2], pads=[1, 1, 1, 1], bias=False)
conv_transpose("1-d", [2, 3, 6], [3, 2, 4], strides=[3])


def max_pool(name, x, kernel, strides, pads=0, dilation=1, ceil=False):
    rank = len(x) - 2
    function = [F.max_pool1d, F.max_pool2d, F.max_pool3d][rank - 1]
    attributes = {
        "kernel_shape": [kernel] * rank, "strides": [strides] * rank, "pads": [pads] * 2 * rank,
        "dilations": [dilation] * rank, "ceil_mode": int(ceil),
    }
    case(f"MaxPool {name}", "MaxPool", {"x": x}, lambda x: function(x, kernel, strides, pads, dilation, ceil), attributes)


max_pool("2×2", [2, 3, 6, 8], 2, 2)
max_pool("3×3, stride 3", [1, 2, 6, 6], 3, 3)
max_pool("3×3, stride 2, overlapping", [2, 3, 7, 7], 3, 2, 1)
max_pool("rounding up", [1, 2, 6, 6], 3, 2, 0, 1, True)
max_pool("dilation", [1, 2, 8, 8], 2, 1, 0, 2)
max_pool("1-d", [2, 3, 9], 2, 2)
max_pool("3-d", [1, 2, 4, 4, 4], 2, 2)


def average_pool(name, x, kernel, strides, pads=0, ceil=False, counts=False):
    rank = len(x) - 2
    function = [F.avg_pool1d, F.avg_pool2d, F.avg_pool3d][rank - 1]
    attributes = {
        "kernel_shape": [kernel] * rank, "strides": [strides] * rank, "pads": [pads] * 2 * rank,
        "ceil_mode": int(ceil), "count_include_pad": int(counts),
    }
    case(f"AveragePool {name}", "AveragePool", {"x": x}, lambda x: function(x, kernel, strides, pads, ceil, counts), attributes)


average_pool("2×2", [2, 3, 6, 4], 2, 2)
average_pool("3×3, stride 2, pads", [2, 3, 7, 7], 3, 2, 1)
average_pool("3×3, stride 1, pads counted", [2, 3, 5, 5], 3, 1, 1, False, True)
average_pool("rest left over", [1, 2, 8, 8], 3, 3)
average_pool("rounding up", [1, 2, 6, 6], 3, 2, 0, True)
average_pool("1-d", [2, 3, 9], 3, 2, 1)
average_pool("3-d", [1, 2, 4, 5, 4], 2, 2)
case("GlobalAveragePool", "GlobalAveragePool", {"x": [2, 3, 4, 5]}, lambda x: x.mean((2, 3), keepdim=True))
case("GlobalMaxPool", "GlobalMaxPool", {"x": [2, 3, 4, 5]}, lambda x: x.amax((2, 3), keepdim=True))
case("LpPool", "LpPool", {"x": ([1, 2, 6, 6], 0.5, 1)}, lambda x: F.lp_pool2d(x, 2, 3, 2), {"kernel_shape": [3, 3], "strides": [2, 2]})
case("LpPool, p 3", "LpPool", {"x": ([1, 2, 6], 0.5, 1)}, lambda x: F.lp_pool1d(x, 3, 2, 2), {"kernel_shape": [2], "strides": [2], "p": 3})
case("GlobalLpPool", "GlobalLpPool", {"x": [2, 3, 4]}, lambda x: (x * x).sum(2, keepdim=True).sqrt())


def resize(name, x, size, mode, align=None, attributes=None):
    arguments = {} if mode == "nearest" else {"align_corners": align}
    case(
        f"Resize {name}", "Resize", {"x": x}, lambda x: F.interpolate(x, size=size, mode=mode, **arguments),
        {**(attributes or {}), "mode": "nearest" if mode == "nearest" else "linear"},
    )
    cases[-1]["sizes"] = x[:2] + size


floor = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
resize("nearest, ×2", [2, 2, 3, 4], [6, 8], "nearest", attributes=floor)
resize("nearest, ×1.5 and down", [1, 2, 4, 6], [6, 4], "nearest", attributes=floor)
resize("linear, half pixel", [1, 2, 4, 5], [8, 7], "bilinear", False, attributes={"coordinate_transformation_mode": "half_pixel"})
resize("linear, down", [1, 2, 8, 9], [3, 4], "bilinear", False, attributes={"coordinate_transformation_mode": "half_pixel"})
resize("linear, corners", [1, 2, 4, 5], [7, 9], "bilinear", True, attributes={"coordinate_transformation_mode": "align_corners"})
resize("linear, 1-d", [1, 2, 5], [9], "linear", False, attributes={"coordinate_transformation_mode": "half_pixel"})

def opset(version):
    cases[-1]["opset"] = version


gain = ([6], 0.5, 1)
case("LayerNormalization", "LayerNormalization", {"x": [3, 4, 6], "gain": gain, "shift": [6]},
     lambda x, gain, shift: F.layer_norm(x, [6], gain, shift, 1e-5), {"axis": -1})
case("LayerNormalization over two axes", "LayerNormalization", {"x": [3, 4, 6], "gain": ([4, 6], 0.5, 1), "shift": [4, 6]},
     lambda x, gain, shift: F.layer_norm(x, [4, 6], gain, shift, 1e-5), {"axis": 1})
case("LayerNormalization without shift", "LayerNormalization", {"x": [5, 6], "gain": gain},
     lambda x, gain: F.layer_norm(x, [6], gain, None, 1e-5))


def rms(x, gain, shift=None, epsilon=1e-5):
    return x * torch.rsqrt((x * x).mean(-1, keepdim=True) + epsilon) * gain


case("RMSNormalization", "RMSNormalization", {"x": [3, 4, 6], "gain": gain}, rms), opset(23)
case("SimplifiedLayerNormalization", "SimplifiedLayerNormalization", {"x": [3, 4, 6], "gain": gain}, rms, {"axis": -1, "stash_type": 1})
case("SkipLayerNormalization", "SkipLayerNormalization", {"x": [2, 3, 6], "skip": [2, 3, 6], "gain": gain, "shift": [6], "bias": [6]},
     lambda x, skip, gain, shift, bias: F.layer_norm(x + skip + bias, [6], gain, shift, 1e-12), domain="com.microsoft")
case("SkipSimplifiedLayerNormalization", "SkipSimplifiedLayerNormalization", {"x": [2, 3, 6], "skip": [2, 3, 6], "gain": gain},
     lambda x, skip, gain: rms(x + skip, gain, epsilon=1e-12), domain="com.microsoft")
case("InstanceNormalization", "InstanceNormalization", {"x": [2, 3, 4, 5], "gain": ([3], 0.5, 1), "shift": [3]},
     lambda x, gain, shift: F.instance_norm(x, weight=gain, bias=shift, eps=1e-5))
case("GroupNormalization", "GroupNormalization", {"x": [2, 6, 4, 3], "gain": gain, "shift": [6]},
     lambda x, gain, shift: F.group_norm(x, 3, gain, shift, 1e-5), {"num_groups": 3})
case("LpNormalization", "LpNormalization", {"x": [3, 5, 4]}, lambda x: F.normalize(x, 2, 1), {"axis": 1, "p": 2})
case("LpNormalization, p 1", "LpNormalization", {"x": [3, 5]}, lambda x: F.normalize(x, 1, 1), {"p": 1})
case("LRN", "LRN", {"x": [2, 7, 3, 3]}, lambda x: F.local_response_norm(x, 5, 0.02, 0.75, 1.5), {"size": 5, "alpha": {"float": 0.02}, "beta": 0.75, "bias": 1.5})
case("MeanVarianceNormalization", "MeanVarianceNormalization", {"x": [3, 2, 3, 3]},
     lambda x: (x - x.mean((0, 2, 3), keepdim=True)) / x.std((0, 2, 3), unbiased=False, keepdim=True))
batch = {"x": [3, 4, 3, 5], "gain": ([4], 0.5, 1), "shift": [4], "mean": [4], "variance": ([4], 0.5, 1)}
case("BatchNormalization, frozen", "BatchNormalization", batch,
     lambda x, gain, shift, mean, variance: F.batch_norm(x, mean.detach(), variance.detach(), gain, shift, False, 0, 1e-5))
case("BatchNormalization, training", "BatchNormalization", batch,
     lambda x, gain, shift, mean, variance: F.batch_norm(x, None, None, gain, shift, True, 0.1, 1e-5), train=True)
case("BatchNormalization of vectors, training", "BatchNormalization", {**batch, "x": [7, 4]},
     lambda x, gain, shift, mean, variance: F.batch_norm(x, None, None, gain, shift, True, 0.1, 1e-5), train=True)


def recurrent(kind, name, hidden, direction, initial=True, layers=1, bias=True, gates=None, **more):
    """ONNX orders gates i,o,f,c (LSTM) and z,r,h (GRU); PyTorch i,f,g,o and r,z,n."""
    length, size, inputs = 5, 2, 3
    count = {"LSTM": 4, "GRU": 3, "RNN": 1}[kind]
    directions = 2 if direction == "bidirectional" else 1
    order = {"LSTM": [0, 2, 3, 1], "GRU": [1, 0, 2], "RNN": [0]}[kind]
    shapes = {
        "x": [length, size, inputs],
        "w": [directions, count * hidden, inputs],
        "r": [directions, count * hidden, hidden],
    }
    if bias:
        shapes["b"] = [directions, 2 * count * hidden]
    if initial:
        shapes["h"] = [directions, size, hidden]
        if kind == "LSTM":
            shapes["c"] = [directions, size, hidden]

    def reorder(block):
        parts = block.chunk(count, 0)
        return torch.cat([parts[i] for i in order], 0)

    def forward(x, w, r, b=None, h=None, c=None):
        outputs, last, cells = [], [], []
        for d in range(directions):
            flip = direction == "reverse" or d == 1
            bias_w, bias_r = (b[d].chunk(2) if b is not None else (torch.zeros(count * hidden),) * 2)
            ih, hh, bi, bh = reorder(w[d]), reorder(r[d]), reorder(bias_w), reorder(bias_r)
            state = h[d] if h is not None else torch.zeros(size, hidden)
            cell = c[d] if c is not None else torch.zeros(size, hidden)
            steps = []
            for t in reversed(range(length)) if flip else range(length):
                if kind == "LSTM":
                    gate = x[t] @ ih.T + bi + state @ hh.T + bh
                    i, f, g, o = gate.chunk(4, 1)
                    cell = f.sigmoid() * cell + i.sigmoid() * g.tanh()
                    state = o.sigmoid() * cell.tanh()
                elif kind == "GRU":
                    xi, hi = (x[t] @ ih.T + bi).chunk(3, 1), (state @ hh.T + bh).chunk(3, 1)
                    reset, update = (xi[0] + hi[0]).sigmoid(), (xi[1] + hi[1]).sigmoid()
                    if more.get("linear_before_reset"):
                        new = (xi[2] + reset * hi[2]).tanh()
                    else:
                        new = (xi[2] + (reset * state) @ hh[2 * hidden:].T + bh[2 * hidden:]).tanh()
                    state = (1 - update) * new + update * state
                else:
                    state = (x[t] @ ih.T + bi + state @ hh.T + bh).tanh()
                steps.append(state)
            outputs.append(torch.stack(steps[::-1] if flip else steps))
            last.append(state)
            cells.append(cell)
        results = [torch.stack(outputs, 1), torch.stack(last)]
        return results + ([torch.stack(cells)] if kind == "LSTM" else [])

    slots = {"x": 0, "w": 1, "r": 2, "b": 3, "h": 5, "c": 6}
    case(f"{kind} {name}", kind, shapes, forward, {"hidden_size": hidden, "direction": direction, **more}, outputs=3 if kind == "LSTM" else 2)
    cases[-1]["slots"] = [slots[key] for key in shapes]


recurrent("LSTM", "forward", 4, "forward")
recurrent("LSTM", "reverse, no initial states", 3, "reverse", initial=False)
recurrent("LSTM", "bidirectional", 3, "bidirectional")
recurrent("LSTM", "without bias", 3, "forward", bias=False)
recurrent("GRU", "forward", 3, "forward", linear_before_reset=0)
recurrent("GRU", "linear before reset, bidirectional", 3, "bidirectional", linear_before_reset=1)
recurrent("GRU", "reverse", 2, "reverse", initial=False, linear_before_reset=1)
recurrent("RNN", "forward", 4, "forward")
recurrent("RNN", "bidirectional", 3, "bidirectional")


def attention(q, k, v, causal=False, scale=None, softcap=0.0, mask=None):
    """[B, H, S, D]; key heads are repeated for the queries that share them."""
    groups = q.shape[1] // k.shape[1]
    k, v = k.repeat_interleave(groups, 1), v.repeat_interleave(groups, 1)
    scores = q @ k.transpose(-1, -2) * (scale or q.shape[-1] ** -0.5)
    if softcap:
        scores = softcap * torch.tanh(scores / softcap)
    if mask is not None:
        scores = scores + mask
    if causal:
        hidden = torch.ones(q.shape[2], k.shape[2], dtype=torch.bool).triu(1 + k.shape[2] - q.shape[2])
        scores = scores.masked_fill(hidden, float("-inf"))
    return scores.softmax(-1) @ v


def heads(x, count):
    return x.reshape(x.shape[0], x.shape[1], count, -1).transpose(1, 2)


def joined(x):
    return x.transpose(1, 2).reshape(x.shape[0], x.shape[2], -1)


four = {"q": [2, 4, 3, 6], "k": [2, 4, 5, 6], "v": [2, 4, 5, 4]}
case("Attention", "Attention", four, lambda q, k, v: attention(q, k, v)), opset(23)
case("Attention, grouped, causal", "Attention", {"q": [2, 4, 5, 6], "k": [2, 2, 5, 6], "v": [2, 2, 5, 6]},
     lambda q, k, v: attention(q, k, v, True), {"is_causal": 1}), opset(23)
case("Attention, mask, softcap, scale", "Attention", {**four, "mask": [3, 5]},
     lambda q, k, v, mask: attention(q, k, v, False, 0.3, 2.0, mask), {"scale": {"float": 0.3}, "softcap": {"float": 2.0}}), opset(23)
case("Attention, three axes", "Attention", {"q": [2, 3, 8], "k": [2, 5, 4], "v": [2, 5, 4]},
     lambda q, k, v: joined(attention(heads(q, 4), heads(k, 2), heads(v, 2))), {"q_num_heads": 4, "kv_num_heads": 2}), opset(23)
case("com.microsoft Attention", "Attention", {"x": [2, 4, 6], "w": [6, 18], "b": [18]},
     lambda x, w, b: joined(attention(*[heads(part, 2) for part in (x @ w + b).chunk(3, 2)])), {"num_heads": 2}, "com.microsoft")
case("com.microsoft Attention, unidirectional", "Attention", {"x": [2, 4, 6], "w": [6, 18], "b": [18]},
     lambda x, w, b: joined(attention(*[heads(part, 2) for part in (x @ w + b).chunk(3, 2)], causal=True)),
     {"num_heads": 2, "unidirectional": 1}, "com.microsoft")
case("MultiHeadAttention", "MultiHeadAttention", {"q": [2, 3, 8], "k": [2, 5, 8], "v": [2, 5, 8], "b": [24]},
     lambda q, k, v, b: joined(attention(*[heads(part + bias, 2) for part, bias in zip((q, k, v), b.chunk(3))])),
     {"num_heads": 2}, "com.microsoft")
case("GroupQueryAttention", "GroupQueryAttention", {"q": [2, 5, 32], "k": [2, 5, 16], "v": [2, 5, 16]},
     lambda q, k, v: joined(attention(heads(q, 4), heads(k, 2), heads(v, 2), True)),
     {"num_heads": 4, "kv_num_heads": 2}, "com.microsoft")
cases[-1]["full"] = True


def rotate(x, cos, sin, interleaved):
    """x [B, H, S, D], cos and sin [S, D/2]."""
    a, b = (x[..., 0::2], x[..., 1::2]) if interleaved else x.chunk(2, -1)
    parts = (a * cos - b * sin, a * sin + b * cos)
    return torch.stack(parts, -1).flatten(-2) if interleaved else torch.cat(parts, -1)


for interleaved in (0, 1):
    case(f"RotaryEmbedding, interleaved {interleaved}", "RotaryEmbedding", {"x": [2, 3, 5, 8], "cos": [2, 5, 4], "sin": [2, 5, 4]},
         lambda x, cos, sin: rotate(x, cos[:, None], sin[:, None], interleaved), {"interleaved": interleaved}), opset(23)
case("FastGelu", "FastGelu", {"x": [3, 5], "b": [5]},
     lambda x, b: 0.5 * (x + b) * (1 + torch.tanh(0.7978845608028654 * ((x + b) + 0.044715 * (x + b) ** 3))), domain="com.microsoft")
case("QuickGelu", "QuickGelu", {"x": [3, 5]}, lambda x: x * torch.sigmoid(1.702 * x), {"alpha": {"float": 1.702}}, "com.microsoft")
case("BiasGelu", "BiasGelu", {"x": [3, 5], "b": [5]}, lambda x, b: F.gelu(x + b), domain="com.microsoft")
case("com.microsoft Gelu", "Gelu", {"x": [3, 5]}, lambda x: F.gelu(x), domain="com.microsoft")
case("FusedMatMul", "FusedMatMul", {"a": [2, 4, 3], "b": [2, 5, 4]},
     lambda a, b: 0.5 * a.transpose(-1, -2) @ b.transpose(-1, -2), {"transA": 1, "transB": 1, "alpha": 0.5}, "com.microsoft")

path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "gradients-conv.json")
with open(path, "w") as file:
    file.write("[\n" + ",\n".join(json.dumps(one) for one in cases) + "\n]\n")
print(len(cases), "cases,", os.path.getsize(path), "bytes")
