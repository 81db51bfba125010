/**
 * What one command works with: the operations on ledger and rates, from a running daemon or from
 * the files themselves. Nothing is opened before it is needed.
 */
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { type Config, dataDirectory, loadConfig } from '../config.js'
import { connectApi } from '../http/client.js'
import type { Auditor } from '../ledger/books.js'
import { LedgerError } from '../ledger/ledger.js'
import type { Provisioning } from '../provisioning/operations.js'
import { createProvisioning } from '../provisioning/provisioning.js'
import { Quoter } from '../provisioning/quote.js'
import { type LedgerAccess, RateProvisioning } from '../provisioning/rates.js'
import { SqliteAccounts } from '../sqlite/accounts.js'
import { SqliteAuditor } from '../sqlite/audit.js'
import { SqliteCdrs } from '../sqlite/cdrs.js'
import { LedgerFile } from '../sqlite/ledger-file.js'
import { lockDirectory } from '../sqlite/lock.js'
import { SqliteRates } from '../sqlite/rates.js'
import { RatesFile } from '../sqlite/rates-file.js'
import { printLine, type Terminal } from './terminal.js'

/** How long a command waits for another to be done, or for a daemon that is just starting. */
const PATIENCE_MS = 5_000
const RETRY_MS = 25

export interface GlobalOptions {
  readonly data?: string
  readonly config?: string
  readonly json?: boolean
}

export class Session implements LedgerAccess {
  readonly dataDir: string
  readonly json: boolean
  /** What the process exits with when the command comes to its end. */
  exitCode = 0
  readonly #config: string | undefined
  #ledger: Promise<Provisioning> | undefined
  #ledgerFile: LedgerFile | undefined
  #rates: SqliteRates | undefined
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

  quoter(whose: { account?: unknown; plan?: unknown }): Promise<Quoter> {
    return Quoter.open(this.#openRates(), this, whose)
  }

  /**
   * For an audit of the books: in this process, because a daemon that audits serves no calls. Beside
   * a daemon the file is only read.
   */
  async auditor(): Promise<Auditor> {
    if (!(await this.daemon())) await this.ledger()
    return new SqliteAuditor(this.#ledgerFile ?? this.#openLedgerFile(true))
  }

  /** Prints for people, or with --json for programs. */
  print<T>(value: T, forPeople: (value: T) => string): void {
    const text = this.json ? JSON.stringify(value, null, 2) : forPeople(value)
    printLine(this.terminal.stdout, text)
  }

  /** Says something that is not the answer. */
  say(line: string): void {
    printLine(this.terminal.stderr, line)
  }

  close(): void {
    for (const close of this.#opened.splice(0).reverse()) close()
  }

  /** A daemon may come or go while we wait for our turn: so both are tried again and again. */
  async #reachLedger(): Promise<Provisioning> {
    const deadline = Date.now() + PATIENCE_MS
    for (;;) {
      const daemon = await this.daemon()
      if (daemon) return daemon
      try {
        return this.#openLedger()
      } catch (error) {
        const busy = error instanceof LedgerError && error.code === 'in_use'
        if (!busy || Date.now() > deadline) throw error
      }
      await setTimeout(RETRY_MS)
    }
  }

  #openLedger(): Provisioning {
    const lock = lockDirectory(this.dataDir, `tollgate ${this.command}`)
    this.#opened.push(() => lock.release())
    const file = this.#openLedgerFile(false)
    return createProvisioning({
      accounts: new SqliteAccounts(file),
      cdrs: new SqliteCdrs(file),
      auditor: new SqliteAuditor(file),
      rates: { version: plan => this.#openRates().version(plan) },
      longestCallS: () => this.config().rules.longestCallS,
    })
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
