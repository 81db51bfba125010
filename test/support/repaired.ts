/** A supervision whose switch posts its records, over a real socket, and which takes them in. */
import pino from 'pino'
import type { Test } from 'tap'
import { CdrRepair } from '../../src/cdr-repair/repair.js'
import { remember } from '../../src/controller/recovery.js'
import { cdrRoute } from '../../src/freeswitch-http/cdr.js'
import { startFreeswitchHttp } from '../../src/freeswitch-http/server.js'
import type { AuditRecord } from '../../src/ledger/audit.js'
import { SqliteAuditor } from '../../src/sqlite/audit.js'
import { SqliteAuditTrail } from '../../src/sqlite/audit-trail.js'
import { SqliteCdrs } from '../../src/sqlite/cdrs.js'
import { SqliteLedger } from '../../src/sqlite/ledger.js'
import { SqliteRepairs } from '../../src/sqlite/repairs.js'
import { type Asking, ask, SECRET } from './directory.js'
import { oneRate } from './one-rate.js'
import { LEG, RATE, RULES, s } from './story.js'
import { supervise, type Wanted } from './supervised.js'

export interface RepairWanted extends Wanted {
  readonly unseen?: 'list' | 'charge'
  /** Without a daemon: nobody hears events. */
  readonly alone?: boolean
  /** False: nothing listens, and nothing is posted. */
  readonly served?: boolean
  /** Seconds, as in story.ts, where the clock of the supervision begins. */
  readonly startS?: number
}

const ofRepair = (records: AuditRecord[]) =>
  records.filter(({ action }) => action.startsWith('cdr.'))

export async function repaired(t: Test, wanted: RepairWanted = {}) {
  const { startS = 0 } = wanted
  let seconds = () => startS
  const now = () => s(seconds())
  const calls = await supervise(t, { ...wanted, now })
  const { world, parts } = calls
  seconds = () => startS + world.clock.now() / 1000
  const { controller, link } = parts
  const ledger = new SqliteLedger(world.file)
  const logged: Record<string, unknown>[] = []
  const log = pino({ base: null }, { write: line => logged.push(JSON.parse(line)) })
  const repairs = new SqliteRepairs(world.file, ledger)
  const repair = new CdrRepair({
    ...{ repairs, ledger, log, now, loopbackPays: () => false, graceS: 60 },
    rateBook: async () => oneRate(RATE),
    settings: () => ({ ...RULES, ...wanted.rules }),
    unseen: wanted.unseen ?? 'list',
    supervisors: wanted.alone ? null : { controller, links: () => [link], clock: world.clock },
  })
  const serve = () =>
    startFreeswitchHttp({
      ...{ host: '127.0.0.1', port: 0, secret: SECRET, log },
      routes: [cdrRoute(repair)],
    })
  const http = wanted.served === false ? null : await serve()
  t.teardown(() => http?.close())
  const port = http?.port ?? 0
  const cdrs = new SqliteCdrs(world.file)
  return {
    ...{ calls, world, repair, repairs, logged, port },
    /** As mod_json_cdr posts. */
    async post(body: string | Buffer, asking: Asking & { uuid?: string } = {}) {
      const { uuid } = asking
      const query = uuid === undefined ? '' : `?uuid=${uuid}`
      const reply = await ask(port, body, { path: `/freeswitch/cdr${query}`, ...asking })
      await calls.rest()
      return reply
    },
    cdr: (callId = LEG.callId) => cdrs.find(callId),
    cdrs: () => cdrs.list({ limit: 1000 }),
    row: (callId = LEG.callId) => repairs.find(callId),
    alice: async () => (await world.accounts.find('alice'))!,
    entries: async () => (await world.accounts.entries('alice', {})).slice(1),
    audit: () => new SqliteAuditTrail(world.file).audit({ limit: 9 }).then(ofRepair),
    /** What a new process finds. */
    async restart(again: RepairWanted) {
      world.file.close()
      const site = await repaired(t, { ...wanted, ...again, dataDir: world.dataDir })
      await remember(site.calls.parts.link, site.world.ledger)
      return site
    },
    async verify() {
      t.strictSame((await new SqliteAuditor(world.file).verify()).problems, [])
    },
  }
}
