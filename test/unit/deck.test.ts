/** The rows of a deck: codes, columns, prices, dates, and the way back to text. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { checkRate, DECK_COLUMNS, formatDeck } from '../../src/rating/deck.js'
import { parseColumnMap } from '../../src/rating/deck-header.js'
import { parseInstant, shortestInstant } from '../../src/rating/instants.js'
import type { ListedRate } from '../../src/rating/listed-rate.js'
import { parsePrefixes } from '../../src/rating/prefix-ranges.js'
import { anyRates } from '../support/any-rates.js'
import { brief, readDeck } from '../support/read-deck.js'

const HEADER = DECK_COLUMNS.join(',')

const DAY_US = 86_400_000_000

t.test('what a cell of codes stands for', async t => {
  const cells: readonly (readonly [string, string])[] = [
    ['44', '44'],
    ['+44', '44'],
    [' 44 ', '44'],
    ['44 20', '4420'],
    ['+44 20', '4420'],
    [
      '44 7400-7409, 7911',
      '447400 447401 447402 447403 447404 447405 447406 447407 447408 447409 447911',
    ],
    ['44 7400 7911', '447400 447911'],
    ['44 7400;7911', '447400 447911'],
    ['44 7400-7401 7911, 800', '447400 447401 447911 44800'],
    ['44 7400–7401', '447400 447401'],
    ['44 7400 - 7401', '447400 447401'],
    ['7400-7402', '7400 7401 7402'],
    ['4420, 4421; 4422', '4420 4421 4422'],
    ['4420,+4421,', '4420 4421'],
    ['1 008-011', '1008 1009 1010 1011'],
    ['99-99', '99'],
  ]
  for (const [cell, codes] of cells) t.equal(parsePrefixes(cell).join(' '), codes, cell)
  t.strictSame(parsePrefixes('20, 121 131-132', '44'), ['4420', '44121', '44131', '44132'])

  const twoWays =
    'can be read in two ways: put commas between prefixes, or one country code and a space before all of them'
  const wrong: readonly (readonly [string, string])[] = [
    ['7400 7401', `"7400 7401" ${twoWays}`],
    ['1242 357', `"1242 357" ${twoWays}`],
    ['44 7400, 353 87', `"44 7400, 353 87" ${twoWays}`],
    [
      '1-242',
      '"1-242" is not a range: both ends must have as many digits; a country code is followed by a space',
    ],
    ['7409-7400', '"7409-7400" is not a range: it ends before it begins'],
    ['44 740x', '"740x" is not a prefix: it must be at most 32 digits'],
    ['UK', '"UK" is not a prefix: it must be at most 32 digits'],
    ['44,,45', 'there is a comma with no prefix before or after it'],
    [
      '4.47E+11',
      '"4.47E+11" is in scientific notation, and its last digits are lost: export the column as text',
    ],
    ['44 7400-7409, 7405', 'the prefix 447405 is there twice in this line'],
    ['4'.repeat(33), `"${'4'.repeat(33)}" is not a prefix: it must be at most 32 digits`],
    [`44 ${'4'.repeat(31)}`, `"${'4'.repeat(33)}" is not a prefix: it must be at most 32 digits`],
    [
      '00000-10000',
      'the line stands for more than 10000 prefixes: use shorter ones, or several lines',
    ],
    [
      '0-9,00000-09999',
      'the line stands for more than 10000 prefixes: use shorter ones, or several lines',
    ],
    [
      `${'0'.repeat(20)}-${'9'.repeat(20)}`,
      'the line stands for more than 10000 prefixes: use shorter ones, or several lines',
    ],
  ]
  for (const [cell, message] of wrong)
    t.throws(() => parsePrefixes(cell), { name: 'DeckError', message }, cell)
  t.equal(parsePrefixes('0000-9999').length, 10_000, 'so many are allowed')
})

t.test('columns go by many names, in any order', async t => {
  const decks: readonly (readonly [string, string])[] = [
    ['Prefix,Rate\n44,0.02', '44 0.020000 1/1'],
    ['price/min;DIAL CODE\n0.02;44', '44 0.020000 1/1'],
    ['Rate per Minute (US$)\tdial_code\n0.02\t44', '44 0.020000 1/1'],
    ['Cost|Codes|Connection Fee\n0.02|44|0.1', '44 0.020000 + 0.100000 1/1'],
    [
      'code,per minute,setup fee,interval 1,interval n\n44,0.02,0.1,60,6',
      '44 0.020000 + 0.100000 60/6',
    ],
    ['code,price,First Interval,Next Interval (sec)\n44,0.02,30,6', '44 0.020000 30/6'],
    ['code,price,Initial Increment,Additional Increment\n44,0.02,30,6', '44 0.020000 30/6'],
    ['code,price,min,inc\n44,0.02,30,6', '44 0.020000 30/6'],
    ['code,price,Billing Increment\n44,0.02,60/1', '44 0.020000 60/1'],
    ['code,price,increment\n44,0.02,60', '44 0.020000 60/60'],
    ['code,price,Minimum/Increment\n44,0.02,', '44 0.020000 1/1'],
    [
      'code,price,grace period,valid from,expiry date\n44,0.02,5,2026-12-01,2027-01-01T12:30Z',
      '44 0.020000 1/1 free 5 ,2026-12-01T00:00:00Z,2027-01-01T12:30:00Z,',
    ],
    ['code,price,effective date\n44,0.02,1900-01-01', '44 0.020000 1/1'],
    ['code,price,end date\n44,0.02,9999-12-31', '44 0.020000 1/1'],
    ['Area Code,Rate\n4420,0.02', '4420 0.020000 1/1'],
    ['Country Code,City Code,Country,Rate\n44,20,UK,0.02', '4420 UK 0.020000 1/1'],
    ['Country Code,Area Code,Rate\n+44,,0.02', '44 0.020000 1/1'],
    ['Country Code,Code,Rate\nGB,4420,0.02', '4420 0.020000 1/1'],
    ['Country Code,Code,Rate\n44,4420,0.02', '4420 0.020000 1/1'],
    ['Destination,Code,Rate\nUK,44,0.02', '44 UK 0.020000 1/1'],
    ['Destination,Name,Rate\n44,UK,0.02', '44 UK 0.020000 1/1'],
    ['Country,Destination,Code,Rate\nUK,London,4420,0.02', '4420 London 0.020000 1/1'],
    ['Destination,Description,Code,Rate\nUK,London,4420,0.02', '4420 London 0.020000 1/1'],
    ['Country Code,Destination,Rate\n44,UK,0.02', '44 UK 0.020000 1/1'],
    ['code,price,status\n44,n/a,Blocked', '44 0.000000 1/1 ,,,yes'],
    ['code,price,status,setup\n44,0.5,barred,0.1', '44 0.000000 1/1 ,,,yes'],
    ['code,price,status,setup\n44,0.02,increase,', '44 0.020000 1/1'],
    ['code,price,period\n44,0.02,peak', '44 0.020000 1/1 peak,,,'],
  ]
  for (const [deck, wanted] of decks) {
    const { rates, bad } = await readDeck(deck)
    t.strictSame([brief(rates), bad], [[wanted], []], deck)
  }
})

t.test('what is no header says so', async t => {
  const map = 'say which it is, like --map "Dial Code=prefix,Our Price=per_minute"'
  const none = `none of the first 20 lines names a prefix and a price: ${map}`
  const wrong: readonly (readonly [string, number, string])[] = [
    ['44,UK,0.02,0,60,60', 1, none],
    ['<html>', 1, none],
    ['', 1, 'the file is empty'],
    ['\n\n \n', 1, 'the file is empty'],
    ['PK\u0003\u0004zip', 1, 'this is a spreadsheet or an archive: save it as CSV'],
    [
      'A title\nprefix,description\n44,UK',
      2,
      `no column is known to be the price per minute: ${map}`,
    ],
    ['Zone,Rate\nUK,1', 1, `no column is known to be the prefix: ${map}`],
    [
      'Destination,Rate\nUK,0.02',
      1,
      'no column is known to be the prefix: the destinations are names',
    ],
    ['prefix,rate (cents)\n44,2', 1, `no column is known to be the price per minute: ${map}`],
    ['prefix,rate per second\n44,2', 1, `no column is known to be the price per minute: ${map}`],
    [
      'prefix,rate,price\n44,1,2',
      1,
      'two columns are for per_minute, "rate" and "price": say which by --map "NAME=ignore"',
    ],
    [
      'prefix,dial code,price\n44,1,2',
      1,
      'two columns are for prefix, "prefix" and "dial code": say which by --map "NAME=ignore"',
    ],
    [`${'title\n'.repeat(20)}prefix,rate\n44,1`, 1, none],
  ]
  for (const [deck, line, reason] of wrong) {
    const { rates, bad } = await readDeck(deck)
    t.strictSame(rates, [], deck)
    t.match(bad, [{ line, reason }], deck)
    t.equal(bad.length, 1)
  }
  t.strictSame((await readDeck(`${'title\n'.repeat(19)}prefix,rate\n44,1`)).bad, [], 'line 20')
  t.strictSame((await readDeck(HEADER)).bad, [], 'a deck without rates is one')
})

t.test('columns can be named', async t => {
  const map = parseColumnMap('Ziel=description, Our Price = per_minute,Vorwahl=prefix,price=ignore')
  const { rates, bad, ignored } = await readDeck(
    'Vorwahl,Ziel,Our Price,Price,Größe\n44,UK,0.02,9,x',
    { map },
  )
  t.strictSame([brief(rates), bad, ignored], [['44 UK 0.020000 1/1'], [], ['Price', 'Größe']])
  t.match((await readDeck('prefix,rate\n44,1', { map: parseColumnMap('Rat=per_minute') })).bad, [
    { line: 1, reason: 'there is no column "rat" to map' },
  ])
  const quoted = parseColumnMap('Code=prefix, "Preis, EUR"=per_minute,Ziel=ignore')
  const { rates: priced } = await readDeck('Code;Ziel;"Preis, EUR"\n44;UK;0.02', { map: quoted })
  t.strictSame(brief(priced), ['44 0.020000 1/1'], 'a name with a comma is put in quotes')
  t.throws(() => parseColumnMap('Rate'), {
    message: '"Rate" maps no column: write it like "Dial Code=prefix"',
  })
  t.throws(() => parseColumnMap('Rate=price'), {
    message:
      '"price" is no column: a name may stand for prefix, country_code, area_code, destination, description, per_minute, setup, minimum, increment, interval, free_s, period, from, until, blocked, ignore',
  })
})

/** A row of a deck with these columns. */
const ROW = 'prefix,per_minute,setup,minimum,increment,free_s,from,until,blocked,description,period'

