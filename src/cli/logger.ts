/** The log: one JSON object a line, for whatever collects them. */
import type { Writable } from 'node:stream'
import pino, { type Logger } from 'pino'

export function createLogger(level: string, out: Writable): Logger {
  const lines = new Lines(out)
  // The end of a process that nobody expected is an exit as well.
  process.once('exit', () => lines.flush())
  return pino({ level, base: null, serializers: { error: pino.stdSerializers.err } }, lines)
}

/**
 * What is logged in one turn of the event loop leaves in one piece: a write costs more than a line. A
 * warning, or worse, leaves at once, with what was logged before it: should the process be killed then,
 * it is there.
 */
class Lines {
  /** Has pino tell the level of each line before it is written. */
  readonly [pino.symbols.needsMetadataGsym] = true
  lastLevel = pino.levels.values.info!
  #lines = ''

  constructor(readonly out: Writable) {}

  write(line: string): void {
    if (this.#lines === '') process.nextTick(() => this.flush())
    this.#lines += line
    if (this.lastLevel > pino.levels.values.info!) this.flush()
  }

  flush(): void {
    if (this.#lines !== '') this.out.write(this.#lines)
    this.#lines = ''
  }
}
