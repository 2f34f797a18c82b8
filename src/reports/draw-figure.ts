import type { Browser, Page } from 'playwright-core';
import type { Figure } from './figure';
import { findChromium } from './find-chromium';
import { plotlyScript } from './plotly-script';

/** What is said, once, where no picture can be drawn. */
export const NO_CHROMIUM = 'PNG/SVG skipped: no Chromium (set CHROME_PATH)';

const ARGUMENTS = [
  '--no-sandbox', // Chromium refuses to run as root with it; the page holds only our own figure.
  '--font-render-hinting=none',
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--force-color-profile=srgb',
  '--hide-scrollbars',
];

/** The browser is closed when it was idle so long: an open one keeps the process from ending. */
const IDLE_MS = 2000;
const STEP_MS = 60_000;

interface Studio {
  readonly browser: Browser;
  readonly page: Page;
}

let studio: Promise<Studio> | undefined;
let idle: NodeJS.Timeout | undefined;
let queue: Promise<unknown> = Promise.resolve();
let failure: string | undefined;

/** Whether pictures can be drawn here, as far as is known before trying. */
export function canDraw(): boolean {
  return failure === undefined && findChromium() !== undefined;
}

/** Why no picture is drawn; NO_CHROMIUM where there is no browser at all. */
export function whyNoPictures(): string {
  return failure ?? NO_CHROMIUM;
}

/**
 * Draws a figure with plotly.js in one shared Chromium without network: the same bytes each time on the same machine.
 * @param scale pixels per CSS pixel of a PNG (default 2).
 * @returns undefined where there is no Chromium or it does not start (`whyNoPictures` tells).
 */
export async function drawFigure(
  figure: Figure,
  format: 'png' | 'svg',
  scale = 2,
): Promise<Buffer | undefined> {
  if (!canDraw()) return undefined;
  // One at a time: the page is shared, and so is the seed of its random numbers.
  const job = queue.then(() => draw(figure, format, scale));
  queue = job.catch(() => undefined);
  return job;
}

/** Closes the browser now instead of after its idle time. */
export async function closePictures(): Promise<void> {
  clearTimeout(idle);
  const open = studio;
  studio = undefined;
  await (await open?.catch(() => undefined))?.browser.close();
}

async function draw(figure: Figure, format: 'png' | 'svg', scale: number): Promise<Buffer | undefined> {
  clearTimeout(idle);
  const page = await openPage();
  if (!page) return undefined;
  try {
    const url = await page.evaluate(inPage, { figure, format, scale });
    return format === 'png'
      ? Buffer.from(url.slice(url.indexOf(',') + 1), 'base64')
      : Buffer.from(withoutEmptyStyles(decodeURIComponent(url.slice(url.indexOf(',') + 1))), 'utf8');
  } finally {
    idle = setTimeout(() => void closePictures(), IDLE_MS);
  }
}

/** On a busy machine plotly.js leaves an empty style attribute on the picture, else none: the bytes must not tell. */
function withoutEmptyStyles(svg: string): string {
  return svg.replaceAll(' style=""', '');
}

/** The page, or undefined (and never tried again) where the browser that was found does not start. */
async function openPage(): Promise<Page | undefined> {
  studio ??= launch();
  try {
    const { page, browser } = await studio;
    if (browser.isConnected()) return page;
    studio = launch();
    return (await studio).page;
  } catch (error) {
    studio = undefined;
    const line = String((error as Error).message).split('\n')[0];
    failure = `PNG/SVG skipped: Chromium does not start (set CHROME_PATH): ${line}`;
    return undefined;
  }
}

async function launch(): Promise<Studio> {
  const { chromium } = require('playwright-core') as typeof import('playwright-core');
  const browser = await chromium.launch({
    executablePath: findChromium(),
    args: ARGUMENTS,
    timeout: STEP_MS,
  });
  try {
    const context = await browser.newContext({ offline: true });
    const page = await context.newPage();
    page.setDefaultTimeout(STEP_MS);
    await page.setContent('<!doctype html><meta charset="utf-8"><body></body>');
    await page.addScriptTag({ path: plotlyScript() });
    return { browser, page };
  } catch (error) {
    await browser.close();
    throw error;
  }
}

/** Runs inside the page. Plotly names clip paths with Math.random: seeded, so that a figure's SVG is always the same. */
function inPage(job: { figure: Figure; format: string; scale: number }): Promise<string> {
  let state = 1;
  Math.random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 4294967296;
  };
  const { width, height } = job.figure.layout as { width?: number; height?: number };
  const plotly = (globalThis as unknown as { Plotly: { toImage(...input: unknown[]): Promise<string> } })
    .Plotly;
  return plotly.toImage(structuredClone(job.figure), {
    format: job.format,
    width: width ?? 800,
    height: height ?? 500,
    scale: job.format === 'png' ? job.scale : 1,
  });
}
