/** Dockerfile and compose.yaml, as far as they can be checked without a container being run. */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parse } from 'yaml'
import { Cli } from '../../src/cli/command.js'
import { createProgram } from '../../src/cli/program.js'
import { checkConfig } from '../../src/config.js'
import { confText } from '../support/dialplan.js'

const ROOT = join(import.meta.dirname, '../..')
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8')

/** Instructions of a stage as `[word, rest]`, with continued lines joined. */
const stages = read('Dockerfile')
  .replace(/\\\n/g, ' ')
  .split('\n')
  .filter(line => /^[A-Z]+ /.test(line))
  .map(line => /^([A-Z]+) +(.*)$/.exec(line)!.slice(1) as [string, string])
  .reduce<[string, string][][]>((all, line) => {
    if (line[0] === 'FROM') all.push([])
    all.at(-1)!.push(line)
    return all
  }, [])

const [build, final] = stages as [[string, string][], [string, string][]]
const said = (stage: [string, string][], word: string) =>
  stage.filter(([first]) => first === word).map(([, rest]) => rest)

t.test('the image is built from what is there', async t => {
  t.equal(stages.length, 2)
  t.strictSame(said(build, 'FROM').concat(said(final, 'FROM')), [
    'node:24-bookworm AS build',
    'node:24-bookworm-slim',
  ])
  const ignored = read('.dockerignore').trim().split('\n')
  for (const copy of [...said(build, 'COPY'), ...said(final, 'COPY')]) {
    const sources = copy.split(' ').slice(0, -1)
    if (sources[0] === '--from=build') continue
    for (const source of sources) {
      t.ok(existsSync(join(ROOT, source)), source)
      t.notOk(ignored.includes(source), `${source} is not kept from the build`)
    }
  }
  t.ok(ignored.includes('.env'), 'secrets get into no image')
  const pack = JSON.parse(read('package.json'))
  for (const [, run] of build.filter(([word]) => word === 'RUN')) {
    for (const [, script] of run.matchAll(/npm run (\w+)/g)) t.ok(pack.scripts[script!], script!)
  }
})

t.test('it has what the package has', async t => {
  const listed = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: ROOT,
    encoding: 'utf8',
  })
  const [{ files }] = JSON.parse(listed)
  const packed: string[] = files.map(({ path }: { path: string }) => path)
  const copied = said(final, 'COPY').map(copy => copy.replace('--from=build /tollgate/', ''))
  for (const copy of copied) {
    const [source] = copy.split(' ') as [string]
    if (source === 'node_modules') continue
    t.ok(
      packed.some(file => file === source || file.startsWith(`${source}/`)),
      source,
    )
  }
  const migrations = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
    .filter(file => file.endsWith('.sql'))
    .map(file => `dist/${file}`)
  t.ok(migrations.length > 0)
  for (const file of [
    ...migrations,
    'bin/tollgate.js',
    'dist/cli/main.js',
    'freeswitch-conf/minimal/freeswitch.xml',
    'docs/freeswitch.md',
  ]) {
    t.ok(packed.includes(file), file)
  }
  t.notOk(packed.some(file => /^(test|src|data|\.env)/.test(file)))
})

t.test('it runs as nobody of importance, and says whether it is well', async t => {
  t.strictSame(said(final, 'USER'), ['node'])
  t.ok(final.findIndex(([word]) => word === 'USER') > final.findIndex(([word]) => word === 'RUN'))
  t.strictSame(said(final, 'VOLUME'), ['/data'])
  t.match(said(final, 'ENV')[0], /\bTOLLGATE_DATA=\/data\b/)
  t.match(said(final, 'RUN')[0], /install -d -o node -g node -m 0700 \/data/)
  const [, health] = / CMD (\[.*\])$/.exec(said(final, 'HEALTHCHECK')[0]!)!
  t.strictSame(JSON.parse(health!), ['tollgate', 'ping'])
  const { stdin, stdout, stderr } = process
  const program = createProgram(new Cli({ stdin, stdout, stderr, env: {} }))
  const known = program.commands.map(command => command.name())
  for (const command of ['ping', JSON.parse(said(final, 'CMD')[0]!)[0]]) {
    t.ok(known.includes(command), command)
  }
})

