/**
 * What is shown: a data directory with three accounts, a simulated switch on a real socket, the
 * daemon as shipped, and people who make calls.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import { checkConfig } from '../config.js'
import type { Observer } from '../controller/controller.js'
import { Daemon } from '../daemon.js'
import { connectApi } from '../http/client.js'
import { parseMoney } from '../money.js'
import type { Provisioning } from '../provisioning/operations.js'
import { type VerificationJson, verify } from '../provisioning/verify.js'
import { listedAlways } from '../rating/listed-rate.js'
import { EslServer } from '../simulator/esl-server.js'
import { RealTimeline } from '../simulator/real-timeline.js'
import { SimulatedSwitch } from '../simulator/simulated-switch.js'
import { SqliteAuditor } from '../sqlite/audit.js'
import { LedgerFile } from '../sqlite/ledger-file.js'
import { SqliteRates } from '../sqlite/rates.js'
import { RatesFile } from '../sqlite/rates-file.js'

const PASSWORD = 'demo'

/** Short chunks, so that in a minute credit is held, raised and used up several times. */
const RULES = { chunk_s: 10, lead_s: 3 }

const RATE = { prefix: '44', description: 'United Kingdom', minimum: 1, increment: 1, freeS: 0 }

/** Each of them makes calls of this length, with this pause between. */
export const PEOPLE = [
  { code: 'DRY', name: 'runs dry', credit: '0.35', talkS: 300, pauseS: 4 },
  { code: 'SAVED', name: 'topped up in time', credit: '0.25', talkS: 300, pauseS: 4 },
  { code: 'FINE', name: 'has plenty', credit: '20', talkS: 14, pauseS: 3 },
] as const

/** SAVED is given this much, this long after its first call has begun: just before its end. */
export const TOP_UP = { code: 'SAVED', amount: '5', afterS: 21 }

export class Scenario {
  readonly dataDir = mkdtempSync(join(tmpdir(), 'tollgate-demo-'))
  readonly freeswitch = new SimulatedSwitch({ timeline: new RealTimeline(), random: Math.random })
  readonly #server = new EslServer({ freeswitch: this.freeswitch, password: PASSWORD })
  readonly #timers = new Set<NodeJS.Timeout>()
  #daemon: Daemon | undefined
  #api: Provisioning | undefined
  #over = false

  /** What the CLI would use: the daemon's own API on its socket. */
  get api(): Provisioning {
    if (!this.#api) throw new Error('the demo has not been started')
    return this.#api
  }

  /** @param onTopUp called when the top-up has been booked */
  async start(observer: Observer, onTopUp: () => void): Promise<void> {
    await this.#makeRates()
    const port = await this.#server.listen()
    const freeswitch = { name: 'simulated', port, password: PASSWORD }
    const config = checkConfig({ switch: [freeswitch], rules: RULES }, {}, 'demo')
    const log = pino({ level: 'silent' })
    this.#daemon = new Daemon({ dataDir: this.dataDir, config, log, observer })
    await this.#daemon.start()
    this.#api = await connectApi(this.dataDir)
    for (const { code, name, credit } of PEOPLE) {
      await this.api.accountCreate({ code, name, plan: 'demo', credit, actor: 'demo' })
    }
    for (const person of PEOPLE) this.#callAgain(person, 0.5)
    this.#in(TOP_UP.afterS, async () => {
      const { code, amount } = TOP_UP
      await this.api.topUp({ code, amount, reference: 'demo', reason: 'card', actor: 'demo' })
      onTopUp()
    })
  }

  liveCalls() {
    return this.#daemon?.liveCalls() ?? []
  }

  /** Recomputes the books beside the daemon that has them open. */
  async verify(): Promise<VerificationJson> {
    const file = new LedgerFile(join(this.dataDir, 'ledger.db'), { readonly: true })
    try {
      return await verify(new SqliteAuditor(file))
    } finally {
      file.close()
    }
  }

  /** Everybody hangs up; resolves when every call is settled. */
  async end(): Promise<void> {
    this.#over = true
    for (const timer of this.#timers) clearTimeout(timer)
    for (const legId of this.freeswitch.legs()) this.freeswitch.hangUp(legId)
    while (this.liveCalls().length > 0) await new Promise(resolve => setTimeout(resolve, 20))
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer)
    await this.#daemon?.stop()
    await this.#server.close()
    this.freeswitch.stop()
    rmSync(this.dataDir, { recursive: true, force: true })
  }

  async #makeRates(): Promise<void> {
    const file = new RatesFile(join(this.dataDir, 'rates.db'))
    const rates = new SqliteRates(file)
    await rates.createPlan('demo', 'demo')
    const price = { perMinute: parseMoney('0.6'), setup: parseMoney('0.02') }
    await rates.addRate('demo', listedAlways({ ...RATE, ...price }), 'demo')
    file.close()
  }

  #callAgain(person: (typeof PEOPLE)[number], inS: number): void {
    this.#in(inS, () => {
      const { code, talkS, pauseS } = person
      const line = 1000 + Math.floor(Math.random() * 9000)
      const number = `4420794${line}`
      const call = { number, ac: code, acOn: 'b', aLeg: true, answer: true } as const
      const { b } = this.freeswitch.placeCall({ ...call, ringMs: 1000, talkMs: talkS * 1000 })
      this.#in(1, () => this.#whenGone(b, () => this.#callAgain(person, pauseS)))
    })
  }

  #whenGone(legId: string, next: () => void): void {
    if (this.freeswitch.legs().includes(legId)) this.#in(0.1, () => this.#whenGone(legId, next))
    else next()
  }

  #in(s: number, happen: () => unknown): void {
    if (this.#over) return
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      void happen()
    }, s * 1000)
    this.#timers.add(timer)
  }
}
