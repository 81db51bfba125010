/** Wall clocks and the periods of plans: weekdays, hours, and the nights on which clocks are moved. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { isTimeZone, localDate, localTime, offsetUs } from '../../src/local-time.js'
import { PERIODS_MAX, type Period, PeriodError, Schedule } from '../../src/rating/schedule.js'

const MINUTE = 60_000_000
const HOUR = 60 * MINUTE

const at = (iso: string) => Date.parse(iso) * 1000
const iso = (instant: number) => new Date(instant / 1000).toISOString().replace(':00.000', '')

const DAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun']

const formats = new Map<string, Intl.DateTimeFormat>()

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const format =
    formats.get(timeZone) ??
    new Intl.DateTimeFormat('en-CA', {
      timeZone,
      hourCycle: 'h23',
      ...{ weekday: 'short', year: 'numeric', month: '2-digit', day: '2-digit' },
      ...{ hour: '2-digit', minute: '2-digit' },
    })
  formats.set(timeZone, format)
  return format
}

/** What Intl says, asked for each instant anew. */
function slowTime(instant: number, timeZone: string) {
  const format = formatOf(timeZone)
  const parts = Object.fromEntries(
    format.formatToParts(instant / 1000).map(({ type, value }) => [type, value]),
  )
  const { year, month, day, weekday = '', hour, minute } = parts
  return {
    date: `${year}-${month}-${day}`,
    weekday: DAYS.findIndex(name => weekday.startsWith(name)),
    minute: Number(hour) * 60 + Number(minute),
  }
}

/** Some with summer time, some without, some with halves and quarters of hours. */
const ZONES = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'America/St_Johns',
  'Australia/Lord_Howe',
  'Asia/Kathmandu',
  'Pacific/Chatham',
  'Pacific/Kiritimati',
  'Antarctica/Casey',
]

/** The clocks of these zones are moved close to these instants. */
const MOVES = [
  ['Europe/Berlin', '2026-03-29T01:00Z'],
  ['Europe/Berlin', '2026-10-25T01:00Z'],
  ['America/New_York', '2026-03-08T07:00Z'],
  ['America/New_York', '2026-11-01T06:00Z'],
  ['Australia/Lord_Howe', '2026-04-04T15:00Z'],
  ['Australia/Lord_Howe', '2026-10-03T15:30Z'],
  ['America/St_Johns', '2011-03-13T03:31Z'],
  ['Antarctica/Casey', '2022-10-01T16:01Z'],
] as const

const moments = fc.oneof(
  fc.record({
    zone: fc.constantFrom(...ZONES),
    instant: fc.integer({ min: at('2000-01-01T00:00Z'), max: at('2037-01-01T00:00Z') }),
  }),
  fc
    .tuple(fc.constantFrom(...MOVES), fc.integer({ min: -3 * HOUR, max: 3 * HOUR }))
    .map(([[zone, move], off]) => ({ zone, instant: at(move) + off })),
)

t.test('names of time zones', async t => {
  for (const name of [...ZONES, 'Asia/Calcutta', 'Europe/Kyiv']) t.ok(isTimeZone(name), name)
  for (const name of ['', 'Berlin', 'Europe/Nowhere', '+01:00', 'UTC+1', 'Europe/Berlin ']) {
    t.notOk(isTimeZone(name), JSON.stringify(name))
    t.throws(() => localDate(0, name), RangeError)
  }
})

t.test('what the clock on the wall shows', async () => {
  fc.assert(
    fc.property(moments, ({ zone, instant }) => {
      assert.deepEqual(localTime(instant, zone), slowTime(instant, zone))
      assert.equal(localDate(instant, zone), slowTime(instant, zone).date)
    }),
    { numRuns: 500 },
  )
})

