/** Decks in and out of plans, as an operator has them: files, pipes, a terminal, and the books. */
import assert from 'node:assert/strict'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import type { ImportJson } from '../../src/provisioning/decks.js'
import { percentOf } from '../../src/provisioning/decks.js'
import type { RateProvisioning } from '../../src/provisioning/rates.js'
import { formatDeck } from '../../src/rating/deck.js'
import { anyRates, FUTURE } from '../support/any-rates.js'
import { openBooks } from '../support/books.js'
import { type Setting, shortDir, tollgate, words } from '../support/command-line.js'
import { CARRIER_DECKS, longDeck } from '../support/decks.js'

const actor = 'test'

/** What takes the line of the bar away. */
const GONE = '\u001b[2K'

async function exported(rates: RateProvisioning, plan: string): Promise<string> {
  let text = ''
  for await (const part of rates.rateExport({ plan })) text += part
  return text
}

/** Plans with the periods that rates may be of. */
async function withPlans(t: Test, ...names: string[]) {
  const books = openBooks(t.testdir({}))
  t.teardown(() => books.close())
  const { rates } = books
  const makePlan = async (plan: string) => {
    await rates.planCreate({ name: plan, actor })
    await rates.periodSet({ plan, name: 'peak', hours: 'mon-fri 08:00-20:00', actor })
    await rates.periodSet({ plan, name: 'night', hours: 'mon-sun 22:00-06:00', actor })
  }
  for (const name of names) await makePlan(name)
  const read = (plan: string, deck: string, more: object = {}) =>
    rates.rateImport(Readable.from([deck]), { plan, actor, ...more })
  return { rates, read, makePlan }
}

t.test('what is exported is imported, and exported byte for byte the same', async t => {
  const { rates, makePlan, read } = await withPlans(t)
  let run = 0
  await fc.assert(
    fc.asyncProperty(anyRates(), async all => {
      run += 1
      const deck = [...formatDeck(all)].join('')
      for (const plan of [`a${run}`, `b${run}`]) await makePlan(plan)
      await read(`a${run}`, deck)
      const once = await exported(rates, `a${run}`)
      assert.equal(once, deck)
      await read(`b${run}`, once, { mode: 'replace' })
      assert.equal(await exported(rates, `b${run}`), deck)
    }),
    { numRuns: 25 },
  )
  t.pass('25 plans')
})

const countsOf = ({ added, removed, dearer, cheaper, otherwise, same }: ImportJson) => {
  return { added, removed, dearer, cheaper, otherwise, same }
}

t.test('a dry run changes nothing, and tells what the import then does', async t => {
  const { rates, makePlan, read } = await withPlans(t)
  let run = 0
  const modes = fc.constantFrom('merge', 'replace')
  const effective = fc.constantFrom(undefined, '2026-12-01', '2100-01-01')
  await fc.assert(
    fc.asyncProperty(
      anyRates(FUTURE),
      anyRates(FUTURE),
      modes,
      effective,
      async (old, news, mode, effective) => {
        const plan = `p${run++}`
        await makePlan(plan)
        await read(plan, [...formatDeck(old)].join(''))
        const before = await exported(rates, plan)
        const deck = [...formatDeck(news)].join('')
        const terms = { mode, effective }
        const dry = await read(plan, deck, { ...terms, dry_run: true }).catch(error => error)
        assert.equal(await exported(rates, plan), before)
        const done = await read(plan, deck, terms).catch(error => error)
        if (done instanceof Error) return assert.equal(dry.message, done.message)
        assert.deepEqual({ ...dry, dry_run: false }, done)
        assert.equal(done.rates, news.length)
        const again = await read(plan, deck, { ...terms, dry_run: true })
        const { added, removed, dearer, cheaper, otherwise } = countsOf(again)
        assert.deepEqual([added, removed, dearer, cheaper, otherwise], [0, 0, 0, 0, 0])
      },
    ),
    { numRuns: 40 },
  )
  t.pass('40 imports')
})

const OLD = `prefix,description,rate
33,France,0.05
44,UK,0.02
4420,London,0.015
7,Russia,0
81,Japan,0.04
`
const NEW = `prefix,description,rate
33,France,0.05
44,UK,0.025
4420,London,0.012
7,Russia,0.1
852,Hong Kong,0.03
`

