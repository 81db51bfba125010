/** `tollgate doctor`: examines the switches, and says what is missing and which line to add. */
import type { Command } from 'commander'
import type { SwitchConfig } from '../config.js'
import { examine } from '../doctor/doctor.js'
import type { Finding } from '../doctor/finding.js'
import { BookError } from '../ledger/books.js'
import { paint } from './colours.js'
import { type Cli, examples, type Options } from './command.js'
import type { Session } from './session.js'
import type { Drawing, Screen } from './terminal.js'

interface Examined {
  readonly switch: string
  readonly host: string
  readonly port: number
  /** Whether nothing is missing. */
  readonly ok: boolean
  readonly findings: readonly Finding[]
}

export function doctorCommand(command: Command, cli: Cli): void {
  command
    .option('--switch <name>', 'this one alone, of those in the configuration')
    .addHelpText(
      'after',
      `${examples('tollgate doctor', 'tollgate doctor --switch fs1 --json')}

It connects by itself, beside a running daemon or without one, and changes nothing that lasts. What
works and may not be meant so is a warning. Exit code 1: something is missing.`,
    )
    .action(cli.actionWithoutBooks(doctor))
}

async function doctor(session: Session, { switch: name }: Options): Promise<void> {
  const config = await session.config()
  const daemonRuns = (await session.daemon()) !== undefined
  const examined = await Promise.all(
    chosen(config.switches, name).map(async (freeswitch): Promise<Examined> => {
      const findings = await examine({ freeswitch, config, daemonRuns })
      const { name: itsName, host, port } = freeswitch
      const isWell = findings.every(({ state }) => state !== 'missing')
      return { switch: itsName, host, port, ok: isWell, findings }
    }),
  )
  session.print(examined, () => screen => examined.map(one => drawn(one)(screen)).join('\n\n'))
  if (examined.some(({ ok }) => !ok)) session.exitCode = 1
}

function chosen(switches: readonly SwitchConfig[], name: unknown): readonly SwitchConfig[] {
  if (name === undefined) return switches
  const found = switches.filter(one => one.name === name)
  if (found.length > 0) return found
  const names = switches.map(one => one.name).join(', ')
  throw new BookError('bad_input', `There is no switch ${name} in the configuration, but: ${names}`)
}

/** Lines to add stand in lines of their own, whole: they are to be copied. */
function drawn({ switch: name, host, port, findings }: Examined): Drawing {
  return screen => {
    const width = Math.max(...findings.map(({ check }) => check.length))
    const lines = findings.flatMap(({ check, state, text, file, line }) => {
      const head = `  ${inColour(state.padEnd(7), state, screen)}  ${check.padEnd(width)}  ${text}`
      return file === null ? [head] : [head, `             ${file}:`, `               ${line}`]
    })
    return [`${name} (${host}:${port})`, ...lines].join('\n')
  }
}

const ROLES = { ok: 'connected', warning: 'connecting', missing: 'refused' } as const

function inColour(text: string, state: Finding['state'], { colours }: Screen): string {
  return colours ? paint(text, ROLES[state]) : text
}
