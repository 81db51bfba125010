/** What calls add up to, slot by slot, against books that are written by hand. */
import { join } from 'node:path'
import t from 'tap'
import { DEFAULT_TERMS } from '../../src/ledger/books.js'
import { SLOT_US } from '../../src/ledger/statistics.js'
import { SqliteAccounts } from '../../src/sqlite/accounts.js'
import { LedgerFile } from '../../src/sqlite/ledger-file.js'
import { SqliteStatistics } from '../../src/sqlite/statistics.js'

const S = 1_000_000
/** A slot begins here. */
const BEGIN = 1_795_000_200 * S
const at = (slot: number, s = 0) => BEGIN + slot * SLOT_US + s * S

interface Written {
  answered?: number | null
  ended: number
  outcome?: string
  cost?: number
  writeOff?: number
}

class Books {
  readonly file: LedgerFile
  readonly readonly: LedgerFile
  #calls = 0

  constructor(dir: string) {
    const path = join(dir, 'ledger.db')
    this.file = new LedgerFile(path)
    this.readonly = new LedgerFile(path, { readonly: true })
  }

  cdr({ answered = null, ended, outcome = 'completed', cost = 0, writeOff = 0 }: Written): string {
    const id = `leg-${this.#calls++}`
    const cdr = { id, answered, ended, outcome, cost, writeOff }
    const sql = `INSERT INTO cdr (leg_id, account, switch, core_uuid, dialled, created_at, answered_at, ended_at,
        billed_s, outcome, cause, cost, held, write_off)
      VALUES (@id, 'A', 's', 'c', '44', @ended, @answered, @ended, 0, @outcome, 'X', @cost, @cost, @writeOff)`
    this.file.database.prepare(sql).run(cdr)
    return id
  }

  close() {
    this.readonly.close()
    this.file.close()
  }
}

t.test('the calls of each slot, and the talk in it', async t => {
  const books = new Books(t.testdir())
  t.teardown(() => books.close())
  const statistics = new SqliteStatistics(books.readonly)
  books.cdr({ answered: at(0, 10), ended: at(0, 70), cost: 5 })
  // From the first slot into the third: 100 s, 300 s and 1 s.
  books.cdr({ answered: at(0, 200), ended: at(2, 1), outcome: 'cut_off', cost: 7, writeOff: 2 })
  books.cdr({ ended: at(1), outcome: 'refused' })
  books.cdr({ ended: at(2) - 1, outcome: 'unanswered' })
  // Before the time, and after it: this one has talked in it.
  books.cdr({ ended: at(0) - 1, cost: 1000 })
  books.cdr({ answered: at(2, 290), ended: at(3, 40), cost: 100_000 })
  // The clock of the switch was put back: no talk, and none is taken away.
  books.cdr({ answered: at(1, 50), ended: at(1, 20), cost: 1 })
  const slots = await statistics.slots(at(0), at(3), at(4))
  const nothing = { calls: 0, answered: 0, refused: 0, cutOff: 0, taken: 0n, writeOff: 0n }
  t.strictSame(slots, [
    { ...nothing, at: at(0), calls: 1, answered: 1, taken: 5n, talkUs: 160 * S },
    { ...nothing, at: at(1), calls: 3, answered: 1, refused: 1, taken: 1n, talkUs: 300 * S },
    {
      ...nothing,
      at: at(2),
      calls: 1,
      answered: 1,
      cutOff: 1,
      taken: 7n,
      writeOff: 2n,
      talkUs: 11 * S,
    },
  ])
  t.test('any part of a slot is the whole slot', async t => {
    t.strictSame(await statistics.slots(at(0, 299), at(2, 1), at(4)), slots)
  })
  t.test('without calls there are slots, too', async t => {
    const later = await statistics.slots(at(9), at(11), at(11))
    t.strictSame(later, [
      { ...nothing, at: at(9), talkUs: 0 },
      { ...nothing, at: at(10), talkUs: 0 },
    ])
  })
})

t.test('what comes late is seen', async t => {
  const books = new Books(t.testdir())
  t.teardown(() => books.close())
  const statistics = new SqliteStatistics(books.readonly)
  const taken = async () => (await statistics.slots(at(0), at(2), at(2))).map(slot => slot.taken)
  const lost = books.cdr({ answered: at(0), ended: at(0, 9), cost: 3 })
  t.strictSame(await taken(), [3n, 0n])
  books.cdr({ answered: at(0), ended: at(0, 5), cost: 4 })
  books.cdr({ answered: at(0), ended: at(1, 5), cost: 1 })
  t.strictSame(await taken(), [7n, 1n], 'a CDR of a slot that is over')
  t.strictSame(await taken(), [7n, 1n], 'and it is counted once')
  books.file.database
    .prepare(`INSERT INTO correction (leg_id, answered_at, ended_at, billed_s, outcome, cause, cost, write_off, at)
      VALUES (?, ?, ?, 300, 'completed', 'X', 10, 0, ?)`)
    .run(lost, at(0), at(1, 9), at(2))
  t.strictSame(await taken(), [4n, 11n], 'a correction moves the call to when it really ended')
})

t.test('live calls talk, and cost nothing yet', async t => {
  const books = new Books(t.testdir())
  t.teardown(() => books.close())
  const accounts = new SqliteAccounts(books.file)
  const terms = { ...DEFAULT_TERMS, plan: 'retail', actor: 'test' }
  await accounts.create({ ...terms, code: 'A', credit: 0n })
  const call =
    books.file.database.prepare(`INSERT INTO call (leg_id, account_id, switch, core_uuid, dialled,
      created_at, plan, number, prefix, description, per_minute, setup, minimum, increment, answered_at, held, raises)
    VALUES (?, 1, 's', 'c', '44', 0, 'p', '44', '44', '', 1, 0, 1, 1, ?, 0, 1)`)
  call.run('answered', at(0, 100))
  call.run('answered as well', at(0, 200))
  call.run('ringing', null)
  const statistics = new SqliteStatistics(books.readonly)
  const slots = await statistics.slots(at(0), at(2), at(1, 30))
  t.strictSame(
    slots.map(({ talkUs, calls }) => [talkUs / S, calls]),
    [
      [300, 0],
      [60, 0],
    ],
  )
})