t.test('every bad line is named by its number, with its text and the reason', async t => {
  const comma = 'has a comma: where that is the decimal point, say --decimal-comma'
  const currency = 'has a currency: write the number alone, like 0.25'
  const thousands = 'has a thousands separator: write the digits alone'
  const lines: readonly (readonly [string, string | null])[] = [
    ['44,0.02,0,60,60,0,,,,UK,', null],
    ['44,0.03,0,60,60,0,,,,UK again,', 'the prefix 44 is on line 2 already, at the same time'],
    [',0.02,0,1,1,0,,,,,', null],
    [',0.03,0,1,1,0,,,,,', 'the empty prefix is on line 4 already, at the same time'],
    ['44,0.03,0,60,60,0,,,,,peak', null],
    [
      '44,0.03,0,60,60,0,,,,,peak',
      'the prefix 44 in the period peak is on line 6 already, at the same time',
    ],
    ['44,0.03,0,60,60,0,,,,,noon', 'the plan has no period "noon"'],
    ['45,,0,1,1,0,,,,,', 'the price per minute is missing'],
    [
      '45,1e-2,0,1,1,0,,,,,',
      'the price per minute "1e-2" is in scientific notation: write it out, like 0.01',
    ],
    ['45,1E2,0,1,1,0,,,,,', 'the price per minute "1E2" is in scientific notation'],
    ['45,"0,02",0,1,1,0,,,,,', `the price per minute "0,02" ${comma}`],
    ['45,"1,234.5",0,1,1,0,,,,,', `the price per minute "1,234.5" ${thousands}`],
    ['45,1 234.5,0,1,1,0,,,,,', `the price per minute "1 234.5" ${thousands}`],
    ["45,1'234.5,0,1,1,0,,,,,", `the price per minute "1'234.5" ${thousands}`],
    ['45,$0.02,0,1,1,0,,,,,', `the price per minute "$0.02" ${currency}`],
    ['45,0.02 EUR,0,1,1,0,,,,,', `the price per minute "0.02 EUR" ${currency}`],
    ['45,0.02,€1,1,1,0,,,,,', `the setup cost "€1" ${currency}`],
    ['45,-0.01,0,1,1,0,,,,,', 'the price per minute "-0.01" is negative: a price must not be'],
    ['45,(0.01),0,1,1,0,,,,,', 'the price per minute "(0.01)" is negative: a price must not be'],
    [
      '45,0.0000001,0,1,1,0,,,,,',
      'the price per minute "0.0000001" has more than six decimal places',
    ],
    ['45,cheap,0,1,1,0,,,,,', `the price per minute "cheap" ${currency}`],
    ['45,?,0,1,1,0,,,,,', 'the price per minute "?" is not an amount: write it like 12 or 0.25'],
    ['45,1.,0,1,1,0,,,,,', 'the price per minute "1." is not an amount'],
    ['45,٣,0,1,1,0,,,,,', 'the price per minute "٣" is not an amount'],
    ['45,1000000.000001,0,1,1,0,,,,,', 'the price per minute must be at most 1000000.000000'],
    ['45,12345678901,0,1,1,0,,,,,', 'the price per minute must be at most 1000000.000000'],
    ['45,0.01,1000000.000001,1,1,0,,,,,', 'the setup cost must be at most 1000000.000000'],
    ['45,0.01,0,0,1,0,,,,,', 'the minimum must be whole seconds from 1 to 86400, not "0"'],
    ['45,0.01,0,1,1.5,0,,,,,', 'the increment must be whole seconds from 1 to 86400, not "1.5"'],
    [
      '45,0.01,0,1,86401,0,,,,,',
      'the increment must be whole seconds from 1 to 86400, not "86401"',
    ],
    ['45,0.01,0,1,1,-1,,,,,', 'the free seconds must be whole seconds from 0 to 86400, not "-1"'],
    [
      '45,0.01,0,1,1,0,03/04/2026,,,,',
      'the date "03/04/2026" can be read in two ways: say --date-format dd/mm/yyyy or mm/dd/yyyy',
    ],
    [
      '45,0.01,0,1,1,0,31/12/2026,,,,',
      'the date "31/12/2026" is not like 2026-12-31: say --date-format',
    ],
    ['45,0.01,0,1,1,0,soon,,,,', '"soon" is no date: write it like 2026-12-31'],
    ['45,0.01,0,1,1,0,2026-02-30,,,,', '"2026-02-30" is no date'],
    ['45,0.01,0,1,1,0,2300-01-01,,,,', 'the rate begins too late: 2300-01-01T00:00:00Z'],
    [
      '45,0.01,0,1,1,0,2026-12-01,2026-12-01,,,',
      'the rate ends 2026-12-01T00:00:00Z, before it begins 2026-12-01T00:00:00Z',
    ],
    [
      '45,0.01,0,1,1,0,,,perhaps,,',
      '"perhaps" does not say whether calls are blocked: write yes or no, or --map "NAME=ignore"',
    ],
    [
      `45,0.01,0,1,1,0,,,,${'x'.repeat(201)},`,
      'the description must be at most 200 characters in one line',
    ],
    ['45,0.01,0,1,1,0,,,,a\u0000b,', 'the description must be at most 200 characters in one line'],
    [
      '45,0.01,0,1,1,0,,,,a\u001b[2Jb,',
      'the description must be at most 200 characters in one line',
    ],
    ['45,0.01,0,1,1,0,,,,a\u2028b,', 'the description must be at most 200 characters in one line'],
    ['45,0.01,0,1,1,0,,,,,a b', '"a b" cannot be the name of a period'],
    ['45', 'there is 1 field instead of 11'],
    ['45,0,02,0,1,1,0,,,,,x', 'there are 12 fields instead of 11'],
    ['45,"0.01,0,1,1,0,,,,,', 'the quotes do not add up'],
    ['45,0.01,0,1,1,0,,,,DE "west",', 'the quotes do not add up'],
    ['45,0.01,0,1,1,0,,,,"DE"west,', 'the quotes do not add up'],
    ['<script>,0.01,0,1,1,0,,,,,', '"<script>" is not a prefix'],
    ["1'; DROP TABLE rate; --,0.01,0,1,1,0,,,,,", `"1'" is not a prefix`],
    ['45,.0280000000,0,1,1,0,,,,<b>"\'; DROP TABLE,', 'the quotes do not add up'],
    ["45,.0280000000,,,,,,,,<b>'; DROP TABLE rate --,,,", null],
    [',,,,,,,,,,', null],
    [' , , ', null],
  ]
  const { rates, bad } = await readDeck([ROW, ...lines.map(([text]) => text)].join('\n'))
  t.strictSame(brief(rates), [
    '44 UK 0.020000 60/60',
    ' 0.020000 1/1',
    '44 0.030000 60/60 peak,,,',
    "45 <b>'; DROP TABLE rate -- 0.028000 1/1",
  ])
  const expected = lines.flatMap(([text, reason], i) =>
    reason === null ? [] : [{ line: i + 2, text, reason }],
  )
  for (const [i, { line, text, reason }] of expected.entries()) {
    const shown = text.length > 200 ? `${text.slice(0, 200)}…` : text
    t.strictSame([bad[i]?.line, bad[i]?.text === shown], [line, true], `line ${line}`)
    t.ok(bad[i]?.reason.startsWith(reason), `line ${line}: ${bad[i]?.reason}`)
  }
  t.equal(bad.length, expected.length)
})

