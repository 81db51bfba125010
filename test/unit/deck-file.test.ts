/** The file that a deck is in: its encoding, its lines and fields, and what was on which line. */
import assert from 'node:assert/strict'
import { parse } from 'csv-parse/sync'
import { stringify } from 'csv-stringify/sync'
import fc from 'fast-check'
import t from 'tap'
import { fieldsOf } from '../../src/provisioning/csv-lines.js'
import { DeckLines } from '../../src/provisioning/deck-lines.js'
import { LINE_BYTES_MAX, TextLines } from '../../src/provisioning/text-lines.js'
import type { ListedRate } from '../../src/rating/listed-rate.js'
import { CARRIER_DECKS, longDeck } from '../support/decks.js'
import { brief, readDeck } from '../support/read-deck.js'

const DECK = 'prefix,description,rate\n44,Großbritannien,0.02\n33,"a, b",1\n'
const BRIEF = ['44 Großbritannien 0.020000 1/1', '33 a, b 1.000000 1/1']

const utf16 = (text: string, mark: readonly number[]) => {
  const bytes = Buffer.from(text, 'utf16le')
  return Buffer.concat([Buffer.from(mark), mark[0] === 0xfe ? bytes.swap16() : bytes])
}

t.test('what programs do to a file does not matter', async t => {
  const same: readonly (readonly [string, string | Buffer])[] = [
    ['as it is', DECK],
    ['with a byte order mark', `\uFEFF${DECK}`],
    ['with CRLF', DECK.replaceAll('\n', '\r\n')],
    ['with CR', DECK.replaceAll('\n', '\r')],
    ['with empty lines', `\n${DECK.replaceAll('\n', '\n\n \n')}`],
    ['without a last line end', DECK.trimEnd()],
    ['with a title', `Carrier\nValid, from now; on\n\n${DECK}`],
    ['with separators in empty lines', `${DECK},,\n`],
    ['with empty cells at the end', DECK.replace('0.02\n', '0.02,,, \n')],
    ['with spaces around quotes', DECK.replace('"a, b"', ' "a, b" ')],
    ['in UTF-16', utf16(DECK, [0xff, 0xfe])],
    ['in big-endian UTF-16', utf16(DECK, [0xfe, 0xff])],
    ['with tabs', DECK.replaceAll(',', '\t').replace('a\t b', 'a, b')],
    ['with semicolons', DECK.replaceAll(',', ';').replace('a; b', 'a, b')],
  ]
  for (const [what, deck] of same) {
    for (const bytes of [1, 7, 65_536]) {
      const { rates, bad, firstForeign } = await readDeck(deck, {}, bytes)
      t.strictSame([brief(rates), bad, firstForeign], [BRIEF, [], 0], `${what}, by ${bytes}`)
    }
  }
})

t.test('lines that are not UTF-8 are read as Windows has them, and told', async t => {
  const latin = Buffer.from(DECK, 'latin1')
  for (const bytes of [1, 3, 65_536]) {
    const { rates, firstForeign } = await readDeck(latin, {}, bytes)
    t.strictSame([brief(rates), firstForeign], [BRIEF, 2])
  }
  const mixed = Buffer.concat([Buffer.from(DECK), Buffer.from('49,\x80uro \xfc,3\n', 'latin1')])
  const { rates, firstForeign } = await readDeck(mixed)
  t.strictSame(brief(rates), [...BRIEF, '49 €uro ü 3.000000 1/1'], 'other lines stay as they are')
  t.equal(firstForeign, 4)
})

t.test('a line without end is shown in part, and costs no memory', async t => {
  const short = await readDeck(`prefix,rate\n${'9'.repeat(100_000)}`, {}, 65_536)
  t.equal(short.bad[0]?.text.length, 201)

  const line = `9,${'1'.repeat(3 * LINE_BYTES_MAX)}`
  const { rates, bad } = await readDeck(`prefix,rate\n${line}\n44,1\n${line}`, {}, 65_536)
  t.match(bad, [
    { line: 2, reason: 'the line is too long' },
    { line: 4, reason: 'the line is too long' },
  ])
  t.strictSame(brief(rates), ['44 1.000000 1/1'], 'what comes after it is read')
  const foreign = new TextLines(
    (async function* () {
      yield Buffer.from(`${'x'.repeat(2 * LINE_BYTES_MAX)}`)
      yield Buffer.from('\n\xfc\n', 'latin1')
    })(),
  )
  const lines: string[] = []
  for await (const piece of foreign.pieces()) lines.push(...piece)
  t.strictSame([lines.length, lines[1], foreign.firstForeign], [2, 'ü', 2])
})

t.test('lines are the same, whatever pieces they come in', async t => {
  const text = fc.string({ unit: fc.constantFrom('a', '€', '\n', '\r', '\r\n', ',', '"') })
  await fc.assert(
    fc.asyncProperty(text, fc.integer({ min: 1, max: 5 }), async (text, bytes) => {
      const all = Buffer.from(text)
      const source = async function* () {
        for (let i = 0; i < all.length; i += bytes) yield all.subarray(i, i + bytes)
      }
      const lines: string[] = []
      for await (const piece of new TextLines(source()).pieces()) lines.push(...piece)
      const expected = text.split(/\r\n|\r|\n/)
      if (expected.at(-1) === '') expected.pop()
      assert.deepEqual(lines, expected)
    }),
    { numRuns: 500 },
  )
  t.pass('500 texts')
})

