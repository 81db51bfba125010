import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { checkConfig, loadConfig } from '../../src/config.js'
import { dataDirectory } from '../../src/config-folder.js'
import { HANGUP_CAUSES } from '../../src/hangup-causes.js'
import { nearest } from '../../src/spelling.js'

t.test('every default', async t => {
  const config = loadConfig(t.testdir({}))
  t.strictSame(config.switches, [
    {
      name: 'freeswitch',
      host: '127.0.0.1',
      port: 8021,
      password: 'ClueCon',
      heartbeatS: 20,
      commandTimeoutS: 5,
    },
  ])
  t.strictSame(config.rules, {
    chunkS: 60,
    leadS: 10,
    warnS: 0,
    retryS: 1,
    partialChunk: true,
    rounding: 'up',
    longestCallS: 86_400,
    hangupGraceS: 5,
  })
  t.match(config, {
    adopt: true,
    loopbackPays: false,
    causes: {
      refused: 'CALL_REJECTED',
      cut_off: 'ALLOTTED_TIMEOUT',
      killed: 'NORMAL_CLEARING',
    },
    timerMarginS: 2,
    sweepS: 30,
    announcements: { warnSound: null, refusedTo: null, cutOffTo: null },
    logLevel: 'info',
    warnings: ["freeswitch has FreeSWITCH's own password, which everybody knows"],
  })
})

const FILE = `
log_level = "debug"

[[switch]]
name = "fs1"
host = "10.0.0.1"
password = "one"

[[switch]]
name = "fs2"
host = "10.0.0.2"
port = 8022
password = "two"
command_timeout_s = 2

[rules]
chunk_s = 30
rounding = "nearest"
warn_sound = "tone_stream://%(200,0,800)"
`

t.test('the file in the data directory, one that is named, and the environment', async t => {
  const dir = t.testdir({ 'tollgate.toml': FILE, other: { 'x.toml': 'log_level = "warn"' } })
  const config = loadConfig(dir)
  t.match(config, {
    logLevel: 'debug',
    switches: [
      { name: 'fs1', port: 8021, password: 'one' },
      { name: 'fs2', port: 8022, commandTimeoutS: 2 },
    ],
    rules: { chunkS: 30, leadS: 10, warnS: 10, rounding: 'nearest' },
    announcements: { warnSound: 'tone_stream://%(200,0,800)' },
  })
  t.strictSame(config.warnings, [])

  t.equal(loadConfig(dir, { TOLLGATE_LOG_LEVEL: 'error' }).logLevel, 'error')
  const other = join(dir, 'other/x.toml')
  t.equal(loadConfig(dir, { TOLLGATE_CONFIG: other }).logLevel, 'warn')
  t.equal(loadConfig(dir, { TOLLGATE_CONFIG: 'no such file' }, other).logLevel, 'warn')
})

t.test('the environment sets a single switch', async t => {
  const env = {
    TOLLGATE_SWITCH_NAME: 'pbx',
    TOLLGATE_SWITCH_HOST: 'fs.example',
    TOLLGATE_SWITCH_PORT: '9021',
    TOLLGATE_SWITCH_PASSWORD: 'secret',
  }
  const single = { name: 'pbx', host: 'fs.example', port: 9021, password: 'secret' }
  t.match(checkConfig({}, env, 'f').switches, [single])
  const listed = { switch: [{ name: 'a', heartbeat_s: 7 }] }
  t.match(checkConfig(listed, env, 'f').switches, [{ ...single, heartbeatS: 7 }])
  t.throws(() => checkConfig({ switch: [{}, {}] }, { TOLLGATE_SWITCH_HOST: 'x' }, 'f'), {
    message: 'TOLLGATE_SWITCH_HOST sets a single switch, but f has 2',
  })
  t.throws(() => checkConfig({}, { TOLLGATE_SWITCH_PORT: 'x' }, 'f'), {
    message: 'f: switch[1].port must be a whole number from 1 to 65535',
  })
})

