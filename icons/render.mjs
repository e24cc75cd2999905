// Renders the SVGs of this folder to the PNG, ICO and ICNS files that the desktop app embeds. Run by hand after an SVG
// changed (`node icons/render.mjs`); the results are committed, so that a build needs no renderer.
// Linux takes the halo drawing (it does not recolour icons), macOS the black one as a template image.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium as browserType } from 'playwright-core';
import { chromium } from '../.config/setup.mjs';

const here = import.meta.dirname;
const browser = await browserType.launch({ executablePath: chromium() });

async function png(svg, size) {
  const page = await browser.newPage({ viewport: { width: size, height: size } });
  const source = Buffer.from(readFileSync(join(here, svg))).toString('base64');
  await page.setContent(`<body style="margin:0"><img src="data:image/svg+xml;base64,${source}" width="${size}" height="${size}" style="display:block">`);
  await page.waitForFunction(() => document.images[0].complete);
  const image = await page.screenshot({ omitBackground: true });
  await page.close();
  return image;
}

/** An ICO file whose images are PNGs. */
function ico(images) {
  const head = Buffer.alloc(6 + 16 * images.length);
  head.writeUInt16LE(1, 2);
  head.writeUInt16LE(images.length, 4);
  let offset = head.length;
  images.forEach(({ size, data }, index) => {
    const at = 6 + 16 * index;
    head.writeUInt8(size % 256, at);
    head.writeUInt8(size % 256, at + 1);
    head.writeUInt16LE(1, at + 4);
    head.writeUInt16LE(32, at + 6);
    head.writeUInt32LE(data.length, at + 8);
    head.writeUInt32LE(offset, at + 12);
    offset += data.length;
  });
  return Buffer.concat([head, ...images.map((image) => image.data)]);
}

/** An ICNS file whose images are PNGs. */
function icns(images) {
  const parts = images.map(({ type, data }) => {
    const head = Buffer.alloc(8, type);
    head.writeUInt32BE(data.length + 8, 4);
    return Buffer.concat([head, data]);
  });
  const body = Buffer.concat(parts);
  const head = Buffer.alloc(8, 'icns');
  head.writeUInt32BE(body.length + 8, 4);
  return Buffer.concat([head, body]);
}

for (const state of ['off', 'watching', 'alert', 'paused']) {
  for (const size of [22, 32]) {
    writeFileSync(join(here, `tray/tray-${state}-${size}-halo.png`), await png(`tray/tray-${state}-${size}-halo.svg`, size));
  }
  writeFileSync(join(here, `tray/tray-${state}-template.png`), await png(`tray/tray-${state}-22-template.svg`, 44));
}
const app = async (size) => ({ size, data: await png('app.svg', size) });
writeFileSync(join(here, '32x32.png'), (await app(32)).data);
writeFileSync(join(here, '128x128.png'), (await app(128)).data);
writeFileSync(join(here, 'icon.png'), (await app(512)).data);
writeFileSync(join(here, 'icon.ico'), ico([await app(16), await app(32), await app(48), await app(256)]));
writeFileSync(join(here, 'icon.icns'), icns([{ type: 'ic07', ...(await app(128)) }, { type: 'ic08', ...(await app(256)) }, { type: 'ic09', ...(await app(512)) }]));
await browser.close();