t.test('it is asked for thousands of minutes, forwards and backwards', async t => {
  const from = at('2026-03-28T00:00Z')
  const minutes = Array.from({ length: 3000 }, (_, i) => from + i * MINUTE)
  const shown = minutes.map(one => localTime(one, 'Europe/Berlin').minute)
  const again = minutes.toReversed().map(one => localTime(one, 'Europe/Berlin').minute)
  t.strictSame(again.toReversed(), shown)
  t.equal(offsetUs(from, 'Europe/Berlin'), HOUR)
  t.equal(offsetUs(at('2026-03-29T01:00Z'), 'Europe/Berlin'), 2 * HOUR)
  t.equal(offsetUs(at('2026-03-29T01:00Z') - 1, 'Europe/Berlin'), HOUR)
})

t.test('midnight is where the account is', async t => {
  t.equal(localDate(at('2026-11-23T22:59:59.999Z'), 'Europe/Berlin'), '2026-11-23')
  t.equal(localDate(at('2026-11-23T23:00Z'), 'Europe/Berlin'), '2026-11-24')
  t.equal(localDate(at('2026-11-23T10:00Z'), 'Pacific/Kiritimati'), '2026-11-24')
  t.equal(localDate(at('2026-11-24T04:59Z'), 'America/New_York'), '2026-11-23')
})

const peak = (hours: string, zone = 'UTC') => new Schedule(zone, [{ name: 'peak', hours }])

/** When the period begins and ends in a week from a Monday, as text. */
function spans(schedule: Schedule, from = '2026-11-23T00:00Z', days = 7) {
  return schedule.changes(at(from), at(from) + days * 24 * HOUR).map(iso)
}

t.test('hours in a week without surprises', async t => {
  const office = peak('mon-fri 08:00-20:00, sat 09:00-13:00')
  t.strictSame(spans(office), [
    ...['23', '24', '25', '26', '27'].flatMap(day => [
      `2026-11-${day}T08:00Z`,
      `2026-11-${day}T20:00Z`,
    ]),
    '2026-11-28T09:00Z',
    '2026-11-28T13:00Z',
  ])
  t.equal(office.periodAt(at('2026-11-23T08:00Z') - 1), '')
  t.equal(office.periodAt(at('2026-11-23T08:00Z')), 'peak')
  t.equal(office.periodAt(at('2026-11-23T20:00Z') - 1), 'peak')
  t.equal(office.periodAt(at('2026-11-23T20:00Z')), '')
  t.strictSame(spans(peak('mon,wed 08:00-12:00')), [
    '2026-11-23T08:00Z',
    '2026-11-23T12:00Z',
    '2026-11-25T08:00Z',
    '2026-11-25T12:00Z',
  ])
  t.strictSame(spans(peak('tue 12:00-24:00')), ['2026-11-24T12:00Z', '2026-11-25T00:00Z'])
  t.strictSame(spans(peak(' TUE  12:00 - 13:00 ')), ['2026-11-24T12:00Z', '2026-11-24T13:00Z'])
  t.strictSame(spans(peak('mon-sun 00:00-24:00')), [], 'it never ends')
  t.equal(peak('mon-sun 00:00-24:00').periodAt(at('2026-11-29T23:59Z')), 'peak')
  t.strictSame(
    spans(peak('sat-mon 10:00-11:00')).map(one => one.slice(8, 10)),
    ['23', '23', '28', '28', '29', '29'],
  )
})

t.test('hours past midnight belong to the day on which they begin', async t => {
  t.strictSame(spans(peak('fri 22:00-06:00')), ['2026-11-27T22:00Z', '2026-11-28T06:00Z'])
  const sunday = peak('sun 22:00-06:00')
  t.strictSame(spans(sunday), ['2026-11-23T06:00Z', '2026-11-29T22:00Z'])
  t.equal(sunday.periodAt(at('2026-11-23T05:59Z')), 'peak', 'the week before goes on')
  t.equal(sunday.periodAt(at('2026-11-24T05:59Z')), '')
  t.strictSame(spans(peak('tue 22:00-00:00')), ['2026-11-24T22:00Z', '2026-11-25T00:00Z'])
})