t.test('an empty prefix is meant only in a deck that we have written', async t => {
  t.match((await readDeck('Code,Rate\n,0.02')).bad, [{ line: 2, reason: 'the prefix is missing' }])
  t.match((await readDeck('Country Code,Area Code,Rate\n,20,0.02\nUK,20,1')).bad, [
    { line: 2, reason: 'the country code is missing' },
    { line: 3, reason: '"UK" is no country code' },
  ])
  t.match((await readDeck('Country Code,Code,Rate\n44,20,0.02')).bad, [
    {
      line: 2,
      reason:
        'the prefix 20 does not begin with the country code 44: where the code goes in front, say --map "NAME=area_code"',
    },
  ])
})

t.test('decimal commas and dates, where it is said how they are written', async t => {
  const deck = (price: string, from: string) => `code;rate;from\n44;${price};${from}`
  const good: readonly (readonly [string, string, object, string])[] = [
    ['0,05', '', { decimalComma: true }, '0.050000 1/1'],
    ['12', '', { decimalComma: true }, '12.000000 1/1'],
    [',5', '', { decimalComma: true }, '0.500000 1/1'],
    ['1', '03/04/2026', { dateFormat: 'dd/mm/yyyy' }, '1.000000 1/1 ,2026-04-03T00:00:00Z,,'],
    ['1', '03/04/2026', { dateFormat: 'mm/dd/yyyy' }, '1.000000 1/1 ,2026-03-04T00:00:00Z,,'],
    ['1', '3.4.2026 8:30', { dateFormat: 'dd/mm/yyyy' }, '1.000000 1/1 ,2026-04-03T08:30:00Z,,'],
    ['1', '2026-04-03', { dateFormat: 'dd/mm/yyyy' }, '1.000000 1/1 ,2026-04-03T00:00:00Z,,'],
    ['1', '', { from: 20_790 * DAY_US }, '1.000000 1/1 ,2026-12-03T00:00:00Z,,'],
    ['1', '2026-04-03', { from: 20_790 * DAY_US }, '1.000000 1/1 ,2026-04-03T00:00:00Z,,'],
  ]
  for (const [price, from, terms, wanted] of good) {
    const { rates, bad } = await readDeck(deck(price, from), terms)
    t.strictSame([brief(rates), bad], [[`44 ${wanted}`], []], `${price} ${from}`)
  }
  const wrong: readonly (readonly [string, string, object, string])[] = [
    ['1.234,5', '', { decimalComma: true }, 'has a thousands separator'],
    [
      '0.05',
      '',
      { decimalComma: true },
      'has a point, but --decimal-comma says that decimals come after a comma',
    ],
    [
      '1',
      '13/13/2026',
      { dateFormat: 'dd/mm/yyyy' },
      '"13/13/2026" is no date: write it like 2026-12-31 or dd/mm/yyyy',
    ],
    ['1', '31/12/2026', { dateFormat: 'mm/dd/yyyy' }, '"31/12/2026" is no date'],
    ['1', '31/12/26', { dateFormat: 'dd/mm/yyyy' }, '"31/12/26" is no date'],
  ]
  for (const [price, from, terms, reason] of wrong) {
    const { bad } = await readDeck(deck(price, from), terms)
    t.ok(bad[0]?.reason.includes(reason), `${price} ${from}: ${bad[0]?.reason}`)
  }
})

