/** A data directory, a simulated switch on a socket, and callers who keep it busy. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connectApi } from '../../src/http/client.js'
import { DEFAULT_TERMS } from '../../src/ledger/books.js'
import { parseMoney } from '../../src/money.js'
import { listedAlways } from '../../src/rating/listed-rate.js'
import type { Rate } from '../../src/rating/rate.js'
import type { Dice } from '../../src/simulation/dice.js'
import type { AccountSetting } from '../../src/simulator/call-plan.js'
import { EslServer } from '../../src/simulator/esl-server.js'
import type { LegRecord } from '../../src/simulator/history.js'
import { RealTimeline } from '../../src/simulator/real-timeline.js'
import { SimulatedSwitch } from '../../src/simulator/simulated-switch.js'
import { SqliteAccounts } from '../../src/sqlite/accounts.js'
import { SqliteAuditor } from '../../src/sqlite/audit.js'
import { LedgerFile } from '../../src/sqlite/ledger-file.js'
import { SqliteRates } from '../../src/sqlite/rates.js'
import { RatesFile } from '../../src/sqlite/rates-file.js'

/** 0.01 a second, after 0.02 for the setup. */
export const RATE: Rate = {
  prefix: '44',
  description: 'UK',
  perMinute: parseMoney('0.6'),
  setup: parseMoney('0.02'),
  minimum: 1,
  increment: 1,
  freeS: 0,
}

/** Credit is held for two seconds at a time, so that every call is renewed every two. */
export const QUICK_RULES = {
  chunk_s: 2,
  lead_s: 1,
  retry_s: 1,
  timer_margin_s: 3,
  sweep_s: 1,
  hangup_grace_s: 1,
}

export class Site {
  readonly freeswitch: SimulatedSwitch
  readonly server: EslServer

  constructor(
    readonly dataDir: string,
    readonly dice: Dice,
    /** FreeSWITCH says it lives every 20 seconds; tests have no time for that. */
    readonly heartbeatS = 1,
  ) {
    const timeline = new RealTimeline()
    const random = dice.for('switch').next
    this.freeswitch = new SimulatedSwitch({ timeline, random, heartbeatS, slim: true })
    this.server = new EslServer({ freeswitch: this.freeswitch, deliveryDelayMs: 20 })
  }

  /** @param credit opening credit by account code */
  async open(rules: Record<string, unknown>, credit: Record<string, string>): Promise<void> {
    mkdirSync(this.dataDir, { recursive: true })
    const port = await this.server.listen()
    this.configure(rules, port)
    const ratesFile = new RatesFile(join(this.dataDir, 'rates.db'))
    const rates = new SqliteRates(ratesFile)
    await rates.createPlan('retail', 'test')
    await rates.addRate('retail', listedAlways(RATE), 'test')
    ratesFile.close()
    const file = new LedgerFile(join(this.dataDir, 'ledger.db'))
    const accounts = new SqliteAccounts(file)
    for (const [code, amount] of Object.entries(credit)) {
      const about = { ...DEFAULT_TERMS, name: code, plan: 'retail', actor: 'test' }
      await accounts.create({ ...about, code, credit: parseMoney(amount) })
    }
    file.close()
  }

  configure(rules: Record<string, unknown>, port = this.server.port, logLevel = 'info'): void {
    const lines = [
      `log_level = "${logLevel}"`,
      '[[switch]]',
      'name = "sim"',
      `port = ${port}`,
      `heartbeat_s = ${this.heartbeatS}`,
      'command_timeout_s = 2',
      '[rules]',
      ...Object.entries(rules).map(([name, value]) => `${name} = ${JSON.stringify(value)}`),
    ]
    writeFileSync(join(this.dataDir, 'tollgate.toml'), `${lines.join('\n')}\n`)
  }

  /** The legs that have to pay and are up or coming up. */
  livePaying(): LegRecord[] {
    const legs = this.freeswitch.legs().map(id => this.freeswitch.history.get(id)!)
    return legs.filter(leg => isPaying(leg) && leg.hangupAt === undefined)
  }

  /** All legs that ever had to pay. */
  paying(): LegRecord[] {
    return this.freeswitch.history.all().filter(isPaying)
  }

  /** A call that lasts until somebody ends it, where `talkMs` is null. Returns the paying leg. */
  call(account: string, talkMs: number | null, acOn: AccountSetting = 'b'): string {
    const { dice, freeswitch } = this
    const aLeg = acOn !== 'b' || dice.chance(0.7)
    const ringMs = dice.between(20, 400)
    const far = { number: '442079460000', answer: true, instant: dice.chance(0.1) }
    return freeswitch.placeCall({ aLeg, ac: account, acOn, ...far, ringMs, talkMs }).b
  }

  /** Tops up as a careful client does: again and again with one reference, until it is confirmed. */
  async topUp(code: string, amount: string, reference: string): Promise<void> {
    for (;;) {
      try {
        const api = await connectApi(this.dataDir)
        await api?.topUp({ code, amount, reference, reason: 'test', actor: 'test' })
        if (api) return
      } catch (error) {
        if ((error as { code?: unknown }).code !== 'gone') throw error
      }
      await new Promise(resolve => setTimeout(resolve, 20))
    }
  }

  /** Looks into the ledger beside whoever has it open. */
  async audit<T>(look: (auditor: SqliteAuditor, file: LedgerFile) => Promise<T>): Promise<T> {
    const file = new LedgerFile(join(this.dataDir, 'ledger.db'), { readonly: true })
    try {
      return await look(new SqliteAuditor(file), file)
    } finally {
      file.close()
    }
  }

  async close(): Promise<void> {
    await this.server.close()
    this.freeswitch.stop()
  }
}

function isPaying({ direction, ac }: LegRecord): boolean {
  return direction === 'outbound' && ac !== undefined
}
