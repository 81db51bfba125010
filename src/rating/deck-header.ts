/**
 * What the columns of a deck are called by those who send them. A name counts without its case, its
 * signs and its currency: `Dial Code`, `dial_code` and `DIAL-CODE` are one; so are `Rate` and
 * `Rate (USD)`. But `Rate (cents)` is another, which we do not know, and must not take for a rate.
 */
import { DeckError, shown } from './deck-error.js'

/** Names of each column, ours first. */
const NAMES = {
  prefix: [
    'prefix,code,codes,dial code,dial codes,dialcode,dialcodes,dialling code,dialing code,dial prefix',
    'destination code,destination codes,dest code,prefixes,breakout,breakouts,e164,number prefix',
  ],
  country_code: ['country code,countrycode,country prefix,country dial code,cc,idd,idd code'],
  area_code: [
    'area code,area codes,areacode,city code,city codes,citycode,area,ndc,area city code',
  ],
  /** Text or digits: a name or a code, as its cells show. */
  destination: ['destination,destinations,dest'],
  description: [
    'description,destination name,dest name,destination description',
    'name,zone,zone name,area name,city name,location,route name,country name,country,route',
  ],
  per_minute: [
    'per minute,rate,rates,price,price min,price per min,price per minute,rate min,rate per min',
    'rate per minute,per min,minute rate,minute price,cost,cost min,cost per min,cost per minute',
    'charge,charge per minute,tariff,new rate,new price,sell rate,buy rate',
  ],
  setup: [
    'setup,setup fee,setup cost,setup charge,setup price,call setup,call setup fee,connection fee',
    'connection charge,connection cost,connection,connect fee,connect charge,connect cost,connect',
    'connection price',
  ],
  minimum: [
    'minimum,min,interval 1,interval1,first interval,initial interval,minimum interval,initial',
    'first increment,initial increment,minimum increment,minimum duration,minimum time,min time',
    'minimum seconds,minimum s,min duration,initial period,initial seconds,minimal time',
  ],
  increment: [
    'increment,inc,incr,interval n,intervaln,next interval,interval 2,second interval,additional interval',
    'subsequent interval,next increment,additional increment,subsequent increment,second increment',
    'additional,subsequent,increment seconds,increment s,additional period,additional seconds',
  ],
  interval: [
    'interval,intervals,billing increment,billing increments,billing interval,billing intervals',
    'increments,billing,billing terms,billing step,billing steps,billing unit,charging interval',
    'minimum and increment,min inc,interval 1 n,steps',
  ],
  free_s: ['free s,free seconds,free,free time,grace,grace period,grace time,grace seconds'],
  period: ['period,time period,rate period,time class,time of day'],
  from: [
    'from,effective,effective date,effective from,effective since,effective time,valid from,valid since',
    'start,start date,start time,begin date,date from,from date,activation date,date effective',
  ],
  until: [
    'until,effective until,effective to,effective till,valid until,valid to,valid till,end,end date',
    'end time,expiry,expiry date,expires,expiration,expiration date,date to,date until,until date,to date',
  ],
  blocked: ['blocked,block,barred,status,route status'],
} as const satisfies Record<string, readonly string[]>

export type DeckColumn = keyof typeof NAMES

/** What a name may be mapped to: a column, or `ignore`. */
export const MAP_TARGETS: readonly string[] = [...Object.keys(NAMES), 'ignore']

const COLUMN_OF: ReadonlyMap<string, DeckColumn> = new Map(
  Object.entries(NAMES).flatMap(([column, names]) =>
    names.flatMap(line =>
      line.split(',').map(name => [name.trim(), column as DeckColumn] as const),
    ),
  ),
)

/** How good a name for a description is: the first of these that a deck has is taken. */
const DESCRIPTIONS = NAMES.description.join(',').split(',')
const BEST_DESCRIPTIONS = NAMES.description[0].split(',')

/** Where each column stands in a row, -1 where the deck has none, and what else there is. */
export interface DeckHeader {
  readonly places: Readonly<Record<DeckColumn, number>>
  /** How many fields a row has. */
  readonly width: number
  /** Names of columns that are of no use to us. */
  readonly ignored: readonly string[]
  /** Written by formatDeck: only there an empty prefix is meant as one. */
  readonly ours: boolean
}

/** Columns as `--map` names them: a name of the deck, as it counts, and what it stands for. */
export type ColumnMap = ReadonlyMap<string, DeckColumn | 'ignore'>

