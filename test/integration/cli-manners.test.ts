/** How the command line behaves to people: it asks, suggests, explains and completes. */
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { basename, delimiter, dirname, join } from 'node:path'
import { PassThrough } from 'node:stream'
import type { Command } from 'commander'
import pino from 'pino'
import t, { type Test } from 'tap'
import { Cli } from '../../src/cli/command.js'
import { createProgram, loadNoun } from '../../src/cli/program.js'
import { startApi } from '../../src/http/server.js'
import { hold, openBooks, SaidToBeLive } from '../support/books.js'
import { type Setting, shortDir, tollgate, words } from '../support/command-line.js'

const silent = pino({ level: 'silent' })

const DECK = `prefix,description,per_minute,setup,minimum,increment
44,United Kingdom,0.020000,0.000000,60,60
4420,London,0.020000,0.000000,60,60
33,France,0.050000,0.002000,1,1
`

/** Books with a plan, two rates and an account; and nobody who has them open. */
async function withBooks(t: Test) {
  const dir = shortDir(t)
  const type = async (line: string, input = '') => {
    const ran = await tollgate(dir, words(line), { input })
    t.equal(ran.code, 0, ran.err)
  }
  await type('plan create retail')
  await type('rate import - --plan retail', DECK)
  await type('account create ALICE --plan retail --credit 5')
  await type('plan create spare')
  await type('rate add 1 --plan spare --per-minute 1')
  return dir
}

/** What destroys, what it asks, and how to see that nothing has happened. */
const DESTROYS: readonly (readonly [line: string, question: string, look: string])[] = [
  ['plan delete spare', 'Delete the plan spare with its 1 rate?', 'plan list'],
  [
    'rate delete 4420 --plan retail',
    'Delete the rate 4420 (London) of the plan retail?',
    'rate list --plan retail',
  ],
  [
    'rate import FILE --plan retail --replace',
    'Replace the 2 rates of the plan retail by those of FILE?',
    'rate list --plan retail',
  ],
  [
    'account close ALICE',
    'Close the account ALICE, with a balance of 5.000000, to new calls?',
    'account list',
  ],
]

t.test('what destroys is asked for first', async t => {
  const dir = await withBooks(t)
  const file = join(dir, 'deck.csv')
  writeFileSync(file, DECK.slice(0, DECK.indexOf('4420')))
  for (const [line, asked, look] of DESTROYS) {
    const args = words(line).map(word => (word === 'FILE' ? file : word))
    const question = asked.replace('FILE', file)
    const before = await tollgate(dir, words(look))

    const refusal = `${question} There is no terminal to ask on: say so with --yes`
    const refused = await tollgate(dir, args, { input: 'y\n' })
    t.strictSame(refused, { code: 1, out: '', err: `error: ${refusal}\n` }, line)
    const json = await tollgate(dir, [...args, '--json'], { input: 'y\n' })
    t.strictSame(JSON.parse(json.err), { code: 'not_confirmed', detail: refusal })
    for (const stream of ['stdin', 'stdout'] as const) {
      const half = await tollgate(dir, args, { input: 'y\n', columns: 80, piped: [stream] })
      t.match(half, { code: 1, err: /There is no terminal/ }, `${stream} is a pipe`)
    }
    for (const input of ['n\n', '\n', 'yesterday\n', 'no, y\n', '', 'x\ny\n']) {
      const ran = await tollgate(dir, args, { input, columns: 80, env: { NO_COLOR: '1' } })
      t.match(ran, { code: 1, err: 'error: Nothing was changed\n' }, JSON.stringify(input))
      t.ok(ran.out.startsWith(`${question} [y/N] `), ran.out)
    }
    t.strictSame(await tollgate(dir, words(look)), before, 'nothing has changed')

    const [input, more] = line.startsWith('plan') ? ['', ['--yes']] : [' Yes \n', []]
    const setting = { input, columns: 80, piped: ['stderr'] } as const
    const done = await tollgate(dir, [...args, ...more], setting)
    t.match(done, { code: 0, err: '' }, line)
    t.equal(done.out.includes('[y/N]'), more.length === 0, 'asks, or does not')
    t.notSame(await tollgate(dir, words(look)), before, 'now it has')
  }
  const unknown = await tollgate(dir, words('plan delete nowhere'), { columns: 80 })
  t.match(unknown, { code: 1, out: '', err: /There is no plan nowhere/ }, 'nothing to ask')
  const missing = await tollgate(dir, words('rate delete 7 --plan retail'))
  t.match(missing, { code: 1, out: '', err: /has no rate for exactly prefix 7/ })
  const empty = await tollgate(dir, words('plan create empty'))
  t.equal(empty.code, 0)
  const into = await tollgate(dir, words('rate import - --plan empty --replace'), { input: DECK })
  t.match(into, { code: 0, err: '' }, 'where there is nothing to lose, nothing is asked')
})

