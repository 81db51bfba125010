/**
 * Watches the books at every commit, and notes what the verdict at the end needs to know: who had
 * how much when, what was held since when, and what the daemon got to hear.
 */
import type { LegEvent } from '../call/leg-event.js'
import { Allowances, dayIn } from './allowances.js'
import {
  type AccountRow,
  Books,
  type CallRow,
  type CdrRow,
  type EntryRow,
  type Promised,
  promisedOf,
} from './books.js'
import type { SimulatedDaemon } from './daemon.js'
import type { World } from './world.js'

/** What an account was and had from that moment on. */
export interface Standing {
  readonly atMs: number
  readonly row: AccountRow
  /** Micro-units; a plain number, as no amount is beyond 2^53. */
  readonly available: number
}

/** What the auditor saw of a call while it was on record. */
export interface Watched {
  readonly firstHeldMs: number
  readonly promised: Promised
  held: number
  /** Since when it has been just that much. */
  heldSinceMs: number
}

export interface Filed extends CdrRow {
  readonly filedMs: number
  /** The daemon that filed it. */
  readonly by: SimulatedDaemon | null
}

/** An event of a leg as a daemon heard it. */
export interface Heard {
  readonly daemon: SimulatedDaemon
  readonly name: LegEvent['name']
  readonly exact: boolean
  readonly atMs: number
}

/** Enough to see what is wrong. */
const PROBLEMS_MAX = 20

/** At every so many commits all accounts are checked, not only those that it seems to be about. */
const ALL_EVERY = 30

export interface AuditorParts {
  readonly world: World
  readonly directory: string
  daemon(): SimulatedDaemon | null
  /** What our wall clock showed then, in microseconds since the epoch. */
  wallUs(atMs: number): number
}

/** What an operator has asked for is done by then, or never. */
const CHANGE_MS = 120_000

export class Auditor {
  readonly problems: string[] = []
  readonly watched = new Map<string, Watched>()
  readonly filed = new Map<string, Filed>()
  readonly heard = new Map<string, Heard[]>()
  readonly books: Books
  readonly allowances: Allowances
  readonly world: World
  commits = 0
  refunds = 0
  readonly #standings = new Map<string, Standing[]>()
  #holds = new Map<string, { account: number; held: number }>()
  /** Of the commit that is looked at, by account: which calls are new, and which have more held. */
  #admitted = new Map<number, CallRow[]>()
  #raised = new Map<number, { legId: string; held: number }[]>()
  #refunds: EntryRow[] = []
  readonly #touched = new Set<number>()
  readonly #changing = new Map<number, number>()
  readonly #topUps = new Map<number, number[]>()
  readonly #ids = new Map<string, number>()
  readonly #said = new Set<string>()
  readonly #balances = new Map<number, number>()
  readonly #booked = new Set<string>()
  readonly #refunded = new Map<string, bigint>()
  #lastEntry = 0n
  #lastCdr = 0n

  constructor(readonly parts: AuditorParts) {
    const { world, directory } = parts
    this.world = world
    this.books = new Books(directory)
    this.allowances = new Allowances({
      fault: sentence => this.fault(sentence),
      wallUs: () => parts.wallUs(world.now()),
      run: () => parts.daemon(),
    })
  }

  daemon(): SimulatedDaemon | null {
    return this.parts.daemon()
  }

