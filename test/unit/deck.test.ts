import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import fc from 'fast-check'
import t from 'tap'
import { DeckFile } from '../../src/provisioning/deck-file.js'
import { DECK_COLUMNS, formatDeck, readHeader } from '../../src/rating/deck.js'
import type { Rate } from '../../src/rating/rate.js'

const HEADER = DECK_COLUMNS.join(',')

/** The rates and bad lines of a deck, which comes in pieces of any size. */
async function read(text: string, bytes = 7) {
  const all = Buffer.from(text)
  const pieces = function* () {
    for (let i = 0; i < all.length; i += bytes) yield all.subarray(i, i + bytes)
  }
  const deck = new DeckFile(Readable.from(pieces()))
  const rates: Rate[] = []
  for await (const rate of deck.rates()) rates.push(rate)
  return { rates, bad: deck.badLines }
}

t.test('a deck', async t => {
  const text = `${HEADER}\n44,"UK, all",0.02,0,60,60\n4420,London,0.015,0.001,1,1\n,,1,0,1,1\n`
  const { rates, bad } = await read(text)
  t.strictSame(bad, [])
  t.strictSame(rates, [
    {
      prefix: '44',
      description: 'UK, all',
      perMinute: 20_000n,
      setup: 0n,
      minimum: 60,
      increment: 60,
    },
    {
      prefix: '4420',
      description: 'London',
      perMinute: 15_000n,
      setup: 1_000n,
      minimum: 1,
      increment: 1,
    },
    { prefix: '', description: '', perMinute: 1_000_000n, setup: 0n, minimum: 1, increment: 1 },
  ])
})

t.test('what programs do to a file does not matter', async t => {
  const same = [
    `\uFEFF${HEADER}\r\n44,UK,0.02,0,60,60\r\n`,
    `${HEADER}\n\n44,UK,0.02,0,60,60`,
    `Increment,minimum,setup,per_minute,description,PREFIX\n60,60,0,0.020000,UK,44\n`,
    `\uFEFF"prefix","description","per_minute","setup","minimum","increment"\n"44","UK","0.02","0","60","60"\n`,
  ]
  for (const text of same) {
    const { rates, bad } = await read(text)
    t.strictSame([...formatDeck(rates)], [`${HEADER}\n`, '44,UK,0.020000,0.000000,60,60\n'], text)
    t.strictSame(bad, [], text)
  }
})

t.test('every bad line is named by its number, with its text and the reason', async t => {
  const lines: readonly (readonly [string, string | null])[] = [
    ['44,UK,0.02,0,60,60', null],
    ['45,DK,1e-2,0,1,1', 'per_minute: "1e-2" is not an amount'],
    ['46,SE,"0,02",0,1,1', 'per_minute: "0,02" is not an amount'],
    ['46,SE,0,02,0,1,1', 'there are 7 fields instead of 6'],
    ['46', 'there is 1 field instead of 6'],
    ['44,UK again,0.03,0,60,60', 'the prefix 44 is on line 2 already'],
    ['+47,NO,0.02,0,1,1', '"+47" is not a prefix'],
    ['47 1,NO,0.02,0,1,1', '"47 1" is not a prefix'],
    [`${'4'.repeat(33)},NO,0.02,0,1,1`, 'is not a prefix: it must be at most 32 digits'],
    ['48,PL,-0.01,0,1,1', 'per_minute must not be negative'],
    ['48,PL,0.01,-1,1,1', 'setup must not be negative'],
    ['48,PL,1000000.000001,0,1,1', 'per_minute must be at most 1000000.000000'],
    ['48,PL,0.0000001,0,1,1', 'per_minute: "0.0000001" is not an amount'],
    ['48,PL,,0,1,1', 'per_minute: "" is not an amount'],
    ['48,PL,0.01,0,0,1', 'minimum must be whole seconds from 1 to 86400'],
    ['48,PL,0.01,0,1,1.5', 'increment must be whole seconds, not "1.5"'],
    ['48,PL,0.01,0,1,86401', 'increment must be whole seconds from 1 to 86400'],
    ['48,"PL,0.01,0,1,1', 'the quotes do not add up'],
    ['49,DE "west",0.01,0,1,1', 'the quotes do not add up'],
    ['49,DE,0.01,0,1,1', null],
  ]
  const { rates, bad } = await read([HEADER, ...lines.map(([text]) => text)].join('\n'))
  t.strictSame(
    rates.map(({ prefix }) => prefix),
    ['44', '49'],
  )
  const expected = lines.flatMap(([text, reason], i) =>
    reason === null ? [] : [{ line: i + 2, text, reason }],
  )
  t.equal(bad.length, expected.length)
  for (const [i, { line, text, reason }] of expected.entries()) {
    t.match(bad[i], { line, text }, text)
    t.ok(bad[i]?.reason.includes(reason), `${text}: ${bad[i]?.reason}`)
  }
})

