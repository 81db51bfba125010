/** The made-up reseller at work: his books, two simulated switches with live calls, the daemon and the web. */
import { createHash } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import pino from 'pino'
import { checkConfig } from '../../src/config.js'
import { Daemon } from '../../src/daemon.js'
import { Dice } from '../../src/simulation/dice.js'
import { EslServer } from '../../src/simulator/esl-server.js'
import { RealTimeline } from '../../src/simulator/real-timeline.js'
import { SimulatedSwitch } from '../../src/simulator/simulated-switch.js'
import { createWeb } from '../../src/web/web.js'
import { openServices } from '../../src/web-service/services.js'
import { ACCOUNTS } from './demo-accounts.js'
import { writeDemoBooks } from './demo-books.js'
import { DESTINATIONS } from './demo-rates.js'

const PASSWORD = 'event-socket'

/** People of the reseller, and one of his customers. */
export const PEOPLE = [
  { name: 'maria', role: 'admin', account: null },
  { name: 'jonas', role: 'operator', account: null },
  { name: 'auditor', role: 'read_only', account: null },
  { name: 'aurora', role: 'account_holder', account: 'AURORA' },
] as const

export const PASSWORD_OF_ALL = 'only for the pictures'

export interface DemoSite {
  readonly url: string
  /** So many more live calls. */
  call(count: number): void
  close(): Promise<void>
}

export interface DemoSiteOptions {
  readonly dataDir: string
  readonly days: number
  readonly busiest: number
}

export async function openDemoSite({ dataDir, days, busiest }: DemoSiteOptions): Promise<DemoSite> {
  const dice = new Dice(7)
  const until = Date.now() * 1000
  await writeDemoBooks({ dataDir, dice: dice.for('books'), until, days, busiest })
  const switches = ['fs-london', 'fs-frankfurt'].map(name => {
    const random = dice.for(name).next
    const freeswitch = new SimulatedSwitch({ timeline: new RealTimeline(), random, heartbeatS: 5 })
    return { name, freeswitch, server: new EslServer({ freeswitch, password: PASSWORD }) }
  })
  const listed = await Promise.all(
    switches.map(async ({ name, server }) => ({
      ...{ name, port: await server.listen(), password: PASSWORD, heartbeat_s: 5 },
    })),
  )
  const down = { name: 'fs-backup', port: 9, password: PASSWORD }
  const config = checkConfig({ switch: [...listed, down] }, {}, 'demo')
  const log = pino({ level: process.env['TOLLGATE_LOG_LEVEL'] ?? 'silent' })
  const daemon = new Daemon({ dataDir, config, log })
  await daemon.start()
  const { services, close } = openServices({
    ...{ dataDir, publicUrl: 'https://tollgate.example.com', log },
  })
  for (const { name, role, account } of PEOPLE) {
    const user = { name, role, account, password: PASSWORD_OF_ALL, actor: 'user:maria' }
    await services.users.create(user)
  }
  for (const [name, role] of [
    ['billing', 'operator'],
    ['monitoring', 'read_only'],
  ] as const) {
    await services.tokens.create({ name, role, actor: 'user:maria' })
  }
  const app = await createWeb({
    services,
    settings: { trustedProxies: [], heartbeatMs: 15_000 },
    log,
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  const callers = dice.for('callers')
  return {
    url: `http://127.0.0.1:${port}`,
    call(count) {
      for (let i = 0; i < count; i++) placeCall(callers.pick(switches).freeswitch, callers)
    },
    async close() {
      await app.close()
      close()
      await daemon.stop()
      for (const { freeswitch, server } of switches) {
        await server.close()
        freeswitch.stop()
      }
    },
  }
}

function placeCall(freeswitch: SimulatedSwitch, dice: Dice): void {
  const { code } = dice.weigh(ACCOUNTS.map(account => [account.weight, account] as const))
  const [prefix] = dice.pick(DESTINATIONS)
  const line = createHash('md5').update(String(dice.next())).digest('hex').replace(/\D/g, '')
  const number = (prefix + line).slice(0, 12)
  const ringMs = dice.between(500, 9_000)
  const ac = { ac: code, acOn: 'b' } as const
  freeswitch.placeCall({ number, ...ac, aLeg: true, answer: true, ringMs, talkMs: null })
}

export const dataDirOf = (folder: string) => join(folder, 'data')
