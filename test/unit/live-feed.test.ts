/** What those who watch live calls are told, and what they are not. */
import pino from 'pino'
import t from 'tap'
import type { LiveCallJson } from '../../src/provisioning/calls.js'
import { type LiveChange, LiveFeed } from '../../src/web/live-feed.js'
import { webOn } from '../support/web.js'

const log = pino({ level: 'silent' })
const EVERY_MS = 5

const call = (call_id: string, seconds: number, account = 'A'): LiveCallJson => ({
  ...{ call_id, account, number: '44', switch: 'fs1', state: 'answered' as const, seconds },
  ...{ cost: '1.000000', held: '2.000000', funded_until: null, final: false, supervised: true },
})

const pause = (ms = 10 * EVERY_MS) => new Promise(resolve => setTimeout(resolve, ms))

t.test('all at first, then what changes', async t => {
  let calls = [call('a', 1), call('b', 1)]
  let asked = 0
  const feed = new LiveFeed(
    async () => {
      asked += 1
      return calls
    },
    log,
    EVERY_MS,
  )
  await pause()
  t.equal(asked, 0, 'nobody watches')
  const told: (LiveChange | undefined)[] = []
  const stop = feed.subscribe(change => told.push(change))
  await pause()
  t.match(told, [{ calls: [{ call_id: 'a' }, { call_id: 'b' }], ended: [] }])
  t.equal(told.length, 1, 'nothing has changed since')
  calls = [call('b', 2), call('c', 0)]
  await pause()
  t.strictSame(told.slice(1), [{ calls: [call('b', 2), call('c', 0)], ended: ['a'] }])
  const late: (LiveChange | undefined)[] = []
  const stopLate = feed.subscribe(change => late.push(change))
  t.strictSame(late, [{ calls: [call('b', 2), call('c', 0)], ended: [] }], 'at once')
  stop()
  stopLate()
  const before = asked
  await pause()
  t.equal(asked, before, 'nobody watches any more')
})

t.test('a daemon that does not answer', async t => {
  let isThere = true
  const feed = new LiveFeed(
    async () => {
      if (!isThere) throw new Error('gone')
      return [call('a', 1)]
    },
    log,
    EVERY_MS,
  )
  t.teardown(() => feed.close())
  const told: (LiveChange | undefined)[] = []
  feed.subscribe(change => told.push(change))
  await pause()
  isThere = false
  await pause()
  t.equal(told.at(-1), undefined, 'what is shown may be old')
  isThere = true
  await pause()
  t.match(told.at(-1), { calls: [{ call_id: 'a' }] }, 'all of it again')
})

t.test('an account holder hears of his own calls only, until he logs out', async t => {
  const web = await webOn(t)
  const { app, live, services } = web
  await services.rates.planCreate({ name: 'retail', actor: 'test' })
  await services.ledger.accountCreate({ code: 'MINE', plan: 'retail', actor: 'test' })
  const mia = await web.user('mia', 'account_holder', 'MINE')
  const added = (callId: string, account: string) => {
    const state = { number: '44', switch: 'fs1', state: 'answered', seconds: 1 } as const
    live.calls.push({
      callId,
      account,
      ...state,
      cost: 1n,
      held: 1n,
      fundedUntil: null,
      final: false,
    })
  }
  added('their-call', 'OTHER')
  added('my-call', 'MINE')
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as { port: number }
  const url = `http://127.0.0.1:${port}/api/v1/calls/events`
  t.equal((await fetch(url)).status, 401)
  const answer = await fetch(url, { headers: mia })
  t.match(answer.headers.get('content-security-policy'), /default-src/)
  let [text, isOut] = ['', false]
  for await (const chunk of answer.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk
    if (text.includes('my-call') && live.calls.length === 2) live.calls.splice(0)
    if (!text.includes('"ended":["my-call"]') || isOut) continue
    isOut = true
    await web.ask(mia, 'POST', '/log-out')
  }
  t.ok(isOut, 'the stream ends with the session')
  t.match(text, /^event: calls$/m)
  t.notMatch(text, /their-call|OTHER|fs1/)
})

t.test('of one account, and only what changes', async t => {
  const web = await webOn(t)
  const { app, live, services } = web
  await services.rates.planCreate({ name: 'retail', actor: 'test' })
  await services.ledger.accountCreate({ code: 'MINE', plan: 'retail', actor: 'test' })
  const said = (callId: string, account: string, seconds: number) => {
    const state = { number: '44', switch: 'fs1', state: 'answered', seconds } as const
    return { callId, account, ...state, cost: 1n, held: 1n, fundedUntil: null, final: false }
  }
  live.calls.push(said('their-call', 'OTHER', 1), said('my-call', 'MINE', 1))
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as { port: number }
  const url = `http://127.0.0.1:${port}/api/v1/calls/events`
  const mia = await web.user('mia', 'account_holder', 'MINE')
  const reader = await web.token('read_only')
  const statusOf = async (headers: Record<string, string>, query: string) => {
    const stop = new AbortController()
    const { status } = await fetch(url + query, { headers, signal: stop.signal })
    stop.abort()
    return status
  }
  t.equal(await statusOf(mia, '?account=OTHER'), 403, 'a customer does not choose')
  t.equal(await statusOf(mia, '?account=MINE'), 200)
  t.equal(await statusOf(await web.token('operator', 'money:write', 'till'), ''), 403)
  for (const query of ['?account=%3Cb%3E', '?changes=all', '?acount=MINE']) {
    t.equal(await statusOf(reader, query), 400, query)
  }

  const list = live.list.bind(live)
  const told: unknown[] = []
  const answer = await fetch(`${url}?account=MINE&changes=fields`, { headers: reader })
  const lines = answer.body!.pipeThrough(new TextDecoderStream())
  for await (const chunk of lines) {
    for (const [, event, content] of chunk.matchAll(/^event: (.*)\ndata: (.*)$/gm)) {
      told.push([event, JSON.parse(content!)])
    }
    if (told.length === 1)
      live.calls.splice(0, 2, said('their-call', 'OTHER', 2), said('my-call', 'MINE', 2))
    if (told.length === 2) {
      live.list = () => {
        throw new Error('gone')
      }
    }
    if (told.length === 3) live.list = list
    if (told.length === 4) live.calls.splice(0)
    if (told.length === 5) break
  }
  const whole = { call_id: 'my-call', account: 'MINE', switch: 'fs1', seconds: 1, cost: '0.000001' }
  t.match(told[0], ['calls', { calls: [whole] }])
  t.strictSame(told.slice(1), [
    ['calls', { calls: [{ call_id: 'my-call', seconds: 2 }], ended: [] }],
    ['stale', {}],
    ['calls', { calls: [], ended: [] }],
    ['calls', { calls: [], ended: ['my-call'] }],
  ])
  t.notMatch(JSON.stringify(told), 'OTHER')
})
