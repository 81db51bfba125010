/** Reads decks that stand in a test, in pieces of any size. */
import { Readable } from 'node:stream'
import { DeckFile, type DeckFileTerms } from '../../src/provisioning/deck-file.js'
import { formatDeck } from '../../src/rating/deck.js'
import type { ListedRate } from '../../src/rating/listed-rate.js'

const TERMS: DeckFileTerms = {
  map: new Map(),
  periods: ['peak', 'night'],
  from: 0,
  dateFormat: null,
  decimalComma: false,
}

export async function readDeck(
  deck: string | Buffer,
  terms: Partial<DeckFileTerms> = {},
  bytes = 7,
) {
  const all = typeof deck === 'string' ? Buffer.from(deck) : deck
  const pieces = function* () {
    for (let i = 0; i < all.length; i += bytes) yield all.subarray(i, i + bytes)
  }
  const file = new DeckFile(Readable.from(pieces()), { ...TERMS, ...terms })
  const rates: ListedRate[] = []
  for await (const piece of file.pieces()) rates.push(...piece)
  const { badLines: bad, ignoredColumns: ignored, firstForeign } = file
  return { rates, bad, ignored, firstForeign }
}

/** `44 UK 0.020000 60/60`, and what else there is to say of a rate. */
export function brief(rates: readonly ListedRate[]): string[] {
  return rates.map(rate => {
    const [, line = ''] = formatDeck([{ ...rate, description: '' }])
    const [prefix, , perMinute, setup, minimum, increment, freeS, ...more] = line.trim().split(',')
    const fee = setup === '0.000000' ? '' : ` + ${setup}`
    const free = freeS === '0' ? '' : ` free ${freeS}`
    const when = more.some(field => field !== '') ? ` ${more.join(',')}` : ''
    const name = rate.description === '' ? '' : ` ${rate.description}`
    return `${prefix}${name} ${perMinute}${fee} ${minimum}/${increment}${free}${when}`
  })
}
