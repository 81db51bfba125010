/**
 * Decks as carriers send them: three that differ in all that decks differ in, and one as long as
 * anybody asks for. The companies are invented, and so are their prices.
 */

export interface CarrierDeck {
  readonly bytes: Buffer
  /** What has to be said of it besides the plan. */
  readonly options: Readonly<Record<string, string | true>>
  /** How many rates it stands for. */
  readonly rates: number
  /** Numbers, and the price per minute and steps that they get from 2026-12-15 on. */
  readonly lookups: readonly (readonly [number: string, perMinute: string, steps: string])[]
}

/** A European one: titles above, decimal commas, Windows' encoding, codes in two columns. */
const HALDEN = [
  'Haldenfjord Telekom AS;;;;;;;',
  'Preisliste Nr. 48, gültig für Kunden der Klasse B;;;;;;;',
  ';;;;;;;',
  'Country Code;Area Code;Country;Destination Name;Price/Min (EUR);Connect Fee;Billing Increment;Valid From',
  '47;;Norway;Norway;0,0112;0,00;1/1;01.12.2026',
  '47;40-49, 9;Norway;Norway mobile;0,0461;0,00;60/1;01.12.2026',
  '49;;Germany;Germany;0,0098;0,00;1/1;',
  '49;151;Germany;"Germany mobile ""T""";0,0215000000;0,01;60/60;01.12.2026',
  '49;89;Germany;München;0,0087;0,00;1/1;01.12.2026',
  '43;1, 316; Österreich;Wien;0,0105;0,00;1/1;01.12.2026',
  ';;;;;;;',
]

/** A wholesaler: a byte order mark, quotes, ranges, some destinations that it does not reach. */
const KESTREL = [
  '"Destination","Dial Codes","Rate","Interval 1","Interval N","Effective Date","Status","Comment"',
  '"United Kingdom, fixed","44","0.0045",1,1,2026-12-01,increase,',
  '"United Kingdom, mobile","44 7400-7409, 7911","0.0231",1,1,2026-12-01,,"incl. ""virtual"" operators"',
  '"United Kingdom, premium","44 9, 871",0.5,60,60,,current,',
  '"Bahamas","1 242",0.145,60,6,,,',
  '"North America","1",0.0031,6,6,,,',
  '"Inmarsat","870",n/a,,,,Blocked,"not offered"',
]

/** From a spreadsheet's "Unicode text": UTF-16 with tabs, American dates, an end to some prices. */
const LOOP = [
  'Pacific Loop Carrier Services',
  'Rates in USD, updated 11/20/2026',
  '',
  'Dial Code\tDescription\tCost per Minute\tSetup Fee\tMin\tInc\tGrace Period\tEffective From\tEffective Until',
  '81\tJapan\t.0280\t0\t1\t1\t3\t\t',
  '8180\tJapan mobile\t0.0912\t0\t1\t1\t3\t12/01/2026\t12/31/2026',
  '8180\tJapan mobile\t0.0950\t0\t1\t1\t3\t12/31/2026\t12/31/9999',
  '8190\tJapan mobile (日本)\t0.0912\t0\t1\t1\t3\t12/01/2026\t',
  '852\tHong Kong\t0.0150\t0\t30\t6\t0\t12/01/2026\t',
]

export const CARRIER_DECKS: Readonly<Record<'halden' | 'kestrel' | 'loop', CarrierDeck>> = {
  halden: {
    bytes: inWindows(HALDEN.join('\r\n')),
    options: { decimal_comma: true, date_format: 'dd/mm/yyyy' },
    rates: 17,
    lookups: [
      ['4722000000', '0.011200', '1/1'],
      ['4745000000', '0.046100', '60/1'],
      ['4790000000', '0.046100', '60/1'],
      ['4930000000', '0.009800', '1/1'],
      ['4915100000', '0.021500', '60/60'],
      ['4989000000', '0.008700', '1/1'],
      ['4331600000', '0.010500', '1/1'],
    ],
  },
  kestrel: {
    bytes: Buffer.from(`\uFEFF${KESTREL.join('\n')}\n`),
    options: {},
    rates: 17,
    lookups: [
      ['442079460000', '0.004500', '1/1'],
      ['447405000000', '0.023100', '1/1'],
      ['447911000000', '0.023100', '1/1'],
      ['447912000000', '0.004500', '1/1'],
      ['448710000000', '0.500000', '60/60'],
      ['12425550000', '0.145000', '60/6'],
      ['12125550000', '0.003100', '6/6'],
      ['870000000', 'blocked', '1/1'],
    ],
  },
  loop: {
    bytes: Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(LOOP.join('\r\n'), 'utf16le')]),
    options: { date_format: 'mm/dd/yyyy' },
    rates: 5,
    lookups: [
      ['81300000000', '0.028000', '1/1'],
      ['818000000000', '0.091200', '1/1'],
      ['819000000000', '0.091200', '1/1'],
      ['85200000000', '0.015000', '30/6'],
    ],
  },
}

/** All of its letters are in Latin-1. */
function inWindows(text: string): Buffer {
  return Buffer.from(text, 'latin1')
}

const WORDS = ['Fixed', 'Mobile', 'Mobile Orion', 'Mobile Vela', 'Premium', 'Toll free', 'Rural']

/** A deck of so many prefixes, in no order, a piece of some thousand lines at a time. */
export function* longDeck(lines: number, cents = 0): Generator<string> {
  yield 'Dial Code,Destination,Rate,Setup Fee,Interval 1,Interval N,Effective Date\n'
  let piece: string[] = []
  for (let i = 0; i < lines; i++) {
    // Steps of this length come to each number once.
    const prefix = 1_000_000 + ((i * 7_368_787) % 9_000_000)
    const name = `Zone ${prefix % 700}, ${WORDS[prefix % WORDS.length]}`
    const price = `0.${String(((prefix * 31) % 9000) + cents).padStart(5, '0')}`
    const [first, next] = prefix % 3 === 0 ? [60, 60] : [1, 1]
    piece.push(`${prefix},"${name}",${price},0,${first},${next},\n`)
    if (piece.length < 5_000) continue
    yield piece.join('')
    piece = []
  }
  yield piece.join('')
}
