/** The daemon as shipped, over real sockets, against the simulated switch. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import pino from 'pino'
import type { Test } from 'tap'
import type { CdrJson } from '../../src/call/cdr.js'
import { checkConfig } from '../../src/config.js'
import { Daemon } from '../../src/daemon.js'
import { connectApi } from '../../src/http/client.js'
import { parseMoney } from '../../src/money.js'
import type { Provisioning } from '../../src/provisioning/operations.js'
import { verify } from '../../src/provisioning/verify.js'
import { listedAlways } from '../../src/rating/listed-rate.js'
import type { CallPlan } from '../../src/simulator/call-plan.js'
import { EslServer } from '../../src/simulator/esl-server.js'
import { RealTimeline } from '../../src/simulator/real-timeline.js'
import { SimulatedSwitch } from '../../src/simulator/simulated-switch.js'
import { SqliteAuditor } from '../../src/sqlite/audit.js'
import { LedgerFile } from '../../src/sqlite/ledger-file.js'
import { SqliteRates } from '../../src/sqlite/rates.js'
import { RatesFile } from '../../src/sqlite/rates-file.js'

export interface LiveOptions {
  readonly rules?: Record<string, unknown>
  readonly gate?: Record<string, unknown>
  /** Other sections of the settings. */
  readonly sections?: Record<string, unknown>
  /** Opening credit by account code. */
  readonly credit: Record<string, string>
  /** How far the switch's clock is ahead of ours. */
  readonly aheadMs?: number
  /** More switches than `sim`, by name. */
  readonly others?: Readonly<Record<string, OtherSwitch>>
}

export interface OtherSwitch {
  readonly aheadMs?: number
  /** Nothing listens at its port. */
  readonly isDown?: boolean
}

/** A switch, and its event socket. */
class Simulated {
  readonly freeswitch: SimulatedSwitch
  readonly server: EslServer

  constructor(aheadMs = 0) {
    const timeline = new RealTimeline({ aheadMs })
    this.freeswitch = new SimulatedSwitch({ timeline, random: Math.random, heartbeatS: 1 })
    this.server = new EslServer({ freeswitch: this.freeswitch, deliveryDelayMs: 20 })
  }

  async close(): Promise<void> {
    await this.server.close()
    this.freeswitch.stop()
  }
}

export class Live {
  readonly freeswitch: SimulatedSwitch
  readonly server: EslServer
  readonly logged: Record<string, unknown>[] = []
  daemon!: Daemon
  api!: Provisioning
  /** By name, without `sim`. */
  readonly others = new Map<string, Simulated>()

  static async start(t: Test, options: LiveOptions): Promise<Live> {
    const live = new Live(t.testdir(), options)
    t.teardown(() => live.close())
    await live.open()
    return live
  }

  private constructor(
    readonly dataDir: string,
    readonly options: LiveOptions,
  ) {
    const { freeswitch, server } = new Simulated(options.aheadMs)
    this.freeswitch = freeswitch
    this.server = server
    for (const [name, { aheadMs }] of Object.entries(options.others ?? {})) {
      this.others.set(name, new Simulated(aheadMs))
    }
  }

  async open(): Promise<void> {
    mkdirSync(this.dataDir, { recursive: true })
    const file = new RatesFile(join(this.dataDir, 'rates.db'))
    const rates = new SqliteRates(file)
    await rates.createPlan('retail', 'test')
    const price = { perMinute: parseMoney('0.6'), setup: parseMoney('0.02') }
    const steps = { prefix: '44', description: 'UK', minimum: 1, increment: 1, freeS: 0 }
    await rates.addRate('retail', listedAlways({ ...steps, ...price }), 'test')
    file.close()
    await this.server.listen()
    for (const [name, { server }] of this.others) {
      await server.listen()
      if (this.options.others?.[name]?.isDown) await server.refuseConnections()
    }
    await this.startDaemon()
    for (const [code, credit] of Object.entries(this.options.credit)) {
      await this.api.accountCreate({ code, name: code, plan: 'retail', credit, actor: 'test' })
    }
  }

  async startDaemon(): Promise<void> {
    const { server } = this
    const switches = [['sim', { server }] as const, ...this.others]
    const table = {
      switch: switches.map(
        ([
          name,
          {
            server: { port },
          },
        ]) => {
          return { name, port, heartbeat_s: 1, command_timeout_s: 2 }
        },
      ),
      rules: this.options.rules ?? {},
      gate: this.options.gate ?? {},
      ...this.options.sections,
    }
    const out = { write: (line: string) => void this.logged.push(JSON.parse(line)) }
    const log = pino({ level: 'debug', serializers: { error: pino.stdSerializers.err } }, out)
    const config = checkConfig(table, {}, 'test')
    this.daemon = new Daemon({ dataDir: this.dataDir, config, log })
    await this.daemon.start()
    this.api = (await connectApi(this.dataDir))!
    for (const [name, { server: one }] of switches) {
      if (this.options.others?.[name]?.isDown) continue
      await this.until(() => one.clientCount === 3, `${name} connected`)
      const isSupervised = (line: Record<string, unknown>) =>
        line['msg'] === 'all live calls are supervised' && line['switch'] === name
      await this.until(() => this.logged.some(isSupervised), `${name} subscribed`)
    }
  }

  /** A bridged call whose B-leg carries the account. Returns the id of the paying leg. */
  call(account: string, plan: Partial<CallPlan> = {}): string {
    const call = {
      aLeg: true,
      number: '442079460000',
      ac: account,
      acOn: 'b',
      answer: true,
    } as const
    return this.freeswitch.placeCall({ ...call, ringMs: 100, talkMs: null, ...plan }).b
  }

  async cdr(callId: string): Promise<CdrJson> {
    let found: CdrJson | undefined
    await this.until(async () => {
      found = (await this.api.cdrList({ limit: 1000 })).find(cdr => cdr.call_id === callId)
      return found !== undefined
    }, `the CDR of ${callId}`)
    return found!
  }

  async until(is: () => boolean | Promise<boolean>, what: string, timeoutMs = 20_000) {
    const deadline = performance.now() + timeoutMs
    while (!(await is())) {
      if (performance.now() > deadline) throw new Error(`it did not come to this: ${what}`)
      await new Promise(resolve => setTimeout(resolve, 10))
    }
  }

  async verify() {
    const file = new LedgerFile(join(this.dataDir, 'ledger.db'), { readonly: true })
    try {
      return await verify(new SqliteAuditor(file))
    } finally {
      file.close()
    }
  }

  async close(): Promise<void> {
    await this.daemon.stop()
    await this.server.close()
    this.freeswitch.stop()
    for (const other of this.others.values()) await other.close()
  }
}
