/** Checks the shape of the code itself: who may import whom, and how long things may get. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { basename, dirname, join, normalize } from 'node:path'
import t from 'tap'
import ts from 'typescript'
import { MUTANTS } from './mutants/mutants.js'

const SRC = join(import.meta.dirname, '../src')

const FILE_LINES_MAX = 400
const FUNCTION_LINES_MAX = 60

const NODE = 'node:*'

/** Each part of src, and what it may import besides itself. Read it top-down: core first. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  money: [],
  'local-time': [],
  address: [],
  rating: ['money', 'local-time'],
  call: ['money', 'rating', 'node:assert'],
  ledger: ['money', 'rating', 'call'],
  announcements: [],
  switch: ['announcements', 'call', 'modesl', 'pino', NODE],
  controller: [
    'announcements',
    'money',
    'rating',
    'call',
    'ledger',
    'switch',
    'pino',
    'node:timers',
  ],
  gate: ['money', 'rating', 'call', 'ledger', 'switch', 'controller', 'pino', NODE],
  'cdr-repair': ['money', 'rating', 'call', 'ledger', 'switch', 'controller', 'pino'],
  doctor: ['address', 'config', 'switch', 'gate', NODE],
  replay: ['call', 'ledger', 'rating', 'switch', 'controller', 'pino', 'node:stream'],
  sqlite: ['money', 'local-time', 'rating', 'call', 'ledger', 'access', 'better-sqlite3', NODE],
  'directory-xml': ['xmlbuilder'],
  provisioning: [
    ...['money', 'local-time', 'rating', 'call', 'ledger', 'access', 'directory-xml', 'once'],
    ...['zod', 'csv-parse', 'csv-stringify', NODE],
  ],
  http: ['ledger', 'provisioning', 'fastify', 'pino', NODE],
  'freeswitch-http': ['ledger', 'switch', 'directory-xml', 'fastify', 'pino', NODE],
  simulator: [NODE],
  access: ['ledger', 'node:crypto'],
  web: [
    ...['access', 'money', 'ledger', 'call', 'rating', 'provisioning', 'http'],
    ...['fastify', '@fastify/cookie', '@fastify/formbody', '@fastify/helmet'],
    ...['@fastify/rate-limit', '@fastify/static', 'eta', 'zod', 'pino', NODE],
  ],
  spelling: [],
  'hangup-causes': [],
  'config-folder': [],
  once: [],
  'config-sentences': ['spelling', 'zod'],
  'config-environment': ['config-sentences', 'config-web'],
  'config-web': ['address', 'zod', 'node:net'],
  config: [
    'address',
    'announcements',
    'call',
    'local-time',
    'config-sentences',
    'config-environment',
    'config-web',
    'spelling',
    'hangup-causes',
    'smol-toml',
    'zod',
    NODE,
  ],
}

/** These put the parts together, and may know them all. */
const COMPOSITION = [
  'daemon',
  'demo',
  'simulation',
  'cli',
  'reading-beside',
  'web-access',
  'web-service',
]

/** The core: no clock, no chance, no environment, no log. */
const PURE = ['money', 'local-time', 'rating', 'call']
const IMPURE =
  /\b(Date\.now|new Date\(\)|Math\.random|performance|setTimeout|setInterval|process\.)/

/** Only these files may name a package: what it does wrong is dealt with in one place. */
const ONLY_IN: Record<string, (file: string) => boolean> = {
  modesl: file => file === 'switch/connection.ts',
  'better-sqlite3': file => file.startsWith('sqlite/'),
  fastify: file => /^(http|web)\//.test(file) || file === 'freeswitch-http/server.ts',
  xmlbuilder: file => file === 'directory-xml.ts',
  commander: file => file.startsWith('cli/'),
}

const BANNED_NAMES =
  /(^|-)(managers?|handlers?|processors?|helpers?|utils?|data|info|obj|temp)(-|\.|$)/
const BANNED_FOLDERS = ['utils', 'services', 'models', 'types', 'lib', 'common']

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter(f => f.endsWith('.ts'))
const partOf = (file: string) => file.split('/')[0]!.replace(/\.[jt]s$/, '')

/** The part that an import reaches, or the package that it names. */
function target(file: string, specifier: string): string {
  if (specifier.startsWith('.')) return partOf(normalize(join(dirname(file), specifier)))
  const name = specifier
    .replace(/^node:/, '')
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
  return builtinModules.includes(name) ? `node:${name}` : name
}

function mayImport(file: string, to: string): boolean {
  const part = partOf(file)
  if (to === part) return true
  if (ONLY_IN[to]) return ONLY_IN[to](file)
  if (COMPOSITION.includes(part)) return true
  const allowed = MAY_IMPORT[part] ?? []
  return allowed.includes(to) || (to.startsWith('node:') && allowed.includes(NODE))
}

