import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/global-setup.ts'],
    pool: 'forks',
    maxWorkers: 2,
    // The imports (Prisma, sharp, the S3 client) cost more than most tests: once a worker, not once a file.
    isolate: false,
    // Real processes on two slow cores; a hang still ends.
    testTimeout: process.env.ZINC_LONG === '1' ? 1_800_000 : 300_000,
    hookTimeout: 300_000,
    // The default of one second is a bound on the machine, not on zinc.
    expect: { poll: { timeout: 60_000 } },
  },
})
