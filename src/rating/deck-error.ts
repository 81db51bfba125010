/** What is wrong with a deck, in a sentence for the person who has to mend it. */
export class DeckError extends Error {
  override name = 'DeckError'
  readonly code = 'bad_deck'
}

/** The longest prefix that a rate may have. */
export const PREFIX_DIGITS_MAX = 32

/** What is in a cell, short enough for a sentence. */
export const shown = (text: string): string =>
  JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text)
