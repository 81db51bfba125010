/** "Did you mean": the word that a mistyped one was probably meant to be. */

/** Three slips of the finger at most; in a short word fewer, or any word would be like any. */
const SLIPS_MAX = 3

/** The likeliest of `words`, or undefined where none is near. */
export function nearest(word: string, words: readonly string[]): string | undefined {
  let best: string | undefined
  let least = Math.min(SLIPS_MAX, Math.floor(word.length / 3)) + 1
  for (const candidate of words) {
    const slips = distance(word.toLowerCase(), candidate.toLowerCase())
    if (slips < least) [best, least] = [candidate, slips]
  }
  return best
}

/** The end of a sentence about an unknown word: `; did you mean x?`, or nothing. */
export function didYouMean(word: string, words: readonly string[]): string {
  const meant = nearest(word, words)
  return meant === undefined ? '' : `; did you mean ${meant}?`
}

/** Optimal string alignment: insert, drop, change a letter, or swap two neighbours. */
function distance(a: string, b: string): number {
  let before: number[] = []
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1
      let slips = Math.min(next[j - 1]! + 1, row[j]! + 1, row[j - 1]! + same)
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      if (swapped) slips = Math.min(slips, before[j - 2]! + 1)
      next.push(slips)
    }
    before = row
    row = next
  }
  return row[b.length]!
}
