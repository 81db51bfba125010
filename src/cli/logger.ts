/** The log: one JSON object a line, for whatever collects them. */
import type { Writable } from 'node:stream'
import pino, { type Logger } from 'pino'

export function createLogger(level: string, out: Writable): Logger {
  return pino({ level, base: null, serializers: { error: pino.stdSerializers.err } }, out)
}