t.test('what has changed', async t => {
  const { rates, read } = await withPlans(t, 'retail')
  await read('retail', OLD)
  const done = await read('retail', NEW, { mode: 'replace', dry_run: true, source: 'new.csv' })
  t.match(done, {
    ...{ plan: 'retail', mode: 'replace', dry_run: true, effective: null, rates: 5 },
    ...{ added: 1, removed: 1, dearer: 2, cheaper: 1, otherwise: 0, same: 1 },
    ...{ bad_lines: [], ignored_columns: [], first_foreign_line: null },
  })
  t.strictSame(
    done.largest.map(({ prefix, before, after, difference, percent }) =>
      [prefix, before?.per_minute, after?.per_minute, difference, percent].join(' '),
    ),
    [
      '7 0.000000 0.100000 0.100000 ',
      '44 0.020000 0.025000 0.005000 25.0',
      '4420 0.015000 0.012000 -0.003000 -20.0',
      '81 0.040000   ',
      '852  0.030000  ',
    ],
    'the largest first',
  )
  t.equal((await read('retail', NEW, { dry_run: true })).removed, 0, 'a merge takes nothing away')

  await read('retail', NEW, { mode: 'replace', effective: '2026-12-01T00:00Z' })
  const deck = await exported(rates, 'retail')
  t.match(deck, /^81,Japan,0.040000,.*,,,2026-12-01T00:00:00Z,$/m, 'ends then')
  t.match(deck, /^44,UK,0.020000,.*,,,2026-12-01T00:00:00Z,$/m)
  t.match(deck, /^44,UK,0.025000,.*,,2026-12-01T00:00:00Z,,$/m)

  for (const [difference, before, percent] of [
    [1n, 3n, '33.3'],
    [-1n, 3n, '-33.3'],
    [2n, 3n, '66.7'],
    [1n, 2_000n, '0.1'],
    [-1n, 1_000_000n, '0.0'],
    [-15n, 10_000n, '-0.2'],
    [5n, 0n, null],
    [null, 5n, null],
  ] as const) {
    t.equal(percentOf(difference, before), percent, `${difference} of ${before}`)
  }
})

t.test('an export does not pass off a mixture of two decks as one', async t => {
  const { rates, read } = await withPlans(t, 'retail')
  const long = [...longDeck(12_345)].join('')
  await read('retail', long)
  const parts = rates.rateExport({ plan: 'retail' })
  await parts.next()
  await parts.next()
  await rates.rateDelete({ plan: 'retail', prefix: '1000000', actor })
  const rest = async () => {
    for await (const _ of parts);
  }
  await t.rejects(rest(), {
    code: 'unavailable',
    message: 'The rates of retail were changed meanwhile: ask again',
  })
  t.equal((await exported(rates, 'retail')).split('\n').length, 12_346, 'pages follow each other')
})

/** Books with a plan, and a way to run commands on them. */
async function withBooks(t: Test) {
  const dir = shortDir(t)
  const files = mkdtempSync(join(dir, 'files-'))
  const run = (line: string, setting: Setting = {}) => tollgate(dir, words(line), setting)
  const file = (name: string, content: string | Buffer) => {
    writeFileSync(join(files, name), content)
    return join(files, name)
  }
  await run('plan create retail')
  return { dir, files, run, file }
}

t.test('three decks of carriers, imported whole and looked up', async t => {
  const { run, file } = await withBooks(t)
  const options = {
    halden: '--decimal-comma --date-format dd/mm/yyyy',
    kestrel: '',
    loop: '--date-format mm/dd/yyyy',
  }
  for (const [name, { bytes, rates, lookups }] of Object.entries(CARRIER_DECKS)) {
    await run(`plan create ${name}`)
    const given = options[name as keyof typeof options]
    const done = await run(`rate import ${file(name, bytes)} --plan ${name} ${given} --json`)
    t.match(JSON.parse(done.out), { rates, added: rates, bad_lines: [] }, `${name}: ${done.err}`)
    for (const [number, price, steps] of lookups) {
      const found = await run(`rate find ${number} --plan ${name} --at 2026-12-15 --json`)
      const rate = JSON.parse(found.out)
      const is = [rate.blocked ? 'blocked' : rate.per_minute, `${rate.minimum}/${rate.increment}`]
      t.strictSame(is, [price, steps], `${name} ${number}`)
    }
    const deck = await run(`rate export --plan ${name}`)
    await run(`plan create copy-of-${name}`)
    await run(`rate import - --plan copy-of-${name}`, { input: deck.out })
    t.equal((await run(`rate export --plan copy-of-${name}`)).out, deck.out)
  }
  const notes = await run(
    `rate import ${file('h', CARRIER_DECKS.halden.bytes)} --plan halden ${options.halden}`,
  )
  t.equal(
    notes.err,
    'Left out, because no rate has it: "Country"\n' +
      'Line 2 is not UTF-8: lines like it were read as Windows-1252 (Latin-1)\n',
  )
})

t.test('bad lines', async t => {
  const { run, file } = await withBooks(t)
  const bad = Array.from({ length: 60 }, (_, i) => `${i},x,$1\n`).join('')
  const deck = file('deck.csv', `prefix,description,rate\n99,ok,1\n${bad}`)
  const refused = await run(`rate import ${deck} --plan retail`)
  t.equal(refused.code, 1)
  const lines = refused.err.trim().split('\n')
  t.equal(lines.length, 52)
  t.equal(
    lines[0],
    'line 3: "0,x,$1": the price per minute "$1" has a currency: write the number alone, like 0.25',
  )
  t.strictSame(lines.slice(50), [
    '… and 10 more bad lines: --json shows all',
    'error: Nothing was imported: 60 lines are bad',
  ])
  const all = await run(`rate import ${deck} --plan retail --json`)
  const told = all.err
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))
  t.equal(told.length, 61)
  t.match(told.at(-1), { code: 'bad_input' })
  t.equal(
    (await run('rate export --plan retail')).out.split('\n').length,
    2,
    'nothing was imported',
  )

  const skipped = await run(`rate import ${deck} --plan retail --skip-bad`)
  t.match(skipped, { code: 0, out: /^Imported 1 rate into retail, without 60 bad lines\n/ })
  t.match(skipped.err, /^line 3: [\s\S]*… and 10 more bad lines: --json shows all\n$/)
  t.equal(
    JSON.parse((await run(`rate import ${deck} --plan retail --skip-bad --json`)).out).bad_lines
      .length,
    60,
  )

  const none = await run(`rate import - --plan retail --replace --skip-bad --yes`, {
    input: 'prefix,rate\n44,$1\n',
  })
  t.match(none, { code: 1, err: /error: Nothing was imported: 1 line is bad\n$/ })
  t.match(
    (await run('rate list --plan retail')).out,
    /^99 /m,
    'a deck of which nothing is good empties no plan',
  )
})

