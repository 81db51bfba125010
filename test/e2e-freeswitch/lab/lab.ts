/**
 * A real FreeSWITCH with a configuration of ours, a daemon as people start it, on a data directory of
 * its own, and phones: two carriers that the gateways lead to, and a caller. Nothing of it is
 * simulated.
 */
import { createSocket } from 'node:dgram'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { connectApi } from '../../../src/http/client.js'
import type { Provisioning } from '../../../src/provisioning/operations.js'
import { verify } from '../../../src/provisioning/verify.js'
import { SqliteAuditor } from '../../../src/sqlite/audit.js'
import { LedgerFile } from '../../../src/sqlite/ledger-file.js'
import { type Lock, lockDirectory } from '../../../src/sqlite/lock.js'
import { type DaemonProcess, Program } from '../../support/program.js'
import { Phone } from '../sip/phone.js'
import type { PhoneCall } from '../sip/phone-call.js'
import { folderOf, NAME } from './configuration.js'
import type { Installation } from './installation.js'
import { RealSwitch } from './real-switch.js'
import { RATES } from './reckoning.js'
import { until } from './until.js'
import type { Watch } from './watch.js'

export interface LabOptions {
  /** Of `[rules]`, besides those below. */
  readonly rules?: Readonly<Record<string, string | number | boolean>>
  /** Whether mod_json_cdr posts to Tollgate. Otherwise events alone tell it of ends. */
  readonly posts?: boolean
}

/** Credit is held for four seconds at a time, so that every call is renewed within a few. */
export const RULES = {
  ...{ chunk_s: 4, lead_s: 2, retry_s: 1, timer_margin_s: 2, sweep_s: 2, hangup_grace_s: 2 },
}

export const LEASE_S = 3

/** The daemon says so when it has compared itself with a switch that it has just connected to. */
const SUPERVISED = 'all live calls are supervised'

/** How long events may come after a record: a call that was not seen is on the list after it. */
export const GRACE_S = 10

/** The wait for others who test on the same switch. */
const TURN_MS = 20 * 60_000

export class Lab {
  readonly dataDir: string
  readonly program: Program
  freeswitch!: RealSwitch
  caller!: Phone
  carrier!: Phone
  carrier2!: Phone
  daemon!: DaemonProcess
  api!: Provisioning
  #next: DaemonProcess | null = null
  readonly #daemons: DaemonProcess[] = []

