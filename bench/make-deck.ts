/**
 * Writes a deck to standard output: a million prefixes, or what else is asked for.
 *
 *   node --import=tsx bench/make-deck.ts 1000000 > deck.csv
 *   node --import=tsx bench/make-deck.ts halden > deck.csv      (or kestrel, or loop)
 */
import { pipeline } from 'node:stream/promises'
import { CARRIER_DECKS, longDeck } from '../test/support/decks.js'

const [wanted = '1000000'] = process.argv.slice(2)

if (wanted in CARRIER_DECKS) {
  process.stdout.write(CARRIER_DECKS[wanted as keyof typeof CARRIER_DECKS].bytes)
} else if (/^\d{1,7}$/.test(wanted)) {
  await pipeline(longDeck(Number(wanted)), process.stdout)
} else {
  process.stderr.write(`a number of lines, or one of ${Object.keys(CARRIER_DECKS).join(', ')}\n`)
  process.exitCode = 2
}
