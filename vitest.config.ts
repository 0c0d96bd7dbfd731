import { defineConfig } from 'vitest/config';
import { overdueSettings } from './scripts/overdue.mjs';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // Many tests wait for servers; vitest itself would leave one processor out.
    maxWorkers: '100%',
    ...overdueSettings,
  },
});
