/**
 * Watches the books at every commit, and notes what the verdict at the end needs to know: who had
 * how much when, what was held since when, and what the daemon got to hear.
 */
import type { LegEvent } from '../call/leg-event.js'
import { type AccountRow, Books, type CdrRow } from './books.js'
import type { SimulatedDaemon } from './daemon.js'
import type { World } from './world.js'

/** What an account had from that moment on. */
export interface Credit {
  readonly atMs: number
  /** Micro-units; a plain number, as no amount is beyond 2^53. */
  readonly available: number
  readonly isActive: boolean
}

/** What the auditor saw of a call while it was on record. */
export interface Watched {
  readonly firstHeldMs: number
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
const ALL_EVERY = 10

/** What an operator has asked for is done by then, or never. */
const CHANGE_MS = 120_000

export class Auditor {
  readonly problems: string[] = []
  readonly credits = new Map<string, Credit[]>()
  readonly watched = new Map<string, Watched>()
  readonly filed = new Map<string, Filed>()
  readonly heard = new Map<string, Heard[]>()
  readonly books: Books
  commits = 0
  #holds = new Map<string, { account: number; held: number }>()
  readonly #touched = new Set<number>()
  readonly #changing = new Map<number, number>()
  readonly #topUps = new Map<number, number[]>()
  readonly #ids = new Map<string, number>()
  readonly #said = new Set<string>()
  readonly #balances = new Map<number, number>()
  readonly #settled = new Set<string>()
  #lastEntry = 0n
  #lastCdr = 0n

  constructor(
    readonly world: World,
    directory: string,
    readonly daemon: () => SimulatedDaemon | null,
  ) {
    this.books = new Books(directory)
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
    this.#takeHolds()
    this.#checkAccounts()
  }

  /** The credit that an account had at some time, at the least. */
  leastCredit(code: string, fromMs: number, untilMs: number): number | null {
    let least: number | null = null
    for (const { available } of this.#creditsDuring(code, fromMs, untilMs)) {
      if (least === null || available < least) least = available
    }
    return least
  }

  /** When the account was last topped up before then; 0 where it never was. */
  lastTopUp(code: string, beforeMs: number): number {
    const times = this.#topUps.get(this.#ids.get(code) ?? -1) ?? []
    return times.findLast(atMs => atMs <= beforeMs) ?? 0
  }

  wasClosed(code: string, fromMs: number, untilMs: number): boolean {
    return this.#creditsDuring(code, fromMs, untilMs).some(({ isActive }) => !isActive)
  }

  #creditsDuring(code: string, fromMs: number, untilMs: number): Credit[] {
    const credits = this.credits.get(code) ?? []
    return credits.filter(
      ({ atMs }, i) => atMs <= untilMs && (credits[i + 1]?.atMs ?? Infinity) > fromMs,
    )
  }

  #takeEntries(): void {
    for (const entry of this.books.entriesAfter(this.#lastEntry)) {
      this.#lastEntry = entry.id
      const { account_id: account, kind, reference, amount } = entry
      if (account !== null) this.#add(Number(account), Number(amount))
      if (kind === 'top_up') this.#noteTopUp(Number(account))
      if (kind !== 'call' && kind !== 'write_off') continue
      const key = `${kind} ${reference}`
      if (this.#settled.has(key)) this.fault(`${reference} is booked twice as ${kind}`)
      this.#settled.add(key)
    }
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
      if (!watched) {
        this.watched.set(legId, { firstHeldMs: atMs, held, heldSinceMs: atMs })
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
    const sums = new Map<number, number>()
    for (const { account, held } of this.#holds.values()) {
      sums.set(account, (sums.get(account) ?? 0) + held)
    }
    const all = this.commits % ALL_EVERY === 1
    for (const [id, untilMs] of this.#changing) {
      if (untilMs < this.world.now()) this.#changing.delete(id)
      else this.#touched.add(id)
    }
    const accounts = all
      ? this.books.accounts()
      : [...this.#touched].map(id => this.books.account(id))
    this.#touched.clear()
    for (const account of accounts) this.#checkAccount(account, sums.get(account[0]) ?? 0)
  }

  #checkAccount([id, code, active, balance, creditLimit, held]: AccountRow, due: number): void {
    this.#ids.set(code, id)
    const available = balance + creditLimit - held
    if (available < 0) this.fault(`${code} has ${available} available`)
    const sum = this.#balances.get(id) ?? 0
    if (balance !== sum) this.fault(`the balance of ${code} is ${balance}, its entries ${sum}`)
    if (held !== due) this.fault(`${code} has ${held} held, its calls ${due}`)
    const credits = this.credits.get(code) ?? []
    this.credits.set(code, credits)
    const last = credits.at(-1)
    const isActive = active === 1
    if (last?.available === available && last.isActive === isActive) return
    credits.push({ atMs: this.world.now(), available, isActive })
  }
}
