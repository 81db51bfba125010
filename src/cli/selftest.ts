/** `tollgate selftest`: the promise put to the test, in virtual time, on a file that is thrown away. */
import type { Command } from 'commander'
import { BookError } from '../ledger/books.js'
import { formatMoney } from '../money.js'
import { describeReport, type Report } from '../simulation/report.js'
import { simulate } from '../simulation/simulation.js'
import { type Cli, examples, type Options } from './command.js'
import type { Session } from './session.js'
import { printLine } from './terminal.js'

const SEED_MAX = 4_294_967_295
const HOURS_MAX = 10_000

export function selftestCommand(command: Command, cli: Cli): void {
  command
    .option('--seed <n>', 'what happens: the same seed is the same run', '1')
    .option('--seeds <n>', 'how many seeds, one after the other', '1')
    .option('--hours <n>', 'hours of calls and faults for each', '1')
    .addHelpText(
      'after',
      examples('tollgate selftest --seed 7 --hours 4', 'tollgate selftest --seeds 100'),
    )
    .action(cli.actionWithoutBooks(selftest))
}

async function selftest(session: Session, options: Options): Promise<void> {
  const seed = numberOf(options, 'seed', 0, SEED_MAX)
  const seeds = numberOf(options, 'seeds', 1, SEED_MAX)
  const hours = numberOf(options, 'hours', 0.01, HOURS_MAX)
  if (!Number.isInteger(seed) || !Number.isInteger(seeds)) {
    throw new BookError('bad_input', 'Seeds must be whole numbers')
  }
  const { stdout } = session.terminal
  let broken = 0
  for (let i = 0; i < seeds; i++) {
    const report = await simulate({ seed: seed + i, hours })
    if (report.problems.length > 0) broken += 1
    printLine(stdout, session.json ? JSON.stringify(jsonOf(report)) : describeReport(report))
  }
  if (broken > 0) session.exitCode = 1
  if (session.json) return
  const verdict = broken === 0 ? 'Every promise was kept' : `${broken} of ${seeds} seeds broke it`
  printLine(stdout, verdict)
}

function jsonOf({ overruns: _, writeOffs, ...report }: Report) {
  const amounts = writeOffs.map(({ why, calls, total, largest }) => {
    return { why, calls, total: formatMoney(total), largest: formatMoney(largest) }
  })
  return { ...report, writeOffs: amounts }
}

function numberOf(options: Options, name: string, min: number, max: number): number {
  const value = Number(options[name])
  if (value >= min && value <= max) return value
  throw new BookError('bad_input', `--${name} must be a number from ${min} to ${max}`)
}
