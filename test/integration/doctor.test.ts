/** `tollgate doctor` as it is typed, on the simulated switch behind a real socket. */
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { Finding } from '../../src/doctor/finding.js'
import { EslServer } from '../../src/simulator/esl-server.js'
import { RealTimeline } from '../../src/simulator/real-timeline.js'
import { SimulatedSwitch } from '../../src/simulator/simulated-switch.js'
import { tollgate } from '../support/command-line.js'
import { Live } from '../support/live.js'

t.setTimeout(60_000)

const SECRET = 'a-secret-of-some-length'

const shipped = (file: string) =>
  readFileSync(join(import.meta.dirname, '../../freeswitch-conf', file), 'utf8').replaceAll(
    /freeswitch:change-me[\w-]*/g,
    `freeswitch:${SECRET}`,
  )

const SECTIONS = `
[gate]
listen = "127.0.0.1:8084"
lease_s = 30
[freeswitch_http]
listen = "127.0.0.1:8085"
secret = "${SECRET}"
`

/** Sets a switch up with the files as they are shipped. */
function configure({ configuration }: SimulatedSwitch): void {
  for (const name of ['mod_xml_curl', 'mod_json_cdr']) configuration.modules.add(name)
  configuration.put('configuration', shipped('event_socket.conf.xml'))
  configuration.put('configuration', shipped('json_cdr.conf.xml'))
  configuration.put('configuration', shipped('xml_curl.conf.xml'))
  configuration.put('dialplan', shipped('dialplan-gate.xml'))
}

class Practice {
  readonly dir: string
  readonly freeswitch: SimulatedSwitch
  readonly server: EslServer

  constructor(
    readonly t: Test,
    aheadMs = 0,
  ) {
    this.dir = t.testdir()
    const timeline = new RealTimeline({ aheadMs })
    this.freeswitch = new SimulatedSwitch({ timeline, random: Math.random })
    this.server = new EslServer({ freeswitch: this.freeswitch, password: 'own' })
    configure(this.freeswitch)
    t.teardown(async () => {
      await this.server.close()
      this.freeswitch.stop()
    })
  }

  get configuration() {
    return this.freeswitch.configuration
  }

  write(about = 'password = "own"', port = this.server.port, sections = SECTIONS): void {
    const one = `[[switch]]\nname = "fs1"\nport = ${port}\ncommand_timeout_s = 1\n${about}\n`
    writeFileSync(join(this.dir, 'tollgate.toml'), `${one}${sections}`)
  }

  async examine(): Promise<{ code: number; findings: Finding[]; out: string }> {
    const { code, out, err } = await tollgate(this.dir, ['doctor', '--json'])
    this.t.equal(err, '')
    const [one] = JSON.parse(out)
    this.t.match(one, { switch: 'fs1', host: '127.0.0.1', ok: code === 0 })
    return { code, findings: one.findings, out }
  }

  /** What is not well, and not for want of a daemon. */
  async complaints(): Promise<Finding[]> {
    const { findings } = await this.examine()
    return findings.filter(
      ({ state, line }) => state === 'missing' || (state === 'warning' && line !== 'tollgate run'),
    )
  }

  static async open(t: Test, aheadMs = 0): Promise<Practice> {
    const practice = new Practice(t, aheadMs)
    await practice.server.listen()
    practice.write()
    return practice
  }
}

