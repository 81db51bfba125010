/**
 * The configuration that is shipped for FreeSWITCH: that it is XML as FreeSWITCH reads it, that what
 * has to be the same in two places is, and that nobody can be reached, or dial, who should not.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { XmlElement } from '@rgrove/parse-xml'
import t from 'tap'
import { addressOf, isLoopback } from '../../src/address.js'
import { EXTENSION, isSound } from '../../src/announcements.js'
import { checkConfig } from '../../src/config.js'
import { CDR_PATH } from '../../src/freeswitch-http/cdr.js'
import { DIRECTORY_PATH } from '../../src/freeswitch-http/directory.js'
import { USER } from '../../src/freeswitch-http/doorkeeper.js'
import { LEASE } from '../../src/gate/lease.js'
import { variablesOf } from '../../src/gate/verdict.js'
import { HANGUP_CAUSES } from '../../src/hangup-causes.js'
import {
  CONF,
  CONF_FILES,
  confText,
  confXml,
  elements,
  everywhere,
  extensionsOf,
} from '../support/dialplan.js'

const DOCS = join(import.meta.dirname, '../../docs')
const EXAMPLE = readFileSync(join(DOCS, 'tollgate.toml'), 'utf8')

/** What the example says beside `section`'s `listen`, in a comment: nothing is listened on by default. */
function exampleOf(section: string): string {
  return new RegExp(`^\\[${section}\\][^[]*?^listen = "" +# "([^"]+)"`, 'm').exec(EXAMPLE)![1]!
}

const GATE = exampleOf('gate')
const HTTP = exampleOf('freeswitch_http')

const DEFAULTS = checkConfig({}, {}, 'none')

/** `name` and `value` of every param below an element. */
const params = (element: XmlElement) =>
  Object.fromEntries(
    everywhere(element, 'param').map(({ attributes }) => [
      attributes['name']!,
      attributes['value']!,
    ]),
  )

/** A configuration by its name; that of a fragment is its whole file. */
function configuration(file: string, name: string): XmlElement {
  const found = everywhere(confXml(file), 'configuration')
  return found.find(({ attributes }) => attributes['name'] === `${name}.conf`)!
}

/** `[cmd, data]` of every X-PRE-PROCESS, in order. */
const preprocessed = (file: string) =>
  everywhere(confXml(file), 'X-PRE-PROCESS').map(({ attributes }) => [
    attributes['cmd']!,
    attributes['data']!,
  ])

