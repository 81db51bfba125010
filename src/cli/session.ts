/**
 * What one command works with: the operations on ledger and rates, from a running daemon or from
 * the files themselves. Nothing is opened before it is needed, nor is the code that works with it
 * read: that takes longer than most commands.
 */
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { Config } from '../config.js'
import { dataDirectory } from '../config-folder.js'
import { daemonSocket } from '../http/daemon-socket.js'
import type { AccountJson } from '../ledger/account-fields.js'
import { type Auditor, BookError } from '../ledger/books.js'
import { LedgerError } from '../ledger/ledger.js'
import type { SipAccounts } from '../ledger/sip-accounts.js'
import type { Provisioning } from '../provisioning/operations.js'
import type { Quoter } from '../provisioning/quote.js'
import type { LedgerAccess } from '../provisioning/rate-editing.js'
import type { RateProvisioning } from '../provisioning/rates.js'
import type { SwitchJson } from '../provisioning/switches.js'
import type { LedgerFile } from '../sqlite/ledger-file.js'
import type { SqliteRates } from '../sqlite/rates.js'
import type { Access } from '../web-access.js'
import { type Drawing, drawnOn, isTty, printLine, screenOf, type Terminal } from './terminal.js'

/** How long a command waits for another to be done, or for a daemon that is just starting. */
const PATIENCE_MS = 5_000
const RETRY_MS = 25

export interface GlobalOptions {
  readonly data?: string
  readonly config?: string
  readonly json?: boolean
  readonly yes?: boolean
}

/** A line of a file that was not understood. */
export interface BadLine {
  readonly line: number
  readonly text: string
  readonly reason: string
}

/** Somebody was asked and did not say yes, or nobody could be asked: nothing was changed. */
export class NotConfirmed extends Error {
  override name = 'NotConfirmed'
  readonly code = 'not_confirmed'
}

/** The way to the ledger: the socket of the daemon that has it, or the file, which is ours then. */
type Reached = { readonly socket: string } | { readonly file: LedgerFile }

export class Session implements LedgerAccess {
  readonly dataDir: string
  readonly json: boolean
  /** What the process exits with when the command comes to its end. */
  exitCode = 0
  readonly #config: string | undefined
  readonly #yes: boolean
  #ledger: Promise<Provisioning> | undefined
  #reached: Promise<Reached> | undefined
  #rates: Promise<SqliteRates> | undefined
  #access: Access | undefined
  readonly #opened: (() => void)[] = []

  /** @param command for others to read while this one has the ledger: `account top-up` */
  constructor(
    readonly terminal: Terminal,
    options: GlobalOptions,
    readonly command: string,
  ) {
    this.dataDir = dataDirectory(options.data, terminal.env)
    this.json = options.json ?? false
    this.#config = options.config
    this.#yes = options.yes ?? false
  }

  /** Makes sure that there is a data directory: makes one, where that is what a command may do. */
  prepare(mayCreate: boolean): void {
    if (mayCreate) {
      mkdirSync(this.dataDir, { recursive: true, mode: 0o700 })
    } else if (!['ledger.db', 'rates.db'].some(file => existsSync(join(this.dataDir, file)))) {
      const hint = 'say where they are with --data, or begin with: tollgate plan create NAME'
      throw new LedgerError('unusable', `There are no books in ${this.dataDir}: ${hint}`)
    }
  }

