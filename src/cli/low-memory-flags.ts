import { setFlagsFromString } from 'node:v8'

/**
 * The edge client waits for disk and line, on tills with little memory. Without a growing young
 * generation and optimizing compilers it takes 25 MB less, for a second of processor time in a pull
 * of 100,000 photos. To be imported first.
 */
for (const flag of ['--optimize-for-size', '--heap-growing-percent=10', '--semi-space-growth-factor=1', '--no-opt', '--no-maglev'])
  setFlagsFromString(flag)
