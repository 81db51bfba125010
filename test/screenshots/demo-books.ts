/**
 * The books of a made-up reseller: thirty days of calls, written by the ledger itself with its clock
 * put back, so that `tollgate verify` has nothing to say about them.
 */
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import type { Leg, Outcome, Reason } from '../../src/call/call.js'
import { type Money, parseMoney } from '../../src/money.js'
import { AccountProvisioning, accountCreateInput } from '../../src/provisioning/accounts.js'
import { EntryProvisioning } from '../../src/provisioning/entries.js'
import { checkInput } from '../../src/provisioning/fields.js'
import { listedAlways } from '../../src/rating/listed-rate.js'
import { priceCall } from '../../src/rating/pricing.js'
import { affordableSeconds, billedSeconds, costOf, leastCost } from '../../src/rating/rate.js'
import type { RateBook } from '../../src/rating/rate-book.js'
import type { Tariff } from '../../src/rating/tariff.js'
import { carrierCost } from '../../src/rating/tariff.js'
import type { Dice } from '../../src/simulation/dice.js'
import { SqliteAccounts } from '../../src/sqlite/accounts.js'
import { SqliteLedger } from '../../src/sqlite/ledger.js'
import { LedgerFile } from '../../src/sqlite/ledger-file.js'
import { SqliteRateBook } from '../../src/sqlite/rate-book.js'
import { SqliteRates } from '../../src/sqlite/rates.js'
import { RatesFile } from '../../src/sqlite/rates-file.js'
import { SqliteRepairs } from '../../src/sqlite/repairs.js'
import { SqliteSipAccounts } from '../../src/sqlite/sip-accounts.js'
import { ACCOUNTS, type DemoAccount } from './demo-accounts.js'
import { amount, DESTINATIONS } from './demo-rates.js'

const DAY_US = 86_400_000_000
const HOUR_US = 3_600_000_000
const ACTOR = 'user:maria'
const CHUNK_S = 60
const WARN_S = 15
const CORE_UUID = 'b7e1c9de-1f0a-4c55-9a53-0f6b3a1c2d4e'

/** How busy the hours of a day are. */
const HOURS = [1, 1, 1, 1, 1, 2, 5, 12, 26, 38, 42, 40, 33, 36, 42, 40, 35, 27, 18, 12, 9, 6, 4, 2]

export interface DemoBooksOptions {
  readonly dataDir: string
  readonly dice: Dice
  /** When the history ends, microseconds since the epoch. */
  readonly until: number
  readonly days: number
  /** Calls in the busiest hour. */
  readonly busiest: number
}

export async function writeDemoBooks(options: DemoBooksOptions): Promise<void> {
  const { dataDir, until, days } = options
  const ratesFile = new RatesFile(join(dataDir, 'rates.db'))
  const rates = new SqliteRates(ratesFile)
  await writeRates(rates)
  const clock = { us: until - days * DAY_US }
  const file = new LedgerFile(join(dataDir, 'ledger.db'), { now: () => Math.round(clock.us) })
  // Nobody needs these books after a power cut.
  file.database.pragma('synchronous = OFF')
  await writeAccounts(file)
  await writeSipAccounts(file)
  const rateBook = await SqliteRateBook.open(rates)
  await new History(options, file, rateBook, clock).write()
  await writeUnseen(file, options)
  file.close()
  ratesFile.close()
}

