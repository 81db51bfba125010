/** The web service beside a real daemon, with a switch that has calls. */
import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { Dice } from '../../src/simulation/dice.js'
import { Program } from '../support/program.js'
import { QUICK_RULES, Site } from '../support/site.js'

t.setTimeout(240_000)

const program = Program.built(join(t.testdir(), 'build'))
const PASSWORD = 'a long password'
const CSRF = /name="csrf" value="([^"]+)"/

async function started(t: Test, listen: string) {
  const site = new Site(join(t.testdir(), 'data'), new Dice(1))
  t.teardown(() => site.close())
  await site.open(QUICK_RULES, { ALICE: '100' })
  const env = { ...process.env, TOLLGATE_WEB_LISTEN: listen }
  const daemon = program.daemon(['--data', site.dataDir], { env })
  t.teardown(() => daemon.kill())
  await daemon.says('all live calls are supervised')
  return { site, daemon }
}

/** The first admin, by the link in the log. */
async function setUp(daemon: Awaited<ReturnType<typeof started>>['daemon']) {
  const url = `http://127.0.0.1:${(await daemon.says('serving the web'))['port']}`
  const said = await daemon.says('nobody can log in yet: open the link within the hour')
  const path = new URL(String(said['link'])).pathname
  const body = new URLSearchParams({ name: 'root', password: PASSWORD, again: PASSWORD })
  const answer = await fetch(url + path, { method: 'POST', body, redirect: 'manual' })
  const cookie = answer.headers.get('set-cookie')!.split(';')[0]!
  const page = await (await fetch(`${url}/password`, { headers: { cookie } })).text()
  const headers = { cookie, 'x-csrf-token': CSRF.exec(page)![1]! }
  return { url, headers }
}

/** Events of a stream as they come. */
async function* events(answer: Response) {
  let rest = ''
  for await (const chunk of answer.body!.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + chunk).split('\n\n')
    rest = parts.pop()!
    for (const part of parts) {
      const match = /^event: (\w+)\ndata: (.*)$/.exec(part)
      if (match) yield { event: match[1]!, content: JSON.parse(match[2]!) }
    }
  }
}

t.test('from the first start to a call that is killed', async t => {
  const { site, daemon } = await started(t, '127.0.0.1:0')
  const { url, headers } = await setUp(daemon)
  const id = site.call('ALICE', null)
  const live = await fetch(`${url}/api/v1/calls/events`, { headers })
  t.match(live.headers.get('content-type'), /^text\/event-stream/)
  const costs = new Set<string>()
  let [killed, ended] = [false, false]
  for await (const { content } of events(live)) {
    const call = content.calls.find((one: { call_id: string }) => one.call_id === id)
    if (call?.state === 'answered') costs.add(call.cost)
    if (costs.size === 2 && !killed) {
      killed = true
      const answer = await fetch(`${url}/api/v1/calls/${id}/kill`, { method: 'POST', headers })
      t.equal(answer.status, 200)
    }
    ended = content.ended.includes(id)
    if (ended) break
  }
  t.ok(ended, 'its end has been told')
  t.ok(costs.size >= 2, 'its cost counted up')
  const json = { ...headers, 'content-type': 'application/json' }
  const body = JSON.stringify({ amount: '1', reference: 'r1' })
  const toppedUp = await fetch(`${url}/api/v1/accounts/ALICE/top-ups`, {
    ...{ method: 'POST', headers: json, body },
  })
  t.match(await toppedUp.json(), { actor: 'user:root' })
  const audit = await (await fetch(`${url}/api/v1/audit`, { headers })).json()
  t.match(audit, {
    items: [{ action: 'account.top_up' }, { action: 'call.kill', actor: 'user:root' }],
  })
  const { out } = await program.run(['audit', 'list', '--json', '--data', site.dataDir])
  t.match(out, /"user.create"/, 'the command line shows it as well')
  await daemon.kill('SIGTERM')
  t.equal((await daemon.exited).code, 0)
})

t.test('every example of the manual', async t => {
  const { site, daemon } = await started(t, '127.0.0.1:0')
  const { port } = await daemon.says('serving the web')
  const tollgate = (...args: string[]) => program.run([...args, '--data', site.dataDir])
  const made = await tollgate('token', 'create', 'billing', '--role', 'operator', '--json')
  await tollgate('account', 'set-pin', 'ALICE', '--pin', '2468')
  await tollgate('plan', 'create', 'retail')
  const folder = join(site.dataDir, 'examples')
  mkdirSync(folder)
  writeFileSync(join(folder, 'deck.csv'), 'prefix,per_minute\n49,0.01\n')
  const manual = readFileSync(join(import.meta.dirname, '../../docs/api.md'), 'utf8')
  const scripts = [...manual.matchAll(/```sh\n(.*?)```/gs)].map(([, script]) => script!)
  t.ok(scripts.length >= 7)
  const env = {
    ...process.env,
    URL: `http://127.0.0.1:${port}`,
    TOKEN: JSON.parse(made.out).token as string,
  }
  for (const script of scripts) {
    const child = spawn('bash', ['-euo', 'pipefail', '-c', script], { cwd: folder, env })
    const exit = new Promise(resolve => child.once('close', resolve))
    const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)])
    t.equal(await exit, 0, `${script.split('\n')[0]} ${out.slice(0, 200)} ${err}`)
  }
  t.match(readFileSync(join(folder, 'retail.csv'), 'utf8'), /\n49,/, 'the deck is in force')
})

t.test('calls go on without it', async t => {
  const taken = createServer()
  const { port } = await new Promise<{ port: number }>(resolve => {
    taken.listen(0, '127.0.0.1', () => resolve(taken.address() as { port: number }))
  })
  const { site, daemon } = await started(t, `127.0.0.1:${port}`)
  t.match(await daemon.says('the web service has ended'), { error: { code: 'EADDRINUSE' } })
  site.call('ALICE', 1)
  await daemon.says('call ended')
  taken.close()
  await daemon.says('serving the web')
  t.match((await fetch(`http://127.0.0.1:${port}/log-in`)).status, 200)
})