t.test('what other programs might change is in quotes', async t => {
  const rate = { perMinute: 0n, setup: 0n, minimum: 1, increment: 1 }
  const line = (description: string) => [...formatDeck([{ prefix: '1', description, ...rate }])][1]
  t.equal(line('a b'), '1,a b,0.000000,0.000000,1,1\n')
  t.equal(line(' a'), '1," a",0.000000,0.000000,1,1\n')
  t.equal(line('a '), '1,"a ",0.000000,0.000000,1,1\n')
  t.equal(line('a,b "c"'), '1,"a,b ""c""",0.000000,0.000000,1,1\n')
})

t.test('a header that is none', async t => {
  const wanted = `the first line must be ${HEADER}`
  const wrong = [
    ['44,UK,0.02,0,60,60', `"44" is no column of a deck: ${wanted}`],
    ['prefix,description,per_minute,setup,minimum', `The column increment is missing: ${wanted}`],
    [`${HEADER},prefix`, `A column is there twice: ${wanted}`],
    ['<html>', `"<html>" is no column of a deck: ${wanted}`],
  ] as const
  for (const [header, reason] of wrong) {
    t.throws(() => readHeader(header.split(',')), { name: 'DeckError', message: reason })
    const { rates, bad } = await read(`${header}\n44,UK,0.02,0,60,60\n`)
    t.strictSame([rates, bad], [[], [{ line: 1, text: header, reason }]])
  }
  t.strictSame((await read('')).bad, [{ line: 1, text: '', reason: 'the file is empty' }])
  t.strictSame((await read(HEADER)).bad, [], 'a deck without rates is one')
})

t.test('a line without end is shown in part', async t => {
  const { bad } = await read(`${HEADER}\n${'9'.repeat(100_000)}`, 65_536)
  t.equal(bad[0]?.text.length, 201)
})

t.test('what is written is read back, and written the same', async t => {
  const description = fc
    .string({ unit: 'grapheme', maxLength: 40 })
    .filter(text => !/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u.test(text))
  const fields = {
    prefix: fc.stringMatching(/^\d{0,32}$/),
    description: fc.oneof(description, fc.constantFrom('a,b', '"', ' x ', '""', '\',"', '\uFEFF')),
    perMinute: fc.bigInt(0n, 1_000_000_000_000n),
    setup: fc.bigInt(0n, 1_000_000_000_000n),
    minimum: fc.integer({ min: 1, max: 86_400 }),
    increment: fc.integer({ min: 1, max: 86_400 }),
  }
  const rate = fc.record(fields, { noNullPrototype: true })
  const deck = fc.uniqueArray(rate, { selector: one => one.prefix, maxLength: 20 })
  await fc.assert(
    fc.asyncProperty(deck, async rates => {
      const text = [...formatDeck(rates)].join('')
      const again = await read(text, 1_000)
      assert.deepEqual(again, { rates, bad: [] })
      assert.equal([...formatDeck(again.rates)].join(''), text)
    }),
    { numRuns: 200 },
  )
  t.pass('200 decks')
})