/** A comma with an even number of quotes behind it: one that is not in a name in quotes. */
const COMMA = /,(?=(?:[^"]*"[^"]*")*[^"]*$)/

/**
 * Reads `Dial Code=prefix,Our Price=per_minute`; a name with a comma in it is put in quotes.
 * @throws DeckError
 */
export function parseColumnMap(text: string): ColumnMap {
  const map = new Map<string, DeckColumn | 'ignore'>()
  for (const pair of text === '' ? [] : text.split(COMMA)) {
    const [, name, target] = /^\s*"?(.*?[^"\s])"?\s*=\s*(\S+)\s*$/.exec(pair) ?? []
    if (name === undefined || target === undefined) {
      throw new DeckError(`${shown(pair)} maps no column: write it like "Dial Code=prefix"`)
    }
    if (!MAP_TARGETS.includes(target)) {
      const all = MAP_TARGETS.join(', ')
      throw new DeckError(`${shown(target)} is no column: a name may stand for ${all}`)
    }
    map.set(foldName(name), target as DeckColumn | 'ignore')
  }
  return map
}

/** What a line looks like as a header. */
export interface HeaderReading {
  /** How many of its columns have a name that we know. */
  readonly known: number
  /** Whether it has what no deck can do without. */
  readonly complete: boolean
  /** The reason why it is no header, though it is complete. */
  readonly wrong: string | null
  readonly header: DeckHeader
  /** The column whose cells decide whether it is a name or a code; -1 where none does. */
  readonly destination: number
}

/** Tells what the fields would be as a header. */
export function readHeader(fields: readonly string[], map: ColumnMap): HeaderReading {
  const names = fields.map(foldName)
  const places = Object.fromEntries(Object.keys(NAMES).map(column => [column, -1])) as Record<
    DeckColumn,
    number
  >
  const ignored: string[] = []
  let wrong: string | null = null
  for (const place of inOrderOfTaking(names, map)) {
    const column = map.get(names[place]!) ?? COLUMN_OF.get(names[place]!)
    if (column === undefined || column === 'ignore') {
      if (names[place] !== '') ignored.push(fields[place]!.trim())
    } else if (places[column] === -1) {
      places[column] = place
    } else if (column === 'description') {
      ignored.push(fields[place]!.trim())
    } else {
      const both = `${shown(fields[places[column]]!.trim())} and ${shown(fields[place]!.trim())}`
      wrong ??= `two columns are for ${column}, ${both}: say which by --map "NAME=ignore"`
    }
  }
  for (const name of map.keys()) {
    if (!names.includes(name)) wrong ??= `there is no column ${shown(name)} to map`
  }
  const known = Object.values(places).filter(place => place >= 0).length
  const destination = settle(places, fields, ignored)
  const ours = OURS.every(name => fields.includes(name))
  const hasPrefix = places.prefix >= 0 || places.area_code >= 0 || places.country_code >= 0
  const complete = (hasPrefix || destination >= 0) && places.per_minute >= 0
  const header = { places, width: fields.length, ignored, ours }
  return { known, complete, wrong, header, destination }
}

/**
 * The header of a deck whose cells have shown that its destinations are codes, or names; undefined
 * where that leaves it without a prefix.
 */
export function withDestination(
  { header, destination }: HeaderReading,
  areCodes: boolean,
  fields: readonly string[],
): DeckHeader | undefined {
  if (destination < 0) return header
  const places = { ...header.places }
  const ignored = [...header.ignored]
  if (areCodes) places.prefix = destination
  else if (places.country_code < 0) return undefined
  else describeBy(destination, places, fields, ignored)
  return { ...header, places, ignored }
}

/** So that of several columns with words the best is the description, they are taken best first. */
function inOrderOfTaking(names: readonly string[], map: ColumnMap): number[] {
  const worth = (place: number) =>
    map.has(names[place]!) ? -1 : DESCRIPTIONS.indexOf(names[place]!)
  return names.map((_, place) => place).sort((a, b) => worth(a) - worth(b) || a - b)
}

/** What a column is, where that hangs on which others there are. Tells what stays undecided. */
function settle(
  places: Record<DeckColumn, number>,
  fields: readonly string[],
  ignored: string[],
): number {
  if (places.increment >= 0 && places.minimum < 0 && places.interval < 0) {
    places.interval = places.increment
    places.increment = -1
  }
  if (places.prefix < 0 && places.country_code < 0 && places.area_code >= 0) {
    places.prefix = places.area_code
    places.area_code = -1
  }
  const { destination } = places
  places.destination = -1
  if (destination < 0 || (places.prefix < 0 && places.area_code < 0)) return destination
  describeBy(destination, places, fields, ignored)
  return -1
}

/** A description that is called so is better than a destination, and that is better than a country. */
function describeBy(
  destination: number,
  places: Record<DeckColumn, number>,
  fields: readonly string[],
  ignored: string[],
): void {
  const other = places.description
  const better = other >= 0 && BEST_DESCRIPTIONS.includes(foldName(fields[other]!))
  if (!better) places.description = destination
  const loser = better ? destination : other
  if (loser >= 0) ignored.push(fields[loser]!.trim())
}

const OURS = ['prefix', 'description', 'per_minute', 'setup', 'minimum', 'increment']

const CURRENCY = '(us ?\\$|[$€£]|usd?|eur|euro|euros|gbp|chf|cad|aud)'

/** Words that change nothing, at the end of a name or in brackets after it. */
const UNITS = new RegExp(
  `( in)? ${CURRENCY}$|[([](in )?(${CURRENCY}|s|sec|secs|seconds|utc|dd.mm.yyyy|mm.dd.yyyy|yyyy.mm.dd)[)\\]]`,
  'g',
)

/** `Rate per Minute (US$)` counts as `rate per minute`. */
function foldName(name: string): string {
  return name
    .trim()
    .toLowerCase()
    .replace(UNITS, ' ')
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()
}
