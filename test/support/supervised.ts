/**
 * The controller on a real SQLite ledger, in virtual time, over a switch that does as it is told and
 * writes down what that was. The ledger and the switch can each be made to fail, or to hang.
 */
import { setImmediate } from 'node:timers/promises'
import pino from 'pino'
import type { Test } from 'tap'
import { type Cdr, cdrJson } from '../../src/call/cdr.js'
import type { LegEvent } from '../../src/call/leg-event.js'
import type { Settings } from '../../src/call/settings.js'
import type { Announcements } from '../../src/controller/announcer.js'
import type { Clock } from '../../src/controller/clock.js'
import { Controller } from '../../src/controller/controller.js'
import { remember } from '../../src/controller/recovery.js'
import { Sweeper } from '../../src/controller/sweeper.js'
import { SwitchLink } from '../../src/controller/switch-link.js'
import { DEFAULT_TERMS } from '../../src/ledger/books.js'
import { type Ledger, LedgerError } from '../../src/ledger/ledger.js'
import { type Money, parseMoney } from '../../src/money.js'
import type { RateBook } from '../../src/rating/rate-book.js'
import { VirtualClock } from '../../src/replay/virtual-clock.js'
import { SqliteAccounts } from '../../src/sqlite/accounts.js'
import { SqliteAuditor } from '../../src/sqlite/audit.js'
import { SqliteBrowsing } from '../../src/sqlite/browsing.js'
import { SqliteLedger } from '../../src/sqlite/ledger.js'
import { LedgerFile } from '../../src/sqlite/ledger-file.js'
import { type Listing, type Switch, SwitchError } from '../../src/switch/switch.js'
import { CAUSES } from './fixture.js'
import { legEvent } from './leg-events.js'
import { oneRate } from './one-rate.js'
import { LEG, RATE, RULES, s } from './story.js'

type Verb = keyof Omit<Switch, 'name'>

export class FakeSwitch implements Switch {
  readonly name = LEG.switch
  /** What it was told, in words. */
  said: string[] = []
  /** Fails at these. */
  readonly failing = new Set<Verb>()
  /** Waits with its answer to these until they are taken out. */
  readonly hanging = new Set<Verb>()
  coreUuid = LEG.coreUuid
  /** What is alive, and what is known of it. */
  readonly legs = new Map<string, LegEvent>()
  /** Alive, but not in the list yet. */
  readonly unlisted = new Set<string>()
  readonly variables = new Map<string, string>()

  constructor(readonly clock: Clock) {}

  async hangUp(legId: string, cause: string) {
    await this.#hear('hangUp', `hang up ${legId} ${cause}`)
  }

  async hangUpAfter(legId: string, inS: number, generation: number, since: number, cause: string) {
    const words = `hang up ${legId} in ${inS} s, timer ${generation} for ${since}, ${cause}`
    await this.#hear('hangUpAfter', words)
  }

  async hangUpAfterAnswer(legId: string, talkS: number, cause: string) {
    await this.#hear('hangUpAfterAnswer', `hang up ${legId} ${talkS} s after answer, ${cause}`)
  }

  async forgetUser(user: string, domain: string) {
    await this.#hear('forgetUser', `forget ${user}@${domain}`)
  }

  async play(legId: string, sound: string) {
    await this.#hear('play', `play ${sound} to ${legId}`)
  }

  async transfer(legId: string, extension: string, reason: string) {
    await this.#hear('transfer', `transfer ${legId} to ${extension}, ${reason}`)
  }

  async setGlobal(name: string, value: string) {
    await this.#hear('setGlobal', `${name} is ${value}`)
  }

  async variable(legId: string, name: string) {
    await this.#hear('variable', `${name} of ${legId}`)
    return this.variables.get(`${legId} ${name}`) ?? null
  }

  async listLegs(): Promise<Listing> {
    await this.#hear('listLegs')
    const listed = [...this.legs.values()].filter(({ legId }) => !this.unlisted.has(legId))
    return {
      coreUuid: this.coreUuid,
      legs: listed.map(({ legId, direction }) => ({ legId, direction })),
    }
  }

