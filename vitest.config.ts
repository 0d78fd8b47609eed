import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['packages/*/src/**/*.test.ts', 'plugins/*/src/**/*.test.ts', 'test/unit/**/*.test.ts'],
          setupFiles: ['./test/setup.ts'],
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          setupFiles: ['./test/setup.ts'],
          testTimeout: 300_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
      {
        // Against real servers, which every file starts and ends itself; `npm run test:servers`.
        test: {
          name: 'servers',
          include: ['test/servers/**/*.test.ts'],
          exclude: ['test/servers/faults/whole-runs*'],
          setupFiles: ['./test/setup.ts'],
          testTimeout: 120_000,
          hookTimeout: 180_000,
          fileParallelism: false,
        },
      },
      {
        // Whole runs through faults: `npm run test:whole-runs`. Not all of them are green yet, so CI does not run them.
        test: {
          name: 'whole-runs',
          include: ['test/servers/faults/whole-runs*.test.ts'],
          setupFiles: ['./test/setup.ts'],
          testTimeout: 180_000,
          hookTimeout: 180_000,
          fileParallelism: false,
        },
      },
    ],
  },
})
