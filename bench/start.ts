import { type ChildProcess, spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'

/**
 * Start to ready of the real program on a database that exists, and its memory a while later,
 * without PostgreSQL. Arguments: the address of a
 * database, a folder, and the flags that `npm start` gives to Node.
 */
const [databaseUrl = '', dataDir = '', ...flags] = process.argv.slice(2)
const STARTS = 5
const IDLE_MS = 5_000

async function start(): Promise<{ child: ChildProcess; ms: number }> {
  const began = performance.now()
  const child = spawn(process.execPath, [...flags, 'src/server.ts'], {
    env: { PATH: process.env.PATH ?? '', DATA_DIR: dataDir, DATABASE_URL: databaseUrl, PORT: '0', LOG_LEVEL: 'error' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  for await (const chunk of child.stdout!) {
    const url = /listens on (\S+)/.exec(String(chunk))?.[1]
    if (!url) continue
    while (!(await fetch(`${url}/health/ready`)).ok) await pause(5)
    return { child, ms: performance.now() - began }
  }
  throw new Error('the server ended before it listened')
}

async function stop(child: ChildProcess): Promise<void> {
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  await gone
}

/** Resident memory in MB, as Linux counts it; null elsewhere. */
async function residentMb(pid: number): Promise<number | null> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  const kb = /VmRSS:\s+(\d+)/.exec(status)?.[1]
  return kb === undefined ? null : Math.round(Number(kb) / 1024)
}

await stop((await start()).child) // the first one makes the database; not counted
const times: number[] = []
let idle: number | null = null
for (let n = 0; n < STARTS; n++) {
  const { child, ms } = await start()
  times.push(Math.round(ms))
  if (n === STARTS - 1) {
    await pause(IDLE_MS)
    idle = await residentMb(child.pid!)
  }
  await stop(child)
}
times.sort((a, b) => a - b)
console.log(JSON.stringify({ ready_ms: { min: times[0], median: times[STARTS >> 1], max: times.at(-1) }, idle_mb: idle }))
