import { chromium, type BrowserContext } from 'playwright-core';
import { CHROMIUM } from './program.js';

const EXECUTABLE = process.env.CHROMIUM ?? `/usr/bin/${CHROMIUM}`;
const QUIET = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export interface Browser {
  /** Cookies, cache and settings of its own. */
  context(
    options?: Parameters<Awaited<ReturnType<typeof chromium.launch>>['newContext']>[0],
  ): Promise<BrowserContext>;
  close(): Promise<void>;
}

/** Starts Chromium with a new profile, which playwright removes at the end. */
export async function startBrowser(): Promise<Browser> {
  const browser = await chromium.launch({ executablePath: EXECUTABLE, args: QUIET });
  return {
    context: (options) => browser.newContext({ locale: 'en-GB', timezoneId: 'Europe/Paris', ...options }),
    close: () => browser.close(),
  };
}