t.test('while a person thinks, nobody is kept waiting', async t => {
  const dir = await withBooks(t)
  const stdin = Object.assign(new PassThrough(), { isTTY: true })
  const stdout = Object.assign(new PassThrough(), { isTTY: true, columns: 80 })
  const cli = new Cli({ stdin, stdout, stderr: new PassThrough(), env: { TOLLGATE_DATA: dir } })
  const asked = new Promise(resolve => stdout.once('data', resolve))
  const closing = createProgram(cli).parseAsync(['account', 'close', 'ALICE'], { from: 'user' })
  t.match(String(await asked), /Close the account ALICE.*\[y\/N\] $/)
  const books = openBooks(dir)
  await books.provisioning.topUp({ code: 'ALICE', amount: '1', reference: 'r', actor: 'test' })
  books.close()
  stdin.write('y\n')
  await closing
  const { out } = await tollgate(dir, words('account show ALICE --json'))
  t.match(JSON.parse(out), { state: 'closed', balance: '6.000000' })
})

t.test('a live call is named before it is ended', async t => {
  const dir = shortDir(t)
  const live = new SaidToBeLive()
  const books = openBooks(dir, live)
  const api = await startApi({ dataDir: dir, provisioning: books.provisioning, log: silent })
  t.teardown(() => books.close())
  t.teardown(() => api.close())
  live.calls.push({
    callId: 'leg-2',
    account: 'ALICE',
    number: '442079460000',
    switch: 'fs1',
    state: 'answered',
    seconds: 12,
    cost: 600_000n,
    held: 600_000n,
    fundedUntil: null,
    final: true,
  })
  const kill = (id: string) => tollgate(dir, words(`call kill ${id}`))
  t.match(await kill('leg-2'), { code: 1, err: /End the call of ALICE to 442079460000\?/ })
  t.match(await kill('leg-3'), { code: 1, err: /There is no live call/ })
  t.notOk(live.told.includes('kill leg-2'))
  t.match(await tollgate(dir, words('call kill leg-2'), { input: 'y\n', columns: 80 }), { code: 0 })
  t.ok(live.told.includes('kill leg-2'))
})

t.test('did you mean', async t => {
  const dir = await withBooks(t)
  const says = async (line: string, err: string) => {
    t.strictSame(await tollgate(dir, words(line)), { code: 1, out: '', err }, line)
  }
  const all = async () => {
    const alice = 'error: There is no account ALCIE; did you mean ALICE?\n'
    await says('account show ALCIE', alice)
    await says('account top-up ALCIE 5', alice)
    await says('account close ALCIE', alice)
    await says('quote 44 --account ALCIE', alice)
    await says('account show alice', 'error: There is no account alice; did you mean ALICE?\n')
    await says('account show BERTHA', 'error: There is no account BERTHA\n')
    const retail = 'error: There is no plan retial; did you mean retail?\n'
    await says('rate list --plan retial', retail)
    await says('plan delete retial', retail)
    await says('account create X --plan retial', retail)
    const json = await tollgate(dir, words('account show ALCIE --json'))
    t.strictSame(JSON.parse(json.err), {
      code: 'unknown_account',
      detail: 'There is no account ALCIE; did you mean ALICE?',
    })
  }
  await all()
  const books = openBooks(dir)
  t.teardown(() => books.close())
  const api = await startApi({ dataDir: dir, provisioning: books.provisioning, log: silent })
  t.teardown(() => api.close())
  await all()

  const usage: readonly (readonly [string, RegExp])[] = [
    ['acount list', /unknown command 'acount'\n\(Did you mean account\?\)/],
    ['account lits', /unknown command 'lits'\n\(Did you mean list\?\)/],
    ['account list --serch x', /unknown option '--serch'\n\(Did you mean --search\?\)/],
    ['account list --jsno', /unknown option '--jsno'\n\(Did you mean --json\?\)/],
  ]
  for (const [line, err] of usage) t.match(await tollgate(dir, words(line)), { code: 2, err }, line)
})