/** All offences of a file, in words. */
function offences(file: string, text: string): string[] {
  const found: string[] = []
  const part = partOf(file)
  if (text.split('\n').length > FILE_LINES_MAX + 1) found.push(`over ${FILE_LINES_MAX} lines`)
  if (PURE.includes(part) && IMPURE.test(text)) found.push(`${part} must be pure`)
  if (BANNED_NAMES.test(basename(file))) found.push('a name that says nothing')
  if (
    dirname(file)
      .split('/')
      .some(folder => BANNED_FOLDERS.includes(folder))
  ) {
    found.push('a folder named for a kind of thing')
  }
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.ES2022, true)
  const line = (at: number) => source.getLineAndCharacterOfPosition(at).line
  const visit = (node: ts.Node): void => {
    const named = ts.isImportDeclaration(node) || ts.isExportDeclaration(node)
    if (named && node.moduleSpecifier && ts.isStringLiteral(node.moduleSpecifier)) {
      const to = target(file, node.moduleSpecifier.text)
      if (!mayImport(file, to)) found.push(`${part} must not import ${to}`)
    }
    if (ts.isExportDeclaration(node) && node.moduleSpecifier) found.push('a barrel')
    if (ts.isFunctionLike(node) && line(node.end) - line(node.getStart()) >= FUNCTION_LINES_MAX) {
      found.push(
        `line ${line(node.getStart()) + 1}: a function of over ${FUNCTION_LINES_MAX} lines`,
      )
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}

for (const file of files) {
  t.strictSame(offences(file, readFileSync(join(SRC, file), 'utf8')), [], file)
}

t.test('the check itself finds what it is for', async t => {
  const long = (n: number) => Array.from({ length: n }, (_, i) => `const x${i} = ${i}`).join('\n')
  const shown: [string, string, string][] = [
    ['call/step.ts', "import pino from 'pino'", 'call must not import pino'],
    ['money.ts', "import { x } from './sqlite/ledger.js'", 'money must not import sqlite'],
    ['sqlite/ledger.ts', "import { x } from '../postgres/y.js'", 'sqlite must not import postgres'],
    ['cli/main.ts', "import esl from 'modesl'", 'cli must not import modesl'],
    ['call/step.ts', 'const now = Date.now()', 'call must be pure'],
    ['rating/rate.ts', "export * from './number.js'", 'a barrel'],
    ['http/file-utils.ts', '', 'a name that says nothing'],
    ['types/x.ts', '', 'a folder named for a kind of thing'],
    ['call/x.ts', long(FILE_LINES_MAX + 2), 'over 400 lines'],
    ['call/x.ts', `function f() {\n${long(60)}\n}`, 'line 1: a function of over 60 lines'],
  ]
  for (const [file, text, offence] of shown) t.ok(offences(file, text).includes(offence), offence)
})

t.test('a quick command reads no code that it has no need of', async t => {
  // What `account show` imports statically. It is waited for, whatever the command does.
  const read = new Set<string>()
  const follow = (file: string): void => {
    if (read.has(file)) return
    read.add(file)
    const text = readFileSync(join(SRC, file), 'utf8')
    for (const [, specifier] of text.matchAll(/^import (?!type )[^']*'([^']+)'/gm)) {
      if (!specifier!.startsWith('.')) read.add(target(file, specifier!))
      else follow(normalize(join(dirname(file), specifier!)).replace(/\.js$/, '.ts'))
    }
  }
  for (const file of ['main', 'account', 'session', 'own-ledger']) follow(`cli/${file}.ts`)
  t.ok(read.has('sqlite/accounts.ts') && read.has('zod'), 'they are followed')
  for (const slow of ['config.ts', 'xmlbuilder', 'csv-stringify', 'node:http', 'smol-toml']) {
    t.notOk(read.has(slow), slow)
  }
  for (const part of ['rating', 'cdr-repair', 'controller', 'switch', 'access']) {
    const files = [...read].filter(file => partOf(file) === part)
    t.ok(files.length < 5, `${part}: ${files.join(', ')}`)
  }
})

t.test('every part has its line in the table', async t => {
  const known = [...Object.keys(MAY_IMPORT), ...COMPOSITION]
  t.strictSame(
    [...new Set(files.map(partOf))].filter(part => !known.includes(part)),
    [],
  )
})

t.test('every planted bug fits the code that it is for', async t => {
  const places = (file: string, find: string) =>
    readFileSync(join(SRC, file), 'utf8').split(find).length - 1
  for (const { bug, file, find, tests } of MUTANTS) {
    t.equal(places(file, find), 1, `${file}: ${bug}`)
    for (const test of tests) t.ok(existsSync(join(import.meta.dirname, test)), test)
  }
})
