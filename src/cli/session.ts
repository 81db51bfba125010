/**
 * What one command works with: the operations on ledger and rates, from a running daemon or from
 * the files themselves. Nothing is opened before it is needed.
 */
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { CdrRepair } from '../cdr-repair/repair.js'
import { type Config, dataDirectory, loadConfig } from '../config.js'
import { connectApi } from '../http/client.js'
import { type Auditor, BookError } from '../ledger/books.js'
import { LedgerError } from '../ledger/ledger.js'
import type { SipAccounts } from '../ledger/sip-accounts.js'
import type { Provisioning } from '../provisioning/operations.js'
import { createProvisioning } from '../provisioning/provisioning.js'
import { Quoter } from '../provisioning/quote.js'
import type { LedgerAccess } from '../provisioning/rate-editing.js'
import { RateProvisioning } from '../provisioning/rates.js'
import { listSwitches, notSupervised, type SwitchJson } from '../provisioning/switches.js'
import { readingBeside } from '../reading-beside.js'
import { SqliteAccounts } from '../sqlite/accounts.js'
import { SqliteAuditor } from '../sqlite/audit.js'
import { SqliteAuditTrail } from '../sqlite/audit-trail.js'
import { SqliteCdrs } from '../sqlite/cdrs.js'
import { SqliteLedger } from '../sqlite/ledger.js'
import { LedgerFile } from '../sqlite/ledger-file.js'
import { lockDirectory } from '../sqlite/lock.js'
import { SqliteRateBook } from '../sqlite/rate-book.js'
import { SqliteRates } from '../sqlite/rates.js'
import { RatesFile } from '../sqlite/rates-file.js'
import { SqliteRepairs } from '../sqlite/repairs.js'
import { SqliteSipAccounts } from '../sqlite/sip-accounts.js'
import { WebFile } from '../sqlite/web-file.js'
import { WebTrail } from '../sqlite/web-trail.js'
import { type Access, openAccess } from '../web-access.js'
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

export class Session implements LedgerAccess {
  readonly dataDir: string
  readonly json: boolean
  /** What the process exits with when the command comes to its end. */
  exitCode = 0
  readonly #config: string | undefined
  readonly #yes: boolean
  #ledger: Promise<Provisioning> | undefined
  #ledgerFile: LedgerFile | undefined
  #rates: SqliteRates | undefined
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
  config(): Config {
    return loadConfig(this.dataDir, this.terminal.env, this.#config)
  }

  daemon(): Promise<Provisioning | undefined> {
    return connectApi(this.dataDir)
  }

  ledger(): Promise<Provisioning> {
    this.#ledger ??= this.#reachLedger()
    return this.#ledger
  }

  rates(): RateProvisioning {
    return new RateProvisioning(this.#openRates(), this)
  }

  /** Who may log in. web.db is written by whoever changes it, like rates.db. */
  access(): Access {
    if (this.#access) return this.#access
    const file = new WebFile(join(this.dataDir, 'web.db'), { busyTimeoutMs: PATIENCE_MS })
    this.#opened.push(() => file.close())
    const account = async (code: unknown) => (await this.ledger()).accountShow({ code })
    this.#access = openAccess(file, account, () => this.config().web?.publicUrl ?? '')
    return this.#access
  }

  quoter(whose: { account?: unknown; plan?: unknown }): Promise<Quoter> {
    return Quoter.open(this.#openRates(), this, whose)
  }

  /** Of the configuration alone where no daemon runs: nobody waits for the books, or makes any. */
  async switches(): Promise<SwitchJson[]> {
    const daemon = await this.daemon()
    return daemon ? daemon.switchList({}) : listSwitches(this.#unsupervised())
  }

  /**
   * For an audit of the books: in this process, because a daemon that audits serves no calls. Beside
   * a daemon the file is only read.
   */
  async auditor(): Promise<Auditor> {
    return new SqliteAuditor(await this.#ledgerBeside())
  }

  /** The SIP accounts with their secrets: for the same reason, and so that no daemon hands them out. */
  async credentials(): Promise<Pick<SipAccounts, 'domainCredentials'>> {
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
    this.#ledger = undefined
    this.#ledgerFile = undefined
    this.#rates = undefined
    this.#access = undefined
    for (const close of this.#opened.splice(0).reverse()) close()
  }

  /** A daemon may come or go while we wait for our turn: so both are tried again and again. */
  async #reachLedger(): Promise<Provisioning> {
    const deadline = Date.now() + PATIENCE_MS
    for (;;) {
      const daemon = await this.daemon()
      if (daemon) return this.#beside(daemon)
      try {
        return this.#openLedger()
      } catch (error) {
        const busy = error instanceof LedgerError && error.code === 'in_use'
        if (!busy || Date.now() > deadline) throw error
      }
      await setTimeout(RETRY_MS)
    }
  }

  #beside(daemon: Provisioning): Provisioning {
    const { provisioning, close } = readingBeside(this.dataDir, daemon)
    this.#opened.push(close)
    return provisioning
  }

  #openLedger(): Provisioning {
    const lock = lockDirectory(this.dataDir, `tollgate ${this.command}`)
    this.#opened.push(() => lock.release())
    const file = this.#openLedgerFile(false)
    return createProvisioning({
      accounts: new SqliteAccounts(file),
      cdrs: new SqliteCdrs(file),
      auditor: new SqliteAuditor(file),
      trail: new SqliteAuditTrail(file),
      rates: {
        version: plan => this.#openRates().version(plan),
        audit: filter => this.#openRates().audit(filter),
      },
      web: new WebTrail(join(this.dataDir, 'web.db')),
      longestCallS: () => this.config().rules.longestCallS,
      sipAccounts: new SqliteSipAccounts(file),
      repair: this.#repair(file),
      switches: () => this.#unsupervised(),
    })
  }

  #unsupervised() {
    return this.config().switches.map(notSupervised)
  }

  /** Its settings are read when they are needed: most commands do without. */
  #repair(file: LedgerFile): CdrRepair {
    const config = () => this.config()
    const ledger = new SqliteLedger(file)
    return new CdrRepair({
      repairs: new SqliteRepairs(file, ledger),
      ledger,
      rateBook: () => SqliteRateBook.open(this.#openRates()),
      settings: () => config().rules,
      loopbackPays: () => config().loopbackPays,
      get unseen() {
        return config().cdrRepair.unseen
      },
      graceS: 0,
      supervisors: null,
      log: { info: quiet, warn: quiet, error: quiet },
      now: file.now,
    })
  }

  /** The ledger to be read: beside a daemon, or as the one who has it open. */
  async #ledgerBeside(): Promise<LedgerFile> {
    if (!(await this.daemon())) await this.ledger()
    return this.#ledgerFile ?? this.#openLedgerFile(true)
  }

  #openLedgerFile(readonly: boolean): LedgerFile {
    const file = new LedgerFile(join(this.dataDir, 'ledger.db'), { readonly })
    this.#opened.push(() => file.close())
    this.#ledgerFile = file
    return file
  }

  /** Rates have no lock of ours: commands that edit them wait for each other's transactions. */
  #openRates(): SqliteRates {
    if (this.#rates) return this.#rates
    const file = new RatesFile(join(this.dataDir, 'rates.db'), { busyTimeoutMs: PATIENCE_MS })
    this.#opened.push(() => file.close())
    this.#rates = new SqliteRates(file)
    return this.#rates
  }
}

/** Commands say what has become of each record. */
const quiet = () => {}

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
