/** What a benchmark of the daemon needs: books, a switch in a process of its own, and the daemon in another. */
import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  fstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { DEFAULT_TERMS } from '../../src/ledger/books.js'
import { type Money, parseMoney } from '../../src/money.js'
import { listedAlways } from '../../src/rating/listed-rate.js'
import { SqliteAccounts } from '../../src/sqlite/accounts.js'
import { LedgerFile } from '../../src/sqlite/ledger-file.js'
import { SqliteRates } from '../../src/sqlite/rates.js'
import { RatesFile } from '../../src/sqlite/rates-file.js'
import { Program } from '../../test/support/program.js'
import { RATE } from '../../test/support/site.js'
import { accountCode } from './recorded-events.js'
import type { Order, Placed } from './switch-process.js'

export const say = (line: string) => process.stdout.write(`${line}\n`)

/** Figures of a machine with other work are worth little: so the load stands beside them. */
export function machine(): string {
  const load = loadavg()[0]!.toFixed(1)
  const date = new Date().toISOString().slice(0, 16).replace('T', ' ')
  return `${cpus().length} cores, Node ${process.versions.node}, ${date}, load ${load}`
}

/** `values` is sorted by it. */
export function quantile(values: number[], share: number): number {
  values.sort((a, b) => a - b)
  return values[Math.min(values.length - 1, Math.floor(values.length * share))] ?? Number.NaN
}

export interface Usage {
  /** User and system. */
  readonly cpuS: number
  readonly residentMb: number
  readonly peakMb: number
  readonly atMs: number
}

/** What a process has used so far. Only where there is a /proc. */
export function usageOf(pid: number): Usage {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const ticks = Number(fields[11]) + Number(fields[12])
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const kb = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)![1])
  return {
    cpuS: ticks / 100,
    residentMb: kb('VmRSS') / 1024,
    peakMb: kb('VmHWM') / 1024,
    atMs: performance.now(),
  }
}

export interface Books {
  readonly accounts: number
  readonly credit: Money
}

export class Rig {
  readonly scratch = mkdtempSync(join(tmpdir(), 'tollgate-bench-'))
  readonly dataDir = join(this.scratch, 'data')
  readonly program = Program.built(join(this.scratch, 'build'))
  readonly log = join(this.scratch, 'log')
  #switch: ChildProcess | null = null
  #port = 0
  /** So many bytes of the log have been read. */
  #read = 0
  #daemon: ChildProcess | null = null

  constructor() {
    // Nothing is left behind, however this process ends.
    process.once('exit', () => {
      this.#daemon?.kill('SIGKILL')
      this.#switch?.kill('SIGKILL')
    })
  }

  /** One rate and as many accounts as wanted, each with the same credit. */
  async open(books: Books): Promise<void> {
    mkdirSync(this.dataDir)
    const ratesFile = new RatesFile(join(this.dataDir, 'rates.db'))
    const rates = new SqliteRates(ratesFile)
    await rates.createPlan('retail', 'bench')
    await rates.addRate('retail', listedAlways(RATE), 'bench')
    ratesFile.close()
    await this.addAccounts(0, books.accounts, books.credit)
  }

  /** So many more accounts, numbered from `first` on. Not while a daemon runs. */
  addAccounts(first: number, count: number, credit: Money): Promise<void> {
    return this.ledger(async file => {
      const accounts = new SqliteAccounts(file)
      const about = { ...DEFAULT_TERMS, plan: 'retail', credit, actor: 'bench' }
      for (let from = 0; from < count; from += 1000) {
        const create = (_: unknown, i: number) =>
          accounts.create({ ...about, code: accountCode(first + from + i) })
        await Promise.all(Array.from({ length: Math.min(1000, count - from) }, create))
      }
    })
  }

  async ledger<T>(use: (file: LedgerFile) => Promise<T>, readonly = false): Promise<T> {
    const file = new LedgerFile(join(this.dataDir, 'ledger.db'), { readonly })
    try {
      return await use(file)
    } finally {
      file.close()
    }
  }

  /** A module of the program as it is built, not as it is written. */
  built<Module>(module: string): Promise<Module> {
    return import(join(this.program.root, 'dist', `${module}.js`))
  }

  async startSwitch(): Promise<void> {
    const module = new URL('./switch-process.ts', import.meta.url)
    const child = fork(module, { execArgv: ['--import=tsx'], serialization: 'advanced' })
    this.#switch = child
    const [{ port }] = (await once(child, 'message')) as [{ port: number }]
    this.#port = port
    this.#configure('info')
  }

  #configure(logLevel: string): void {
    const lines = [`log_level = "${logLevel}"`, '[[switch]]', 'name = "bench"']
    lines.push(`port = ${this.#port}`, 'heartbeat_s = 1')
    writeFileSync(join(this.dataDir, 'tollgate.toml'), `${lines.join('\n')}\n`)
  }

  /** The daemon logs no more calls. */
  logLess(): void {
    this.#configure('warn')
    this.#daemon!.kill('SIGHUP')
  }

  /** @param nodeArgs for Node itself, such as --cpu-prof */
  async startDaemon(nodeArgs: readonly string[] = []): Promise<void> {
    const [node, ...rest] = this.program.command
    const args = [...nodeArgs, ...rest, 'run', '--data', this.dataDir]
    const out = openSync(this.log, 'a')
    this.#daemon = spawn(node!, args, { stdio: ['ignore', out, 'inherit'], cwd: this.scratch })
    await this.#says('all live calls are supervised')
    // A heartbeat tells it the time and the run of the switch.
    await setTimeout(1500)
  }

  async #says(message: string): Promise<void> {
    while (!readFileSync(this.log, 'utf8').includes(message)) {
      if (this.#daemon!.exitCode !== null) throw new Error('the daemon did not start')
      await setTimeout(50)
    }
  }

  get usage(): Usage {
    return usageOf(this.#daemon!.pid!)
  }

  async place(order: Order): Promise<Placed> {
    this.#switch!.send(order)
    const [placed] = (await once(this.#switch!, 'message')) as [Placed]
    return placed
  }

  /**
   * Waits until so many calls were settled since it was asked last. Resolves to when the CDR of each
   * was on the disk, in Date.now(), by leg: from the daemon's log.
   */
  async settled(calls: number): Promise<Map<string, number>> {
    const settled = new Map<string, number>()
    for (;;) {
      for (const line of this.#newLines()) {
        if (!line.includes('"msg":"call ended"')) continue
        const { time, callId } = JSON.parse(line)
        settled.set(callId, time)
      }
      if (settled.size >= calls) return settled
      await setTimeout(100)
    }
  }

  #newLines(): string[] {
    const file = openSync(this.log, 'r')
    const bytes = Buffer.alloc(fstatSync(file).size - this.#read)
    readSync(file, bytes, 0, bytes.length, this.#read)
    closeSync(file)
    const whole = bytes.subarray(0, bytes.lastIndexOf('\n') + 1)
    this.#read += whole.length
    return whole.toString('latin1').split('\n')
  }

  async stopDaemon(): Promise<void> {
    const daemon = this.#daemon!
    daemon.kill('SIGTERM')
    if (daemon.exitCode === null && daemon.signalCode === null) await once(daemon, 'exit')
  }

  async close(): Promise<void> {
    if (this.#daemon?.exitCode === null) await this.stopDaemon()
    this.#switch?.disconnect()
    rmSync(this.scratch, { recursive: true })
  }
}

/** More than any benchmark spends. */
export const PLENTY = parseMoney('1000000')
