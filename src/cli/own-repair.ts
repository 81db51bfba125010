/** What is done with records of mod_json_cdr where no daemon runs: hardly any command needs it. */
import { CdrRepair } from '../cdr-repair/repair.js'
import type { Config } from '../config.js'
import { SqliteLedger } from '../sqlite/ledger.js'
import type { LedgerFile } from '../sqlite/ledger-file.js'
import { SqliteRateBook } from '../sqlite/rate-book.js'
import type { SqliteRates } from '../sqlite/rates.js'
import { SqliteRepairs } from '../sqlite/repairs.js'

export function openRepairs(file: LedgerFile): SqliteRepairs {
  return new SqliteRepairs(file, new SqliteLedger(file))
}

export function openRepair(
  file: LedgerFile,
  config: Config,
  rates: () => Promise<SqliteRates>,
): CdrRepair {
  const ledger = new SqliteLedger(file)
  return new CdrRepair({
    repairs: new SqliteRepairs(file, ledger),
    ledger,
    rateBook: async () => SqliteRateBook.open(await rates()),
    settings: () => config.rules,
    loopbackPays: () => config.loopbackPays,
    unseen: config.cdrRepair.unseen,
    graceS: 0,
    supervisors: null,
    log: { info: quiet, warn: quiet, error: quiet },
    now: file.now,
  })
}

/** Commands say what has become of each record. */
const quiet = () => {}