t.test('a prefix may come again for another time', async t => {
  const deck = (...lines: string[]) => ['prefix,rate,from,until', ...lines].join('\n')
  const lines = async (...rows: string[]) =>
    (await readDeck(deck(...rows))).bad.map(bad => bad.line)
  t.strictSame(await lines('44,1,,', '44,2,2026-12-01,'), [], 'the later one ends the earlier')
  t.strictSame(await lines('44,2,2026-12-01,', '44,1,,'), [], 'in any order')
  t.strictSame(await lines('44,1,,2026-12-01', '44,2,2026-12-01,'), [], 'one after the other')
  t.strictSame(await lines('44,1,,2026-12-02', '44,2,2026-12-01,'), [3])
  t.strictSame(await lines('44,2,2026-12-01,', '44,1,,2026-12-02'), [3])
  t.strictSame(await lines('44,1,2026-12-01,', '44,2,2026-12-01,2027-01-01'), [3])
  t.strictSame(
    await lines('44,1,,', '44,2,2026-12-01,2026-12-24', '44,3,2026-12-20,', '44,4,2026-12-24,'),
    [4],
    'every earlier one counts, but no bad one',
  )
  const all = await readDeck('prefix,rate\n"1, 2",1\n"3, 2, 4",1\n4,1\n3,1\n')
  t.strictSame(
    brief(all.rates),
    ['1', '2', '4', '3'].map(prefix => `${prefix} 1.000000 1/1`),
    'a line is good as a whole, or bad',
  )
  t.match(all.bad, [{ line: 3, reason: 'the prefix 2 is on line 2 already, at the same time' }])
})

