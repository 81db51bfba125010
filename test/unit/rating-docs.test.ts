/** docs/rating.md is run: its decks are written, its commands given, its tables recomputed. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { formatMoney, parseMoney } from '../../src/money.js'
import { billedSeconds, costOf, type Rate, wholeSeconds } from '../../src/rating/rate.js'
import { shortDir, tollgate, words } from '../support/command-line.js'

const DOCS = join(import.meta.dirname, '../../docs/rating.md')

type Row = Readonly<Record<string, string>>

type Part =
  | { readonly kind: 'file'; readonly name: string; readonly text: string }
  | { readonly kind: 'commands'; readonly lines: readonly string[] }
  | { readonly kind: 'table'; readonly rows: readonly Row[] }

/** What there is to be run in a page, in its order. */
function partsOf(page: string): Part[] {
  const pattern = /^```(\w+)(?: (\S+))?\n([\s\S]*?)^```$|^\|[\s\S]*?\n(?!\|)/gm
  return [...page.matchAll(pattern)].map(([whole, language, name, text = '']): Part => {
    if (language === 'csv') return { kind: 'file', name: name!, text }
    if (language === 'sh') return { kind: 'commands', lines: text.trim().split('\n') }
    return { kind: 'table', rows: rowsOf(whole) }
  })
}

function rowsOf(table: string): Row[] {
  const cells = (line: string) =>
    line
      .split('|')
      .slice(1, -1)
      .map(cell => cell.trim())
  const [head = '', , ...lines] = table.trim().split('\n')
  const names = cells(head)
  return lines.map(line => Object.fromEntries(cells(line).map((cell, i) => [names[i], cell])))
}

function rateOf(row: Row): Rate {
  const [minimum, increment] = row['steps']!.split('/').map(Number)
  return {
    ...{ prefix: '', description: '', perMinute: parseMoney(row['per minute']!) },
    ...{ setup: parseMoney(row['setup']!), minimum: minimum!, increment: increment! },
    freeS: Number(row['free'] ?? 0),
  }
}

/** What a row claims, computed anew: the columns that are results. */
type Recompute = (row: Row, dir: string) => Promise<Row>

const KINDS: Readonly<Record<string, Recompute>> = {
  billed: async row => {
    const seconds = Number(row['seconds'])
    const rate = rateOf(row)
    const billed = String(billedSeconds(rate, seconds))
    return { billed, cost: formatMoney(costOf(rate, seconds)) }
  },
  chunk: async row => {
    const rate = rateOf(row)
    const [from = 0, to = 0] = [Number(row['from']), Number(row['to'])]
    return { chunk: formatMoney(costOf(rate, to) - costOf(rate, from)) }
  },
  nearest: async row => {
    const us = Number(row['talk']!.replace('.', ''))
    const whole = (rounding: 'up' | 'nearest' | 'down') => String(wholeSeconds(us, rounding))
    return { up: whole('up'), nearest: whole('nearest'), down: whole('down') }
  },
  dialled: async (row, dir) => {
    const { dialled = '', account, plan = '', at, seconds = '60' } = row
    const whose = account === undefined ? ['--plan', plan] : ['--account', account]
    const when = at === undefined ? [] : ['--at', at]
    const question = ['quote', dialled, ...whose, '--seconds', seconds, ...when, '--json']
    const quote = JSON.parse((await tollgate(dir, question)).out)
    const shown = Object.entries(row).map(([name]) => {
      const field = { carrier: 'carrier_cost', 'per minute': 'per_minute' }[name] ?? name
      return [name, String(quote[field] ?? '')]
    })
    return { ...Object.fromEntries(shown), ...(account && { account }), ...(at && { at }) }
  },
}

/** Runs a page; resolves to the rows that are not true, as they should be. */
async function untruths(page: string, dir: string, t: Test): Promise<Row[]> {
  const files = mkdtempSync(join(dir, 'files-'))
  const wrong: Row[] = []
  for (const part of partsOf(page)) {
    if (part.kind === 'file') {
      writeFileSync(join(files, part.name), part.text)
    } else if (part.kind === 'commands') {
      for (const line of part.lines) {
        const [, ...args] = words(line).map(word =>
          word.endsWith('.csv') ? join(files, word) : word,
        )
        const ran = await tollgate(dir, args)
        if (ran.code !== 0) t.fail(`${line}: ${ran.err}`)
      }
    } else {
      const kind = Object.keys(KINDS).find(name => name in part.rows[0]!)
      if (!kind) throw new Error(`a table that nobody runs: ${Object.keys(part.rows[0]!)}`)
      for (const row of part.rows) {
        const is = { ...row, ...(await KINDS[kind]!(row, dir)) }
        if (JSON.stringify(is) !== JSON.stringify(row)) wrong.push(is)
      }
    }
  }
  return wrong
}

t.test('the page is true', async t => {
  const page = readFileSync(DOCS, 'utf8')
  const tables = partsOf(page).filter(part => part.kind === 'table')
  t.ok(tables.length >= 10, 'the tables are found')
  t.strictSame(await untruths(page, shortDir(t), t), [])
})

t.test('every untruth is found', async t => {
  let page = readFileSync(DOCS, 'utf8')
  const untrue = [
    ['| 61 | 120 | 0.200000 |', '| 61 | 120 | 0.200001 |'],
    ['| 30 | 30 | 0.050000 |', '| 30 | 31 | 0.050000 |'],
    ['| 29.500000 | 30 | 30 | 29 |', '| 29.500000 | 30 | 29 | 29 |'],
    ['| 20 | 40 | 0.003333 |', '| 20 | 40 | 0.003334 |'],
    ['| 4420 | 0.015000 | 0.015250 | |', '| 44 | 0.015000 | 0.015250 | |'],
    ['| 44 | peak | 0.030000 | 3.600000 |', '| 44 | | 0.030000 | 3.600000 |'],
    ['| alice | 44 | 0.011000 |', '| retail | 44 | 0.011000 |'],
    ['| york | 12125550000 |', '| york | 2125550000 |'],
    ['| 0.018300 | 0.021700 | |', '| 0.018300 | 0.021701 | |'],
    ['| -0.001000 | would_lose_money |', '| -0.001000 | |'],
  ] as const
  for (const [truth, untruth] of untrue) {
    t.ok(page.includes(truth), truth)
    page = page.replace(truth, untruth)
  }
  t.equal((await untruths(page, shortDir(t), t)).length, untrue.length)
})
