/**
 * Bugs that somebody could make tomorrow, one at a time: each is a piece of a source file and what
 * it becomes, with the tests that must notice. What survives is a missing test.
 */
import { PORTAL_MUTANTS } from './portal-mutants.js'
import { WEB_MUTANTS } from './web-mutants.js'

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
const RATE_TABLE = 'unit/rate-table.test.ts'
const CONTROLLER = 'unit/controller.test.ts'
const LEDGER = 'integration/sqlite-ledger.test.ts'
const LIVE = 'integration/live.test.ts'
const REPLAY = 'replay/replay.test.ts'
const SWEEPER = 'unit/sweeper.test.ts'
const RECOVERY = 'unit/recovery.test.ts'
const ENDING = 'unit/ending.test.ts'
const SIMULATION = 'simulation/simulation.test.ts'
const PRICING = 'unit/pricing.test.ts'
const RATES = 'unit/rate-table.test.ts'
const TARIFF = 'unit/tariff-step.test.ts'

export const MUTANTS: readonly Mutant[] = [
  {
    bug: 'no cap at what is available',
    file: 'sqlite/ledger.ts',
    find: 'const raised = smaller(total, amount)',
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
    find: 'const grant = smaller(total, amount)',
    replace: 'const grant = total',
    tests: [LEDGER],
  },
  {
    bug: 'less than atLeast is held',
    file: 'sqlite/ledger.ts',
    find: 'if (grant < atLeast) return held(0n, 0, reason)',
    replace: '',
    tests: [LEDGER],
  },
  {
    bug: 'a call settles twice',
    file: 'sqlite/ledger.ts',
    find: 'return filed ? { cdr: filed, low: null } : this.#end(settlement, this.#calls.find(callId))',
    replace: 'return this.#end(settlement, this.#calls.find(callId))',
    tests: [LEDGER],
  },
  {
    bug: 'what was held is not released',
    file: 'sqlite/ledger.ts',
    find: '      this.#setAside.run(-call.held, -1, call.accountId)\n      if (cost',
    replace: '      this.#setAside.run(0n, -1, call.accountId)\n      if (cost',
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
    find: 'if (!account || barred) return held(0n, 0, barred)',
    replace: "if (!account) return held(0n, 0, 'unknown_account')",
    tests: [LEDGER],
  },
  {
    bug: 'an account that is suspended may hold more',
    file: 'sqlite/ledger.ts',
    find: 'if (barred) return held(call.held, call.raises, barred)',
    replace: '',
    tests: [LEDGER],
  },
  {
    bug: 'a call that has ended is still counted as live',
    file: 'sqlite/ledger.ts',
    find: '      this.#setAside.run(-call.held, -1, call.accountId)\n      if (cost',
    replace: '      this.#setAside.run(-call.held, 0, call.accountId)\n      if (cost',
    tests: [LEDGER, SIMULATION],
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
    file: 'rating/rate-table.ts',
    find: 'for (let depth = digits.length; depth >= 0; depth--) {',
    replace: 'for (let depth = 0; depth <= digits.length; depth++) {',
    tests: [RATE_TABLE],
  },
  {
    bug: 'credit is renewed when it has run out, not before',
    file: 'call/funding.ts',
    find: 'const inTime = at < fundedUntil - leadOf(settings) * SECOND',
    replace: 'const inTime = at < fundedUntil',
    tests: [STEP, SIMULATION],
  },
  {
    bug: 'a final call is never cut off',
    file: 'call/funding.ts',
    find: "(at >= fundedUntil && (call.final !== null || asking !== 'no'))",
    replace: "(at >= fundedUntil && asking !== 'no')",
    tests: [STEP, LIVE],
  },
  {
    bug: "the switch's timer is not moved at a renewal",
    file: 'call/funding.ts',
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
    find: 'if (givenUp) this.#lose(callId, slot)',
    replace: 'this.#lose(callId, slot)',
    tests: [SWEEPER, SIMULATION],
  },
  {
    bug: 'two answers without it are enough, whatever its HANGUP does',
    file: 'controller/missing.ts',
    find: 'return heardUpTo.at >= since.at + graceS * 1e6',
    replace: 'return true',
    tests: [RECOVERY],
  },
  {
    bug: 'the exact end is not waited for while events are late',
    file: 'controller/controller.ts',
    find: 'if (awaitsExactEnd && link.mayHearOf(at)) {',
    replace: 'if (false) {',
    tests: [RECOVERY],
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
    file: 'controller/hung-up.ts',
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
  {
    bug: 'one call more than max_calls',
    file: 'ledger/limits.ts',
    find: 'usage.liveCalls >= maxCalls',
    replace: 'usage.liveCalls > maxCalls',
    tests: [LEDGER, SIMULATION],
  },
  {
    bug: 'max_calls is not looked at',
    file: 'ledger/limits.ts',
    find: "if (maxCalls !== null && usage.liveCalls >= maxCalls) return 'max_calls'",
    replace: '',
    tests: [LEDGER, SIMULATION],
  },
  {
    bug: 'max_per_minute is not looked at',
    file: 'ledger/limits.ts',
    find: "if (maxPerMinute !== null && dearest > maxPerMinute) return 'max_per_minute'",
    replace: '',
    tests: [LEDGER, SIMULATION],
  },
  {
    bug: 'the highest price per minute itself is refused',
    file: 'ledger/limits.ts',
    find: 'dearest > maxPerMinute',
    replace: 'dearest >= maxPerMinute',
    tests: [LEDGER],
  },
  {
    bug: 'max_per_minute looks at the price of now, not at what comes while it rings',
    file: 'ledger/limits.ts',
    find: '[tariff, ...tariff.later].map(',
    replace: '[tariff].map(',
    tests: [LEDGER, SIMULATION],
  },
  {
    bug: 'max_spend_per_call is not looked at',
    file: 'ledger/limits.ts',
    find: "ceilings.push({ amount: maxSpendPerCall, reason: 'max_spend_per_call' })",
    replace: '',
    tests: [LEDGER, SIMULATION],
  },
  {
    bug: 'max_spend_per_call allows a little more',
    file: 'ledger/limits.ts',
    find: 'amount: maxSpendPerCall, reason',
    replace: 'amount: maxSpendPerCall + 1n, reason',
    tests: [LEDGER, SIMULATION],
  },
  {
    bug: 'what is held for other calls does not count on the day',
    file: 'ledger/limits.ts',
    find: 'const others = usage.spentToday + usage.held - heldForCall',
    replace: 'const others = usage.spentToday',
    tests: [LEDGER, SIMULATION],
  },
  {
    bug: 'what was spent today does not count',
    file: 'ledger/limits.ts',
    find: 'const others = usage.spentToday + usage.held - heldForCall',
    replace: 'const others = usage.held - heldForCall',
    tests: [LEDGER, SIMULATION],
  },
  {
    bug: 'the hold of the call itself counts twice on the day',
    file: 'ledger/limits.ts',
    find: 'const others = usage.spentToday + usage.held - heldForCall',
    replace: 'const others = usage.spentToday + usage.held',
    tests: [LEDGER, SIMULATION],
  },
  {
    bug: 'one call more than max_calls_per_second',
    file: 'ledger/limits.ts',
    find: 'at <= end).length > max',
    replace: 'at <= end).length > max + 1',
    tests: [LEDGER, SIMULATION],
  },
  {
    bug: 'calls of just a second ago count in this one',
    file: 'ledger/limits.ts',
    find: 'at > end - SECOND_US && at <= end',
    replace: 'at >= end - SECOND_US && at <= end',
    tests: [LEDGER],
  },
  {
    bug: 'a call that is heard of late is only held against those before it',
    file: 'ledger/limits.ts',
    find: 'at >= createdAt && at < createdAt + SECOND_US',
    replace: 'at === createdAt',
    tests: [LEDGER, SIMULATION],
  },
  {
    bug: 'calls of all switches share a clock',
    file: 'ledger/limits.ts',
    find: 'JSON.stringify([account, name])',
    replace: 'JSON.stringify([account])',
    tests: [LEDGER, SIMULATION],
  },
  {
    bug: 'a day does not end',
    file: 'sqlite/account-rows.ts',
    find: 'spentToday: row.spent_on === localDate(now, row.time_zone) ? row.spent : 0n',
    replace: 'spentToday: row.spent',
    tests: [LEDGER, SIMULATION],
  },
  {
    bug: 'days end at midnight in UTC',
    file: 'sqlite/days.ts',
    find: 'spent_on === localDate(this.#now(), time_zone)',
    replace: "spent_on === localDate(this.#now(), time_zone && 'UTC')",
    tests: [LEDGER, SIMULATION],
  },
  {
    bug: 'a day that comes again begins with nothing spent',
    file: 'sqlite/days.ts',
    find: "(SELECT coalesce(-sum(amount), 0) FROM entry\n        WHERE account_id = account.id AND kind = 'call' AND at >= @since\n          AND local_date(at, time_zone) = @day)",
    replace: '@since * 0',
    tests: [LEDGER, SIMULATION],
  },
  {
    bug: 'the spending of a new day is added to that of the old one',
    file: 'sqlite/ledger.ts',
    find: 'if (this.#days.isToday(row)) this.#spend.run(cost, id)',
    replace: 'if (this.#days) this.#spend.run(cost, id)',
    tests: [LEDGER, SIMULATION],
  },
  {
    bug: 'more is refunded than a call cost',
    file: 'sqlite/accounts.ts',
    find: 'if (amount !== null && amount > left) {',
    replace: 'if (amount !== null && amount > left + 1n) {',
    tests: [LEDGER, SIMULATION],
  },
  {
    bug: 'a refund in parts is not added up',
    file: 'sqlite/accounts.ts',
    find: 'const left = call.cost - call.refunded',
    replace: 'const left = call.cost',
    tests: [LEDGER, SIMULATION],
  },
  {
    bug: 'the same refund is booked again',
    file: 'sqlite/accounts.ts',
    find: 'if (earlier) return repeatedRefund({ callId, amount, reference }, entryOf(earlier))',
    replace: '',
    tests: [LEDGER, SIMULATION],
  },
  {
    bug: 'the rate of the creation holds, not that of the answer',
    file: 'rating/tariff.ts',
    find: 'const { rate, carrier } = tariff.later.findLast(({ from }) => from <= answeredAt) ?? tariff',
    replace: 'const { rate, carrier } = tariff',
    tests: [PRICING, SIMULATION],
  },
  {
    bug: 'the first of the later rates holds, not the last',
    file: 'rating/tariff.ts',
    find: 'tariff.later.findLast(',
    replace: 'tariff.later.find(',
    tests: [PRICING],
  },
  {
    bug: 'a rate begins an instant too late',
    file: 'rating/tariff.ts',
    find: 'from <= answeredAt',
    replace: 'from < answeredAt',
    tests: [PRICING],
  },
  {
    bug: 'what is held at first is for the rate of now, not for the dearest',
    file: 'rating/tariff.ts',
    find: '  return [tariff, ...tariff.later]\n}',
    replace: '  return [tariff]\n}',
    tests: [PRICING, TARIFF, SIMULATION],
  },
  {
    bug: 'free seconds are one too many',
    file: 'rating/rate.ts',
    find: 'if (seconds <= rate.freeS) return 0',
    replace: 'if (seconds <= rate.freeS + 1) return 0',
    tests: [RATE, SIMULATION],
  },
  {
    bug: 'free seconds are one too few',
    file: 'rating/rate.ts',
    find: 'if (seconds <= rate.freeS) return 0',
    replace: 'if (seconds < rate.freeS || seconds <= 0) return 0',
    tests: [RATE, SIMULATION],
  },
  {
    bug: 'free seconds are free in a longer call, too',
    file: 'rating/rate.ts',
    find: 'const beyond = Math.max(0, seconds - rate.minimum)',
    replace: 'const beyond = Math.max(0, seconds - rate.freeS - rate.minimum)',
    tests: [RATE, SIMULATION],
  },
  {
    bug: 'a blocked destination is let through',
    file: 'rating/pricing.ts',
    find: "rate.blocked ? 'destination_blocked' : base",
    replace: 'base',
    tests: [PRICING, SIMULATION],
  },
  {
    bug: 'a destination that is blocked by then becomes free',
    file: 'rating/pricing.ts',
    find: 'if (!rate || rate.blocked) return []',
    replace: 'if (!rate) return []',
    tests: [PRICING, SIMULATION],
  },
  {
    bug: 'refuse_loss is ignored',
    file: 'rating/pricing.ts',
    find: 'base.refuseLoss ? lossOf(terms) : null',
    replace: 'null',
    tests: [PRICING, SIMULATION],
  },
  {
    bug: 'an unknown cost is no loss',
    file: 'rating/pricing.ts',
    find: "if (carrier === null) return 'no_cost_rate'",
    replace: 'if (carrier === null) return null',
    tests: [PRICING, SIMULATION],
  },
  {
    bug: 'the special plan comes behind',
    file: 'rating/pricing.ts',
    find: 'const source = sources.find(',
    replace: 'const source = sources.findLast(',
    tests: [PRICING, SIMULATION],
  },
  {
    bug: 'the base rate comes before that of the period',
    file: 'rating/rate-table.ts',
    find: 'if (own === period) return row\n      base = row',
    replace: 'if (own === 0) return row\n      base = row',
    tests: [RATES, SIMULATION],
  },
  {
    bug: 'a shorter prefix of the period comes before a longer one',
    file: 'rating/rate-table.ts',
    find: 'if (row !== 0) return this.#listed(row, digits.slice(0, depth))',
    replace:
      'if (row !== 0 && (number === 0 || this.#rows.period(row) === number)) return this.#listed(row, digits.slice(0, depth))',
    tests: [RATES, SIMULATION],
  },
  {
    bug: 'a rate does not end where the next one begins',
    file: 'rating/rate-table.ts',
    find: 'if (this.#rows.from(row) > at || at >= this.#end(row)) continue',
    replace: 'if (this.#rows.from(row) > at || at >= this.#rows.until(row)) continue',
    tests: [RATES],
  },
  {
    bug: 'the longest call of the account is ignored',
    file: 'call/funding.ts',
    find: 'Math.min(settings.longestCallS, tariff.longestS ?? settings.longestCallS)',
    replace: 'settings.longestCallS + (tariff.longestS ?? 0) * 0',
    tests: [TARIFF, STEP, SIMULATION],
  },
  {
    bug: 'credit is held for a rate that begins after the answer',
    file: 'call/step.ts',
    find: 'answeredAt === null ? event.tariff : answeredTariff(event.tariff, answeredAt)',
    replace: 'answeredAt === null ? event.tariff : event.tariff',
    tests: [TARIFF],
  },
  {
    bug: 'a leg is priced from now on, though it may have been answered before',
    file: 'controller/controller.ts',
    find: '?? slot.leg.createdAt',
    replace: '?? link.now()',
    tests: [CONTROLLER],
  },
  ...WEB_MUTANTS,
  ...PORTAL_MUTANTS,
]