t.test('the environment sets what FreeSWITCH asks', async t => {
  const env = {
    TOLLGATE_GATE_LISTEN: '127.0.0.1:8084',
    TOLLGATE_HTTP_LISTEN: '127.0.0.1:8085',
    TOLLGATE_HTTP_SECRET: 'sixteen-or-more-characters',
  }
  const file = { gate: { listen: '', appear_s: 30 }, freeswitch_http: { secret: 'another' } }
  t.match(checkConfig(file, env, 'f'), {
    gate: { port: 8084, appearS: 30 },
    freeswitchHttp: { port: 8085, secret: env.TOLLGATE_HTTP_SECRET },
  })
  t.strictSame(file.gate, { listen: '', appear_s: 30 }, 'what was read stays as it is')
  const empty = Object.fromEntries(Object.keys(env).map(name => [name, '']))
  t.match(checkConfig({}, empty, 'f'), { gate: null, freeswitchHttp: null })
  t.throws(() => checkConfig({}, { ...env, TOLLGATE_HTTP_SECRET: 'short' }, 'f'), {
    message: 'f: freeswitch_http.secret must have at least 16 characters',
  })
  t.throws(() => checkConfig({ gate: 7 }, env, 'f'), {
    message: 'f: gate must be written as [gate]',
  })
})

t.test('where the web is served', async t => {
  const usual = { host: '127.0.0.1', port: 8080, publicUrl: 'http://127.0.0.1:8080' }
  t.match(checkConfig({}, {}, 'f').web, { ...usual, trustedProxies: [] })
  t.equal(checkConfig({ web: { listen: '' } }, {}, 'f').web, null)
  t.equal(checkConfig({}, { TOLLGATE_WEB_LISTEN: '' }, 'f').web, null)
  const web = { public_url: 'https://tollgate.test/', trusted_proxies: ['::1', '10.0.0.0/8'] }
  const open = checkConfig({ web }, { TOLLGATE_WEB_LISTEN: '0.0.0.0:80' }, 'f')
  t.match(open.web, { host: '0.0.0.0', port: 80, publicUrl: 'https://tollgate.test' })
  t.notMatch(open.warnings.join(), 'web.listen', 'a proxy speaks https')
  const clear = checkConfig({ web: { listen: '0.0.0.0:80' } }, {}, 'f')
  t.equal(clear.web?.publicUrl, 'http://127.0.0.1:80', 'links lead somewhere')
  t.match(clear.warnings.join(), /web\.listen: .* reads passwords/)
})

t.test('what is wrong is said in a sentence', async t => {
  const wrong: readonly (readonly [string, string])[] = [
    ['chunk_s = 60', 'chunk_s is not a setting'],
    ['log_levle = "info"', 'log_levle is not a setting; did you mean log_level?'],
    ['[rules]\nchunk_secs = 1', 'rules.chunk_secs is not a setting; did you mean chunk_s?'],
    ['[[switch]]\npasword = "x"', 'switch[1].pasword is not a setting; did you mean password?'],
    ['[rules]\nchunk_s = "60"', 'rules.chunk_s must be a whole number from 2 to 86400'],
    ['[rules]\nchunk_s = 60.5', 'rules.chunk_s must be a whole number from 2 to 86400'],
    ['[rules]\nrounding = "away"', 'rules.rounding must be one of up, nearest, down'],
    ['[rules]\npartial_chunk = "yes"', 'rules.partial_chunk must be true or false'],
    ['[rules]\nlead_s = 60', 'rules.lead_s must be less than rules.chunk_s'],
    ['[rules]\nretry_s = 11', 'rules.retry_s must be at most rules.lead_s'],
    ['[rules]\ntimer_margin_s = 0', 'rules.timer_margin_s must be a whole number from 1 to 60'],
    [
      '[rules]\ncut_off_cause = "ALLOTED_TIMEOUT"',
      'rules.cut_off_cause must be a hangup cause of FreeSWITCH; did you mean ALLOTTED_TIMEOUT?',
    ],
    ['[rules]\nkill_cause = ""', 'rules.kill_cause must be a hangup cause of FreeSWITCH'],
    ['[rules]\nkill_cause = 16', 'rules.kill_cause must be a hangup cause of FreeSWITCH'],
    ['[rules]\nwarn_sound = "a b"', 'rules.warn_sound must be a file, a tone_stream://, or like'],
    ['[rules]\nwarn_sound = "say:"', 'rules.warn_sound must be a file'],
    ['[rules]\ncut_off_to = "a b c d"', 'rules.cut_off_to must be an extension, as in'],
    ['[rules]\nrefused_to = "x\\n\\napi shutdown"', 'rules.refused_to must be an extension'],
    ['[rules]\nwarn_sound = "a\\nb"', 'rules.warn_sound must be text of at most 1000 characters'],
    ['[web]\nlisten = "8080"', 'web.listen must be an address and a port'],
    ['[web]\npublic_url = "tollgate.test"', 'web.public_url must be like "https://'],
    ['[web]\npublic_url = "https://a.test/x"', 'web.public_url must be like'],
    ['[web]\ntrusted_proxies = ["all"]', 'web.trusted_proxies[1] must be an address'],
    ['[web]\ntrusted_proxies = "::1"', 'web.trusted_proxies must be a list of addresses'],
    ['log_level = "loud"', 'log_level must be one of fatal, error, warn'],
    ['rules = 5', 'rules must be written as [rules]'],
    ['switch = "fs1"', 'switch must be written as [[switch]]'],
    ['[[switch]]\nhost = ""', 'switch[1].host must not be empty'],
    ['[[switch]]\n[[switch]]', 'two switches are called freeswitch'],
    ['a = 1\nb = = 2', 'line 2 is not TOML'],
  ]
  const dir = t.testdir({})
  const file = join(dir, 'tollgate.toml')
  for (const [text, sentence] of wrong) {
    writeFileSync(file, text)
    t.throws(() => loadConfig(dir), { name: 'ConfigError', message: `${file}: ${sentence}` }, text)
  }
  t.throws(() => loadConfig(dir, {}, join(dir, 'none.toml')), {
    message: /none.toml cannot be read/,
  })

  writeFileSync(file, '[rules]\nchunk_s = 1\nadopt = 1\n')
  t.throws(() => loadConfig(dir), { message: /chunk_s must.*\n.*adopt must/ }, 'all of it at once')
})

