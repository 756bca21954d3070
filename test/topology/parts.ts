import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { openSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

/** A process of the topology that is started again when it dies, as compose's `restart` does. */
export interface Part {
  name: string
  pid(): number
  ready(): Promise<void>
  /** Without warning, with all of its own processes; it comes back. */
  kill(): Promise<void>
  /** As an orchestrator replaces it: the signal, its end, a new one. */
  replace(): Promise<void>
  stop(): Promise<void>
}

export interface PartOptions {
  command: [string, ...string[]]
  environment?: Record<string, string>
  /** An account; that of this script without one. */
  uid?: number
  /** Throws until it serves. */
  probe(): Promise<unknown>
  logDir: string
}

const READY_WITHIN_MS = 90_000

export async function startPart(
  name: string,
  { command: [program, ...args], environment = {}, uid, probe, logDir }: PartOptions,
): Promise<Part> {
  const log = openSync(join(logDir, `${name}.log`), 'a')
  let child: ChildProcess
  let wanted = true
  let ended: Promise<void>
  const start = () => {
    child = spawn(program, args, {
      env: { PATH: process.env.PATH ?? '', NODE_COMPILE_CACHE: 'node_modules/.cache/node-compile-cache', ...environment },
      stdio: ['ignore', log, log],
      detached: true,
      ...(uid !== undefined && { uid, gid: uid }),
    })
    ended = new Promise((resolve) => child.once('exit', () => resolve()))
    void ended.then(async () => {
      await pause(200)
      if (wanted) start()
    })
  }
  const signal = (to: NodeJS.Signals) => {
    // The group: a server's own children must not survive it.
    if (child.pid && child.exitCode === null && child.signalCode === null) process.kill(to === 'SIGKILL' ? -child.pid : child.pid, to)
  }
  const ready = async () => void (await until(probe, `${name} to serve`))
  start()
  await ready()
  return {
    name,
    pid: () => child.pid!,
    ready,
    async kill() {
      const death = ended
      signal('SIGKILL')
      await death
    },
    async replace() {
      const death = ended
      signal('SIGTERM')
      await death
      await pause(400) // until the next one is started
      await ready()
    },
    async stop() {
      wanted = false
      signal('SIGTERM')
      await Promise.race([ended, pause(10_000)])
      signal('SIGKILL')
    },
  }
}

/** Repeats until it does not throw. */
export async function until<T>(work: () => Promise<T>, what: string): Promise<T> {
  for (const end = performance.now() + READY_WITHIN_MS; ; ) {
    try {
      return await work()
    } catch (cause) {
      if (performance.now() > end) throw new Error(`waited in vain for ${what}`, { cause })
      await pause(100)
    }
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

export const has = (program: string): boolean => spawnSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' }).status === 0

export const listens = (port: number) => () =>
  new Promise<void>((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => resolve(void socket.destroy()))
    socket.on('error', reject)
  })

/** That of deploy/nginx.conf without TLS, in front of both. */
export async function startNginx(
  { listen, to, dir }: { listen: number; to: number[]; dir: string },
  start: typeof startPart = startPart,
): Promise<Part> {
  const site = (await readFile('deploy/nginx.conf', 'utf8'))
    .replace(
      /upstream zinc \{.*\}/,
      `upstream zinc { ${to.map((port) => `server 127.0.0.1:${port} max_fails=0;`).join(' ')} keepalive 16; }`,
    )
    .replace(/server \{\s+listen 80;[\s\S]*?\n\}/, '')
    .replace(/listen 443 ssl;/, `listen 127.0.0.1:${listen};`)
    .replace(/^ *ssl_.*$/gm, '')
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${dir}/nginx-${name};`)
  const file = join(dir, 'nginx.conf')
  const head = `${process.getuid?.() === 0 ? 'user root;' : ''} worker_processes 2; daemon off; pid ${dir}/nginx.pid; error_log ${dir}/nginx.log;`
  await writeFile(file, `${head} events {} http { access_log off; ${temporary.join(' ')}\n${site}\n}`)
  return start('nginx', { command: ['nginx', '-c', file, '-e', join(dir, 'nginx.log')], probe: listens(listen), logDir: dir })
}