t.test('what is typed wrong', async t => {
  const { run, file, files } = await withBooks(t)
  const deck = file('deck.csv', OLD)
  const wrong: readonly (readonly [string, RegExp])[] = [
    [`${deck}`, /^error: Say whose rates: those of a plan, or those of an account\n$/],
    [`${deck} --plan retal`, /There is no plan retal\W+Did you mean retail/i],
    [`${files} --plan retail`, /cannot be read: it is a folder\n$/],
    [`${deck}x --plan retail`, /cannot be read: there is no such file\n$/],
    [`${deck} --plan retail --replace --merge --yes`, /^error: Say either --replace or --merge\n$/],
    [`${deck} --plan retail --effective soon`, /^error: The effective time must be a time like/],
    [
      `${deck} --plan retail --map Rate`,
      /^error: "Rate" maps no column: write it like "Dial Code=prefix"\n$/,
    ],
    [
      `${deck} --plan retail --date-format dd.mm.yy`,
      /^error: The date format must be one of dd\/mm\/yyyy, mm\/dd\/yyyy/,
    ],
  ]
  for (const [line, err] of wrong) {
    t.match(await run(`rate import ${line}`), { code: 1, out: '', err }, line)
  }
  t.match(await run('rate export --plan retail --json'), { code: 1, err: /A deck is CSV/ })
  const mapped = await run('rate import - --plan retail --map "Vorwahl=prefix,Preis=per_minute"', {
    input: 'Vorwahl;Preis\n44;0.02\n',
  })
  t.match(mapped, { code: 0, out: /^Imported 1 rate into retail\n/ })
})

t.test('a replacement is asked for, with what goes', async t => {
  const { run, file } = await withBooks(t)
  const old = file('old.csv', OLD)
  const news = file('new.csv', NEW)
  t.match(
    await run(`rate import ${old} --plan retail --replace`),
    { code: 0 },
    'nothing to lose yet',
  )
  const line = `rate import ${news} --plan retail --replace`
  const question = `Replace the 5 rates of the plan retail by those of ${news}`
  t.match(await run(line), {
    code: 1,
    err: `error: ${question}? There is no terminal to ask on: say so with --yes\n`,
  })
  const no = await run(`${line} --effective 2026-12-01`, { columns: 300, input: 'n\n' })
  t.match(no, { code: 1, out: `${question} from 2026-12-01 on? [y/N] ` })
  t.match(await run(`${line} --dry-run`), {
    code: 0,
    out: /^Nothing was changed\. 5 rates would change retail so:\nadded +1\nremoved +1\n/,
  })
  t.match((await run('rate list --plan retail')).out, /^81 /m, 'still there')
  const yes = await run(line, { columns: 300, input: 'y\n', env: { NO_COLOR: '1' } })
  t.match(yes, { code: 0, out: /Imported 5 rates into retail/ })
  t.notMatch((await run('rate list --plan retail')).out, /^81 /m)
})

t.test('how far a file is read shows on a terminal, and nowhere else', async t => {
  const { run, file } = await withBooks(t)
  const deck = file('deck.csv', [...longDeck(20_000)].join(''))
  const line = `rate import ${deck} --plan retail`
  t.equal((await run(line)).err, '')
  const env = { NO_COLOR: '1' }
  t.equal((await run(line, { columns: 80, piped: ['stderr'], env })).err, '', 'not into a file')
  const shown = await run(line, { columns: 80, piped: ['stdout'], env })
  t.match(shown.err, /Reading .* 0 %/)
  t.ok(shown.err.endsWith(GONE))
  t.match(shown.out, /^Imported 20,000 rates into retail\n/)
  t.notMatch(shown.out, /Reading/)
  const piped = await run('rate import - --plan retail', {
    columns: 80,
    piped: ['stdin'],
    input: NEW,
    env,
  })
  t.match(piped.err, /Reading {2}0\.0 MB/, 'of a pipe nobody knows the size')
  const bad = await run('rate import - --plan retail', { columns: 80, input: 'x\n', env })
  t.equal(
    bad.err.split(GONE)[1]?.includes('error: Nothing was imported'),
    true,
    'it is gone before the error',
  )
})
