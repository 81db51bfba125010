/**
 * What FreeSWITCH answers to `show channels as json`: for each leg the row that it printed once, but
 * for the id in it. Of 100,000 legs that is 90 MB, made and sent in pieces, so that who makes it is
 * never busy for long.
 */
import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { Framer } from '../../src/switch/frames.js'

const RECORDING = new URL('../../test/replay/captures/20-api-replies.raw', import.meta.url)

const ROWS_A_PIECE = 500

/** What waits to be sent is not more than this and a piece. */
const WAITING_BYTES_MAX = 1 << 20

const row = recordedRow()

/** Writes the answer, frame and all; nothing else may be written to the socket meanwhile. */
export async function sendListing(socket: Socket, legIds: readonly string[]): Promise<void> {
  const { length: count } = legIds
  if (count === 0) return void socket.write(framed(16, '{"row_count": 0}'))
  const begin = `{"row_count":${count},"rows":[`
  const length = begin.length + count * row.bytes.length + (count - 1) + ']}'.length
  socket.write(framed(length, begin))
  for (let from = 0; from < count; from += ROWS_A_PIECE) {
    const some = rowsOf(legIds.slice(from, from + ROWS_A_PIECE))
    const isLast = from + ROWS_A_PIECE >= count
    socket.write(isLast ? some.subarray(0, -1) : some)
    do await setImmediate()
    while (socket.writableLength > WAITING_BYTES_MAX && !socket.destroyed)
  }
  socket.write(']}')
}

/** Each with a comma behind it. */
function rowsOf(legIds: readonly string[]): Buffer {
  const size = row.bytes.length + 1
  const rows = Buffer.allocUnsafe(legIds.length * size)
  legIds.forEach((legId, i) => {
    row.bytes.copy(rows, i * size)
    for (const place of row.places) rows.write(legId, i * size + place, 'latin1')
    rows.write(',', (i + 1) * size - 1, 'latin1')
  })
  return rows
}

function framed(length: number, begin: string): string {
  return `Content-Type: api/response\nContent-Length: ${length}\n\n${begin}`
}

/** The first row of the recorded listing, and where the leg's id stands in it. */
function recordedRow(): { readonly bytes: Buffer; readonly places: readonly number[] } {
  const frames = [...new Framer().push(readFileSync(RECORDING))]
  const listing = frames.find(frame =>
    frame.body?.toString().startsWith('{"row_count":2,"rows":[{'),
  )
  const [first] = JSON.parse(listing!.body!.toString()).rows
  const bytes = Buffer.from(JSON.stringify(first))
  const places: number[] = []
  for (let at = bytes.indexOf(first.uuid); at >= 0; at = bytes.indexOf(first.uuid, at + 1)) {
    places.push(at)
  }
  return { bytes, places }
}