t.test('changes are after the one instant, and up to the other', async t => {
  const noon = peak('mon 12:00-13:00')
  const begin = at('2026-11-23T12:00Z')
  t.strictSame(noon.changes(begin - 1, begin), [begin])
  t.strictSame(noon.changes(begin, begin + HOUR - 1), [])
  t.strictSame(noon.changes(begin - MINUTE, begin - 1), [])
  t.strictSame(noon.changes(begin + 1, begin + HOUR), [begin + HOUR])
  t.strictSame(new Schedule('UTC', []).changes(0, at('2037-01-01T00:00Z')), [])
  t.equal(new Schedule('UTC', []).periodAt(0), '')
})

t.test('an hour that is skipped is in no period', async t => {
  const early = (zone: string) => peak('sun 02:00-03:00', zone)
  t.strictSame(spans(early('Europe/Berlin'), '2026-03-28T23:00Z', 1), [])
  t.strictSame(spans(early('America/New_York'), '2026-03-08T05:00Z', 1), [])
  const across = peak('sun 01:30-03:30', 'Europe/Berlin')
  t.strictSame(spans(across, '2026-03-28T23:00Z', 1), ['2026-03-29T00:30Z', '2026-03-29T01:30Z'])
  const half = spans(peak('sun 02:00-03:00', 'Australia/Lord_Howe'), '2026-10-03T13:30Z', 1)
  t.strictSame(half, ['2026-10-03T15:30Z', '2026-10-03T16:00Z'], 'half of it is')
})

t.test('an hour that happens twice is in its period twice', async t => {
  const early = (hours: string, zone: string) => peak(`sun ${hours}`, zone)
  const berlin = early('02:00-03:00', 'Europe/Berlin')
  t.strictSame(spans(berlin, '2026-10-24T22:00Z', 1), ['2026-10-25T00:00Z', '2026-10-25T02:00Z'])
  const short = early('02:15-02:30', 'Europe/Berlin')
  t.strictSame(spans(short, '2026-10-24T22:00Z', 1), [
    ...['2026-10-25T00:15Z', '2026-10-25T00:30Z'],
    ...['2026-10-25T01:15Z', '2026-10-25T01:30Z'],
  ])
  const york = early('01:15-01:30', 'America/New_York')
  t.strictSame(spans(york, '2026-11-01T04:00Z', 1), [
    ...['2026-11-01T05:15Z', '2026-11-01T05:30Z'],
    ...['2026-11-01T06:15Z', '2026-11-01T06:30Z'],
  ])
  const half = early('01:30-02:00', 'Australia/Lord_Howe')
  t.strictSame(spans(half, '2026-04-04T13:00Z', 1), ['2026-04-04T14:30Z', '2026-04-04T15:30Z'])
})

t.test('periods in any zone, against a look at every minute', async () => {
  const clock = (minute: number) =>
    `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`
  const hours = fc.record({
    day: fc.nat(6),
    begin: fc.nat(1439),
    length: fc.integer({ min: 1, max: 1440 }),
  })
  const text = ({ day, begin, length }: { day: number; begin: number; length: number }) => {
    const end = begin + length === 1440 ? 1440 : (begin + length) % 1440
    const [from, until] = length === 1440 ? ['00:00', '24:00'] : [clock(begin), clock(end)]
    return `${DAYS[day]!.toLowerCase()} ${from}-${until}`
  }
  fc.assert(
    fc.property(
      moments,
      fc.array(hours, { minLength: 1, maxLength: 4 }),
      fc.nat(200),
      ({ zone, instant }, some, minutes) => {
        const schedule = peak(some.map(text).join(', '), zone)
        const inside = (one: number) => {
          const { weekday, minute } = slowTime(one, zone)
          return some.some(({ day, begin, length }) => {
            const from = day * 1440 + (length === 1440 ? 0 : begin)
            return (weekday * 1440 + minute - from + 10_080) % 10_080 < length
          })
        }
        const changes: number[] = []
        const first = Math.ceil((instant + 1) / MINUTE) * MINUTE
        for (let one = first; one <= instant + minutes * MINUTE; one += MINUTE) {
          if (inside(one) !== inside(one - 1)) changes.push(one)
          assert.equal(schedule.periodAt(one), inside(one) ? 'peak' : '')
        }
        assert.deepEqual(schedule.changes(instant, instant + minutes * MINUTE), changes)
      },
    ),
    { numRuns: 40 },
  )
})

