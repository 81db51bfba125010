/** `tollgate record`: writes down what a switch sends, for `tollgate replay`. */
import { createWriteStream } from 'node:fs'
import { finished } from 'node:stream/promises'
import type { Command } from 'commander'
import { BookError } from '../ledger/books.js'
import { record } from '../switch/capture.js'
import { type Cli, examples, type Options } from './command.js'
import type { Session } from './session.js'

export function recordCommand(command: Command, cli: Cli): void {
  command
    .argument('<file>', 'where to; it must not exist yet')
    .option('--switch <name>', 'which switch, where the configuration has several')
    .option('--format <format>', 'plain or json', 'plain')
    .option('--seconds <n>', 'how long; until it is interrupted, where none is given')
    .addHelpText('after', examples('tollgate record night.raw --seconds 3600'))
    .action(cli.action(recordTo, { mayCreate: true }))
}

async function recordTo(session: Session, options: Options, file: string): Promise<void> {
  const { format } = options
  if (format !== 'plain' && format !== 'json') {
    throw new BookError('bad_input', `The format is plain or json, not ${format}`)
  }
  const seconds = options['seconds'] === undefined ? null : Number(options['seconds'])
  if (seconds !== null && !(seconds > 0)) {
    throw new BookError('bad_input', 'The seconds must be a number above 0')
  }
  const stop = new AbortController()
  const abort = () => stop.abort()
  const timer = seconds === null ? undefined : setTimeout(abort, seconds * 1000)
  process.once('SIGINT', abort).once('SIGTERM', abort)
  const sink = createWriteStream(file, { flags: 'wx', mode: 0o600 })
  try {
    const { host, port, password } = await chosen(session, options['switch'])
    const bytes = await record({ host, port, password, format }, sink, stop.signal)
    sink.end()
    await finished(sink)
    if (session.json) session.print({ file, bytes }, () => '')
    else session.say(`${bytes} bytes in ${file}`)
  } finally {
    clearTimeout(timer)
    process.off('SIGINT', abort).off('SIGTERM', abort)
    sink.destroy()
  }
}

async function chosen(session: Session, name: unknown) {
  const { switches } = await session.config()
  const found = name === undefined ? switches : switches.filter(one => one.name === name)
  if (found.length === 1) return found[0]!
  const names = switches.map(one => one.name).join(', ')
  throw new BookError('bad_input', `Say with --switch which one to record: ${names}`)
}
