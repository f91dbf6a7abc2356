// Draws one of six shapes, 28 × 28 in gray: turned, moved, scaled, shaded, sometimes crossed by a stroke, with grain.

export const size = 28;
export const classNames = ['circle', 'ring', 'square', 'triangle', 'star', 'cross'];

/** Tommy Ettinger's mulberry32: small, seeded, the same everywhere. */
export function seeded(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** A standard normal number (Box–Muller). */
export function normal(random) {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** Radius of a regular star with `points` outer corners at an angle; inner corners at `inner`. */
function polygonRadius(angle, corners, inner) {
  const step = (2 * Math.PI) / corners;
  const within = (((angle % step) + step) % step) - step / 2;
  const outerAt = step / 2;
  // The edge runs from the outer corner (radius 1, at ±step/2) to the inner one (radius `inner`, at 0).
  const ax = Math.cos(outerAt);
  const ay = Math.sin(outerAt);
  const t = Math.abs(within);
  const dx = ax - inner;
  const dy = ay;
  const denominator = Math.cos(t) * dy - Math.sin(t) * dx;
  return (inner * dy) / denominator;
}

/** Whether (x, y) is inside a shape of radius 1. */
const inside = [
  (x, y) => x * x + y * y < 0.85,
  (x, y) => x * x + y * y < 0.95 && x * x + y * y > 0.3,
  (x, y) => Math.max(Math.abs(x), Math.abs(y)) < 0.78,
  (x, y) => Math.hypot(x, y) < polygonRadius(Math.atan2(y, x), 3, 0.5) * 1.05,
  (x, y) => Math.hypot(x, y) < polygonRadius(Math.atan2(y, x), 5, 0.42) * 1.08,
  (x, y) => Math.max(Math.abs(x), Math.abs(y)) < 0.95 && Math.min(Math.abs(x), Math.abs(y)) < 0.3,
];

/** One drawing: 784 bytes, in 32 grays so that it packs well. */
export function draw(shape, random) {
  const turn = random() * 2 * Math.PI;
  const radius = 6.5 + random() * 5.5;
  const centreX = size / 2 + (random() - 0.5) * 6;
  const centreY = size / 2 + (random() - 0.5) * 6;
  const squeeze = 0.8 + random() * 0.4;
  const paper = random() * 0.3;
  const ink = paper + 0.3 + random() * 0.4;
  const grain = 0.03 + random() * 0.07;
  const isCrossed = random() < 0.3;
  const strokeAngle = random() * Math.PI;
  const strokeOffset = (random() - 0.5) * 16;
  const strokeShade = random();
  const cos = Math.cos(turn);
  const sin = Math.sin(turn);
  const pixels = new Uint8Array(size * size);
  for (let py = 0; py < size; py++) {
    for (let px = 0; px < size; px++) {
      let covered = 0;
      for (let s = 0; s < 9; s++) {
        const dx = px + (s % 3) / 3 + 1 / 6 - centreX;
        const dy = py + Math.floor(s / 3) / 3 + 1 / 6 - centreY;
        if (inside[shape](((dx * cos + dy * sin) / radius) * squeeze, (dy * cos - dx * sin) / radius)) covered++;
      }
      let shade = paper + ((ink - paper) * covered) / 9;
      const across = (px - 14) * Math.cos(strokeAngle) + (py - 14) * Math.sin(strokeAngle) - strokeOffset;
      if (isCrossed && Math.abs(across) < 1) shade = strokeShade;
      shade += normal(random) * grain;
      pixels[py * size + px] = Math.max(0, Math.min(31, Math.round(shade * 31))) * 8;
    }
  }
  return pixels;
}

/** `count` drawings, each class as often as the others, in an order of chance. */
export function drawMany(count, random) {
  const labels = Uint8Array.from({ length: count }, (_, i) => i % classNames.length);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [labels[i], labels[j]] = [labels[j], labels[i]];
  }
  const pixels = new Uint8Array(count * size * size);
  labels.forEach((label, i) => {
    pixels.set(draw(label, random), i * size * size);
  });
  return { pixels, labels };
}
