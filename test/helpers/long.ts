import { test } from 'vitest'

/** `npm run test:long` runs the same guarantees with the full counts. */
export const times = (short: number, full: number): number => (process.env.ZINC_LONG === '1' ? full : short)

/** Of several cases, the first for `npm test` and all for `npm run test:long`. */
export const shortened = <const Case>(count: number, cases: readonly Case[]): Case[] => cases.slice(0, times(count, cases.length))

/** A whole test that only `npm run test:long` runs. */
export const longTest = test.runIf(process.env.ZINC_LONG === '1')

/** The same where it reads /proc or limits a process as only Linux does. */
export const longTestOnLinux = test.runIf(process.env.ZINC_LONG === '1' && process.platform === 'linux')