  /** Says what is wrong, and when. */
  fault(sentence: string): void {
    if (this.#said.has(sentence) || this.problems.length >= PROBLEMS_MAX) return
    this.#said.add(sentence)
    this.problems.push(`at ${(this.world.now() / 1000).toFixed(3)} s: ${sentence}`)
  }

  noteHeard(daemon: SimulatedDaemon, event: LegEvent): void {
    const heard = this.heard.get(event.legId) ?? []
    this.heard.set(event.legId, heard)
    const exact = event.hangupAt !== null
    heard.push({ daemon, name: event.name, exact, atMs: this.world.now() })
  }

  /** An operator wants it changed: whether and when that happens is seen at every commit. */
  expectChange(code: string): void {
    const id = this.#ids.get(code)
    if (id !== undefined) this.#changing.set(id, this.world.now() + CHANGE_MS)
  }

  /** Looks at the books, if anything was committed. */
  look(): void {
    if (!this.books.changed()) return
    this.commits += 1
    this.#takeEntries()
    this.#takeCdrs()
    this.#checkRefunds()
    this.#takeHolds()
    this.#checkAccounts()
  }

  idOf(code: string): number {
    return this.#ids.get(code) ?? -1
  }

  /** What the account was and had, from one time to another. */
  standings(code: string, fromMs: number, untilMs: number): Standing[] {
    const standings = this.#standings.get(code) ?? []
    const end = standings.findLastIndex(({ atMs }) => atMs <= untilMs) + 1
    const begin = standings.findLastIndex(({ atMs }) => atMs <= fromMs)
    return standings.slice(Math.max(0, begin), end)
  }

  /** What could have been held for a call then, at the least: by credit, and by the day's limit. */
  leastRoom(code: string, fromMs: number, untilMs: number): number | null {
    const rooms = this.standings(code, fromMs, untilMs).map(one =>
      Math.min(one.available, this.dayRoom(one, fromMs, untilMs)),
    )
    return rooms.length === 0 ? null : Math.min(...rooms)
  }

  /** What the limit of a day leaves from one time to another, at the least. */
  dayRoom({ row, atMs }: Standing, fromMs: number, untilMs: number): number {
    const { id, time_zone: zone, max_spend_per_day: max, held } = row
    if (max === null) return Number.POSITIVE_INFINITY
    const spent = [Math.max(atMs, fromMs), untilMs].map(ms =>
      this.allowances.spentOn(id, zone, dayIn(zone, this.parts.wallUs(ms)), ms),
    )
    return max - held - Math.max(...spent)
  }

  /** When the account was last topped up before then; 0 where it never was. */
  lastTopUp(code: string, beforeMs: number): number {
    const times = this.#topUps.get(this.#ids.get(code) ?? -1) ?? []
    return times.findLast(atMs => atMs <= beforeMs) ?? 0
  }

  /** What the CDRs give as reasons, and how often. */
  reasons(): { reason: string; times: number }[] {
    const times = new Map<string, number>()
    for (const { reason } of this.filed.values()) {
      if (reason !== null) times.set(reason, (times.get(reason) ?? 0) + 1)
    }
    return [...times].sort().map(([reason, times]) => ({ reason, times }))
  }

  /** How many calls were answered when another rate had come into force since they began. */
  changed(): number {
    let changed = 0
    for (const [legId, { promised }] of this.watched) {
      const answeredAt = this.filed.get(legId)?.answered_at
      const [, second] = promised.rates
      if (answeredAt && second && second.from <= Number(answeredAt)) changed += 1
    }
    return changed
  }

  #takeEntries(): void {
    for (const entry of this.books.entriesAfter(this.#lastEntry)) {
      this.#lastEntry = entry.id
      const { account_id, kind, reference, amount } = entry
      const account = Number(account_id)
      if (account_id !== null) this.#add(account, Number(amount))
      if (kind === 'top_up') this.#noteTopUp(account)
      if (kind === 'refund') this.#refunds.push(entry)
      if (kind === 'call') {
        const cost = { cost: -Number(amount), atUs: Number(entry.at), atMs: this.world.now() }
        this.allowances.noteCost(account, cost)
      }
      const isOfCall = kind === 'call' || kind === 'write_off'
      const key = isOfCall ? `${kind} ${reference}` : `posting ${account} ${reference}`
      if (this.#booked.has(key)) this.fault(`${reference} is booked twice as ${kind}`)
      this.#booked.add(key)
    }
  }

  /** No call gives back more than it cost, nor to anybody else. */
  #checkRefunds(): void {
    for (const { call_id, account_id, amount } of this.#refunds) {
      this.refunds += 1
      const legId = call_id ?? ''
      const cdr = this.filed.get(legId)
      const sum = (this.#refunded.get(legId) ?? 0n) + amount
      this.#refunded.set(legId, sum)
      if (!cdr || sum > cdr.cost) this.fault(`${sum} of ${legId} is refunded: it cost ${cdr?.cost}`)
      if (cdr && Number(account_id) !== this.#ids.get(cdr.account)) {
        this.fault(`${legId} was paid by ${cdr.account}, and refunded to another`)
      }
    }
    this.#refunds = []
  }

  #noteTopUp(account: number): void {
    const times = this.#topUps.get(account) ?? []
    this.#topUps.set(account, times)
    times.push(this.world.now())
  }

  #add(account: number, amount: number): void {
    this.#touched.add(account)
    this.#balances.set(account, (this.#balances.get(account) ?? 0) + amount)
  }