  /** @throws ConfigError */
  async config(): Promise<Config> {
    const { loadConfig } = await import('../config.js')
    return loadConfig(this.dataDir, this.terminal.env, this.#config)
  }

  async daemon(): Promise<Provisioning | undefined> {
    const { connectApi } = await import('../http/client.js')
    return connectApi(this.dataDir)
  }

  ledger(): Promise<Provisioning> {
    this.#ledger ??= this.#operations()
    return this.#ledger
  }

  /**
   * An account as it is on file. To read what checks the inputs of operations takes half as long as
   * all the rest of a command: so the operation is asked only where nothing is found, and says why.
   */
  async account(code: string): Promise<AccountJson> {
    return (await this.#accountOnFile(code)) ?? (await this.ledger()).accountShow({ code })
  }

  async rates(): Promise<RateProvisioning> {
    const { RateProvisioning } = await import('../provisioning/rates.js')
    return new RateProvisioning(await this.#openRates(), this)
  }

  /** Who may log in. web.db is written by whoever changes it, like rates.db. */
  async access(): Promise<Access> {
    if (this.#access) return this.#access
    const { openAccess } = await import('../web-access.js')
    const { WebFile } = await import('../sqlite/web-file.js')
    const file = new WebFile(join(this.dataDir, 'web.db'), { busyTimeoutMs: PATIENCE_MS })
    this.#opened.push(() => file.close())
    const account = async (code: unknown) => (await this.ledger()).accountShow({ code })
    this.#access = openAccess(file, account, async () => (await this.config()).web?.publicUrl ?? '')
    return this.#access
  }

  async quoter(whose: { account?: unknown; plan?: unknown }): Promise<Quoter> {
    const { Quoter } = await import('../provisioning/quote.js')
    return Quoter.open(await this.#openRates(), this, whose)
  }

  /** Of the configuration alone where no daemon runs: nobody waits for the books, or makes any. */
  async switches(): Promise<SwitchJson[]> {
    const daemon = await this.daemon()
    if (daemon) return daemon.switchList({})
    const { listSwitches } = await import('../provisioning/switches.js')
    return listSwitches(await this.#unsupervised())
  }

  /**
   * For an audit of the books: in this process, because a daemon that audits serves no calls. Beside
   * a daemon the file is only read.
   */
  async auditor(): Promise<Auditor> {
    const { SqliteAuditor } = await import('../sqlite/audit.js')
    return new SqliteAuditor(await this.#ledgerBeside())
  }

  /** The SIP accounts with their secrets: for the same reason, and so that no daemon hands them out. */
  async credentials(): Promise<Pick<SipAccounts, 'domainCredentials'>> {
    const { SqliteSipAccounts } = await import('../sqlite/sip-accounts.js')
    return new SqliteSipAccounts(await this.#ledgerBeside())
  }

  /**
   * Makes sure that what destroys is meant. The question names what will be lost; where it is null
   * there is nothing to lose, and what comes next will say so. Ask before anything else is opened:
   * while a person thinks, nothing stays locked.
   * @throws NotConfirmed
   */
  async confirm(question: () => Promise<string | null>): Promise<void> {
    if (this.#yes) return
    const asked = await question()
    if (asked === null) return
    this.close()
    const { stdin, stdout } = this.terminal
    if (!isTty(stdin) || !isTty(stdout)) {
      throw new NotConfirmed(`${asked} There is no terminal to ask on: say so with --yes`)
    }
    if (!(await saysYes(asked, this.terminal))) throw new NotConfirmed('Nothing was changed')
  }

  /** Prints for people, or with --json for programs. */
  print<T>(value: T, forPeople: (value: T) => string | Drawing): void {
    const { stdout, env } = this.terminal
    const text = this.json
      ? JSON.stringify(value, null, 2)
      : drawnOn(screenOf(stdout, env), forPeople(value))
    printLine(stdout, text)
  }

  /** Prints text that has its own line ends. */
  write(text: string): void {
    this.terminal.stdout.write(text)
  }

  /** Says something that is not the answer. */
  say(line: string): void {
    printLine(this.terminal.stderr, this.json ? JSON.stringify({ note: line }) : line)
  }

  sayBadLine({ line, text, reason }: BadLine): void {
    const forPeople = `line ${line}: ${JSON.stringify(text)}: ${reason}`
    printLine(this.terminal.stderr, this.json ? JSON.stringify({ line, text, reason }) : forPeople)
  }

  /** For a command that prints what is no JSON. @throws BookError */
  refuseJson(why: string): void {
    if (this.json) throw new BookError('bad_input', why)
  }

  /** What is needed again is opened again. */
  close(): void {
    this.#reached = undefined
    this.#ledger = undefined
    this.#rates = undefined
    this.#access = undefined
    for (const close of this.#opened.splice(0).reverse()) close()
  }

  #reach(): Promise<Reached> {
    this.#reached ??= this.#tryToReach()
    return this.#reached
  }

  /** A daemon may come or go while we wait for our turn: so both are tried again and again. */
  async #tryToReach(): Promise<Reached> {
    const deadline = Date.now() + PATIENCE_MS
    for (;;) {
      const socket = await daemonSocket(this.dataDir)
      if (socket !== undefined) return { socket }
      try {
        return { file: await this.#openOwnLedger() }
      } catch (error) {
        const busy = error instanceof LedgerError && error.code === 'in_use'
        if (!busy || Date.now() > deadline) throw error
      }
      await setTimeout(RETRY_MS)
    }
  }

  async #openOwnLedger(): Promise<LedgerFile> {
    const { lockDirectory } = await import('../sqlite/lock.js')
    const lock = lockDirectory(this.dataDir, `tollgate ${this.command}`)
    this.#opened.push(() => lock.release())
    return this.#openLedgerFile(false)
  }

  async #operations(): Promise<Provisioning> {
    const reached = await this.#reach()
    return 'file' in reached ? this.#ofOwn(reached.file) : this.#ofDaemon(reached.socket)
  }

  async #ofDaemon(socket: string): Promise<Provisioning> {
    const { operationsOf } = await import('../http/client.js')
    const { readingBeside } = await import('../reading-beside.js')
    const { provisioning, close } = readingBeside(this.dataDir, operationsOf(socket))
    this.#opened.push(close)
    return provisioning
  }

  async #ofOwn(file: LedgerFile): Promise<Provisioning> {
    const { provisioningOf } = await import('./own-ledger.js')
    return provisioningOf(file, {
      dataDir: this.dataDir,
      config: () => this.config(),
      rates: () => this.#openRates(),
      switches: () => this.#unsupervised(),
    })
  }

  async #unsupervised() {
    const { notSupervised } = await import('../provisioning/switches.js')
    return (await this.config()).switches.map(notSupervised)
  }

  async #accountOnFile(code: string): Promise<AccountJson | undefined> {
    const { SqliteAccounts } = await import('../sqlite/accounts.js')
    const { accountJson } = await import('../ledger/account-fields.js')
    try {
      const account = await new SqliteAccounts(await this.#ledgerBeside()).find(code)
      return account && accountJson(account)
    } catch (error) {
      // As where a daemon of another version has it, and only that can read it.
      if (error instanceof LedgerError) return undefined
      throw error
    }
  }

  /** The ledger to be read: beside a daemon, or as the one who has it open. */
  async #ledgerBeside(): Promise<LedgerFile> {
    const reached = await this.#reach()
    return 'file' in reached ? reached.file : this.#openLedgerFile(true)
  }

  async #openLedgerFile(readonly: boolean): Promise<LedgerFile> {
    const { LedgerFile } = await import('../sqlite/ledger-file.js')
    const file = new LedgerFile(join(this.dataDir, 'ledger.db'), { readonly })
    this.#opened.push(() => file.close())
    return file
  }

  /** Rates have no lock of ours: commands that edit them wait for each other's transactions. */
  #openRates(): Promise<SqliteRates> {
    this.#rates ??= this.#openRatesFile()
    return this.#rates
  }

  async #openRatesFile(): Promise<SqliteRates> {
    const { SqliteRates } = await import('../sqlite/rates.js')
    const { RatesFile } = await import('../sqlite/rates-file.js')
    const file = new RatesFile(join(this.dataDir, 'rates.db'), { busyTimeoutMs: PATIENCE_MS })
    this.#opened.push(() => file.close())
    return new SqliteRates(file)
  }
}

/** Whatever is not clearly a yes is a no, and so is the end of the input. */
async function saysYes(question: string, { stdin, stdout }: Terminal): Promise<boolean> {
  const { createInterface } = await import('node:readline')
  stdout.write(`${question} [y/N] `)
  const lines = createInterface({ input: stdin, terminal: false })
  try {
    for await (const line of lines) return /^\s*y(es)?\s*$/i.test(line)
    printLine(stdout, '')
    return false
  } finally {
    lines.close()
  }
}
