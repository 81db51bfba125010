/** A bar that shows how much of a file has been read, for who sits at a terminal and waits. */
import { Presets, SingleBar } from 'cli-progress'
import { isTty, type Terminal } from './terminal.js'

/** What is shown where the size of the source is not known, as that of a pipe is not. */
const UNKNOWN_SIZE = '{phase}  {megabytes} MB'
const KNOWN_SIZE = '{phase}  {bar}  {percentage} %'

/**
 * Passes a source on, and shows how far it has been read: on standard error, and only where that is
 * a terminal. The bar goes away when the source is at its end and `done` has settled.
 * @param size in bytes; 0 where it is not known
 */
export async function withProgress<T>(
  { stderr }: Terminal,
  source: AsyncIterable<Uint8Array | string>,
  size: number,
  done: (source: AsyncIterable<Uint8Array | string>) => Promise<T>,
): Promise<T> {
  if (!isTty(stderr)) return done(source)
  const bar = new SingleBar(
    {
      stream: stderr,
      format: size === 0 ? UNKNOWN_SIZE : KNOWN_SIZE,
      barsize: 30,
      clearOnComplete: true,
      // Nothing that would have to be undone where the process is killed.
      hideCursor: null,
      linewrap: true,
      gracefulExit: false,
    },
    Presets.shades_classic,
  )
  bar.start(size, 0, { phase: 'Reading', megabytes: '0.0' })
  try {
    return await done(
      counted(
        source,
        bytes => bar.update(bytes, seen(bytes)),
        () => bar.update({ phase: 'Writing' }),
      ),
    )
  } finally {
    bar.stop()
  }
}

const seen = (bytes: number) => ({ megabytes: (bytes / 1e6).toFixed(1) })

async function* counted(
  source: AsyncIterable<Uint8Array | string>,
  onBytes: (bytes: number) => void,
  onEnd: () => void,
): AsyncGenerator<Uint8Array | string> {
  let bytes = 0
  for await (const chunk of source) {
    bytes += typeof chunk === 'string' ? Buffer.byteLength(chunk) : chunk.length
    onBytes(bytes)
    yield chunk
  }
  onEnd()
}
