/** `tollgate demo`: credit being held, raised and used up, with no FreeSWITCH at hand. */
import type { Writable } from 'node:stream'
import { setTimeout } from 'node:timers/promises'
import type { Command } from 'commander'
import { Scenario, TOP_UP } from '../demo/scenario.js'
import { draw, formatLine } from '../demo/screen.js'
import { type Line, Story } from '../demo/story.js'
import type { AccountJson } from '../ledger/account-fields.js'
import { BookError } from '../ledger/books.js'
import { type Cli, examples, type Options } from './command.js'
import type { Session } from './session.js'
import { printLine } from './terminal.js'

const REDRAW_MS = 200

export function demoCommand(command: Command, cli: Cli): void {
  command
    .option('--seconds <n>', 'how long', '60')
    .addHelpText('after', examples('tollgate demo', 'tollgate demo --seconds 40 | tee demo.txt'))
    .action(cli.actionWithoutBooks(demo))
}

async function demo(session: Session, options: Options): Promise<void> {
  session.refuseJson('The demo is for people to look at: it prints no JSON')
  const { terminal } = session
  const seconds = Number(options['seconds'])
  if (!(seconds > 0)) throw new BookError('bad_input', 'The seconds must be a number above 0')
  const stage = (terminal.stdout as { isTTY?: boolean }).isTTY ? new Stage(terminal.stdout) : null
  const scenario = new Scenario()
  const startMs = performance.now()
  const elapsedS = () => (performance.now() - startMs) / 1000
  const lines: { at: number; line: Line }[] = []
  const tell = (line: Line) => {
    lines.push({ at: elapsedS(), line })
    if (!stage) printLine(terminal.stdout, formatLine(elapsedS(), line))
  }
  const { code, amount } = TOP_UP
  const interrupted = new AbortController()
  const interrupt = () => interrupted.abort()
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt)
  try {
    await scenario.start(new Story(tell), () =>
      tell({ account: code, what: 'topped up', text: `with ${amount}: its final call goes on` }),
    )
    while (elapsedS() < seconds && !interrupted.signal.aborted) {
      if (stage) {
        const accounts = await scenario.api.accountList({})
        const calls = scenario.liveCalls()
        const now = scenario.freeswitch.now()
        stage.show(draw({ seconds: elapsedS(), accounts, calls, now, lines }))
      }
      await setTimeout(REDRAW_MS, null, { signal: interrupted.signal }).catch(() => {})
    }
    await scenario.end()
    stage?.leave()
    await summarise(scenario, terminal.stdout)
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt)
    stage?.leave()
    await scenario.close()
  }
}

/** What came of it, recomputed from the entries. */
async function summarise(scenario: Scenario, out: Writable): Promise<void> {
  const accounts = await scenario.api.accountList({})
  const { problems, write_offs, cdrs } = await scenario.verify()
  printLine(out, '')
  for (const account of accounts) printLine(out, await summary(scenario, account))
  printLine(out, `${cdrs} calls ended; ${write_offs} written off, on no account`)
  printLine(out, problems.length > 0 ? problems.join('\n') : 'verified: every balance is right')
  if (problems.length > 0) throw new BookError('bad_input', 'The books of the demo are wrong')
}

async function summary(scenario: Scenario, { code, name, balance }: AccountJson): Promise<string> {
  const calls = await scenario.api.cdrList({ account: code, limit: 1000 })
  const count = (outcome: string) => calls.filter(call => call.outcome === outcome).length
  const counts = ['completed', 'cut_off', 'refused', 'unanswered']
    .map(outcome => ({ outcome: outcome.replace('_', ' '), calls: count(outcome) }))
    .filter(({ calls }) => calls > 0)
    .map(({ outcome, calls }) => `${calls} ${outcome}`)
  return `${code.padEnd(6)} ${name.padEnd(18)} balance ${balance.padStart(10)}  ${counts.join(', ')}`
}

/** A part of the terminal that is drawn over. */
class Stage {
  #height = 0

  constructor(readonly out: Writable) {}

  show(lines: readonly string[]): void {
    const up = this.#height > 0 ? `\x1b[${this.#height}A` : '\x1b[?25l'
    this.out.write(`${up}${lines.map(line => `${line}\x1b[K`).join('\n')}\n\x1b[J`)
    this.#height = lines.length
  }

  /** Gives the cursor back. May be repeated. */
  leave(): void {
    if (this.#height > 0) this.out.write('\x1b[?25h')
    this.#height = 0
  }
}
