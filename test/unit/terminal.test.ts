import { spawnSync } from 'node:child_process'
import { PassThrough, Writable } from 'node:stream'
import { stripVTControlCharacters } from 'node:util'
import t from 'tap'
import { showsColours } from '../../src/cli/colours.js'
import { createLogger } from '../../src/cli/logger.js'
import {
  below,
  type Column,
  countOf,
  formatRecord,
  formatTable,
  type Screen,
  screenOf,
} from '../../src/cli/terminal.js'

interface Row {
  readonly code: string
  readonly name: string
  readonly reason: string
  readonly state: string
  readonly balance: string
}

const COLUMNS: readonly Column<Row>[] = [
  { head: 'code', cell: row => row.code },
  { head: 'name', cell: row => row.name, flexible: true },
  { head: 'reason', cell: row => row.reason, flexible: true },
  { head: 'state', cell: row => row.state, state: true },
  { head: 'balance', cell: row => row.balance, right: true },
]

const LONG = 'paid in cash at the desk in the big hall on a rainy Monday, receipt to follow by post'
const ROWS: readonly Row[] = [
  { code: 'ALICE-0001', name: 'Alice Müller', reason: LONG, state: 'active', balance: '5.000000' },
  {
    code: 'TOKYO',
    name: '東京都千代田区丸の内一丁目電話株式会社',
    reason: '😀 ok',
    state: 'closed',
    balance: '-1.500000',
  },
]

const screen = (columns: number, colours = false): Screen => ({ columns, colours })

/** Cells of a terminal: two for a Chinese character or a picture. */
const widthOf = (line: string) =>
  [...line].reduce(
    (sum, char) => sum + (/[\u4e00-\u9fff]|\p{Emoji_Presentation}/u.test(char) ? 2 : 1),
    0,
  )

t.test('a table fits', async t => {
  const whole = formatTable(COLUMNS, ROWS)(screen(Infinity))
  t.ok(whole.includes(LONG) && whole.includes(ROWS[1]!.name), 'a pipe gets the whole text')
  t.notMatch(whole, /…/)
  const widest = Math.max(...whole.split('\n').map(line => widthOf(line)))
  t.equal(formatTable(COLUMNS, ROWS)(screen(widest)), whole, 'and so does a terminal with room')
  t.match(formatTable(COLUMNS, ROWS)(screen(widest - 1)), /…/, 'but not one column less')

  for (const columns of [60, 80, 120]) {
    for (const colours of [false, true]) {
      const shown = stripVTControlCharacters(formatTable(COLUMNS, ROWS)(screen(columns, colours)))
      const lines = shown.split('\n')
      t.equal(lines.length, 3, 'still a table')
      for (const line of lines) t.ok(widthOf(line) <= columns, `${columns}: ${line}`)
      t.equal(Math.max(...lines.map(line => widthOf(line))), columns, 'and no room is lost')
      for (const { code, state, balance } of ROWS) {
        const line = lines.find(one => one.startsWith(`${code} `))!
        t.ok(line.includes(` ${state} `) && line.endsWith(` ${balance}`), 'never these')
      }
    }
  }
  t.equal(
    formatTable(COLUMNS, ROWS)(screen(60)),
    `code        name           reason          state     balance
ALICE-0001  Alice Müller   paid in cash …  active   5.000000
TOKYO       東京都千代田…  😀 ok           closed  -1.500000`,
    'the widest gives way first',
  )
})

t.test('only text is cut, however long the rest is', async t => {
  const id = '5e2c5f0c-7a0e-4c0c-9a0e-2f1f4b0f3a11'
  const columns: readonly Column<string>[] = [
    { head: 'call id', cell: () => id },
    { head: 'reason', cell: reason => reason, flexible: true },
  ]
  const shown = formatTable(columns, ['cash, at the desk'])(screen(50))
  t.equal(shown.split('\n')[1], `${id}  cash, at th…`)
  t.notMatch(formatTable(columns, ['cash, at the desk'])(screen(45)), /…/, 'or nothing is')
})

t.test('a table that cannot fit becomes records', async t => {
  t.equal(
    formatTable(COLUMNS, ROWS)(screen(40)),
    `code     ALICE-0001
name     Alice Müller
reason   paid in cash at the desk in the
         big hall on a rainy Monday,
         receipt to follow by post
state    active
balance  5.000000

code     TOKYO
name     東京都千代田区丸の内一丁目電話株式会社
reason   😀 ok
state    closed
balance  -1.500000`,
  )
  t.equal(formatTable(COLUMNS, [])(screen(80)), 'code  name  reason  state  balance', 'no rows')
})

