/**
 * What a process that a test starts has beside the test's own settings. Node keeps what it has
 * compiled in that folder:
 * starting zinc from source costs half the processor time then.
 */
export const childEnvironment = {
  PATH: process.env.PATH ?? '',
  NODE_COMPILE_CACHE: 'node_modules/.cache/node-compile-cache',
}