  /** Is there until `t` is over. */
  static async open(t: Test, installation: Installation, options: LabOptions): Promise<Lab> {
    const lab = new Lab(t, installation, options)
    const closing: (() => unknown)[] = []
    t.teardown(async () => {
      for (const close of closing.reverse()) await close()
      if (!t.passing()) lab.#keepLog(t)
    })
    const folder = folderOf(installation.conf)
    const lock = await turn(folder)
    closing.push(() => {
      lock.release()
      rmSync(folder, { recursive: true })
    })
    await lab.#openPhones(closing)
    await lab.#takeSwitch()
    closing.push(() => lab.freeswitch.giveBack())
    await lab.#fillBooks()
    closing.push(() => Promise.all([lab.daemon?.kill(), lab.#next?.kill()]))
    await lab.startDaemon()
    return lab
  }

  private constructor(
    t: Test,
    readonly installation: Installation,
    readonly options: LabOptions,
  ) {
    const folder = t.testdir({ build: {}, data: {} })
    this.dataDir = join(folder, 'data')
    this.program = Program.built(join(folder, 'build'))
  }

  get watch(): Watch {
    return this.freeswitch.watch
  }

  /** Where callers without a password reach the switch. */
  get trunk(): string {
    return `${this.installation.ip}:${this.freeswitch.wiring.trunkPort}`
  }

  /** Where SIP accounts register and call. */
  get users(): string {
    return `${this.installation.ip}:${this.freeswitch.wiring.usersPort}`
  }

  /** A call from the trunk, without a password. */
  async call(extension: string): Promise<PhoneCall> {
    return this.caller.call(extension, this.trunk)
  }

  /** Calls, and waits until the far end has picked up. */
  async talk(extension: string): Promise<PhoneCall> {
    const call = await this.call(extension)
    await until(() => call.state === 'answered' || call.state === 'ended', `${extension} is up`)
    if (call.state !== 'answered') throw new Error(`${extension} was refused: ${call.status}`)
    return call
  }

  async ended(call: PhoneCall, withinMs = 20_000): Promise<void> {
    await until(() => call.state === 'ended', `the call to ${call.number} is over`, withinMs)
  }

  /** The Unique-ID of the leg that was sent to this number. */
  async legTo(number: string): Promise<string> {
    await until(() => this.watch.created(number).length > 0, `a leg to ${number}`)
    return this.watch.created(number)[0]!.legId
  }

  async account(code: string, credit: string): Promise<string> {
    await this.api.accountCreate({ code, name: code, plan: 'retail', credit, actor: 'e2e' })
    return code
  }

  /** Loads a daemon that starts at once when it is needed: what is live then must not wait for it. */
  standBy(): void {
    this.#next = this.program.standby(['--data', this.dataDir])
  }

  async startDaemon(): Promise<void> {
    this.daemon = this.#next ?? this.program.daemon(['--data', this.dataDir])
    this.#next?.start()
    this.#next = null
    this.#daemons.push(this.daemon)
    await this.daemon.says(SUPERVISED)
    this.api = (await connectApi(this.dataDir))!
  }

  /**
   * Stops or crashes the switch, starts it again, and waits until the daemon is back on it. Resolves
   * to how long that took after the switch was up, in milliseconds.
   */
  async restartSwitch(how: 'stop' | 'crash', thereupon?: () => Promise<void>): Promise<number> {
    const from = this.daemon.logged.length
    await this.freeswitch[how]()
    await this.freeswitch.start()
    await thereupon?.()
    const upMs = performance.now()
    const isBack = () => this.daemon.logged.slice(from).some(({ msg }) => msg === SUPERVISED)
    await until(isBack, 'the daemon is back on the switch', 90_000)
    return performance.now() - upMs
  }

  /** What the daemon needs to know. `rules` replace those of the file's options. */
  writeSettings(rules = this.options.rules): void {
    const { host, port, password, ip } = this.installation
    const { gatePort, httpPort, secret } = this.freeswitch.wiring
    const assignments = (values: object) =>
      Object.entries(values).map(([name, value]) => `${name} = ${JSON.stringify(value)}`)
    const lines = [
      ...['log_level = "debug"', '[[switch]]', 'name = "fs1"'],
      ...assignments({ host, port, password }),
      ...['[rules]', ...assignments({ ...RULES, ...rules })],
      ...['[gate]', ...assignments({ listen: `${ip}:${gatePort}`, lease_s: LEASE_S })],
      ...['[freeswitch_http]', ...assignments({ listen: `${ip}:${httpPort}`, secret })],
      ...['[sip_accounts]', ...assignments({ context: NAME })],
      ...['[cdr_repair]', ...assignments({ grace_s: GRACE_S })],
    ]
    writeFileSync(join(this.dataDir, 'tollgate.toml'), `${lines.join('\n')}\n`)
  }

  /** What does not add up in the books, which are looked into beside the daemon. */
  async verify(): Promise<readonly string[]> {
    const file = new LedgerFile(join(this.dataDir, 'ledger.db'), { readonly: true })
    try {
      return (await verify(new SqliteAuditor(file))).problems
    } finally {
      file.close()
    }
  }

  /** Runs the command line. @throws Error where it does not end with 0 */
  async tollgate(...args: string[]): Promise<string> {
    const { code, out, err } = await this.program.run(['--data', this.dataDir, ...args])
    if (code !== 0) throw new Error(`tollgate ${args.join(' ')}: ${err || out}`)
    return out
  }

  /** What the daemons said, for whoever looks for the reason. The data directory is gone by then. */
  #keepLog(t: Test): void {
    const file = join(mkdtempSync(join(tmpdir(), `${NAME}-`)), 'tollgate.log')
    const lines = this.#daemons.flatMap(({ logged }) => logged.map(line => JSON.stringify(line)))
    writeFileSync(file, `${lines.join('\n')}\n`)
    t.comment(`the log of Tollgate is in ${file}`)
  }

  async #openPhones(closing: (() => unknown)[]): Promise<void> {
    for (const name of ['caller', 'carrier', 'carrier2'] as const) {
      const phone = await Phone.open(this.installation.ip)
      closing.push(() => phone.close())
      this[name] = phone
    }
  }

  async #takeSwitch(): Promise<void> {
    const { conf, ip } = this.installation
    this.freeswitch = await RealSwitch.take(this.installation, {
      ...{ conf, ip, carriers: [this.carrier.address, this.carrier2.address] },
      ...{ trunkPort: await freeUdpPort(ip), usersPort: await freeUdpPort(ip) },
      ...{ gatePort: await freeTcpPort(ip), httpPort: await freeTcpPort(ip) },
      secret: 'end-to-end-on-a-real-switch',
      posts: this.options.posts ?? false,
    })
  }

  async #fillBooks(): Promise<void> {
    this.writeSettings()
    await this.tollgate('plan', 'create', 'retail')
    for (const { prefix, perMinute, setup, minimum, increment } of RATES) {
      const steps = ['--minimum', String(minimum), '--increment', String(increment)]
      const price = ['--per-minute', perMinute, '--setup', setup]
      await this.tollgate('rate', 'add', prefix, '--plan', 'retail', ...price, ...steps)
    }
  }
}

/** One run of the suite at a time has the switch. */
async function turn(folder: string): Promise<Lock> {
  let lock: Lock | undefined
  await until(
    () => {
      try {
        mkdirSync(folder, { recursive: true })
        lock = lockDirectory(folder, 'npm run e2e')
      } catch (error) {
        if ((error as { code?: unknown }).code !== 'in_use') throw error
      }
      return lock !== undefined
    },
    'nobody else tests on this switch',
    TURN_MS,
  )
  return lock!
}

function freeTcpPort(ip: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject)
    server.listen(0, ip, () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
}

function freeUdpPort(ip: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4').once('error', reject)
    socket.bind(0, ip, () => {
      const { port } = socket.address()
      socket.close(() => resolve(port))
    })
  })
}
