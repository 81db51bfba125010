/** The operations of a running daemon, as if they were our own. */
import { checkInput } from '../provisioning/fields.js'
import { mapOperations, type Provisioning } from '../provisioning/operations.js'
import { daemonSocket } from './daemon-socket.js'

/**
 * The operations of the daemon on this data directory; undefined where none answers.
 * @throws ApiError where there is one that we may not talk to
 */
export async function connectApi(dataDir: string): Promise<Provisioning | undefined> {
  const path = await daemonSocket(dataDir)
  return path === undefined ? undefined : operationsOf(path)
}

/** @param path where a daemon listens */
export function operationsOf(path: string): Provisioning {
  return mapOperations((_name, operation) => async input => {
    checkInput(operation.input, input)
    // Read when it is needed: most commands only read files, even beside a daemon.
    const { ask } = await import('./ask.js')
    return ask(path, operation, input as Record<string, unknown>)
  })
}
