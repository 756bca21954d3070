// `npm run dev`: the server from source and the page, both made again whenever a file changes.
import { spawn } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

process.chdir(dirname(dirname(fileURLToPath(import.meta.url))))

const start = (args) => spawn(process.execPath, args, { stdio: 'inherit' })
const children = [
  start([join('node_modules', 'vite', 'bin', 'vite.js'), 'build', '--watch', '--config', 'src/web/vite.config.ts']),
  start(['--watch', '--watch-preserve-output', 'src/server.ts']),
]

const stop = (signal) => {
  for (const child of children) child.kill(signal)
}
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => stop(signal))
for (const child of children) child.on('exit', () => stop('SIGTERM'))