t.test('did you mean, among very many', async t => {
  const dir = await withBooks(t)
  const books = openBooks(dir)
  t.teardown(() => books.close())
  const code = (i: number) => `AC${String(i * 7919).padStart(8, '0')}`
  const codes = Array.from({ length: 3000 }, (_, i) => code(i))
  const create = (code: string) =>
    books.provisioning.accountCreate({ code, plan: 'retail', actor: 'test' })
  await Promise.all([...codes, 'zebra-crossing'].map(create))
  const listed: unknown[] = []
  const { accountList } = books.provisioning
  books.provisioning.accountList = async input => {
    const found = await accountList(input)
    listed.push(...found)
    return found
  }
  const api = await startApi({ dataDir: dir, provisioning: books.provisioning, log: silent })
  t.teardown(() => api.close())
  const cases = [
    [`${code(2000).slice(0, -1)}`, code(2000)],
    [`${code(2000)}0`, code(2000)],
    [code(1234).toLowerCase(), code(1234)],
    [code(1234).replace(/(.)(.)$/, '$2$1'), code(1234)],
    ['zebra-corssing', 'zebra-crossing'],
  ]
  for (const [typed, meant] of cases) {
    listed.length = 0
    const { err } = await tollgate(dir, ['account', 'show', typed!])
    t.equal(err, `error: There is no account ${typed}; did you mean ${meant}?\n`)
    t.ok(listed.length < 500, `${listed.length} accounts were looked at`)
  }
})

t.test('errors for programs', async t => {
  const dir = await withBooks(t)
  const cases: readonly (readonly [string, number, object])[] = [
    ['account show EVE --json', 1, { code: 'unknown_account', detail: 'There is no account EVE' }],
    ['--json account top-up ALICE x', 1, { code: 'bad_input' }],
    ['account show --json', 2, { code: 'usage', detail: "missing required argument 'code'" }],
    ['acount --json', 2, { code: 'usage', detail: /^unknown command 'acount' \(Did you mean/ }],
    ['account list --json --limit', 2, { code: 'usage', detail: /argument missing/ }],
    ['rate export --plan retail --json', 1, { code: 'bad_input', detail: /`rate list --json`/ }],
    ['demo --json', 1, { code: 'bad_input' }],
    ['completion bash --json', 1, { code: 'bad_input' }],
  ]
  for (const [line, code, error] of cases) {
    const ran = await tollgate(dir, words(line), { columns: 80 })
    t.match([ran.code, ran.out], [code, ''], line)
    t.match(JSON.parse(ran.err), error, line)
    t.equal(ran.err.split('\n').length, 2, 'one line, without colours')
  }
  const more = await tollgate(dir, words('rate list --plan retail --limit 1 --json'))
  t.match(JSON.parse(more.err), { note: /There may be more/ })
  const input = `${DECK.split('\n')[0]}\n44,,x,0,1,1\n45,,y,0,1,1\n`
  const deck = await tollgate(dir, words('rate import - --plan retail --json'), { input })
  const [first, , last] = deck.err
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))
  t.match(
    [first, last],
    [
      { line: 2, text: '44,,x,0,1,1' },
      { code: 'bad_input', detail: /2 lines/ },
    ],
  )
  const plain = await tollgate(dir, ['account', 'show', '--', '--json'])
  t.match(plain.err, /^error: "--json" is not an account code/, 'what follows -- is no option')
})