t.test('every file is as FreeSWITCH reads it', async t => {
  t.ok(CONF_FILES.length >= 10)
  for (const file of CONF_FILES) {
    const text = confText(file)
    t.doesNotThrow(() => confXml(file), file)
    // FreeSWITCH carries these out line by line before it knows what a comment is.
    const inComments = [...text.matchAll(/<!--[\s\S]*?-->/g)].map(String).join('\n')
    t.notMatch(inComments, /<X-PRE-PROCESS|\$\$\{|<!--#/i, file)
    for (const line of text.split('\n').filter(each => each.includes('<X-PRE-PROCESS'))) {
      t.match(line, /^ *<X-PRE-PROCESS cmd="[\w-]+" data="[^"]+"\/>$/, 'one in a line')
    }
    // A line with such a tag is left out, with all that is on it.
    for (const line of text.split('\n').filter(each => /<\/?include>|<\?/.test(each))) {
      t.match(line, /^(<\/?include>|<\?xml version="1\.0"\?>)$/, file)
    }
    for (const [cmd, data] of preprocessed(file)) {
      if (cmd !== 'include') continue
      const [folder] = data!.split('*')
      if (folder === 'directory/') continue
      t.ok(existsSync(join(CONF, file, '..', data!)), `${file} includes ${data}`)
    }
  }
})

const VARS = new Map<string, string>()
for (const [cmd, data] of preprocessed('minimal/vars.xml')) {
  const [name, value] = data!.split('=') as [string, string]
  if (cmd === 'set') VARS.set(name, value)
}

/** The value as FreeSWITCH has it where the environment sets nothing. */
function expanded(value: string): string {
  return value.replace(/\$\$\{(\w+)\}/g, (_, name: string) => expanded(VARS.get(name) ?? name))
}

/** By the environment: what it sets, and in which variable. */
const FROM_ENV = new Map(
  preprocessed('minimal/vars.xml')
    .filter(([cmd]) => cmd === 'env-set')
    .map(([, data]) => data!.split('=$').reverse() as [string, string]),
)

t.test(
  'every variable has a value before it is used, and the environment may change it',
  async t => {
    const given = ['local_ip_v4']
    const [first] = preprocessed('minimal/freeswitch.xml')
    t.strictSame(first, ['include', 'vars.xml'], 'before all that uses them')
    const known = new Set(given)
    for (const [cmd, data] of preprocessed('minimal/vars.xml')) {
      const [name, value] = data!.split('=') as [string, string]
      for (const [, used] of value.matchAll(/\$\$\{(\w+)\}/g))
        t.ok(known.has(used!), `${used} is set`)
      if (cmd === 'set') known.add(name)
      else t.ok(known.has(name), `${name} has a value where the environment has none`)
    }
    t.strictSame([...FROM_ENV.values()].sort(), [...VARS.keys()].sort())
    for (const file of CONF_FILES) {
      for (const [, name] of confText(file).matchAll(/\$\$\{(\w+)\}/g)) {
        t.ok(known.has(name!), `${file}: ${name}`)
      }
    }
  },
)

const EVENT_SOCKETS = ['event_socket.conf.xml', 'minimal/configuration.xml']

t.test('the event socket is there for this machine alone, where Tollgate looks for it', async t => {
  for (const file of EVENT_SOCKETS) {
    const socket = params(configuration(file, 'event_socket'))
    t.equal(socket['listen-ip'], '127.0.0.1')
    t.equal(socket['apply-inbound-acl'], 'loopback.auto')
    t.equal(Number(expanded(socket['listen-port']!)), DEFAULTS.switches[0]!.port)
    t.not(expanded(socket['password']!), DEFAULTS.switches[0]!.password, 'everybody knows that one')
  }
  const heartbeat = params(configuration('minimal/configuration.xml', 'switch'))
  t.equal(Number(heartbeat['event-heartbeat-interval']), DEFAULTS.switches[0]!.heartbeatS)
})

t.test('addresses, paths and secrets are those of Tollgate', async t => {
  t.ok(isLoopback(addressOf(GATE)!.host) && isLoopback(addressOf(HTTP)!.host))
  const secrets = new Set<string>()
  for (const [curl, cdr] of [
    ['xml_curl.conf.xml', 'json_cdr.conf.xml'],
    ['minimal/configuration.xml', 'minimal/configuration.xml'],
  ] as const) {
    const asking = params(configuration(curl, 'xml_curl'))
    t.equal(asking['gateway-url'], `http://${HTTP}${DIRECTORY_PATH}`)
    const telling = params(configuration(cdr, 'json_cdr'))
    t.equal(telling['url'], `http://${HTTP}${CDR_PATH}`)
    for (const shown of [asking['gateway-credentials'], telling['cred']]) {
      const [user, secret] = expanded(shown!).split(':')
      t.equal(user, USER)
      secrets.add(secret!)
    }
    t.equal(telling['log-b-leg'], 'true', 'the legs that pay')
    t.equal(telling['retries'], '0', 'a leg would wait for them')
    const [bound] = everywhere(configuration(curl, 'xml_curl'), 'param')
    t.equal(bound!.attributes['bindings'], 'directory', 'and nothing else')
  }
  const [secret, ...more] = secrets
  t.strictSame(more, [], 'one secret for both')
  const http = { listen: HTTP, secret }
  t.doesNotThrow(() => checkConfig({ freeswitch_http: http }, {}, 'f'), 'which Tollgate takes')
  const sockets = CONF_FILES.flatMap(file => [...confText(file).matchAll(/"socket" data="(\S+) /g)])
  t.equal(sockets.length, 4)
  t.ok(sockets.every(([, address]) => address === GATE))
})

t.test('the minimal configuration says what the fragments say', async t => {
  for (const name of ['event_socket', 'xml_curl', 'json_cdr']) {
    const fragment = params(configuration(`${name}.conf.xml`, name))
    const minimal = params(configuration('minimal/configuration.xml', name))
    const plain = Object.fromEntries(
      Object.entries(minimal).map(([key, value]) => [key, expanded(value)]),
    )
    t.strictSame(plain, fragment, name)
  }
})

const CONTEXTS = new Map(
  ['minimal/dialplan.xml', 'dialplan-gate.xml'].flatMap(file =>
    everywhere(confXml(file), 'context').map(
      context => [context.attributes['name']!, extensionsOf(context)] as const,
    ),
  ),
)

const actionsOf = (context: string) => CONTEXTS.get(context)!.flatMap(({ actions }) => actions)

/** What `extension XML context` reaches. */
function reached(target: string) {
  const [extension, , context] = target.split(' ') as [string, string, string]
  return (CONTEXTS.get(context) ?? []).filter(({ expression }) => expression.test(extension))
}

t.test('the ways to say who pays are the same in both dialplans', async t => {
  const fragments = extensionsOf(confXml('dialplan-tollgate.xml'))
  t.strictSame(
    fragments.map(({ name }) => name.replace('tollgate-', '')),
    ['dial-string', 'export', 'set', 'fail-open'],
  )
  for (const name of ['dial-string', 'export', 'set']) {
    const fragment = fragments.find(each => each.name === `tollgate-${name}`)!
    const minimal = CONTEXTS.get('default')!.find(each => each.name === name)!
    const theirs = fragment.actions.map(action => action.replace('ALICE', `\${ac}`))
    t.strictSame(minimal.actions, theirs, name)
  }
  const open = fragments.find(({ name }) => name === 'tollgate-fail-open')!
  t.match(open.actions.at(-1), /execute_on_answer='sched_hangup \+300 ALLOTTED_TIMEOUT'/)
  for (const number of ['442079460000', '*2442079460000', '*3442079460000', '*5442079460000']) {
    t.equal(fragments.filter(({ expression }) => expression.test(number)).length, 1, number)
  }
  const paying = actionsOf('default').filter(action => /sofia\/gateway/.test(action))
  t.equal(paying.length, 4)
})

t.test('strangers reach users, and nobody else', async t => {
  const profiles = everywhere(confXml('minimal/sofia.xml'), 'profile').map(profile => {
    const [settings] = elements(profile, 'settings')
    return { name: profile.attributes['name'], ...params(settings!) } as Record<string, string>
  })
  t.match(profiles, [
    { name: 'phones', context: 'public', 'auth-calls': 'true', 'accept-blind-reg': 'false' },
    { name: 'carriers', context: 'public', 'auth-calls': 'false', 'apply-inbound-acl': 'carriers' },
  ])
  for (const profile of profiles) {
    t.not(profile['context'], 'tollgate', 'whoever could dial "allow" would need no credit')
    t.equal(profile['rtp-timer-name'], 'soft', 'a leg notices at once that it was hung up')
  }
  const [phones] = profiles
  for (const name of ['challenge-realm', 'force-register-domain', 'force-register-db-domain']) {
    t.equal(phones![name], `$\${domain}`, 'as it is in the hash of the password')
  }
  const [list] = everywhere(configuration('minimal/configuration.xml', 'acl'), 'list')
  t.match(list!.attributes, { name: 'carriers', default: 'deny' })
  const bridges = actionsOf('public').filter(action => !action.startsWith('set '))
  t.strictSame(bridges, [`bridge user/$1@$\${domain}`])
  for (const number of ['442079460000', 'allow', 'gate', 'no_credit', '*1442079460000']) {
    t.strictSame(reached(`${number} XML public`), [], number)
  }
  t.ok(CONTEXTS.has(DEFAULTS.directory.context), 'where the calls of SIP accounts begin')
  for (const number of ['allow', 'down', 'fail-open-down', 'lease', '123', '']) {
    const found = reached(`${number} XML default`)
    t.ok(
      found.every(({ name }) => name === 'users'),
      number,
    )
  }
})

t.test('what is named is there', async t => {
  const targets = [...CONTEXTS.values()].flatMap(extensions =>
    extensions.flatMap(({ actions }) =>
      actions.flatMap(
        action => /^(?:execute_extension|sched_transfer \+\d+) ?(.*)$/.exec(action)?.[1] ?? [],
      ),
    ),
  )
  t.ok(targets.length >= 8)
  for (const target of targets) {
    for (const result of ['allow', 'deny', 'down']) {
      const filled = target.replace(`\${tollgate_result}`, result).replace('$1', result)
      if (target.includes('$1') && result === 'down') continue
      t.equal(reached(filled).length, 1, filled)
    }
  }
  const [, named] = /^refused_to = "" +# .* as in "([^"]+)"/m.exec(EXAMPLE)!
  t.match(named, EXTENSION)
  t.equal(reached(named!).length, 1, 'where the example sends callers without credit')
  const everything = CONF_FILES.map(confText).join('\n')
  const causes = everything.matchAll(
    /(?:"hangup" data="|sched_hangup \+\S+ |"\+\d+ |error\/)([A-Z_]{5,})/g,
  )
  for (const [, cause] of causes) t.ok(HANGUP_CAUSES.includes(cause!), String(cause))
  for (const [, sound] of everything.matchAll(/"playback" data="([^"]+)"/g)) t.ok(isSound(sound!))
  const asked = { allow: true, legs: [null, null] } as const
  const set = [...variablesOf(asked, 2).keys(), LEASE]
  const read = ['tollgate_account', 'tollgate_number', 'tollgate_alternatives', 'tollgate_secret']
  for (const [name] of everything.matchAll(/\btollgate_\w+/g)) {
    t.ok([...set, ...read].includes(name), name)
  }
  const loaded = everywhere(confXml('minimal/configuration.xml'), 'load').map(
    ({ attributes }) => attributes['module'],
  )
  t.ok(loaded.indexOf('mod_xml_curl') < loaded.indexOf('mod_sofia'), 'users are there first')
})

const readDoc = (name: string) => readFileSync(join(DOCS, name), 'utf8')

/** As the anchors of headings are made. */
const slug = (heading: string) =>
  heading
    .toLowerCase()
    .replace(/[^\w\- ]/g, '')
    .replaceAll(' ', '-')

t.test('what the documents point at is there', async t => {
  const docs = readdirSync(DOCS).filter(file => file.endsWith('.md'))
  for (const file of [...docs, '../README.md']) {
    for (const [, link] of readDoc(file).matchAll(/\]\((?!https?:)([^)\s]+)\)/g)) {
      const [path, anchor] = link!.split('#') as [string, string?]
      const target = path === '' ? file : join(file, '..', path)
      t.ok(existsSync(join(DOCS, target)), `${file}: ${link}`)
      if (anchor === undefined) continue
      const headings = [...readDoc(target).matchAll(/^#+ (.*)$/gm)].map(([, text]) => slug(text!))
      t.ok(headings.includes(anchor), `${file}: ${link}`)
    }
  }
  const explained = readDoc('freeswitch.md')
  for (const file of CONF_FILES) {
    t.ok(explained.includes(file.replace('minimal/', '')), `${file} is explained`)
  }
})

/** Names in the documents that are not settings: FreeSWITCH's own, and reasons of the gate. */
const FREESWITCH_WORDS = `
  mod_event_socket mod_xml_curl mod_json_cdr mod_sofia mod_say_en autoload_configs event_socket xml_curl json_cdr
  ac_leg ac_number origination_uuid execute_on_answer sched_hangup enable_heartbeat_events uuid_displace pre_answer
  alloted_timeout export_vars xml_flush_cache user_exists user_data user_context effective_caller_id_name dial_string
  fs_cli no_credit tone_stream socket_resume sched_transfer execute_extension
  no_account switch_unknown ledger_unavailable`
  .trim()
  .split(/\s+/)

t.test('what the documents name exists', async t => {
  const settings = [...EXAMPLE.matchAll(/^\[{0,2}(\w+)/gm)].map(([, name]) => name!)
  const variables = [...variablesOf({ allow: true, legs: [] }, 2).keys()]
  const asked = ['tollgate_account', 'tollgate_number', 'tollgate_alternatives']
  const known = new Set([...FREESWITCH_WORDS, ...settings, ...variables, ...asked, LEASE])
  for (const file of ['freeswitch.md', 'sip-accounts.md', 'gate.md']) {
    for (const [, quoted] of readDoc(file).matchAll(/`([^`\n]+)`/g)) {
      for (const [word] of quoted!.matchAll(/\b[a-z]+(_[a-z0-9]+)+\b/g)) {
        t.ok(known.has(word), `${file}: ${word}`)
      }
      for (const [cause] of quoted!.matchAll(/\b[A-Z]+(_[A-Z]+)+\b/g)) {
        if (!cause.startsWith('CHANNEL_') && !/^(TOLLGATE|SIP|HANGUP)_/.test(cause)) {
          t.ok(HANGUP_CAUSES.includes(cause), `${file}: ${cause}`)
        }
      }
    }
  }
})
