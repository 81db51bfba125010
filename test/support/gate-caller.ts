/**
 * A FreeSWITCH that asks the gate for one A-leg: it plays what one has said on a real outbound socket,
 * with another A-leg in its place, and does as its script says.
 */
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'

const RECORDED = readFileSync(
  join(import.meta.dirname, '../recordings/gate/sync-accept.raw'),
  'latin1',
)
const [A_LEG, , , GOODBYE] = [
  RECORDED.slice(0, RECORDED.indexOf('\n\n') + 2),
  ...RECORDED.slice(RECORDED.indexOf('\n\n') + 2).split(/(?=^Content-Type: )/m),
] as [string, string, string, string]

/** The A-leg and the run of the switch that are on the recording. */
const RECORDED_A_LEG = '3b01dfbe-dfe6-40cc-882b-ba4e753b67e9'

export interface AskedFor {
  readonly port: number
  readonly aLeg: string
  readonly coreUuid: string
  /** Event-Date-Timestamp, in microseconds. */
  readonly at: number
  readonly account?: string
  /** More headers, or others. */
  readonly headers?: Readonly<Record<string, string>>
}

export interface Script {
  /** The caller hangs up: before the A-leg is described, while it is decided, or instead of `+OK`. */
  readonly cancels?: 'before' | 'undecided' | 'untold'
  /** The connection breaks off after the variables were sent, and nothing is answered. */
  readonly breaks?: boolean
  /** In place of `+OK`; null: nothing at all. */
  readonly answers?: string | null
}

export type Variables = Readonly<Record<string, string>>

/** The header block of an A-leg, as the switch describes it. */
export function described({ aLeg, coreUuid, at, account, headers = {} }: AskedFor): string {
  let head = A_LEG.trimEnd().replaceAll(RECORDED_A_LEG, aLeg)
  const changes = {
    'Core-UUID': coreUuid,
    'Event-Date-Timestamp': String(at),
    'Caller-Destination-Number': '4930',
    variable_ac: account ?? '',
    ...headers,
  }
  for (const [name, value] of Object.entries(changes)) {
    const line = new RegExp(`^${name}: .*$`, 'm')
    head = line.test(head) ? head.replace(line, `${name}: ${value}`) : `${head}\n${name}: ${value}`
  }
  return `${head}\n\n`
}

/** The variables that the A-leg has in the end; null where it was told nothing: it stays "down". */
export async function ask(wanted: AskedFor, script: Script = {}): Promise<Variables | null> {
  const socket = connect(wanted.port, '127.0.0.1').setNoDelay(true)
  socket.on('error', () => {})
  const lines = commands(socket)
  const notice = GOODBYE.replaceAll(RECORDED_A_LEG, wanted.aLeg)
  const closed = new Promise<void>(resolve => void socket.once('close', () => resolve()))
  const leave = async (last: string) => {
    socket.end(last)
    await closed
    return null
  }
  if ((await lines.next()).value !== 'connect') return leave('')
  if (script.cancels === 'before') return leave(notice)
  socket.write(described(wanted))
  if (script.cancels === 'undecided') return leave(notice)
  const { value: command } = await lines.next()
  if (!command) return null
  if (script.cancels === 'untold') return leave(notice)
  if (script.breaks) {
    socket.destroy()
    return null
  }
  const { answers = 'Content-Type: api/response\nContent-Length: 4\n\n+OK\n' } = script
  if (answers === null) {
    await closed
    return null
  }
  socket.write(answers)
  if ((await lines.next()).value !== 'exit') return leave('')
  await leave(`Content-Type: command/reply\nReply-Text: +OK bye\n\n${notice}`)
  return answers.endsWith('+OK\n') ? variablesOf(command, wanted.aLeg) : null
}

/** What the gate sends, command by command; ends when it closes. */
async function* commands(socket: Socket): AsyncGenerator<string, undefined> {
  let text = ''
  try {
    for await (const chunk of socket) {
      text += (chunk as Buffer).toString('latin1')
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        yield text.slice(0, end)
        text = text.slice(end + 2)
      }
    }
  } catch {
    // Broken off, which is an end as well.
  }
  return undefined
}

/** As uuid_setvar_multi takes them: what is set to nothing is deleted. */
function variablesOf(command: string, aLeg: string): Variables {
  const start = `api uuid_setvar_multi ${aLeg} `
  if (!command.startsWith(start)) throw new Error(`not what the gate should say: ${command}`)
  const pairs = command.slice(start.length).split(';')
  return Object.fromEntries(
    pairs.map(pair => pair.split('=') as [string, string]).filter(([, value]) => value !== ''),
  )
}