t.test('fields are what another reader makes of them', async t => {
  const field = fc.string({ unit: fc.constantFrom('a', ' ', '"', ',', ';', 'ü'), maxLength: 6 })
  fc.assert(
    fc.property(fc.array(field, { minLength: 1, maxLength: 5 }), fields => {
      // A single empty field is an empty line, which is not read at all.
      fc.pre(fields.length > 1 || fields[0] !== '')
      const line = stringify([fields], { quoted: true }).trimEnd()
      assert.deepEqual(fieldsOf(line, ','), fields)
      assert.deepEqual(fieldsOf(line, ','), parse(line)[0])
    }),
  )
  for (const [line, fields] of [
    ['', ['']],
    ['a,', ['a', '']],
    ['"a",', ['a', '']],
    ['"a","b"', ['a', 'b']],
    ['""', ['']],
    ['""""', ['"']],
    ['"a', null],
    ['a"', null],
    ['"a"b', null],
    ['"a" b,c', null],
    ['a,"b', null],
    ['"a""', null],
  ] as const) {
    t.strictSame(fieldsOf(line, ','), fields, line)
  }
})

/** On which line the earlier of two rates is, found by looking at all of them. */
function collisionIn(rates: readonly { rate: ListedRate; line: number }[], rate: ListedRate) {
  return rates
    .filter(({ rate: other }) => {
      if (other.prefix !== rate.prefix || other.period !== rate.period) return false
      const [first, second] = other.from <= rate.from ? [other, rate] : [rate, other]
      return first.from === second.from || (first.until !== null && first.until > second.from)
    })
    .map(({ line }) => line)
}

t.test('which line a rate collides with', async t => {
  const rate = fc.record({
    prefix: fc.constantFrom(
      '',
      '0',
      '00',
      '1',
      '10',
      '123456789012345',
      '0'.repeat(16),
      '9'.repeat(32),
      '9'.repeat(31),
    ),
    period: fc.constantFrom('', 'peak'),
    from: fc.integer({ min: 0, max: 3 }),
    length: fc.constantFrom(null, 1, 2),
  })
  fc.assert(
    fc.property(fc.array(rate, { maxLength: 40 }), all => {
      const lines = new DeckLines()
      const known: { rate: ListedRate; line: number }[] = []
      for (const [i, { length, ...fields }] of all.entries()) {
        const until = length === null ? null : fields.from + length
        const one = { ...fields, until } as ListedRate
        const expected = collisionIn(known, one)
        const found = lines.collision(one)
        assert.equal(lines.add(one, i + 1), found)
        if (expected.length === 0) assert.equal(found, undefined)
        else assert.ok(found !== undefined && expected.includes(found))
        if (expected.length === 0) known.push({ rate: one, line: i + 1 })
      }
    }),
    { numRuns: 500 },
  )
  t.pass('500 decks')
})

t.test('a long deck, in no order', async t => {
  const text = [...longDeck(30_000)].join('')
  const { rates, bad, ignored } = await readDeck(text, {}, 50_000)
  t.strictSame([rates.length, bad, ignored], [30_000, [], []])
  t.equal(new Set(rates.map(rate => rate.prefix)).size, 30_000, 'no prefix comes twice')
  const twice = await readDeck(`${text}${text.slice(text.indexOf('\n') + 1)}`, {}, 50_000)
  t.equal(twice.rates.length, 30_000)
  t.equal(twice.bad.length, 30_000)
  t.match(twice.bad.at(-1), { line: 60_001, reason: / is on line 30001 already/ })
})

t.test('three decks of carriers', async t => {
  const { halden, kestrel, loop } = CARRIER_DECKS
  const h = await readDeck(halden.bytes, { decimalComma: true, dateFormat: 'dd/mm/yyyy' })
  t.strictSame(h.bad, [])
  t.equal(h.rates.length, halden.rates)
  t.strictSame([h.ignored, h.firstForeign], [['Country'], 2])
  const described = h.rates.filter(rate => /^4989|^49151/.test(rate.prefix))
  t.strictSame(brief(described), [
    '49151 Germany mobile "T" 0.021500 + 0.010000 60/60 ,2026-12-01T00:00:00Z,,',
    '4989 München 0.008700 1/1 ,2026-12-01T00:00:00Z,,',
  ])
  const k = await readDeck(kestrel.bytes)
  t.strictSame([k.bad, k.rates.length, k.ignored], [[], kestrel.rates, ['Comment']])
  t.strictSame(brief(k.rates.slice(-2)), [
    '1 North America 0.003100 6/6',
    '870 Inmarsat 0.000000 1/1 ,,,yes',
  ])
  const l = await readDeck(loop.bytes, { dateFormat: 'mm/dd/yyyy' })
  t.strictSame([l.bad, l.ignored], [[], []])
  t.strictSame(brief(l.rates), [
    '81 Japan 0.028000 1/1 free 3',
    '8180 Japan mobile 0.091200 1/1 free 3 ,2026-12-01T00:00:00Z,2026-12-31T00:00:00Z,',
    '8180 Japan mobile 0.095000 1/1 free 3 ,2026-12-31T00:00:00Z,,',
    '8190 Japan mobile (日本) 0.091200 1/1 free 3 ,2026-12-01T00:00:00Z,,',
    '852 Hong Kong 0.015000 30/6 ,2026-12-01T00:00:00Z,,',
  ])
})
