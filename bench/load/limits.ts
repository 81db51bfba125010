/** What a call costs at the least: its events read, and its money written, with nothing between. */
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import type { Ending } from '../../src/call/call.js'
import { costOf } from '../../src/rating/rate.js'
import { tariffOf } from '../../src/rating/tariff.js'
import { RATE } from '../../test/support/site.js'
import { accountCode, recordedEvents, type Told } from './recorded-events.js'
import type { Rig } from './rig.js'

/** Calls a second: by the clock on the wall, and by the CPU that they took. */
export interface Limit {
  readonly perS: number
  readonly perCpuS: number
}

async function measured(calls: number, work: () => Promise<void> | void): Promise<Limit> {
  const startedAt = performance.now()
  const cpu = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(cpu)
  return {
    perS: calls / ((performance.now() - startedAt) / 1000),
    perCpuS: calls / ((user + system) / 1e6),
  }
}

const CHUNK_BYTES = 64 * 1024

const NAMES = [
  'CHANNEL_CREATE',
  'CHANNEL_ANSWER',
  'CHANNEL_HANGUP',
  'CHANNEL_HANGUP_COMPLETE',
  'CHANNEL_DESTROY',
] as const

/** All events of so many calls, one kind after the other. */
function stream(calls: number, bridged: boolean): Buffer {
  const coreUuid = randomUUID()
  const sides = [recordedEvents('outbound', coreUuid)]
  if (bridged) sides.push(recordedEvents('inbound', coreUuid))
  const at = Date.now() * 1000
  const all: Buffer[] = []
  const told = Array.from({ length: calls }, (_, i): Told => {
    const ids = { leg: randomUUID(), aLeg: randomUUID(), account: accountCode(i) }
    return { ...ids, createdAt: at, answeredAt: at, hungUpAt: at }
  })
  for (const name of NAMES) {
    for (const side of sides) {
      const event = side.get(name)!
      for (const each of told) {
        const bytes = Buffer.allocUnsafe(event.length)
        event.fill(bytes, 0, each, at)
        all.push(bytes)
      }
    }
  }
  return Buffer.concat(all)
}

/** Framing and lazy decoding alone. */
export async function eventsAlone(rig: Rig, rounds: number, bridged: boolean): Promise<Limit> {
  const { Framer } = await rig.built<typeof import('../../src/switch/frames.js')>('switch/frames')
  const { decode } = await rig.built<typeof import('../../src/switch/decode.js')>('switch/decode')
  const bytes = stream(500, bridged)
  const read = () => {
    const framer = new Framer()
    let events = 0
    for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
      for (const frame of framer.push(bytes.subarray(at, at + CHUNK_BYTES))) {
        if (decode(frame)) events += 1
      }
    }
    if (events !== 500 * NAMES.length * (bridged ? 2 : 1)) throw new Error(`${events} events`)
  }
  read()
  return measured(500 * rounds, () => {
    for (let round = 0; round < rounds; round++) read()
  })
}

/** So many calls share a commit: about what the daemon comes to when it is busy. */
const GROUP = 100

/** Hold, note and settle alone, in group commits, on the books of the daemon. */
export async function commitsAlone(rig: Rig, groups: number, accounts: number): Promise<Limit> {
  type Sqlite = typeof import('../../src/sqlite/ledger.js')
  type Files = typeof import('../../src/sqlite/ledger-file.js')
  const { SqliteLedger } = await rig.built<Sqlite>('sqlite/ledger')
  const { LedgerFile } = await rig.built<Files>('sqlite/ledger-file')
  const file = new LedgerFile(join(rig.dataDir, 'ledger.db'))
  const ledger = new SqliteLedger(file)
  const tariff = tariffOf('retail', '442071234567', RATE)
  const total = costOf(RATE, 60)
  const at = Date.now() * 1000
  const run = { switch: 'limit', coreUuid: randomUUID(), createdAt: at, otherLeg: randomUUID() }
  const about = { dialled: '442071234567', ...run }
  const ending: Ending = {
    ...{ answeredAt: at, endedAt: at + 1e6, billedS: 1, carrierCost: null },
    ...{ outcome: 'completed' as const, reason: null, cause: 'NORMAL_CLEARING' },
  }
  const price = costOf(RATE, 1)
  const hold = { at, tariff, answeredAt: null, total, atLeast: 0n }
  const rest = { tariff, plan: tariff.plan, number: tariff.number, price, ending }
  const group = async (first: number) => {
    const legs = Array.from({ length: GROUP }, (_, i) => {
      return { ...about, callId: randomUUID(), account: accountCode((first + i) % accounts) }
    })
    await Promise.all(legs.map(leg => ledger.hold({ leg, ...hold })))
    await Promise.all(legs.map(leg => ledger.note(leg.callId, at)))
    await Promise.all(legs.map(leg => ledger.settle({ leg, ...rest })))
  }
  // The compiler has to have seen all of it.
  for (let i = 0; i < groups / 10; i++) await group(i * GROUP)
  const limit = await measured(groups * GROUP, async () => {
    for (let i = 0; i < groups; i++) await group(i * GROUP)
  })
  file.close()
  return limit
}