async function writeRates(rates: SqliteRates): Promise<void> {
  for (const plan of ['carrier', 'retail', 'business', 'aurora']) {
    await rates.createPlan(plan, ACTOR)
  }
  const uk = { techPrefix: '', international: ['00'], countryCode: '44', trunkPrefix: '0' }
  const numbers = { ...uk, nationalDigits: null }
  const hours = { name: 'evening', hours: 'mon-fri 18:00-08:00, sat-sun 00:00-24:00' }
  const terms = { costPlan: 'carrier', zone: 'Europe/London', numbers }
  await rates.changePlan('retail', { ...terms, periods: [hours] }, ACTOR)
  await rates.changePlan('business', { ...terms, refuseLoss: true }, ACTOR)
  await rates.changePlan('aurora', terms, ACTOR)
  const steps = { minimum: 1, increment: 1, freeS: 0 }
  for (const [prefix, description, price] of DESTINATIONS) {
    const rate = (perMinute: string, more = {}) =>
      listedAlways({
        ...{ prefix, description, perMinute: parseMoney(perMinute), setup: 0n },
        ...steps,
        ...more,
      })
    await rates.addRate('carrier', rate(amount(price)), ACTOR)
    const retail = Math.ceil((price * 1.9) / 10) * 10
    const setup = parseMoney('0.02')
    await rates.addRate('retail', rate(amount(retail), { minimum: 60, setup }), ACTOR)
    const business = rate(amount(Math.ceil((price * 1.35) / 5) * 5), { increment: 6, minimum: 6 })
    await rates.addRate('business', business, ACTOR)
    if (price < 200) {
      const cheap = rate(amount(Math.ceil(retail * 0.8)), { minimum: 60, setup: 0n })
      await rates.addRate('retail', { ...cheap, period: 'evening' }, ACTOR)
    }
    if (prefix.startsWith('39')) {
      await rates.addRate('aurora', rate(amount(Math.ceil(price * 1.15))), ACTOR)
    }
  }
  const blocked = { perMinute: 0n, setup: 0n, ...steps, period: '', from: 0, until: null }
  for (const [prefix, description] of [
    ['881', 'Satellite telephones'],
    ['979', 'Premium rate, international'],
  ] as const) {
    await rates.addRate('retail', { prefix, description, ...blocked, blocked: true }, ACTOR)
  }
}

async function writeAccounts(file: LedgerFile): Promise<void> {
  const provisioning = new AccountProvisioning(
    new SqliteAccounts(file),
    async () => true,
    undefined,
  )
  for (const { code, name, credit, weight, terms } of ACCOUNTS) {
    const plan = weight > 5 ? 'business' : 'retail'
    const input = { code, name, plan, credit, ...terms, actor: ACTOR }
    await provisioning.create(checkInput(accountCreateInput, input))
  }
  await provisioning.suspend({ code: 'QUARRY', actor: ACTOR })
}

async function writeSipAccounts(file: LedgerFile): Promise<void> {
  const sip = new SqliteSipAccounts(file)
  for (const [i, { code, name, weight }] of ACCOUNTS.entries()) {
    for (let n = 0; n < (weight > 5 ? 4 : 1); n++) {
      const user = String(1000 + i * 10 + n)
      const about = {
        account: code,
        enabled: code !== 'QUARRY',
        name: n === 0 ? name : `${name} ${n + 1}`,
      }
      const a1Hash = (i * 10 + n + 4096).toString(16).padStart(32, '0')
      await sip.create({ user, domain: 'sip.example.com', ...about, a1Hash, actor: ACTOR })
    }
  }
}

/** Of a night in which Tollgate was away for an hour: one is a test of the operator's. */
async function writeUnseen(file: LedgerFile, { dice, until }: DemoBooksOptions): Promise<void> {
  const repairs = new SqliteRepairs(file, new SqliteLedger(file))
  for (const code of ['MERIDIAN', 'CEDAR', 'AURORA', 'MERIDIAN', 'EASTGATE', 'CEDAR']) {
    const [prefix] = dice.pick(DESTINATIONS)
    const createdAt = tick(until - HOUR_US * dice.between(7, 8))
    const answeredAt = createdAt + tick(dice.between(2e6, 14e6))
    const callId = randomUUID()
    await repairs.keep({
      ...{ callId, switch: 'fs-london', coreUuid: CORE_UUID, account: code, otherLeg: null },
      dialled: (prefix + String(Math.floor(dice.next() * 1e9)).padStart(9, '0')).slice(0, 12),
      ...{ createdAt, answeredAt, endedAt: answeredAt + tick(5e6 + dice.wait(170e6)) },
      cause: 'NORMAL_CLEARING',
    })
    await repairs.list(callId)
  }
  const [one] = await repairs.unseen({ state: 'open', account: 'AURORA', limit: 1 })
  await repairs.dismiss({ callId: one!.callId, actor: ACTOR, reason: 'our own test call' })
}