t.test('what other programs might change is in quotes', async t => {
  const rate: ListedRate = {
    ...{ prefix: '1', description: '', perMinute: 0n, setup: 0n, minimum: 1, increment: 1 },
    ...{ freeS: 0, period: '', from: 0, until: null, blocked: false },
  }
  const line = (description: string) => [...formatDeck([{ ...rate, description }])][1]
  t.equal(line('a b'), '1,a b,0.000000,0.000000,1,1,0,,,,\n')
  t.equal(line(' a'), '1," a",0.000000,0.000000,1,1,0,,,,\n')
  t.equal(line('a '), '1,"a ",0.000000,0.000000,1,1,0,,,,\n')
  t.equal(line('a,b "c"'), '1,"a,b ""c""",0.000000,0.000000,1,1,0,,,,\n')
  const full = {
    ...rate,
    freeS: 5,
    period: 'peak',
    from: DAY_US,
    until: 2 * DAY_US + 1,
    blocked: true,
  }
  t.equal(
    [...formatDeck([full])].join(''),
    `${HEADER}\n1,,0.000000,0.000000,1,1,5,peak,1970-01-02T00:00:00Z,1970-01-03T00:00:00.000001Z,yes\n`,
  )
  for (const [wrong, message] of [
    [{ perMinute: -1n }, 'the price per minute must not be negative'],
    [{ setup: -1n }, 'the setup cost must not be negative'],
    [{ perMinute: 1n, blocked: true }, 'a blocked rate has no prices'],
    [{ prefix: '4x' }, '"4x" is not a prefix: it must be at most 32 digits'],
    [{ minimum: 0 }, 'the minimum must be whole seconds from 1 to 86400'],
    [{ increment: 1.5 }, 'the increment must be whole seconds from 1 to 86400'],
    [{ description: '\ud800' }, 'the description must be at most 200 characters in one line'],
  ] as const) {
    t.throws(() => checkRate({ ...rate, ...wrong }), { name: 'DeckError', message })
  }
})

t.test('instants are read as they are written', async t => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 7_258_118_400_000_000 }), at => {
      assert.equal(parseInstant(shortestInstant(at)), at)
    }),
  )
  t.equal(shortestInstant(0), '1970-01-01T00:00:00Z')
})

t.test('what is written is read back, and written the same', async t => {
  await fc.assert(
    fc.asyncProperty(anyRates(), async rates => {
      const text = [...formatDeck(rates)].join('')
      const again = await readDeck(text, {}, 1_000)
      assert.deepEqual(again.bad, [])
      assert.deepEqual(again.rates, rates)
      assert.equal([...formatDeck(again.rates)].join(''), text)
    }),
    { numRuns: 200 },
  )
  t.pass('200 decks')
})