t.test('where the data is', async t => {
  t.equal(dataDirectory(undefined, {}), './data')
  t.equal(dataDirectory(undefined, { TOLLGATE_DATA: '/srv/a' }), '/srv/a')
  t.equal(dataDirectory('/srv/b', { TOLLGATE_DATA: '/srv/a' }), '/srv/b')
})

t.test('the hangup causes', async t => {
  t.ok(HANGUP_CAUSES.includes('ALLOTTED_TIMEOUT'))
  t.notOk(HANGUP_CAUSES.includes('ALLOTED_TIMEOUT'))
  t.equal(new Set(HANGUP_CAUSES).size, HANGUP_CAUSES.length)
  for (const cause of HANGUP_CAUSES) t.match(cause, /^[A-Z][A-Z_]+$/)
})

t.test('did you mean', async t => {
  const words = ['password', 'port', 'host', 'name']
  t.equal(nearest('pasword', words), 'password')
  t.equal(nearest('Prot', words), 'port', 'two neighbours swapped are one slip')
  t.equal(nearest('hosts', words), 'host')
  t.equal(nearest('zebra', words), undefined)
  t.equal(nearest('x', words), undefined, 'a short word is like any other')
})

t.test('the gate and the lease', async t => {
  const gate = (table: Record<string, unknown>) => checkConfig({ gate: table }, {}, 'the file')
  t.match(gate({}), { gate: null, leaseS: null })
  t.match(gate({ listen: '127.0.0.1:8084', lease_s: 30 }), {
    gate: { host: '127.0.0.1', port: 8084, appearS: 60 },
    leaseS: 30,
  })
  t.match(gate({ listen: '[::1]:1', appear_s: 5 }).gate, { host: '::1', port: 1, appearS: 5 })
  const wrong: [Record<string, unknown>, string][] = [
    [{ listen: '8084' }, 'gate.listen must be an address and a port'],
    [{ listen: '127.0.0.1:65536' }, 'gate.listen must be an address and a port'],
    [{ listen: 8084 }, 'gate.listen must be an address and a port'],
    [{ lease_s: 2 }, 'gate.lease_s must be 0, for none, or at least 3'],
    [{ appear_s: 4 }, 'gate.appear_s must be a whole number from 5 to 3600'],
    [{ lisen: '' }, 'gate.lisen is not a setting; did you mean listen?'],
  ]
  for (const [table, sentence] of wrong) {
    t.throws(() => gate(table), { message: new RegExp(sentence.replace('?', '\\?')) }, sentence)
  }
  const warned = (listen: string) =>
    gate({ listen }).warnings.filter(w => w.includes('gate.listen'))
  for (const listen of ['', '127.0.0.1:1', '127.1.2.3:1', '[::1]:1', 'localhost:1']) {
    t.strictSame(warned(listen), [], listen)
  }
  for (const listen of ['0.0.0.0:1', '[::]:1', '10.0.0.1:1', 'localhost.example:1']) {
    t.match(warned(listen), [/can have credit held on any account/], listen)
  }
})
