/**
 * Every recorded capture through the production parser, decoder, rules and ledger, against what was
 * worked out from it by hand: README.md says how.
 */
import { createReadStream, existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import t, { type Test } from 'tap'
import { type CdrJson, cdrJson, formatInstant } from '../../src/call/cdr.js'
import { Replay } from '../../src/replay/replay.js'
import { openFixture } from '../support/fixture.js'

const CAPTURES = join(import.meta.dirname, 'captures')
const EXPECTED = join(import.meta.dirname, 'expected')

interface Outcome {
  cdrs: Omit<CdrJson, 'switch' | 'description' | 'carrier_cost' | 'margin' | 'corrected'>[]
  open: { call_id: string; account: string; number: string; answered_at: string | null }[]
}

async function play(t: Test, capture: Readable) {
  const fixture = await openFixture(t.testdir())
  const cdrs: Outcome['cdrs'] = []
  const replay = new Replay({
    ...fixture.parts,
    onCommand: () => {},
    onCdr: cdr => {
      // What the expectations, which were worked out by hand, leave out.
      const { switch: _, description, carrier_cost, margin, corrected, ...rest } = cdrJson(cdr)
      t.strictSame([carrier_cost, margin, corrected], [null, null, false])
      t.ok(description !== null || cdr.prefix === null)
      cdrs.push(rest)
    },
  })
  const torn = await replay.play(capture)
  const alive = await replay.finish()
  const open = alive.map(({ call, leg }) => ({
    call_id: leg.callId,
    account: leg.account,
    number: 'tariff' in call && call.tariff ? call.tariff.number : leg.dialled,
    answered_at: 'answeredAt' in call && call.answeredAt ? formatInstant(call.answeredAt) : null,
  }))
  const verification = await fixture.verify()
  t.strictSame(verification.problems, [], 'the ledger verifies')
  fixture.close()
  return { cdrs: sorted(cdrs), open: sorted(open), torn }
}

const sorted = <T extends { call_id: string }>(list: T[]) =>
  [...list].sort((a, b) => (a.call_id < b.call_id ? -1 : 1))

for (const file of readdirSync(CAPTURES).filter(name => name.endsWith('.raw'))) {
  t.test(file, async t => {
    const { torn, ...outcome } = await play(t, createReadStream(join(CAPTURES, file)))
    const expected = join(EXPECTED, `${file.replace(/(\.plain|\.json)?\.raw$/, '')}.json`)
    const { cdrs, open }: Outcome = existsSync(expected)
      ? JSON.parse(readFileSync(expected, 'utf8'))
      : { cdrs: [], open: [] }
    t.strictSame(outcome, { cdrs: sorted(cdrs), open: sorted(open) })
    t.equal(torn !== null, file.startsWith('10e') && file.includes('plain'), 'cut off or not')
  })
}

t.test('a capture cut in the middle keeps what is before the cut', async t => {
  const whole = readFileSync(join(CAPTURES, '01-gateway-bleg-ac-normal-hangup-by-A.plain.raw'))
  const { open, cdrs, torn } = await play(t, Readable.from([whole.subarray(0, 60_000)]))
  t.equal(cdrs.length, 0)
  t.match(open, [{ account: 'ACCT1', number: '442071234567', answered_at: String }])
  t.type(torn, 'string')
})

t.test('a capture that ends between HANGUP and HANGUP_COMPLETE ends the call', async t => {
  const whole = readFileSync(join(CAPTURES, '01-gateway-bleg-ac-normal-hangup-by-A.plain.raw'))
  const complete = whole.indexOf('Event-Name: CHANNEL_HANGUP_COMPLETE')
  const { open, cdrs } = await play(t, Readable.from([whole.subarray(0, complete)]))
  t.equal(open.length, 0)
  t.match(cdrs, [{ outcome: 'completed', duration_s: '20.039995', cause: 'NORMAL_CLEARING' }])
})
