// Makes the pictures of public/ that have to be PNG: what chats show beside a link to the page, one for each state, and
// the icons of home screens. They are committed: run `node scripts/pictures.js` after a change here.
import { join } from 'node:path';
import process from 'node:process';
import { chromium } from 'playwright-core';

const PUBLIC = join(import.meta.dirname, '../public');
/** Without words, since a page has its own name and language. Shapes and colours are those of the page. */
const STATES = {
  up: ['#0b785b', '<circle cx="8" cy="8" r="7.5"/>', 'M4.7 8.3l2.2 2.2 4.5-4.8'],
  degraded: ['#9a6200', '<path d="M8 .9l7.6 13.6H.4z"/>', 'M8 5.6v4M8 12v.1'],
  down: [
    '#c8253d',
    '<rect x="1" y="1" width="14" height="14" rx="3"/>',
    'M5.4 5.4l5.2 5.2M10.6 5.4l-5.2 5.2',
  ],
  unknown: [
    '#5e646d',
    '<circle cx="8" cy="8" r="7.5"/>',
    'M6.2 6.4a1.9 1.9 0 1 1 2.6 1.8c-.5.2-.8.5-.8 1.1M8 11.6v.1',
  ],
};
const LINE = 'fill="none" stroke-linecap="round" stroke-linejoin="round"';

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium-headless-shell',
  args: ['--no-sandbox'],
});

async function draw(name, { width, height }, svg) {
  const page = await browser.newPage({ viewport: { width, height } });
  await page.setContent(`<body style="margin:0">${svg}`);
  await page.screenshot({ path: join(PUBLIC, name) });
  await page.close();
}

for (const [state, [colour, disc, sign]] of Object.entries(STATES)) {
  await draw(
    `state-${state}.png`,
    { width: 1200, height: 630 },
    `<svg xmlns="http://www.w3.org/2000/svg" width="1200" height="630" style="display:block;background:${colour}">
      <path ${LINE} stroke="#fff" stroke-opacity=".22" stroke-width="10"
        d="M-20 315h150l40-90 70 190 40-100h940"/>
      <g transform="translate(456 171) scale(18)">
        <g fill="${colour}" stroke="${colour}" stroke-width="3">${disc}</g>
        <g fill="#fff">${disc}</g>
        <path ${LINE} stroke="${colour}" stroke-width="1.7" d="${sign}"/>
      </g>
    </svg>`,
  );
}
// Nothing of importance stands outside of the middle 80 %, which every home screen shows.
for (const [name, size] of [
  ['apple-touch-icon', 180],
  ['icon-192', 192],
  ['icon-512', 512],
]) {
  await draw(
    `${name}.png`,
    { width: size, height: size },
    `<svg xmlns="http://www.w3.org/2000/svg" width="${size}" height="${size}" viewBox="0 0 32 32"
      style="display:block;background:#0e8a6a"><path ${LINE} stroke="#fff" stroke-width="2.4"
      d="M6 17h4.5l3.2-8 5.4 14.4 2.7-6.4H26"/></svg>`,
  );
}
await browser.close();