t.test('all is well beside a running daemon, and nothing is left behind', async t => {
  const freeswitch_http = { listen: '127.0.0.1:0', secret: SECRET }
  const gate = { listen: '127.0.0.1:0', lease_s: 30 }
  const live = await Live.start(t, { credit: {}, gate, sections: { freeswitch_http } })
  configure(live.freeswitch)
  const portOf = (message: string) =>
    Number(live.logged.find(line => line['msg'] === message)?.['port'])
  const [gatePort, httpPort] = [portOf('the gate is open'), portOf('serving FreeSWITCH over HTTP')]
  const { configuration } = live.freeswitch
  const at = (file: string) =>
    shipped(file).replaceAll(':8084', `:${gatePort}`).replaceAll(':8085', `:${httpPort}`)
  configuration.put('dialplan', at('dialplan-gate.xml'))
  for (const file of ['json_cdr', 'xml_curl'])
    configuration.put('configuration', at(`${file}.conf.xml`))
  const head = `[[switch]]\nname = "sim"\nport = ${live.server.port}\nheartbeat_s = 1\n`
  const sections = SECTIONS.replace(':8084', `:${gatePort}`).replace(':8085', `:${httpPort}`)
  writeFileSync(join(live.dataDir, 'tollgate.toml'), head + sections)
  const { freeswitch } = live
  await live.until(() => freeswitch.api('global_getvar tollgate_lease') > '0', 'a lease')
  const before = freeswitch.tasks()

  const { code, out, err } = await tollgate(live.dataDir, ['doctor'])
  t.equal(err, '')
  t.equal(code, 0, out)
  const states = out.split('\n').flatMap(line => /^ {2}(\w+) +(.*)/.exec(line)?.slice(1, 3) ?? [])
  const wrong = states.filter((_, i) => i % 2 === 1 && states[i - 1] !== 'ok')
  t.match(wrong, [/who may connect .*FreeSWITCH's own password/], out)
  t.equal(wrong.length, 1)
  t.match(out, `sim (127.0.0.1:${live.server.port})`)
  t.match(out, /ok +events +An event that we caused came after \d+ ms/)
  t.match(out, /ok +gate +The gate answers at/)
  t.match(out, /ok +lease +tollgate_lease has \d+ s left/)
  t.notOk(out.includes(SECRET), 'no secret is shown')
  t.strictSame(
    freeswitch.tasks().map(task => task.group),
    before.map(task => task.group),
    'no task is left',
  )
  await live.until(() => live.server.clientCount === 3, 'only the daemon is connected')
})

t.test('without a daemon that is told, and is no fault of the switch', async t => {
  const practice = await Practice.open(t)
  const { code, findings } = await practice.examine()
  t.equal(code, 0)
  t.strictSame(
    findings.filter(({ state }) => state !== 'ok').map(({ check, line }) => [check, line]),
    ['gate', 'lease', 'freeswitch_http'].map(check => [check, 'tollgate run']),
  )
})

/** What makes it ill, and what is to be said then. */
type Case = [
  name: string,
  spoil: (practice: Practice) => unknown,
  check: string,
  state: Finding['state'],
  text: RegExp,
  file: string | RegExp | null,
  line: string | RegExp | null,
]

const spoilt = (section: 'configuration' | 'dialplan', file: string, from: RegExp, to: string) => {
  return ({ configuration }: Practice) => {
    const text = shipped(file)
    if (!from.test(text)) throw new Error(`${file} has no ${from}`)
    configuration.put(section, text.replaceAll(new RegExp(from, 'g'), to))
  }
}

const unloaded =
  (name: string) =>
  ({ configuration }: Practice) =>
    configuration.modules.delete(name)

const MODULES = 'autoload_configs/modules.conf.xml'

const CASES: Case[] = [
  ...[
    ['mod_sofia', 'missing'],
    ['mod_dptools', 'missing'],
    ['mod_loopback', 'warning'],
    ['mod_event_socket', 'missing'],
    ['mod_dialplan_xml', 'missing'],
    ['mod_xml_curl', 'missing'],
    ['mod_json_cdr', 'missing'],
  ].map(([name, state]): Case => {
    const line = `<load module="${name}"/>`
    return [
      name!,
      unloaded(name!),
      name!,
      state as Finding['state'],
      /is not loaded/,
      MODULES,
      line,
    ]
  }),
  [
    'no commands',
    unloaded('mod_commands'),
    'mod_commands',
    'missing',
    /knows no command/,
    MODULES,
    '<load module="mod_commands"/>',
  ],
  [
    'the words of the warning',
    practice =>
      practice.write(
        'password = "own"',
        undefined,
        `${SECTIONS}[rules]\nwarn_sound = "say:de number pronounced {seconds}"`,
      ),
    'mod_say_de',
    'missing',
    /rules.warn_sound is not heard/,
    MODULES,
    '<load module="mod_say_de"/>',
  ],
  [
    'everybody may try passwords',
    ({ configuration }) =>
      configuration.put(
        'configuration',
        shipped('event_socket.conf.xml')
          .replace('"127.0.0.1"', '"0.0.0.0"')
          .replace('loopback.auto', 'any_v4.auto'),
      ),
    'who may connect',
    'warning',
    /0\.0\.0\.0, beyond loopback, and lets everybody try/,
    'autoload_configs/event_socket.conf.xml',
    /apply-inbound-acl/,
  ],
  [
    'timers are refused',
    ({ server }) => {
      server.faults.api = line =>
        line.startsWith('sched_api') ? { reply: '-ERR no\n' } : undefined
    },
    'timers',
    'missing',
    /sched_api and sched_del do not work: the switch says: no/,
    null,
    null,
  ],
  [
    'timers cannot be deleted',
    ({ server }) => {
      const reply = '+OK Deleted: 0\n'
      server.faults.api = line => (line.startsWith('sched_del') ? { reply } : undefined)
    },
    'timers',
    'missing',
    /sched_del deleted 0/,
    null,
    null,
  ],
  [
    'events do not come',
    ({ server }) => {
      server.faults.event = () => 'drop'
    },
    'events',
    'missing',
    /did not come: no event came within 1000 ms/,
    null,
    null,
  ],
  [
    'a heartbeat that is too slow',
    practice => practice.write('password = "own"\nheartbeat_s = 5'),
    'heartbeat',
    'missing',
    /beats every 20 s .*told 5 s: .*given up again and again/,
    'tollgate.toml',
    'heartbeat_s = 20',
  ],
  [
    'a heartbeat that is another',
    practice => practice.write('password = "own"\nheartbeat_s = 30'),
    'heartbeat',
    'warning',
    /beats every 20 s .*told 30 s/,
    'tollgate.toml',
    'heartbeat_s = 20',
  ],
  [
    'nothing asks the gate',
    ({ configuration }) => configuration.remove('dialplan', 'context', 'tollgate'),
    'gate',
    'missing',
    /no context tollgate/,
    'a shell',
    /^cp freeswitch-conf\/dialplan-gate.xml/,
  ],
  [
    'the gate is asked elsewhere',
    spoilt('dialplan', 'dialplan-gate.xml', /127\.0\.0\.1:8084/, '127.0.0.1:9'),
    'gate',
    'missing',
    /asks at 127\.0\.0\.1:9, not at port 8084/,
    /dialplan/,
    '<action application="socket" data="127.0.0.1:8084 full"/>',
  ],
  [
    'the gate is asked in half',
    spoilt('dialplan', 'dialplan-gate.xml', /8084 full/, '8084'),
    'gate',
    'missing',
    /without the word full/,
    /dialplan/,
    /8084 full/,
  ],
  [
    'a context that asks nobody',
    ({ configuration }) => configuration.put('dialplan', '<context name="tollgate"></context>'),
    'gate',
    'missing',
    /asks nobody/,
    /dialplan/,
    /8084 full/,
  ],
  [
    'no json_cdr.conf',
    ({ configuration }) => configuration.remove('configuration', 'configuration', 'json_cdr.conf'),
    'json_cdr.conf',
    'missing',
    /has no json_cdr.conf/,
    'autoload_configs/json_cdr.conf.xml',
    /^cp freeswitch-conf/,
  ],
  [
    'records go elsewhere',
    spoilt('configuration', 'json_cdr.conf.xml', /8085/, '8086'),
    'json_cdr.conf',
    'missing',
    /not posted to port 8085/,
    'autoload_configs/json_cdr.conf.xml',
    '<param name="url" value="http://127.0.0.1:8085/freeswitch/cdr"/>',
  ],
  [
    'records with a wrong secret',
    spoilt('configuration', 'json_cdr.conf.xml', /freeswitch:[\w-]+/, 'freeswitch:other'),
    'json_cdr.conf',
    'missing',
    /cred is not the secret/,
    'autoload_configs/json_cdr.conf.xml',
    '<param name="cred" value="freeswitch:the secret of [freeswitch_http]"/>',
  ],
  [
    'records of A-legs alone',
    spoilt(
      'configuration',
      'json_cdr.conf.xml',
      /"log-b-leg" value="true"/,
      '"log-b-leg" value="0"',
    ),
    'json_cdr.conf',
    'missing',
    /posts no outbound legs/,
    'autoload_configs/json_cdr.conf.xml',
    '<param name="log-b-leg" value="true"/>',
  ],
  [
    'a directory that is asked for elsewhere',
    spoilt('configuration', 'xml_curl.conf.xml', /bindings="directory"/, 'bindings="dialplan"'),
    'xml_curl.conf',
    'missing',
    /No binding of the directory/,
    'autoload_configs/xml_curl.conf.xml',
    /gateway-url.*bindings="directory"/,
  ],
  [
    'a directory with a wrong secret',
    spoilt('configuration', 'xml_curl.conf.xml', /freeswitch:[\w-]+/, 'freeswitch:other'),
    'xml_curl.conf',
    'missing',
    /gateway-credentials are not the secret/,
    'autoload_configs/xml_curl.conf.xml',
    /gateway-credentials/,
  ],
  [
    'a lease that nobody renews',
    practice => {
      practice.freeswitch.api('global_setvar tollgate_lease=9999999999')
      practice.write('password = "own"', undefined, SECTIONS.replace('lease_s = 30', ''))
    },
    'lease',
    'warning',
    /Tollgate gives no lease/,
    'tollgate.toml',
    /lease_s = 30/,
  ],
  [
    'a question that is not answered',
    ({ server }) => {
      const silent = (line: string) => line.startsWith('strmicroepoch')
      server.faults.api = line => (silent(line) ? { reply: '-ERR no\n' } : undefined)
    },
    'clock',
    'warning',
    /could not be found out: the switch says: no/,
    null,
    null,
  ],
]

t.test('each thing that is missing, with the line to add', async t => {
  for (const [name, spoil, check, state, text, file, line] of CASES) {
    await t.test(name, async t => {
      const practice = await Practice.open(t)
      await spoil(practice)
      const complaints = await practice.complaints()
      t.match(complaints, [{ check, state, text, file, line }])
      t.equal(complaints.length, 1, 'and nothing else')
      const { code, out } = await practice.examine()
      t.equal(code, state === 'missing' ? 1 : 0)
      t.notOk(out.includes(SECRET), 'no secret is shown')
    })
  }
})

t.test('a clock that is an hour ahead, or behind', async t => {
  for (const [aheadMs, side] of [
    [3_600_000, 'ahead of'],
    [-3_600_000, 'behind'],
  ] as const) {
    const practice = await Practice.open(t, aheadMs)
    const [complaint, ...rest] = await practice.complaints()
    t.match(complaint, { check: 'clock', state: 'warning', line: 'fsctl sync_clock_when_idle' })
    t.match(
      complaint!.text,
      new RegExp(`^Its clock is 3(600|599)\\.\\d\\d s ${side} this machine's`),
    )
    t.match(complaint!.text, /whatever NTP does/)
    t.strictSame(rest, [])
  }
})

t.test('loopback channels, and who pays for them', async t => {
  const practice = await Practice.open(t)
  const rows = ['loopback/park-a', 'loopback/park-b', 'sofia/external/4420'].map(name => {
    return { uuid: name, direction: 'outbound', name, state: 'CS_EXECUTE', dest: 'park' }
  })
  const reply = JSON.stringify({ row_count: rows.length, rows })
  practice.server.faults.api = line => (line.startsWith('show') ? { reply } : undefined)
  t.match(await practice.complaints(), [
    { check: 'loopback', state: 'warning', text: /^2 loopback channels are up, and pay nothing/ },
  ])
  const rules = '[rules]\nloopback_pays = true\n'
  practice.write('password = "own"', undefined, SECTIONS + rules)
  t.match(await practice.complaints(), [{ text: /pay where they have a code/ }])
})

/** What listens in place of an event socket. */
async function impostor(t: Test, greet: (socket: Socket) => void): Promise<number> {
  const server = createServer(socket => {
    socket.on('error', () => {})
    greet(socket)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  return (server.address() as { port: number }).port
}

t.test('a switch that cannot be reached: each obstacle has its own cure', async t => {
  const practice = await Practice.open(t)
  const only = async (text: RegExp, line: RegExp) => {
    const { code, findings } = await practice.examine()
    t.equal(code, 1)
    t.match(findings, [{ check: 'event socket', state: 'missing', text, line }])
    t.equal(findings.length, 1)
  }
  practice.write('password = "wrong"')
  await only(/refuses the password/, /^password = /)
  practice.write()
  practice.server.rejectsByAcl = true
  await only(/turns 127\.0\.0\.1, our address, away/, /<node type="allow" cidr="127\.0\.0\.1\/32"/)
  practice.server.rejectsByAcl = false
  practice.server.freeze()
  await only(/says nothing within 1000 ms/, /^port = /)
  practice.server.thaw()
  await practice.server.refuseConnections()
  await only(/Nothing listens at 127\.0\.0\.1:\d+/, /name="listen-port"/)
  practice.write('', await impostor(t, socket => socket.write('SSH-2.0-OpenSSH_9.2\r\n')))
  await only(/is no event socket: it says "SSH-2\.0-OpenSSH_9\.2"/, /^port = /)
  practice.write('', await impostor(t, socket => socket.end()))
  await only(/closes the connection without a word/, /^port = /)
  practice.write('', await impostor(t, socket => socket.write('Content-Type: auth/request\n\n')))
  const { findings } = await practice.examine()
  t.match(findings, [{ text: /no login: the switch did not let us log in within 1000 ms/ }])
})

t.test('a switch that goes away meanwhile', async t => {
  const practice = await Practice.open(t)
  practice.server.faults.api = line => {
    if (line.startsWith('sched_api')) setImmediate(() => practice.server.reset())
    return line.startsWith('sched_api') ? { silent: true } : undefined
  }
  const { code, findings } = await practice.examine()
  t.equal(code, 1)
  t.match(findings.at(-1), { check: 'timers', state: 'missing', text: /connection was lost/ })
})

t.test('beyond loopback with the password that everybody knows', async t => {
  const practice = await Practice.open(t)
  const known = new EslServer({ freeswitch: practice.freeswitch })
  t.teardown(() => known.close())
  practice.write('', await known.listen())
  t.match(await practice.complaints(), [{ check: 'who may connect', state: 'warning' }])
  const open = shipped('event_socket.conf.xml').replace('"127.0.0.1"', '"::"')
  practice.configuration.put('configuration', open)
  t.match(await practice.complaints(), [
    { check: 'who may connect', state: 'missing', text: /listens at ::, beyond loopback/ },
  ])
})

t.test('a gate and a service that another machine cannot reach', async t => {
  // Any address but a loopback one would do; this one is the machine itself.
  const practice = await Practice.open(t)
  const elsewhere = new EslServer({ freeswitch: practice.freeswitch, password: 'own' })
  t.teardown(() => elsewhere.close())
  const port = await elsewhere.listen(0, '0.0.0.0')
  practice.write('password = "own"\nhost = "0.0.0.0"', port)
  const lost = /where the switch at 0\.0\.0\.0 cannot reach it/
  const { out } = await tollgate(practice.dir, ['doctor', '--json'])
  const { findings } = JSON.parse(out)[0]
  t.match(
    findings.filter(({ state }: Finding) => state === 'missing'),
    [
      { check: 'gate', text: lost },
      { check: 'freeswitch_http', text: lost },
    ],
  )
})

t.test('one of several, by its name', async t => {
  const practice = await Practice.open(t)
  const path = join(practice.dir, 'tollgate.toml')
  const more = '[[switch]]\nname = "fs2"\nport = 1\n'
  writeFileSync(path, more + readFileSync(path, 'utf8'))
  const all = await tollgate(practice.dir, ['doctor'])
  t.equal(all.code, 1, 'one that is down is enough')
  t.match(all.out, /^fs2 .*[\s\S]*^fs1 /m)
  const one = await tollgate(practice.dir, ['doctor', '--switch', 'fs1'])
  t.equal(one.code, 0)
  t.notMatch(one.out, /fs2/)
  const none = await tollgate(practice.dir, ['doctor', '--switch', 'fs3'])
  t.equal(none.code, 1)
  t.match(none.err, /There is no switch fs3 in the configuration, but: fs2, fs1/)
})