interface Planned {
  readonly at: number
  readonly account: DemoAccount
  readonly number: string
  readonly talkS: number
  readonly answered: boolean
}

class History {
  readonly #ledger: SqliteLedger
  readonly #accounts: SqliteAccounts
  readonly #entries: EntryProvisioning

  constructor(
    readonly options: DemoBooksOptions,
    readonly file: LedgerFile,
    readonly rateBook: RateBook,
    readonly clock: { us: number },
  ) {
    this.#ledger = new SqliteLedger(file)
    this.#accounts = new SqliteAccounts(file)
    this.#entries = new EntryProvisioning(this.#accounts, undefined)
  }

  async write(): Promise<void> {
    const calls = this.#plan()
    for (const [i, call] of calls.entries()) {
      if (i % 200 === 0) await this.#topUpTheLow()
      await this.#call(call)
    }
  }

  #plan(): Planned[] {
    const { dice, until, days, busiest } = this.options
    const calls: Planned[] = []
    const weighted = ACCOUNTS.map(account => [account.weight, account] as const)
    for (let hour = until - days * DAY_US; hour < until; hour += HOUR_US) {
      const at = new Date(hour / 1000)
      const weekend = [0, 6].includes(at.getUTCDay()) ? 0.6 : 1
      const busy = HOURS[at.getUTCHours()]! / 42
      const count = Math.round(busiest * busy * weekend * dice.between(0.8, 1.2))
      for (let i = 0; i < count; i++) {
        const [prefix] = dice.pick(DESTINATIONS)
        const line = String(Math.floor(dice.next() * 1e9)).padStart(9, '0')
        calls.push({
          at: hour + dice.next() * HOUR_US,
          account: dice.weigh(weighted),
          number: (prefix + line).slice(0, 12),
          talkS: Math.ceil(5 + dice.wait(170)),
          answered: dice.chance(0.68),
        })
      }
    }
    return calls.sort((a, b) => a.at - b.at)
  }

  /** Most of them, as people do: some run dry first. */
  async #topUpTheLow(): Promise<void> {
    for (const { code, balance, lowBalance } of await this.#accounts.list({
      low: true,
      limit: 50,
    })) {
      const isForgetful = ['HARBOUR', 'LARKSPUR', 'ZEPHYR', 'TAMARIND'].includes(code)
      if (isForgetful && this.options.dice.chance(0.97)) continue
      if (balance > (lowBalance ?? 0n) / 2n && this.options.dice.chance(0.5)) continue
      const usual = ACCOUNTS.find(account => account.code === code)!.credit
      const amount = parseMoney(Number(usual) < 20 ? '20' : usual)
      const reason = this.options.dice.pick(['card payment', 'bank transfer', 'invoice 2026-11'])
      const reference = `pay-${randomUUID().slice(0, 8)}`
      await this.#entries.topUp({ code, amount, reference, reason, actor: ACTOR })
    }
  }

  async #call(planned: Planned): Promise<void> {
    const { dice } = this.options
    const createdAt = tick(planned.at)
    this.clock.us = createdAt
    const leg: Leg = {
      callId: randomUUID(),
      switch: dice.pick(['fs-london', 'fs-london', 'fs-frankfurt']),
      coreUuid: CORE_UUID,
      account: planned.account.code,
      dialled: planned.number,
      createdAt,
      otherLeg: null,
    }
    const payer = await this.#ledger.payer(leg.account)
    if (!payer) throw new Error(`no account ${leg.account}`)
    if (payer.state !== 'active') return this.#refuse(leg, null, 'account_suspended')
    const pricing = priceCall(this.rateBook, payer, leg.dialled, createdAt)
    if (pricing.status !== 'priced') return this.#refuse(leg, null, pricing.reason)
    await this.#priced(leg, pricing.tariff, planned)
  }

  async #priced(leg: Leg, tariff: Tariff, { talkS, answered }: Planned): Promise<void> {
    const { rate } = tariff
    const atLeast = leastCost(rate)
    const hold = (at: number, seconds: number, answeredAt: number | null) =>
      this.#ledger.hold({ at, leg, tariff, answeredAt, total: costOf(rate, seconds), atLeast })
    const first = await hold(leg.createdAt + 4_000, CHUNK_S, null)
    if (first.status !== 'held') throw new Error('settled before it began')
    if (first.held === 0n) return this.#refuse(leg, tariff, (first.reason ?? 'no_credit') as Reason)
    const rang = tick(this.options.dice.between(2e6, 14e6))
    if (!answered) {
      const cause = this.options.dice.pick(['USER_BUSY', 'NO_ANSWER', 'ORIGINATOR_CANCEL'])
      return this.#settle(leg, tariff, null, leg.createdAt + rang, { outcome: 'unanswered', cause })
    }
    const answeredAt = leg.createdAt + rang
    let held = first.held
    for (let s = CHUNK_S; s < talkS; s += CHUNK_S) {
      this.clock.us = answeredAt + (s - 10) * 1e6
      const raised = await hold(this.clock.us, s + CHUNK_S, answeredAt)
      if (raised.status === 'held') held = raised.held
    }
    const fundedS = affordableSeconds(rate, held, 86_400)
    if (fundedS >= talkS) {
      const ended = answeredAt + talkS * 1e6 - 20_000 * this.options.dice.int(40)
      const how = { outcome: 'completed', cause: 'NORMAL_CLEARING' } as const
      return this.#settle(leg, tariff, answeredAt, ended, how)
    }
    const warnedAt = answeredAt + (fundedS - WARN_S) * 1e6
    if (fundedS > WARN_S) await this.#ledger.warned(leg.callId, warnedAt)
    const how = { outcome: 'cut_off', cause: 'ALLOTTED_TIMEOUT', reason: 'no_credit' } as const
    await this.#settle(leg, tariff, answeredAt, answeredAt + fundedS * 1e6 + 20_000, how)
  }

  #refuse(leg: Leg, tariff: Tariff | null, reason: Reason): Promise<void> {
    const how = { outcome: 'refused', cause: 'CALL_REJECTED', reason } as const
    return this.#settle(leg, tariff, null, leg.createdAt + 40_000, how)
  }

  async #settle(
    leg: Leg,
    tariff: Tariff | null,
    answeredAt: number | null,
    endedAt: number,
    how: { outcome: Outcome; cause: string; reason?: Reason },
  ): Promise<void> {
    this.clock.us = endedAt + 30_000
    const seconds = answeredAt === null ? 0 : Math.ceil((endedAt - answeredAt) / 1e6)
    const price: Money = tariff ? costOf(tariff.rate, seconds) : 0n
    const billedS = tariff && answeredAt !== null ? billedSeconds(tariff.rate, seconds) : 0
    const ofCarrier = tariff && answeredAt !== null ? carrierCost(tariff, seconds) : null
    const { plan = null, number = leg.dialled } = tariff ?? {}
    const ending = { answeredAt, endedAt, billedS, carrierCost: ofCarrier, reason: null, ...how }
    await this.#ledger.settle({ leg, tariff, plan, number, price, ending })
  }
}

/** FreeSWITCH's clock steps in 20 ms. */
const tick = (us: number) => Math.round(us / 20_000) * 20_000
