/**
 * Bugs that somebody could make tomorrow, one at a time: each is a piece of a source file and what
 * it becomes, with the tests that must notice. What survives is a missing test.
 */
export interface Mutant {
  readonly bug: string
  readonly file: string
  readonly find: string
  readonly replace: string
  /** The first is expected to notice; the others are asked where it does not. */
  readonly tests: readonly string[]
}

const STEP = 'unit/step.test.ts'
const RATE = 'unit/rating.test.ts'
const CONTROLLER = 'unit/controller.test.ts'
const LEDGER = 'integration/sqlite-ledger.test.ts'
const LIVE = 'integration/live.test.ts'
const REPLAY = 'replay/replay.test.ts'
const SWEEPER = 'unit/sweeper.test.ts'
const ENDING = 'unit/ending.test.ts'
const SIMULATION = 'simulation/simulation.test.ts'

export const MUTANTS: readonly Mutant[] = [
  {
    bug: 'no cap at what is available',
    file: 'sqlite/ledger.ts',
    find: 'const raised = smaller(total, call.held + credit.available)',
    replace: 'const raised = total',
    tests: [LEDGER],
  },
  {
    bug: 'a hold is raised by an amount instead of to one',
    file: 'sqlite/ledger.ts',
    find: 'if (total <= call.held) return held(call.held, call.raises, null)',
    replace: 'if (total <= 0n) return held(call.held, call.raises, null)',
    tests: [LEDGER],
  },
  {
    bug: 'the first hold does not look at what is available',
    file: 'sqlite/ledger.ts',
    find: 'const grant = smaller(total, credit.available)',
    replace: 'const grant = total',
    tests: [LEDGER],
  },
  {
    bug: 'less than atLeast is held',
    file: 'sqlite/ledger.ts',
    find: "if (grant < atLeast) return held(0n, 0, 'no_credit')",
    replace: '',
    tests: [LEDGER],
  },
  {
    bug: 'a call settles twice',
    file: 'sqlite/ledger.ts',
    find: 'return this.#cdrs.filed(callId) ?? this.#end(settlement, this.#calls.find(callId))',
    replace: 'return this.#end(settlement, this.#calls.find(callId))',
    tests: [LEDGER],
  },
  {
    bug: 'what was held is not released',
    file: 'sqlite/ledger.ts',
    find: 'this.#setAside.run(-call.held, call.accountId)',
    replace: '',
    tests: [LEDGER],
  },
  {
    bug: 'a call costs more than its hold',
    file: 'sqlite/ledger.ts',
    find: 'const cost = smaller(price, call?.held ?? 0n)',
    replace: 'const cost = price',
    tests: [LEDGER],
  },
  {
    bug: 'a closed account may begin calls',
    file: 'sqlite/ledger.ts',
    find: "if (credit.state === 'closed') return held(0n, 0, 'account_closed')",
    replace: '',
    tests: [LEDGER],
  },
  {
    bug: 'commits are not durable',
    file: 'sqlite/database.ts',
    find: 'synchronous = FULL',
    replace: 'synchronous = NORMAL',
    tests: ['integration/sqlite.test.ts', LEDGER],
  },
  {
    bug: 'the setup cost is forgotten',
    file: 'rating/rate.ts',
    find: 'return rate.setup + divideUp(',
    replace: 'return divideUp(',
    tests: [RATE],
  },
  {
    bug: 'amounts are rounded down',
    file: 'money.ts',
    find: 'return (amount + by - 1n) / by',
    replace: 'return amount / by',
    tests: [RATE],
  },
  {
    bug: 'affordable seconds do not stop at a billing step',
    file: 'rating/rate.ts',
    find: 'return Math.min(limitS, rate.minimum + steps * rate.increment)',
    replace: 'return Math.min(limitS, Number(billable))',
    tests: [RATE],
  },
  {
    bug: 'the shortest prefix wins',
    file: 'rating/prefix-table.ts',
    find: 'best = nodes[node + VALUE] || best',
    replace: 'best = best || nodes[node + VALUE]!',
    tests: [RATE],
  },
  {
    bug: 'credit is renewed when it has run out, not before',
    file: 'call/step.ts',
    find: 'const inTime = at < fundedUntil - settings.leadS * SECOND\n  if (!inTime && canAsk(call, settings)) return ask(call, at, settings)',
    replace:
      'const inTime = at < fundedUntil\n  if (!inTime && canAsk(call, settings)) return ask(call, at, settings)',
    tests: [STEP, SIMULATION],
  },
  {
    bug: 'a final call is never cut off',
    file: 'call/step.ts',
    find: "(at >= fundedUntil && (call.final !== null || asking !== 'no'))",
    replace: "(at >= fundedUntil && asking !== 'no')",
    tests: [STEP, LIVE],
  },
  {
    bug: "the switch's timer is not moved at a renewal",
    file: 'call/step.ts',
    find: 'if (call.armed !== call.raises) {',
    replace: 'if (call.armed === 0) {',
    tests: [STEP, LIVE],
  },
  {
    bug: 'a ringing leg has no timer for its answer',
    file: 'controller/timers.ts',
    find: '.hangUpAfterAnswer(callId, talkS + timerMarginS, causes.cut_off)',
    replace: ".variable(callId, 'nothing')",
    tests: [LIVE, CONTROLLER],
  },
  {
    bug: 'the old timer is deleted before the new one is armed',
    file: 'switch/commands.ts',
    find: `    parseAdded(await this.wire().command(armCommand(legId, inS, group, cause)))
    const disarmed = disarmCommands(legId, generation, since).map(line => this.wire().command(line))
    for (const answer of await Promise.all(disarmed)) parseDeleted(answer)
`,
    replace: `    const disarmed = disarmCommands(legId, generation, since).map(line => this.wire().command(line))
    for (const answer of await Promise.all(disarmed)) parseDeleted(answer)
    parseAdded(await this.wire().command(armCommand(legId, inS, group, cause)))
`,
    tests: ['integration/switch.test.ts', SIMULATION],
  },
  {
    bug: 'an arming that failed is not tried again',
    file: 'controller/timers.ts',
    find: 'this.arm(callId, slot, at, generation)\n      })',
    replace: '})',
    tests: [CONTROLLER, SIMULATION],
  },
  {
    bug: 'a failed listing counts as "no calls"',
    file: 'controller/sweeper.ts',
    find: 'const first = await link.switch.listLegs()',
    replace: "const first = await link.switch.listLegs().catch(() => ({ coreUuid: '', legs: [] }))",
    tests: [SWEEPER, SIMULATION],
  },
  {
    bug: 'one answer without it is enough to close a call',
    file: 'controller/sweeper.ts',
    find: 'if (!leg && slot.missing && !isOver(slot)) return this.#lose(callId, slot)',
    replace: 'if (!leg && !isOver(slot)) return this.#lose(callId, slot)',
    tests: [SWEEPER, SIMULATION],
  },
  {
    bug: 'a lost call is closed now, not when it was last alive',
    file: 'controller/sweeper.ts',
    find: 'this.options.controller.accept(callId, lostAt(slot.lastAlive))',
    replace: 'this.options.controller.accept(callId, lostAt(slot.link.now()))',
    tests: [SWEEPER, SIMULATION],
  },
  {
    bug: 'an adopted leg counts from now, not from its answer',
    file: 'controller/controller.ts',
    find: "this.accept(callId, { type: 'created', at: first.at, leg, answeredAt: first.answeredAt })",
    replace:
      "this.accept(callId, { type: 'created', at: first.at, leg, answeredAt: first.answeredAt && first.at })",
    tests: [CONTROLLER, SIMULATION],
  },
  {
    bug: 'calls are settled by the stamp of HANGUP',
    file: 'controller/controller.ts',
    find: 'const exact = hangupAt !== null',
    replace: 'const exact = true',
    tests: [ENDING, REPLAY],
  },
  {
    bug: 'talk time is a difference of truncated seconds, as billsec is',
    file: 'call/cdr.ts',
    find: 'Math.max(0, endedAt - answeredAt)',
    replace: 'Math.max(0, Math.floor(endedAt / 1e6) - Math.floor(answeredAt / 1e6)) * 1e6',
    tests: [REPLAY],
  },
  {
    bug: 'the code of the called user is charged',
    file: 'call/payer.ts',
    find: 'if (event.otherLeg === null || event.dialledUser) return []',
    replace: 'if (event.otherLeg === null) return []',
    tests: ['unit/payer.test.ts', REPLAY],
  },
  {
    bug: 'an exported code is charged on both legs',
    file: 'call/payer.ts',
    find: "if (event.acLeg !== 'a' || event.ac === null) return []",
    replace: 'if (event.ac === null) return []',
    tests: [REPLAY],
  },
  {
    bug: 'loopback legs pay',
    file: 'call/payer.ts',
    find: 'if (event.loopback && !this.loopbackPays) return []',
    replace: '',
    tests: [REPLAY],
  },
  {
    bug: 'a top-up while a hold is under way is forgotten',
    file: 'call/step.ts',
    find: "if (call.asking !== 'no') return [{ ...call, asking: 'again' }, []]",
    replace: "if (call.asking !== 'no') return ignore(call)",
    tests: [STEP],
  },
  {
    bug: 'a late answer reopens an ended call',
    file: 'call/step.ts',
    find: "case 'ended':\n      return ignore(call)",
    replace: "case 'ended':\n      return onNew({ phase: 'new' }, event, settings)",
    tests: [STEP, 'unit/any-order.test.ts'],
  },
]