t.test('a record', async t => {
  const fields = { code: 'A', reason: 'twelve eggs and bread', none: null, seconds: 3 }
  t.equal(
    formatRecord(fields)(screen(Infinity)),
    'code     A\nreason   twelve eggs and bread\nnone     -\nseconds  3',
  )
  t.match(formatRecord(fields)(screen(22)), /reason {3}twelve eggs\n {9}and bread\n/, 'wraps')
  for (let columns = 16; columns < 40; columns++) {
    const lines = formatRecord(fields)(screen(columns)).split('\n')
    t.ok(Math.max(...lines.map(line => line.length)) <= columns, `${columns} columns`)
  }
  const id = '5e2c5f0c-7a0e-4c0c-9a0e-2f1f4b0f3a11'
  t.ok(formatRecord({ 'call id': id })(screen(30)).endsWith(id), 'what is copied stays whole')
  t.equal(below('one', formatRecord({ a: 1 }), 'two')(screen(80)), 'one\na  1\ntwo')
})

t.test('colours', async t => {
  const table = formatTable(COLUMNS, ROWS)(screen(Infinity, true))
  t.ok(table.includes('\x1b[1mbalance\x1b[22m'), 'heads')
  t.ok(table.includes('\x1b[32mactive\x1b[39m'), 'states')
  t.ok(table.includes('\x1b[2mclosed\x1b[22m'))
  t.ok(table.includes('\x1b[31m-1.500000\x1b[39m'), 'less than nothing')
  t.notOk(table.includes('\x1b[31m5'))
  t.equal(stripVTControlCharacters(table), formatTable(COLUMNS, ROWS)(screen(Infinity)))
  const fields = { state: 'suspended', amount: '-0.000001', prefix: '-1', name: 'active' }
  t.equal(
    formatRecord(fields)(screen(Infinity, true)).replaceAll('\x1b', ''),
    `[1mstate[22m   [33msuspended[39m
[1mamount[22m  [31m-0.000001[39m
[1mprefix[22m  -1
[1mname[22m    active`,
  )
  const cases: readonly (readonly [boolean, NodeJS.ProcessEnv, boolean])[] = [
    [true, {}, true],
    [true, { NO_COLOR: '1' }, false],
    [true, { NO_COLOR: '' }, true],
    [true, { TERM: 'dumb' }, false],
    [true, { NO_COLOR: '1', FORCE_COLOR: '1' }, true],
    [true, { FORCE_COLOR: '0' }, false],
    [false, {}, false],
    [false, { FORCE_COLOR: '1' }, false],
  ]
  for (const [isTty, env, expected] of cases) {
    t.equal(showsColours(isTty, env), expected, JSON.stringify([isTty, env]))
  }
})

t.test('what a screen is', async t => {
  const tty = (columns: number) => Object.assign(new PassThrough(), { isTTY: true, columns })
  t.strictSame(screenOf(tty(80), {}), { columns: 80, colours: true })
  t.strictSame(screenOf(tty(0), {}), { columns: Infinity, colours: true })
  t.strictSame(screenOf(new PassThrough(), {}), { columns: Infinity, colours: false })
  const pipe = Object.assign(new PassThrough(), { columns: 80 })
  t.strictSame(screenOf(pipe, { FORCE_COLOR: '3' }), { columns: Infinity, colours: false })
  t.strictSame([countOf(1, 'rate'), countOf(12_345, 'rate')], ['1 rate', '12,345 rates'])
})

t.test('a table of very many rows is one table', async t => {
  const rows = Array.from({ length: 50_000 }, (_, i) => ({ ...ROWS[1]!, code: `A${i}` }))
  for (const columns of [Infinity, 80]) {
    const lines = formatTable(COLUMNS, rows)(screen(columns)).split('\n')
    t.equal(lines.length, rows.length + 1)
    t.match(lines.at(-1), /^A49999 {2}東京/)
    t.match(lines[1], /^A0 {6}東京/)
    t.strictSame(
      [...new Set(lines.slice(1).map(widthOf))],
      [widthOf(lines[1]!)],
      'aligned throughout',
    )
  }
})

t.test('the log of one turn is written in one piece, a warning at once', async t => {
  const pieces: string[][] = []
  const out = new Writable({
    decodeStrings: false,
    write(piece: string, _encoding, done) {
      const lines = piece.trimEnd().split('\n')
      pieces.push(lines.map(line => JSON.parse(line).msg))
      done()
    },
  })
  const log = createLogger('info', out)
  log.info('one')
  log.debug('none')
  log.child({ switch: 'a' }).info('two')
  t.strictSame(pieces, [])
  log.warn('three')
  t.strictSame(pieces, [['one', 'two', 'three']])
  log.info('four')
  log.info('five')
  await new Promise(resolve => setImmediate(resolve))
  t.strictSame(pieces.slice(1), [['four', 'five']])
})

t.test('no line is lost when the process ends unexpectedly', async t => {
  const logger = new URL('../../src/cli/logger.ts', import.meta.url)
  const ends = [
    "throw new Error('unexpected')",
    'process.exit(3)',
    "Promise.reject(new Error('x'))",
  ]
  for (const end of ends) {
    const program = `import { createLogger } from ${JSON.stringify(logger.href)}
      createLogger('info', process.stdout).info('the last word'); ${end}`
    const args = ['--import=tsx', '--input-type=module', '--eval', program]
    const { stdout, status } = spawnSync(process.execPath, args, { encoding: 'utf8' })
    t.match(stdout, /"msg":"the last word"\}\n$/, end)
    t.not(status, 0)
  }
})
