/**
 * The web service in its thread, so that nothing it does, a deck of a million rates or a report over a
 * million CDRs, is in the way of the event loop that cuts calls off.
 */
import type { AddressInfo } from 'node:net'
import { parentPort, workerData } from 'node:worker_threads'
import pino from 'pino'
import { createWeb } from '../web/web.js'
import { openServices } from './services.js'
import type { WebServiceTerms, WorkerMessage } from './web-service.js'

const SWEEP_MS = 10 * 60_000
const HEARTBEAT_MS = 15_000

const { dataDir, host, port, publicUrl, trustedProxies, logLevel } = workerData as WebServiceTerms
const serializers = { error: pino.stdSerializers.err }
// By way of the daemon, so that its log stays one, line by line.
const log = pino({ level: logLevel, base: null, serializers }, process.stdout)

const tell = (message: WorkerMessage) => parentPort!.postMessage(message)

const { services, close } = openServices({ dataDir, publicUrl, log })
const app = await createWeb({
  services,
  settings: { trustedProxies, heartbeatMs: HEARTBEAT_MS },
  log,
})
await app.listen({ host, port, listenTextResolver: () => '' })
const { port: bound } = app.server.address() as AddressInfo
tell({ listening: bound, setUpLink: await services.users.setUpLink() })

const sweep = () =>
  services.sessions.sweep().catch(error => log.warn({ error }, 'web.db could not be tidied'))
const sweeping = setInterval(sweep, SWEEP_MS)
void sweep()

parentPort!.once('message', async () => {
  clearInterval(sweeping)
  await app.close()
  close()
  parentPort!.close()
})
