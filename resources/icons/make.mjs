// Renders icon.svg into what the packagers want: PNGs by size (Linux), icon.ico (Windows), icon.icns (macOS).
//
//   npx node resources/icons/make.mjs
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';

const here = import.meta.dirname;
const svg = readFileSync(join(here, 'icon.svg'));
const sizes = [16, 32, 48, 64, 128, 256, 512, 1024];

const pictures = new Map();
for (const size of sizes) {
  // 72 dots an inch is 1024 pixels; the drawing is rendered at its final size, not scaled down afterwards.
  const png = await sharp(svg, { density: (72 * size) / 1024 })
    .resize(size, size)
    .png({ compressionLevel: 9 })
    .toBuffer();
  pictures.set(size, png);
  writeFileSync(join(here, `${size}x${size}.png`), png);
}

/** ICO: 0, type 1, count | 16 bytes each: width, height (0 is 256), 0, 0, planes, bits, length, offset | the PNGs. */
function ico(wanted) {
  const head = Buffer.alloc(6 + 16 * wanted.length);
  head.writeUInt16LE(1, 2);
  head.writeUInt16LE(wanted.length, 4);
  let offset = head.length;
  for (const [i, size] of wanted.entries()) {
    const at = 6 + 16 * i;
    head[at] = size % 256;
    head[at + 1] = size % 256;
    head.writeUInt16LE(1, at + 4);
    head.writeUInt16LE(32, at + 6);
    head.writeUInt32LE(pictures.get(size).length, at + 8);
    head.writeUInt32LE(offset, at + 12);
    offset += pictures.get(size).length;
  }
  return Buffer.concat([head, ...wanted.map((size) => pictures.get(size))]);
}

/** ICNS: 'icns', length | for each: four letters that say the size, length, the PNG. */
function icns() {
  const kinds = { ic11: 32, ic12: 64, ic07: 128, ic13: 256, ic08: 256, ic14: 512, ic09: 512, ic10: 1024 };
  const block = (kind, body) => {
    const head = Buffer.alloc(8);
    head.write(kind, 'latin1');
    head.writeUInt32BE(8 + body.length, 4);
    return Buffer.concat([head, body]);
  };
  return block('icns', Buffer.concat(Object.entries(kinds).map(([kind, size]) => block(kind, pictures.get(size)))));
}

writeFileSync(join(here, 'icon.ico'), ico([16, 32, 48, 64, 256]));
writeFileSync(join(here, 'icon.icns'), icns());
