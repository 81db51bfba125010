/** What callers hear of their credit, as the commands that reach the switch from the daemon as shipped. */
import t, { type Test } from 'tap'
import { Live } from '../support/live.js'

t.setTimeout(60_000)

const TONE = 'tone_stream://%(200,0,800)'

/** As the simulated switch is told, and when by its own clock. */
interface Told {
  readonly line: string
  readonly at: number
}

/** Credit is 0.01 a second after 0.02 for the setup. */
async function open(t: Test, rules: Record<string, unknown>, credit: Record<string, string>) {
  const live = await Live.start(t, { credit, rules: { retry_s: 1, ...rules } })
  const told: Told[] = []
  live.server.faults.api = line => {
    if (/^uuid_(broadcast|displace|transfer|kill)|tollgate_reason/.test(line)) {
      told.push({ line, at: live.freeswitch.now() })
    }
    return undefined
  }
  const about = (leg: string) => told.filter(({ line }) => line.includes(leg))
  return { live, about }
}

const lines = (told: readonly Told[]) => told.map(({ line }) => line)

t.test('the caller is warned once, to the moment, whatever the chunk, and sent on', async t => {
  for (const chunk_s of [2, 4, 60]) {
    await t.test(`chunks of ${chunk_s} s`, async t => {
      const announced = { warn_s: 2, warn_sound: TONE, cut_off_to: 'topup XML default' }
      const rules = { chunk_s, lead_s: 1, ...announced }
      const { live, about } = await open(t, rules, { A: '0.07' })
      const callId = live.call('A', { aUuid: 'caller' })
      const cdr = await live.cdr(callId)
      t.match(cdr, { outcome: 'cut_off', reason: 'no_credit', cost: '0.070000' })
      const told = about('caller')
      t.strictSame(lines(told), [
        `uuid_broadcast caller ${TONE} aleg`,
        'uuid_setvar caller tollgate_reason no_credit',
        'uuid_transfer caller topup XML default',
      ])
      const { answeredAt } = live.freeswitch.history.get(callId)!
      const afterS = told.map(({ at }) => (at - answeredAt!) / 1e6)
      t.ok(Math.abs(afterS[0]! - 3) < 0.25, `warned after ${afterS[0]} s`)
      t.ok(Math.abs(afterS[2]! - 5) < 0.25, `sent on after ${afterS[2]} s`)
      t.strictSame(
        lines(about(callId)),
        [`uuid_kill ${callId} ALLOTTED_TIMEOUT`],
        'not the far end',
      )
      const caller = live.freeswitch.leg('caller')
      t.match(caller, { application: 'playback', profile: { destination: 'topup' } }, 'A lives on')
    })
  }
})

t.test('a top-up withdraws the warning; the next end has its own', async t => {
  const rules = { chunk_s: 2, lead_s: 1, warn_s: 1, warn_sound: '/sounds/low.wav' }
  const { live, about } = await open(t, rules, { A: '0.07' })
  const callId = live.call('A', { aUuid: 'caller' })
  await live.until(async () => (await live.api.callList({})).some(call => call.final), 'final')
  await live.api.topUp({ code: 'A', amount: '0.04', reference: 'r1', reason: '', actor: 'test' })
  await live.cdr(callId)
  const told = about('caller')
  t.strictSame(lines(told), ['uuid_displace caller start /sounds/low.wav 0 mux'], 'warned once')
  const { answeredAt, hangupAt } = live.freeswitch.history.get(callId)!
  t.ok(Math.abs((told[0]!.at - answeredAt!) / 1e6 - 8) < 0.25, 'of the end at 9 s, not of 5 s')
  t.ok(Math.abs((hangupAt! - answeredAt!) / 1e6 - 9) < 0.25)
})

t.test('a refused caller hears why', async t => {
  const { live, about } = await open(t, { refused_to: 'no_credit XML default' }, { A: '0' })
  const callId = live.call('A', { aUuid: 'caller', ringMs: 2000 })
  t.match(await live.cdr(callId), { outcome: 'refused', reason: 'no_credit' })
  t.strictSame(lines(about('caller')), [
    'uuid_setvar caller tollgate_reason no_credit',
    'uuid_transfer caller no_credit XML default',
  ])
  t.ok(live.freeswitch.leg('caller'), 'and is not hung up')
  t.strictSame(lines(about(callId)), [`uuid_kill ${callId} CALL_REJECTED`])
})
