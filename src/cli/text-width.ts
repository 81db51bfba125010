/** How wide text is in a terminal: two cells for a Chinese character or a picture, none for a colour. */
import stringWidth from 'string-width'

/** Nearly all text is of these; the library is asked about the rest, which takes many times as long. */
const ONE_CELL_EACH = /^[\x20-\x7e]*$/

export function widthOf(text: string): number {
  return ONE_CELL_EACH.test(text) ? text.length : stringWidth(text)
}

/** The text in exactly so many cells: filled up with blanks, or cut. What is cut has no colours. */
export function fit(text: string, width: number, right = false): string {
  const blanks = ' '.repeat(Math.max(0, width - widthOf(text)))
  if (right) return blanks + text
  return widthOf(text) > width ? cut(text, width) : text + blanks
}

function cut(text: string, width: number): string {
  let kept = ''
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    if (widthOf(kept + segment) > width - 1) break
    kept += segment
  }
  return fit(`${kept}…`, width)
}
