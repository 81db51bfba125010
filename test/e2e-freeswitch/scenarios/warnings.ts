/** What the caller hears before and at the end of his credit, on a real FreeSWITCH. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import { folderOf, NAME } from '../lab/configuration.js'
import type { Lab } from '../lab/lab.js'
import { settled } from '../lab/reckoning.js'
import { until } from '../lab/until.js'

const WARN_S = 3

export function warnings(t: Test, lab: Lab): void {
  for (const [kind, soundOf] of [
    ['a tone', () => 'tone_stream://%(400,100,800);loops=2'],
    ['a file', writeBeep],
  ] as const) {
    t.test(`${kind} is played to the caller alone, before the end of a final call`, async t => {
      await restart(lab, { warn_s: WARN_S, warn_sound: soundOf(lab) })
      const account = await lab.account(kind === 'a tone' ? 'TONE' : 'FILE', '0.09')
      const number = kind === 'a tone' ? '442074000001' : '442074000002'
      const call = await lab.talk(`pay-${account}-${number}`)
      const began = performance.now()
      const leg = await lab.legTo(number)
      const far = lab.carrier.callsTo(number)[0]!
      await until(() => call.media.loud > 0, 'the caller hears it')
      const atS = (performance.now() - began) / 1000
      t.ok(Math.abs(atS - (7 - WARN_S)) < 1, `3 s before the end, which is after 7: at ${atS} s`)
      t.comment(
        `measured: ${kind} of ${WARN_S} s before the end was heard ${(7 - atS).toFixed(2)} s before it`,
      )
      await lab.ended(call)
      t.equal(far.media.loud, 0, 'the far end hears none of it')
      const [cdr] = await settled(t, lab, { account, paidIn: '0.09', legs: [leg] })
      t.match(cdr, { outcome: 'cut_off', reason: 'no_credit', cost: '0.090000' })
      const { timeline: recorded, ended_at } = await lab.api.cdrShow({ call_id: cdr!.call_id })
      const timeline = recorded!
      const told = timeline.filter(({ type }) => type === 'warned')
      t.equal(told.length, 1)
      const beforeS = (Date.parse(ended_at) - Date.parse(told[0]!.at)) / 1000
      t.ok(Math.abs(beforeS - WARN_S) < 0.5, `the record has it ${beforeS} s before the end`)
      const held = timeline.flatMap(milestone => milestone.held ?? [])
      t.ok(held.length > 1, `held ${held.length} times`)
      t.equal(held.at(-1), '0.090000')
    })

    t.test(`${kind} is not played where a top-up came first`, async t => {
      const account = await lab.account(kind === 'a tone' ? 'NOTONE' : 'NOFILE', '0.09')
      const number = kind === 'a tone' ? '442074000011' : '442074000012'
      const call = await lab.talk(`pay-${account}-${number}`)
      const leg = await lab.legTo(number)
      await sleep(2000)
      await lab.api.topUp({ code: account, amount: '1', reference: 'r', reason: '', actor: 'e2e' })
      await sleep(6000)
      t.ok(call.media.received > 100, 'he hears the far end')
      t.equal(call.media.loud, 0, 'which is silent')
      await call.hangUp()
      await settled(t, lab, { account, paidIn: '1.09', legs: [leg] })
    })
  }

  t.test('whose credit is used up, or is not enough, can be sent to an announcement', async t => {
    const elsewhere = `tone XML ${NAME}`
    await restart(lab, { cut_off_to: elsewhere, refused_to: elsewhere })
    const account = await lab.account('SENT', '0.06')
    const number = '442074000021'
    const call = await lab.talk(`pay-${account}-${number}`)
    const leg = await lab.legTo(number)
    await lab.ended(lab.carrier.callsTo(number)[0]!)
    await until(() => call.media.loud > 20, 'the caller hears the announcement')
    t.equal(call.state, 'answered')
    await call.hangUp()
    const [cdr] = await settled(t, lab, { account, paidIn: '0.06', legs: [leg] })
    t.match(cdr, { outcome: 'cut_off', reason: 'no_credit', cost: '0.060000' })
    const next = '442074000022'
    lab.carrier.plan(next, { ringMs: null })
    const refused = await lab.call(`pay-${account}-${next}`)
    await until(() => refused.media.loud > 20, 'the caller of a refused call hears it, too')
    await refused.hangUp()
    const legs = [leg, await lab.legTo(next)]
    const [, second] = await settled(t, lab, { account, paidIn: '0.06', legs })
    t.match(second, { outcome: 'refused', reason: 'no_credit', cost: '0.000000' })
  })
}

/** Sounds and announcements are settings that a daemon reads when it starts. */
async function restart(lab: Lab, rules: Record<string, string | number>): Promise<void> {
  await lab.daemon.kill('SIGTERM')
  lab.writeSettings(rules)
  await lab.startDaemon()
}

/** A second of 440 Hz, as a WAV file that the switch can read. */
function writeBeep(lab: Lab): string {
  const [rate, samples, headBytes] = [8000, 8000, 44]
  const wav = Buffer.alloc(headBytes + 2 * samples)
  wav.write('RIFF', 0, 'latin1')
  wav.writeUInt32LE(wav.length - 8, 4)
  wav.write('WAVEfmt ', 8, 'latin1')
  wav.writeUInt32LE(16, 16)
  wav.writeUInt16LE(1, 20)
  wav.writeUInt16LE(1, 22)
  wav.writeUInt32LE(rate, 24)
  wav.writeUInt32LE(2 * rate, 28)
  wav.writeUInt16LE(2, 32)
  wav.writeUInt16LE(16, 34)
  wav.write('data', 36, 'latin1')
  wav.writeUInt32LE(2 * samples, 40)
  for (let i = 0; i < samples; i++) {
    const sample = Math.round(12_000 * Math.sin((2 * Math.PI * 440 * i) / rate))
    wav.writeInt16LE(sample, headBytes + 2 * i)
  }
  const file = join(folderOf(lab.installation.conf), 'beep.wav')
  writeFileSync(file, wav, { mode: 0o644 })
  return file
}