const compose = parse(read('compose.yaml'), { merge: true })
const example = read('.env.example')

/** Names in `.env.example`: those that have to be filled in, and those that may be. */
const needed = [...example.matchAll(/^(\w+)=$/gm)].map(([, name]) => name!)
const optional = [...example.matchAll(/^# (\w+)=/gm)].map(([, name]) => name!)

t.test('everything that can be set is in .env.example', async t => {
  const used = [...read('compose.yaml').matchAll(/\$\{(\w+)(:[?-])/g)]
  const must = new Set(used.filter(([, , sign]) => sign === ':?').map(([, name]) => name!))
  const may = new Set(used.filter(([, , sign]) => sign === ':-').map(([, name]) => name!))
  t.strictSame([...must].sort(), needed.sort())
  t.strictSame([...may].sort(), optional.sort())
  t.match(read('.gitignore'), /^\.env$/m)
})

t.test('both live in one network, of which nothing is public but SIP and voice', async t => {
  const { network, tollgate, freeswitch } = compose.services
  for (const service of [tollgate, freeswitch]) {
    t.equal(service.network_mode, 'service:network')
    t.notOk(service.ports)
  }
  t.strictSame(network.healthcheck, { disable: true }, 'the image would ask for a daemon')
  const published: string[] = network.ports.map((port: string) => filled(port))
  t.strictSame(published, [
    '5060:5060/udp',
    '5060:5060/tcp',
    '5080:5080/udp',
    '5080:5080/tcp',
    '16384-16583:16384-16583/udp',
    '127.0.0.1:8080:8080',
  ])
  for (const { volumes = [] } of [network, tollgate, freeswitch]) {
    for (const volume of volumes as string[]) {
      const [from] = volume.split(':') as [string]
      t.ok(from.startsWith('./') ? existsSync(join(ROOT, from)) : from in compose.volumes, volume)
    }
  }
})

/** With the defaults that compose.yaml gives, and `x` where there is none. */
function filled(text: string): string {
  return text.replace(/\$\{\w+:([?-])([^}]*)\}/g, (_, sign, value) => (sign === '-' ? value : 'x'))
}

t.test('they find each other', async t => {
  const { tollgate, freeswitch } = compose.services
  const secret = 'sixteen-or-more-characters'
  const env = { ...tollgate.environment, TOLLGATE_HTTP_SECRET: secret }
  t.match(checkConfig({}, env, 'f'), {
    gate: { host: '127.0.0.1', port: 8084 },
    freeswitchHttp: { host: '127.0.0.1', port: 8085, secret },
    switches: [{ host: '127.0.0.1', port: 8021 }],
  })
  for (const name of ['TOLLGATE_SWITCH_PASSWORD', 'TOLLGATE_HTTP_SECRET']) {
    t.equal(freeswitch.environment[name], tollgate.environment[name], name)
  }
  const vars = confText('minimal/vars.xml')
  const read = [...vars.matchAll(/=\$(\w+)"/g)].map(([, name]) => name!)
  const given = Object.keys(freeswitch.environment)
  t.strictSame(
    given.filter(name => !read.includes(name)),
    [],
  )
  // In a container they are what FreeSWITCH takes them for.
  const left = ['SIP_ADDRESS', 'TOLLGATE_SWITCH_PORT']
  t.strictSame(read.filter(name => !given.includes(name)).sort(), left)
  // A variable that is set to nothing is set nevertheless, to FreeSWITCH.
  for (const [name, value] of Object.entries<string>(freeswitch.environment)) {
    t.notMatch(value, /:-\}$/, name)
  }
  const command: string[] = freeswitch.command
  const conf = command[command.indexOf('-conf') + 1]!
  t.equal(conf, '/etc/tollgate/minimal')
  t.ok(freeswitch.volumes.includes('./freeswitch-conf:/etc/tollgate:ro'))
  const log = command[command.indexOf('-log') + 1]
  for (const service of [freeswitch, tollgate]) t.ok(service.volumes.includes(`log:${log}`))
})