  async describe(legId: string) {
    await this.#hear('describe')
    const leg = this.legs.get(legId)
    return leg ? { ...leg, at: s(this.clock.now() / 1000) } : null
  }

  async #hear(verb: Verb, words?: string): Promise<void> {
    if (words) this.said.push(words)
    const fails = this.failing.has(verb)
    while (this.hanging.has(verb)) await setImmediate()
    if (fails) throw new SwitchError('timeout', `${verb} took too long`)
  }
}

/** A ledger that can be made to fail, or to hang, without having done anything. */
function faulty(
  ledger: Ledger,
  failing: Set<keyof Ledger>,
  hanging: Set<keyof Ledger>,
  asked: (keyof Ledger)[],
): Ledger {
  return new Proxy(ledger, {
    get: (target, verb: keyof Ledger) => {
      return async (...given: unknown[]) => {
        asked.push(verb)
        while (hanging.has(verb)) await setImmediate()
        if (failing.has(verb)) throw new LedgerError('unavailable', 'ledger.db is locked')
        return Reflect.apply(target[verb], target, given)
      }
    },
  })
}

/** What a new process finds: the same data directory, the same switch, and its own clock. */
export async function restart(t: Test, calls: Supervision, wanted: Wanted = {}) {
  calls.world.file.close()
  const again = await supervise(t, { ...wanted, dataDir: calls.world.dataDir })
  const { freeswitch } = again.world
  freeswitch.coreUuid = calls.world.freeswitch.coreUuid
  for (const [legId, leg] of calls.world.freeswitch.legs) freeswitch.legs.set(legId, leg)
  await remember(again.parts.link, again.world.ledger)
  return again
}

export interface Wanted {
  /** Of alice. */
  readonly credit?: string
  readonly rules?: Partial<Settings>
  readonly adopt?: boolean
  readonly announcements?: Partial<Announcements>
  readonly dataDir?: string
  readonly rateBook?: RateBook
  /** What the ledger takes for the time. */
  readonly now?: () => number
}

/** One switch with one controller; account `alice` has credit. */
export async function supervise(t: Test, wanted: Wanted = {}) {
  const dir = wanted.dataDir ?? t.testdir()
  const file = new LedgerFile(`${dir}/ledger.db`, wanted.now && { now: wanted.now })
  t.teardown(() => file.close())
  const accounts = new SqliteAccounts(file)
  if (wanted.dataDir === undefined) {
    const credit = parseMoney(wanted.credit ?? '100')
    const code = 'alice'
    await accounts.create({ ...DEFAULT_TERMS, code, plan: 'retail', credit, actor: 't' })
  }
  const failing = new Set<keyof Ledger>()
  const hanging = new Set<keyof Ledger>()
  const asked: (keyof Ledger)[] = []
  const ledger = faulty(new SqliteLedger(file), failing, hanging, asked)
  const rateBook = wanted.rateBook ?? oneRate(RATE)
  const clock = new VirtualClock()
  const log = pino({ level: 'silent' })
  const freeswitch = new FakeSwitch(clock)
  const cdrs: Cdr[] = []
  const controller = new Controller({
    ...{ ledger, rateBook, clock, log, causes: CAUSES, timerMarginS: 2 },
    announcements: { warnSound: 'beep', refusedTo: null, cutOffTo: null, ...wanted.announcements },
    settings: { ...RULES, ...wanted.rules },
    observer: { onCdr: cdr => cdrs.push(cdr) },
  })
  const link = new SwitchLink(LEG.switch, { controller, clock, log, loopbackPays: false })
  link.attach(freeswitch)
  link.onUp()
  const sweeper = new Sweeper({
    ...{ controller, ledger, clock, log, sweepS: 30, graceS: 5 },
    adopt: wanted.adopt ?? true,
  })
  const books = { dataDir: dir, file, accounts, ledger, failing, hanging, asked }
  const world = { ...books, clock, freeswitch, cdrs }
  return new Supervision(world, { controller, link, sweeper })
}

