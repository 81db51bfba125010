/**
 * All calls on one account, with credit for half of them: how many calls a second, as a ratio to the same
 * calls on a thousand accounts in the same run, and that nothing is overspent.
 *
 *   node --import=tsx bench/hot-account.ts [CALLS]
 */

import { formatMoney } from '../src/money.js'
import { costOf } from '../src/rating/rate.js'
import { SqliteAccounts } from '../src/sqlite/accounts.js'
import { SqliteAuditor } from '../src/sqlite/audit.js'
import { RATE } from '../test/support/site.js'
import { accountCode } from './load/recorded-events.js'
import { machine, PLENTY, Rig, say } from './load/rig.js'

const CALLS = Number(process.argv[2] ?? 20_000)

const ACCOUNTS = 1000
/** Long enough for all to be up at once. */
const TALK_MS = 15_000

/** What is held for a call at first. */
const HELD_S = 60

const rig = new Rig()
say(machine())
await rig.open({ accounts: ACCOUNTS, credit: PLENTY })
await rig.addAccounts(ACCOUNTS, 1, (BigInt(CALLS) * costOf(RATE, HELD_S)) / 2n)
await rig.startSwitch()
await rig.startDaemon()

const about = { bridged: false, talkMs: TALK_MS, window: 400, perS: Number.POSITIVE_INFINITY }

/** Calls per second of CPU: of the time on the wall others may have their part. */
async function placed(what: string, calls: number, first: number, accounts: number) {
  const before = rig.usage
  const { commands, tookS } = await rig.place({ ...about, calls, first, accounts })
  await rig.settled(calls)
  const perCpuS = calls / (rig.usage.cpuS - before.cpuS)
  const perS = (calls / (tookS - TALK_MS / 1000)).toFixed(0)
  const ended = commands['uuid_kill'] ?? 0
  say(`${what}: ${perS} calls/s, ${perCpuS.toFixed(0)} per second of CPU, ${ended} ended by us`)
  return perCpuS
}

await placed('warming up', CALLS / 5, 0, ACCOUNTS)
const spread = await placed('on a thousand accounts', CALLS, 0, ACCOUNTS)
const hot = await placed('on one account', CALLS, ACCOUNTS, 1)
say(`one account to a thousand: ${(hot / spread).toFixed(2)}`)
await rig.stopDaemon()
await rig.ledger(async file => {
  const account = await new SqliteAccounts(file).find(accountCode(ACCOUNTS))
  const { balance, held } = account!
  const overspent = balance - held < 0n ? formatMoney(held - balance) : 'nothing'
  say(`left ${formatMoney(balance)}, held ${formatMoney(held)}: overspent ${overspent}`)
  const { problems } = await new SqliteAuditor(file).verify()
  say(`verify: ${problems.length === 0 ? 'clean' : problems.join('; ')}`)
})
say(machine())
await rig.close()
