import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: process.env.SCREENSHOTS ? ['test/view/screenshots.ts'] : ['test/**/*.test.ts'],
    globalSetup: ['test/support/system.ts'],
    setupFiles: ['test/support/own-folder.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