interface World {
  readonly dataDir: string
  readonly file: LedgerFile
  readonly accounts: SqliteAccounts
  readonly ledger: Ledger
  readonly failing: Set<keyof Ledger>
  readonly hanging: Set<keyof Ledger>
  /** What the ledger was asked for, in order. */
  readonly asked: (keyof Ledger)[]
  readonly clock: VirtualClock
  readonly freeswitch: FakeSwitch
  readonly cdrs: Cdr[]
}

interface Parts {
  readonly controller: Controller
  readonly link: SwitchLink
  readonly sweeper: Sweeper
}

class Supervision {
  constructor(
    readonly world: World,
    readonly parts: Parts,
  ) {}

  /** Time goes on to so many seconds, and everything that follows happens. */
  async at(seconds: number): Promise<this> {
    await this.world.clock.moveTo(seconds * 1000, () => this.rest())
    await this.rest()
    return this
  }

  /** Whatever is under way comes to its end. */
  async rest(): Promise<void> {
    for (let i = 0; i < 5; i++) await setImmediate()
    if (this.world.hanging.size === 0) await this.parts.controller.idle()
    for (let i = 0; i < 5; i++) await setImmediate()
  }

  /** The switch tells of a leg, at its own time. */
  async tell(seconds: number, ...event: Parameters<typeof legEvent>): Promise<void> {
    await this.at(seconds)
    const [name, more] = event
    this.parts.link.onEvent(legEvent(name, { at: s(seconds), ...more }))
    await this.rest()
  }

  /** The switch shows that it lives, and so that no event from before is under way any more. */
  async beat(seconds: number): Promise<void> {
    await this.at(seconds)
    const { coreUuid } = this.world.freeswitch
    const told = { version: '1.11.3-dev', sessions: this.world.freeswitch.legs.size }
    this.parts.link.onEvent({ name: 'HEARTBEAT', at: s(seconds), coreUuid, ...told })
    await this.rest()
  }

  /** A leg that is created at 0 s and answered at 3 s. */
  async talk(): Promise<void> {
    await this.tell(0, 'CHANNEL_CREATE', { ac: 'alice', otherLeg: 'a-leg' })
    await this.tell(3, 'CHANNEL_ANSWER', { ac: 'alice', answeredAt: s(3), otherLeg: 'a-leg' })
    const alive = { at: s(3), ac: 'alice', answeredAt: s(3), otherLeg: 'a-leg' }
    this.world.freeswitch.legs.set(LEG.callId, legEvent('CHANNEL_DATA', alive))
  }

  async hangUp(seconds: number, more: Partial<LegEvent> = {}): Promise<void> {
    this.world.freeswitch.legs.delete(LEG.callId)
    const end = { ac: 'alice', hangupAt: s(seconds), cause: 'NORMAL_CLEARING', ...more }
    await this.tell(seconds, 'CHANNEL_HANGUP_COMPLETE', end)
  }

  /** What the books tell of a call that has ended: seconds after it began, and what was held then. */
  async timeline(callId: string): Promise<[number, 'warned' | Money][]> {
    const record = await new SqliteBrowsing(this.world.file).call(callId)
    return record!.timeline!.map(milestone => [
      (milestone.at - s(0)) / 1e6,
      milestone.type === 'held' ? milestone.held : 'warned',
    ])
  }

  /** Asks the switch what is alive; the answer is whether all is clear. */
  async compare(): Promise<boolean> {
    const clear = await this.parts.sweeper.compare(this.parts.link)
    await this.rest()
    return clear
  }

  /** What the switch has been told since this was last asked. */
  said(): string[] {
    const { said } = this.world.freeswitch
    this.world.freeswitch.said = []
    return said
  }

  phase(callId: string = LEG.callId): string | undefined {
    return this.parts.controller.calls.get(callId)?.call.phase
  }

  /** The CDRs so far, in short. */
  get cdrs() {
    return this.world.cdrs.map(cdrJson)
  }

  async held(): Promise<bigint> {
    return (await this.world.accounts.find('alice'))!.held
  }

  async verify(t: Test): Promise<void> {
    t.strictSame((await new SqliteAuditor(this.world.file).verify()).problems, [])
  }
}
