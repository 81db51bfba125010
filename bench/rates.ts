/**
 * A deck of a million prefixes: how long it takes to import and to read again, the most memory that
 * takes, how long nothing else can run meanwhile, and how quickly a rate is found.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ImportTerms } from '../src/ledger/rates.js'
import type { ListedRate } from '../src/rating/listed-rate.js'
import { SqliteRateBook } from '../src/sqlite/rate-book.js'
import { SqliteRates } from '../src/sqlite/rates.js'
import { RatesFile } from '../src/sqlite/rates-file.js'

const RATES = Number(process.argv[2] ?? 1_000_000)
const LOOKUPS = 1 << 20

/** Prefixes of 8 and 9 digits as carriers have them: close together, in ninety countries. */
function prefixOf(i: number): string {
  // 7919 and a million have no common factor: every number comes once, in no order.
  const number = (i * 7919) % RATES
  const country = 10 + (number % 90)
  const area = String(Math.floor(number / 90)).padStart(5, '0')
  return number % 4 === 0
    ? `${country}0${area}`
    : `${country}${1 + (number % 9)}${area}${number % 7}`
}

function rateOf(i: number, dearer: bigint): ListedRate {
  return {
    prefix: prefixOf(i),
    description: `Country ${i % 90}, network ${i % 23}`,
    perMinute: BigInt(1000 + (i % 9000)) + dearer,
    setup: 0n,
    minimum: i % 3 === 0 ? 60 : 1,
    increment: 1,
    freeS: 0,
    period: '',
    from: 0,
    until: null,
    blocked: false,
  }
}

async function* deck(count: number, dearer = 0n): AsyncGenerator<ListedRate[]> {
  for (let i = 0; i < count; i += 1000) {
    yield Array.from({ length: Math.min(1000, count - i) }, (_, j) => rateOf(i + j, dearer))
  }
}

/** Prints how long a step took, and the most that anything else had to wait for it. */
async function measure<T>(what: string, step: () => Promise<T>): Promise<T> {
  let longest = 0
  let peak = 0
  let last = performance.now()
  const look = () => {
    longest = Math.max(longest, performance.now() - last)
    peak = Math.max(peak, process.memoryUsage.rss())
    last = performance.now()
  }
  const ticking = setInterval(look, 1)
  const begun = performance.now()
  const cpu = process.cpuUsage()
  const result = await step()
  look()
  clearInterval(ticking)
  const { user, system } = process.cpuUsage(cpu)
  const took = ((performance.now() - begun) / 1000).toFixed(2)
  const busy = ((user + system) / 1e6).toFixed(2)
  const memory = Math.round(peak / 1e6)
  print(
    `${what}: ${took} s (${busy} s of CPU), longest pause ${longest.toFixed(1)} ms, ${memory} MB`,
  )
  return result
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

function nsEach(look: (i: number) => unknown): number {
  const begun = performance.now()
  let found = 0
  for (let i = 0; i < LOOKUPS; i++) if (look(i) !== undefined) found += 1
  if (found !== LOOKUPS) throw new Error(`only ${found} of ${LOOKUPS} were found`)
  return ((performance.now() - begun) * 1e6) / LOOKUPS
}

/** A look-up of a dialled number beside that of its prefix in a Map, which can find no longest one. */
function measureLookups(book: SqliteRateBook): void {
  const plan = book.plan('retail')!
  const map = new Map<string, number>()
  for (let i = 0; i < RATES; i++) map.set(prefixOf(i), i)
  const places = Array.from({ length: 1 << 16 }, (_, i) => (i * 104_729) % RATES)
  const prefixes = places.map(prefixOf)
  const numbers = prefixes.map(prefix => `${prefix}4711`)
  const at = Date.now() * 1000
  for (let round = 1; round <= 3; round++) {
    const inMap = nsEach(i => map.get(prefixes[i & 0xffff]!))
    const inPlan = nsEach(i => plan.find(numbers[i & 0xffff]!, at))
    const again = nsEach(i => plan.find(numbers[i & 0xff]!, at))
    const ratio = (inPlan / inMap).toFixed(2)
    print(`look-up: ${inPlan.toFixed(0)} ns; in a Map: ${inMap.toFixed(0)} ns; ratio ${ratio}`)
    print(`look-up of 256 numbers again and again: ${again.toFixed(0)} ns`)
  }
}

const folder = mkdtempSync(join(tmpdir(), 'tollgate-rates-'))
try {
  const file = new RatesFile(join(folder, 'rates.db'))
  const rates = new SqliteRates(file)
  await rates.createPlan('retail', 'bench')
  const terms: ImportTerms = { mode: 'replace', effective: 0, dryRun: false, source: 'bench' }
  const bring = (count: number, dearer: bigint, more: Partial<ImportTerms> = {}) =>
    rates.importRates('retail', deck(count, dearer), { ...terms, ...more }, 'bench')
  print(`${RATES} rates; memory is the most that the process had while it took`)
  await measure('import into an empty plan', () => bring(RATES, 0n))
  await measure('dry run over as many', () => bring(RATES, 1n, { dryRun: true }))
  await measure('import over as many', () => bring(RATES, 1n))
  await measure('merge a hundred', () => bring(100, 2n, { mode: 'merge' }))
  const book = await measure('read by a daemon that starts', () => SqliteRateBook.open(rates))
  await rates.changeRate('retail', rateOf(0, 3n), 'bench')
  await measure('read again, while the old ones serve', () => book.reload('retail'))
  measureLookups(book)
  file.close()
} finally {
  rmSync(folder, { recursive: true })
}