t.test('colours are for a terminal', async t => {
  const dir = await withBooks(t)
  /** All that is printed, with the escapes made visible. */
  const prints = async (line: string, setting: Setting) => {
    const { out, err } = await tollgate(dir, words(line), setting)
    return (out + err).replaceAll('\x1b', '<esc>')
  }
  const wide = { columns: 120 }
  t.match(await prints('account list', wide), /<esc>\[1mcode<esc>\[22m.*\n.*<esc>\[32mactive/)
  t.match(await prints('account show X', wide), /^<esc>\[31merror:<esc>/)
  t.match(await prints('acount', wide), /^<esc>\[31merror:<esc>/)
  t.match(await prints('--help', wide), /<esc>\[1mOptions:/)
  const piped = { columns: 80, piped: ['stdout', 'stderr'], env: { FORCE_COLOR: '1' } } as const
  const plain = { columns: 80, env: { NO_COLOR: '1' } }
  for (const [line, setting] of [
    ['account list', piped],
    ['account show X', piped],
    ['acount', piped],
    ['--help', piped],
    ['account list', plain],
    ['account show X', plain],
    ['--help', plain],
    ['account list --json', { columns: 80, env: { FORCE_COLOR: '1' } }],
  ] as const) {
    t.notMatch(await prints(line, setting), /<esc>/, line)
  }
  const narrow = await prints('account list', { ...plain, columns: 60 })
  t.match(narrow, /^code +ALICE\nname/, 'and a narrow one gets records')
  for (const columns of [60, 80]) {
    const help = await prints('account list --help', { ...plain, columns })
    // Examples are to be copied, and are never wrapped.
    const [wrapped] = help.split('\nExamples:')
    const widest = Math.max(...wrapped!.split('\n').map(line => line.length))
    t.ok(widest <= columns && widest > columns - 20, `${widest} of ${columns} columns`)
  }
})

/** Every command, and the program itself, with all nouns loaded. */
async function wholeTree() {
  const streams = { stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough() }
  const cli = new Cli({ ...streams, env: {} })
  const program = createProgram(cli)
  for (const noun of program.commands) await loadNoun(noun, cli)
  const below = (command: Command): Command[] => [command, ...command.commands.flatMap(below)]
  return { program, commands: below(program) }
}

const pathOf = (command: Command): string =>
  command.parent ? `${pathOf(command.parent)} ${command.name()}` : command.name()

/** The lines under "Examples:". */
function examplesOf(help: string): string[] {
  const [, after = ''] = help.split('\nExamples:\n')
  return after
    .split('\n\n')[0]!
    .split('\n')
    .map(line => line.trim())
}

/** The commands of ours in a line for a shell: `a | tollgate b > c` has the arguments of one, `b`. */
function argumentsIn(line: string): string[][] {
  const tokens = line.match(/"[^"]*"|'[^']*'|<\(|[|<>()#;]|&&|[^\s|<>()#;&"']+/g) ?? []
  const found: string[][] = []
  let current: string[] | null = null
  for (const token of tokens) {
    if (token === '#') break
    if (token === 'tollgate') {
      current = []
      found.push(current)
    } else if (/^(<\(|[|<>();]|&&)$/.test(token)) current = null
    else current?.push(token.replace(/^["'](.*)["']$/, '$1'))
  }
  return found
}

t.test('every command explains itself with examples that are right', async t => {
  const { commands } = await wholeTree()
  t.ok(commands.length > 30)
  for (const command of commands) {
    const path = pathOf(command)
    let help = ''
    command.configureOutput({ writeOut: text => (help += text) })
    command.outputHelp()
    const examples = examplesOf(help)
    t.ok(examples[0], `${path} has examples`)
    t.ok(command.description(), `${path} has a description`)
    const called = examples.flatMap(argumentsIn).map(args => ['tollgate', ...args].join(' '))
    t.ok(
      called.some(line => `${line} `.startsWith(`${path} `)),
      `${path}: its own examples`,
    )
    for (const args of examples.flatMap(argumentsIn)) await accepts(t, args)
  }
})

/** The parser takes these arguments, and comes to a command that would do something. */
async function accepts(t: Test, args: readonly string[]) {
  const { program, commands } = await wholeTree()
  const reached: string[] = []
  for (const command of commands) {
    command.exitOverride().configureOutput({ writeOut: () => {}, writeErr: () => {} })
    if (command.commands.length === 0) command.action(() => void reached.push(pathOf(command)))
  }
  const line = ['tollgate', ...args].join(' ')
  try {
    await program.parseAsync(args, { from: 'user' })
    t.ok(reached.length === 1 && line.startsWith(reached[0]!), line)
  } catch (error) {
    t.equal((error as { code: string }).code, 'commander.helpDisplayed', `${line}: ${error}`)
  }
}

/** A folder with a program named tollgate: ours, from its sources. */
function installed(t: Test): string {
  const bin = join(shortDir(t), 'bin')
  mkdirSync(bin)
  const file = join(bin, 'tollgate')
  const program = join(import.meta.dirname, '../support/tollgate.ts')
  const tsx = import.meta.resolve('tsx')
  writeFileSync(file, `#!/bin/sh\nexec ${process.execPath} --import=${tsx} ${program} "$@"\n`)
  chmodSync(file, 0o755)
  return bin
}

/** What each shell answers to the words in front of the cursor. */
type Completes = (line: readonly string[]) => string[]

/** Calls the function that the script has registered with `complete`. */
function bash(script: string, env: NodeJS.ProcessEnv): Completes {
  return line => {
    const call = `source "$SCRIPT"
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
spec=$(complete -p tollgate) && [[ $spec =~ -F\\ ([^ ]+) ]]
"\${BASH_REMATCH[1]}" tollgate "\${@: -1}" "\${@: -2:1}"
((\${#COMPREPLY[@]})) && printf '%s\\n' "\${COMPREPLY[@]}"`
    const args = ['--norc', '-c', call, 'bash', 'tollgate', ...line]
    const { stdout, stderr } = spawnSync('bash', args, { env: { ...env, SCRIPT: script } })
    if (stderr.length > 0) throw new Error(stderr.toString())
    return stdout.toString().split('\n').slice(0, -1)
  }
}

/** Books with accounts whose names no shell must run, and a call. */
async function withMore(t: Test) {
  const dir = await withBooks(t)
  const name = 'Albert "$(touch /tmp/x)`; Long'
  const albert = ['account', 'create', 'ALBERT', '--plan', 'retail', '--name', name]
  t.equal((await tollgate(dir, albert)).code, 0)
  const books = openBooks(dir)
  await hold(books, 'leg-1', 'ALICE')
  t.teardown(() => books.close())
  return { dir, books, name }
}

t.test('what may follow', async t => {
  const { dir, books, name } = await withMore(t)
  const env = { HOME: dirname(dir) }
  const answer = async (typed: readonly string[]) => {
    const input = typed.map(word => `${word}\n`).join('')
    const { code, out, err } = await tollgate(dir, words('completion answer'), { input, env })
    t.strictSame([code, err], [0, ''], typed.join(' '))
    return out.split('\n').slice(0, -1)
  }
  const values = async (typed: readonly string[]) =>
    (await answer(typed)).map(line => line.split('\t')[0])
  const cases: readonly (readonly [string[], string[]])[] = [
    [['acc'], ['account']],
    [['account', 'st'], ['statement']],
    [
      ['account', 'show', ''],
      ['ALBERT', 'ALICE'],
    ],
    [['account', 'show', 'ALI'], ['ALICE']],
    [['account', 'show', 'ALICE'], ['ALICE']],
    [['account', 'show', 'x'], []],
    [['account', 'show', '--json', 'ALI'], ['ALICE']],
    [['account', 'show', 'ALICE', ''], []],
    [['account', 'show', '--', 'ALI'], ['ALICE']],
    [['account', 'create', ''], []],
    [
      ['account', 'create', 'X', '--plan', ''],
      ['retail', 'spare'],
    ],
    [['account', 'list', '--pl'], ['--plan']],
    [['account', 'list', '--plan=re'], ['--plan=retail']],
    [['account', 'list', '--plan', '=', 're'], ['retail']],
    [
      ['account', 'list', '--plan', '='],
      ['retail', 'spare'],
    ],
    [['account', 'list', '--plan', '--js'], []],
    [['account', 'list', '--search', ''], []],
    [['account', 'show', '--plan=re'], []],
    [['account', 'list', '--', '--j'], []],
    [['account', 'nothing', '--j'], ['--json']],
    [['account', 'nothing', ''], []],
    [['nothing', ''], []],
    [['--json', '--data', `~/${basename(dir)}`, 'account', 'show', 'ALB'], ['ALBERT']],
    [['--data', '/nowhere', 'account', 'show', ''], []],
    [['--data=/nowhere', 'account', 'show', ''], []],
    [['--data', ''], [':folders']],
    [['--config=x'], [':files']],
    [['rate', 'import', 'd'], [':files']],
    [['replay', 'a', 'b', ''], [':files']],
    [['plan', 'show', 's'], ['spare']],
    [['plan', 'create', 's'], []],
    [['call', 'kill', ''], ['leg-1']],
    [['call', 'list', '--account', 'ALI'], ['ALICE']],
    [
      ['completion', ''],
      ['bash', 'zsh', 'fish', 'help'],
    ],
    [['account', 'show', '$(touch /tmp/x)'], []],
  ]
  for (const [line, expected] of cases) t.strictSame(await values(line), expected, line.join(' '))
  t.ok((await values([''])).includes('account'), 'nouns')
  t.strictSame(await answer(['account', 'show', 'ALB']), [`ALBERT\t${name}`])
  t.strictSame(await answer(['acc']), ['account\taccounts and their credit'])
  t.strictSame(await answer([]), await answer(['']), 'nothing is like nothing yet')

  const create = (code: string) =>
    books.provisioning.accountCreate({ code, plan: 'retail', actor: 'test' })
  await Promise.all(Array.from({ length: 501 }, (_, i) => create(`B-${1000 + i}`)))
  t.strictSame(await values(['account', 'show', 'B']), [], 'too many to say')
  t.equal((await values(['account', 'show', 'B-10'])).length, 100)
  await Promise.all([create('C'), create('C-1'), create('D')])
  t.strictSame(await values(['account', 'show', 'C']), ['C', 'C-1'])
})

t.test('bash completes', async t => {
  const { dir, name } = await withMore(t)
  const bin = installed(t)
  const script = join(bin, 'tollgate.bash')
  writeFileSync(script, (await tollgate(dir, words('completion bash'))).out)
  const PATH = `${bin}${delimiter}${process.env['PATH']}`
  const completes = bash(script, { PATH, TOLLGATE_DATA: dir, HOME: dirname(dir) })
  t.strictSame(completes(['account', 'show', '']), ['ALBERT', 'ALICE'], `not ${name}`)
  t.strictSame(completes(['account', 'list', '--plan', '=', 're']), ['retail'])
  t.strictSame(completes(['rate', 'import', '']), [], 'files are what bash itself knows')
})

for (const shell of ['zsh', 'fish']) {
  const missing = spawnSync(shell, ['--version']).error !== undefined
  const skip = missing && `${shell} is not installed here`
  t.test(`${shell} can read its script`, { skip }, async t => {
    const dir = shortDir(t)
    const script = join(dir, 'script')
    writeFileSync(script, (await tollgate(dir, ['completion', shell])).out)
    const { status, stderr } = spawnSync(shell, ['-n', script])
    t.strictSame([status, stderr.toString()], [0, ''])
  })
}
