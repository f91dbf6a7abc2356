// A small convolutional network in plain JavaScript: forward, backward, Adam. Slow and short; it trains the sample once.
import { normal } from './draw.mjs';

/** Same-padded 3×3 convolution, planes of `side`². Shapes: input [C,S,S], weights [O,C,3,3], output [O,S,S]. */
function convolution(inputs, outputs, side) {
  const pixels = side * side;
  const y = new Float32Array(outputs * pixels);
  const dx = new Float32Array(inputs * pixels);
  const range = (shift) => [Math.max(0, -shift), Math.min(side, side - shift)];

  /** Calls back once for each tap with the row ranges it overlaps. */
  function taps(each) {
    for (let o = 0; o < outputs; o++) {
      for (let c = 0; c < inputs; c++) {
        for (let k = 0; k < 9; k++)
          each(o * pixels, c * pixels, (o * inputs + c) * 9 + k, Math.floor(k / 3) - 1, (k % 3) - 1);
      }
    }
  }
  return {
    weights: outputs * inputs * 9,
    biases: outputs,
    fanIn: inputs * 9,
    dims: [outputs, inputs, 3, 3],
    y,
    dx,
    forward(x, w, b) {
      for (let o = 0; o < outputs; o++) y.fill(b[o], o * pixels, (o + 1) * pixels);
      taps((out, plane, tap, down, right) => {
        const weight = w[tap];
        const [top, bottom] = range(down);
        const [left, end] = range(right);
        for (let row = top; row < bottom; row++) {
          const from = plane + (row + down) * side + right;
          const to = out + row * side;
          for (let col = left; col < end; col++) y[to + col] += weight * x[from + col];
        }
      });
      return y;
    },
    backward(x, w, dy, dw, db, wantsInput) {
      if (wantsInput) dx.fill(0);
      for (let o = 0; o < outputs; o++) for (let p = 0; p < pixels; p++) db[o] += dy[o * pixels + p];
      taps((out, plane, tap, down, right) => {
        const weight = w[tap];
        const [top, bottom] = range(down);
        const [left, end] = range(right);
        let sum = 0;
        for (let row = top; row < bottom; row++) {
          const from = plane + (row + down) * side + right;
          const to = out + row * side;
          for (let col = left; col < end; col++) sum += dy[to + col] * x[from + col];
          if (wantsInput) for (let col = left; col < end; col++) dx[from + col] += weight * dy[to + col];
        }
        dw[tap] += sum;
      });
      return dx;
    },
  };
}

/** y = Wx + b. Weights [O, I], as Gemm with transB. */
function dense(inputs, outputs) {
  const y = new Float32Array(outputs);
  const dx = new Float32Array(inputs);
  return {
    weights: outputs * inputs,
    biases: outputs,
    fanIn: inputs,
    dims: [outputs, inputs],
    y,
    dx,
    forward(x, w, b) {
      for (let o = 0; o < outputs; o++) {
        let sum = b[o];
        for (let i = 0; i < inputs; i++) sum += w[o * inputs + i] * x[i];
        y[o] = sum;
      }
      return y;
    },
    backward(x, w, dy, dw, db) {
      dx.fill(0);
      for (let o = 0; o < outputs; o++) {
        db[o] += dy[o];
        for (let i = 0; i < inputs; i++) {
          dw[o * inputs + i] += dy[o] * x[i];
          dx[i] += dy[o] * w[o * inputs + i];
        }
      }
      return dx;
    },
  };
}

/** ReLU, then 2×2 maximum where `side` is given (an odd last row and column are dropped, as MaxPool does). */
function rectify(channels, side) {
  const to = side === null ? 1 : side >> 1;
  const y = new Float32Array(channels * to * to);
  const chosen = new Int32Array(y.length);
  const dx = new Float32Array(channels * (side === null ? 1 : side * side));
  return {
    forward(x) {
      for (let c = 0, at = 0; c < channels; c++) {
        for (let row = 0; row < to; row++) {
          for (let col = 0; col < to; col++, at++) {
            const corner = side === null ? c : c * side * side + row * 2 * side + col * 2;
            const four = side === null ? [corner] : [corner, corner + 1, corner + side, corner + side + 1];
            let best = four[0];
            for (const i of four) if (x[i] > x[best]) best = i;
            chosen[at] = x[best] > 0 ? best : -1;
            y[at] = Math.max(0, x[best]);
          }
        }
      }
      return y;
    },
    backward(dy) {
      dx.fill(0);
      for (let i = 0; i < dy.length; i++) if (chosen[i] >= 0) dx[chosen[i]] += dy[i];
      return dx;
    },
  };
}

export function makeNetwork(classes, random) {
  const stages = [
    { name: 'conv1', layer: convolution(1, 12, 28), after: rectify(12, 28) },
    { name: 'conv2', layer: convolution(12, 24, 14), after: rectify(24, 14) },
    { name: 'conv3', layer: convolution(24, 48, 7), after: rectify(48, 7) },
    { name: 'fc1', layer: dense(48 * 9, 64), after: rectify(64, null) },
    { name: 'fc2', layer: dense(64, classes), after: null },
  ];
  for (const stage of stages) {
    const spread = Math.sqrt(2 / stage.layer.fanIn);
    const parameters = (length, fill) => ({
      value: Float32Array.from({ length }, fill),
      gradient: new Float32Array(length),
      first: new Float32Array(length),
      second: new Float32Array(length),
    });
    stage.w = parameters(stage.layer.weights, () => normal(random) * spread);
    stage.b = parameters(stage.layer.biases, () => 0);
  }

  function forward(x) {
    let now = x;
    for (const stage of stages) {
      stage.x = now;
      now = stage.layer.forward(now, stage.w.value, stage.b.value);
      if (stage.after) now = stage.after.forward(now);
    }
    return now;
  }

  /** Adds the gradients of one sample's cross-entropy. */
  function backward(logits, label) {
    const top = Math.max(...logits);
    const exps = Array.from(logits, (logit) => Math.exp(logit - top));
    const total = exps.reduce((sum, value) => sum + value, 0);
    let dy = Float32Array.from(exps, (value, i) => value / total - (i === label ? 1 : 0));
    for (let s = stages.length - 1; s >= 0; s--) {
      const { layer, after, w, b, x } = stages[s];
      if (after) dy = after.backward(dy);
      dy = layer.backward(x, w.value, dy, w.gradient, b.gradient, s > 0);
    }
    return Math.log(total) - (logits[label] - top);
  }

  let steps = 0;
  /** Adam (Kingma & Ba 2014) on the mean gradient, with decoupled weight decay. */
  function step(rate, batch) {
    steps++;
    const unbias1 = 1 - 0.9 ** steps;
    const unbias2 = 1 - 0.999 ** steps;
    for (const { w, b } of stages) {
      for (const { value, gradient, first, second } of [w, b]) {
        const decay = value === w.value ? 1e-3 : 0;
        for (let i = 0; i < value.length; i++) {
          const g = gradient[i] / batch;
          first[i] = 0.9 * first[i] + 0.1 * g;
          second[i] = 0.999 * second[i] + 0.001 * g * g;
          value[i] -= rate * (first[i] / unbias1 / (Math.sqrt(second[i] / unbias2) + 1e-8) + decay * value[i]);
          gradient[i] = 0;
        }
      }
    }
  }
  return { stages, forward, backward, step };
}
