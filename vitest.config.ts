import { defineConfig } from 'vitest/config';
import { overdueSettings } from './scripts/overdue.mjs';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Far above what they take: machines are shared, and five times slower at times.
    testTimeout: 120_000,
    hookTimeout: 240_000,
    // Many tests wait for servers; vitest itself would leave one processor out.
    maxWorkers: '100%',
    ...overdueSettings,
  },
});
