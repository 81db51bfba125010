/** `tollgate replay`: what would have been done, and charged, for a recorded stream. */
import { createReadStream, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Command } from 'commander'
import pino from 'pino'
import type { Command as CallCommand, Instant } from '../call/call.js'
import { cdrJson, formatInstant } from '../call/cdr.js'
import type { Causes, Supervised } from '../controller/controller.js'
import { formatMoney } from '../money.js'
import { Replay } from '../replay/replay.js'
import { copyDatabase } from '../sqlite/copy.js'
import { SqliteLedger } from '../sqlite/ledger.js'
import { LedgerFile } from '../sqlite/ledger-file.js'
import { lockDirectory } from '../sqlite/lock.js'
import { SqliteRateBook } from '../sqlite/rate-book.js'
import { SqliteRates } from '../sqlite/rates.js'
import { RatesFile } from '../sqlite/rates-file.js'
import { type Cli, examples } from './command.js'
import type { Session } from './session.js'
import { printLine } from './terminal.js'

export function replayCommand(command: Command, cli: Cli): void {
  command
    .argument('<file...>', 'captures of an event socket, as `tollgate record` writes them')
    .option('--commit', 'charge the accounts; without it a copy of the books is used')
    .option('--switch <name>', 'what the CDRs call the switch', 'replay')
    .addHelpText('after', examples('tollgate replay night.raw', 'tollgate replay *.raw --json'))
    .action(
      cli.action(async (session, { commit, switch: name }, ...files) => {
        await withBooks(session, commit === true, books => replay(session, books, `${name}`, files))
      }),
    )
}

/** Runs with the folder of the books: the true ones, locked, or a copy that is thrown away. */
async function withBooks(
  session: Session,
  commit: boolean,
  work: (folder: string) => Promise<void>,
): Promise<void> {
  if (commit) {
    const lock = lockDirectory(session.dataDir, 'tollgate replay')
    return work(session.dataDir).finally(() => lock.release())
  }
  const copy = mkdtempSync(join(tmpdir(), 'tollgate-replay-'))
  try {
    for (const file of ['ledger.db', 'rates.db']) {
      await copyDatabase(join(session.dataDir, file), join(copy, file))
    }
    await work(copy)
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}

async function replay(
  session: Session,
  folder: string,
  switchName: string,
  files: readonly string[],
): Promise<void> {
  const config = await session.config()
  const ledgerFile = new LedgerFile(join(folder, 'ledger.db'))
  const ratesFile = new RatesFile(join(folder, 'rates.db'))
  const { causes } = config
  const print = new ReplayPrinter(session, causes)
  try {
    const player = new Replay({
      ledger: new SqliteLedger(ledgerFile),
      rateBook: await SqliteRateBook.open(new SqliteRates(ratesFile)),
      settings: config.rules,
      causes,
      timerMarginS: config.timerMarginS,
      loopbackPays: config.loopbackPays,
      switchName,
      log: pino({ level: 'silent' }),
      onCommand: (account, callId, command, at) => print.command(account, callId, command, at),
      onCdr: cdr => print.line({ type: 'cdr', ...cdrJson(cdr) }),
    })
    for (const file of files) await playFile(session, player, file)
    for (const call of await player.finish()) print.open(call)
  } finally {
    ledgerFile.close()
    ratesFile.close()
  }
}

/** What is wrong with one file does not keep the others from being played. */
async function playFile(session: Session, player: Replay, file: string): Promise<void> {
  let trouble: string | null
  try {
    trouble = await player.play(createReadStream(file))
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === undefined) throw error
    trouble = code === 'ENOENT' ? 'there is no such file' : message
  }
  if (trouble === null) return
  session.say(`${file}: ${trouble}`)
  session.exitCode = 1
}

type Fields = Readonly<Record<string, string | number | boolean | null>>

class ReplayPrinter {
  constructor(
    readonly session: Session,
    readonly causes: Causes,
  ) {}

  command(account: string, callId: string, command: CallCommand, at: Instant): void {
    const fields = fieldsOf(command, this.causes)
    if (!fields) return
    this.line({ type: 'command', at: formatInstant(at), call_id: callId, account, ...fields })
  }

  open({ call, leg }: Supervised): void {
    const answeredAt = 'answeredAt' in call ? call.answeredAt : null
    this.line({
      type: 'open',
      call_id: leg.callId,
      account: leg.account,
      number: 'tariff' in call && call.tariff ? call.tariff.number : leg.dialled,
      answered_at: answeredAt === null ? null : formatInstant(answeredAt),
      held: formatMoney('held' in call ? call.held : 0n),
    })
  }

  line(fields: Fields): void {
    const text = this.session.json
      ? JSON.stringify(fields)
      : Object.entries(fields)
          .map(([name, value]) =>
            name === 'type' ? `${value}`.padEnd(7) : `${name}=${value ?? '-'}`,
          )
          .join(' ')
    printLine(this.session.terminal.stdout, text)
  }
}

/** What a command says; null for those that are between the rules and the controller alone. */
function fieldsOf(command: CallCommand, causes: Causes): Fields | null {
  switch (command.type) {
    case 'hold': {
      const { total, atLeast } = command
      return { command: 'hold', total: formatMoney(total), at_least: formatMoney(atLeast) }
    }
    case 'hangUpAfterAnswer':
      return { command: 'hang_up_after_answer', talk_s: command.talkS }
    case 'hangUpAt':
      return { command: 'hang_up_at', funded_until: formatInstant(command.at) }
    case 'hangUp':
      return { command: 'hang_up', why: command.why, cause: causes[command.why] }
    case 'warn':
      return { command: 'warn', funded_until: formatInstant(command.fundedUntil) }
    case 'settle':
      return { command: 'settle', price: formatMoney(command.price) }
    default:
      return null
  }
}