const refusal = (periods: readonly Period[]) => {
  try {
    new Schedule('UTC', periods)
    return ''
  } catch (error) {
    assert.ok(error instanceof PeriodError)
    assert.equal(error.code, 'bad_period')
    return error.message
  }
}

t.test('hours that cannot be read are refused in a sentence', async t => {
  const begins = 'The hours of the period peak are wrong: '
  const cases: [string, string][] = [
    ['', '"" is not like mon-fri 08:00-20:00'],
    ['8-20', '"8-20" is not like mon-fri 08:00-20:00'],
    ['mon 8:00-20:00', '"mon 8:00-20:00" is not like mon-fri 08:00-20:00'],
    ['mon 08:00-20:00,', '"" is not like mon-fri 08:00-20:00'],
    ['mon', 'the last day has no hours: write them like 08:00-20:00'],
    ['mon 08:00-09:00, tue', 'the last day has no hours: write them like 08:00-20:00'],
    ['mo 08:00-20:00', '"mo" is not a day: use mon, tue, wed, thu, fri, sat, sun'],
    ['mon-frei 08:00-20:00', '"frei" is not a day: use mon, tue, wed, thu, fri, sat, sun'],
    ['mon 24:00-08:00', 'times go from 00:00 to 23:59, and an end may be 24:00'],
    ['mon 08:00-24:01', 'times go from 00:00 to 23:59, and an end may be 24:00'],
    ['mon 08:60-09:00', 'times go from 00:00 to 23:59, and an end may be 24:00'],
    ['mon 08:00-08:75', 'times go from 00:00 to 23:59, and an end may be 24:00'],
    ['mon 08:00-08:00', 'they begin and end at the same time: a whole day is 00:00-24:00'],
  ]
  for (const [hours, why] of cases) {
    t.equal(refusal([{ name: 'peak', hours }]), begins + why, JSON.stringify(hours))
  }
  t.ok(refusal([{ name: 'peak', hours: 'x'.repeat(999) }]).length < 140, 'short, however long')
})

t.test('two periods never overlap', async t => {
  const both = (one: string, other: string) =>
    refusal([
      { name: 'peak', hours: one },
      { name: 'night', hours: other },
    ])
  t.equal(both('mon-fri 08:00-20:00', 'mon-fri 20:00-08:00'), '')
  t.equal(
    both('mon-fri 08:00-20:00', 'wed 19:59-22:00'),
    'The periods peak and night overlap: both have wed 19:59',
  )
  t.equal(
    both('mon 03:00-04:00', 'sun 22:00-06:00'),
    'The periods peak and night overlap: both have mon 03:00',
  )
  t.equal(both('mon 08:00-10:00, mon 09:00-11:00', 'tue 08:00-09:00'), '', 'one may, with itself')
  const many = (count: number) =>
    Array.from({ length: count }, (_, i) => ({
      name: `p${i}`,
      hours: `mon 00:${String(i).padStart(2, '0')}-00:${String(i + 1).padStart(2, '0')}`,
    }))
  t.equal(refusal(many(PERIODS_MAX)), '')
  t.equal(refusal(many(PERIODS_MAX + 1)), 'A plan has at most 50 periods')
})