  #takeCdrs(): void {
    for (const cdr of this.books.cdrsAfter(this.#lastCdr)) {
      this.#lastCdr = cdr.id
      if (this.filed.has(cdr.leg_id)) this.fault(`${cdr.leg_id} has two CDRs`)
      if (cdr.cost > cdr.held) this.fault(`${cdr.leg_id} cost more than was held`)
      const watched = this.watched.get(cdr.leg_id)
      if (watched && Number(cdr.held) !== watched.held) {
        this.fault(`the CDR of ${cdr.leg_id} says ${cdr.held} was held, but it was ${watched.held}`)
      }
      if (!watched && cdr.outcome !== 'refused') {
        this.allowances.noteAdmission(this.idOf(cdr.account), cdr, cdr.held > 0n)
      }
      this.filed.set(cdr.leg_id, { ...cdr, filedMs: this.world.now(), by: this.daemon() })
    }
  }

  #takeHolds(): void {
    const atMs = this.world.now()
    const before = this.#holds
    this.#holds = new Map()
    for (const [legId, account, held] of this.books.holds()) {
      this.#holds.set(legId, { account, held })
      const watched = this.watched.get(legId)
      if (watched?.held === held) continue
      this.#touched.add(account)
      if (held > (watched?.held ?? 0)) append(this.#raised, account, { legId, held })
      if (!watched) {
        const call = this.books.call(legId)
        append(this.#admitted, account, call)
        const promised = promisedOf(call)
        this.watched.set(legId, { firstHeldMs: atMs, promised, held, heldSinceMs: atMs })
        continue
      }
      if (held < watched.held) this.fault(`the hold of ${legId} has become less`)
      Object.assign(watched, { held, heldSinceMs: atMs })
    }
    for (const [legId, { account }] of before)
      if (!this.#holds.has(legId)) this.#touched.add(account)
  }

  /** Those that this commit was about; now and then all of them. */
  #checkAccounts(): void {
    const calls = new Map<number, number[]>()
    for (const { account, held } of this.#holds.values()) append(calls, account, held)
    const all = this.commits % ALL_EVERY === 1
    for (const [id, untilMs] of this.#changing) {
      if (untilMs < this.world.now()) this.#changing.delete(id)
      else this.#touched.add(id)
    }
    const accounts = all
      ? this.books.accounts()
      : [...this.#touched].map(id => this.books.account(id))
    this.#touched.clear()
    for (const account of accounts) this.#checkAccount(account, calls.get(account.id) ?? [])
    this.#admitted = new Map()
    this.#raised = new Map()
  }

  #checkAccount(row: AccountRow, holds: readonly number[]): void {
    const { id, code, balance, held } = row
    this.#ids.set(code, id)
    const available = balance + row.credit_limit - held
    if (available < 0) this.fault(`${code} has ${available} available`)
    const sum = this.#balances.get(id) ?? 0
    if (balance !== sum) this.fault(`the balance of ${code} is ${balance}, its entries ${sum}`)
    const due = holds.reduce((all, one) => all + one, 0)
    if (held !== due) this.fault(`${code} has ${held} held, its calls ${due}`)
    const standings = this.#standings.get(code) ?? []
    this.#standings.set(code, standings)
    const last = standings.at(-1)
    this.allowances.check({
      before: last?.row ?? row,
      after: row,
      ...{ live: holds.length, held: due },
      admitted: this.#admitted.get(id) ?? [],
      raised: this.#raised.get(id) ?? [],
    })
    if (last && isSame(last.row, row)) return
    standings.push({ atMs: this.world.now(), row, available })
  }
}

function append<T>(lists: Map<number, T[]>, key: number, one: T): void {
  const list = lists.get(key)
  if (list) list.push(one)
  else lists.set(key, [one])
}

function isSame(one: AccountRow, other: AccountRow): boolean {
  for (const name in one) {
    if (one[name as keyof AccountRow] !== other[name as keyof AccountRow]) return false
  }
  return true
}
