/** The operations of a running daemon, as if they were our own. */
import { existsSync } from 'node:fs'
import { connect } from 'node:net'
import { checkInput } from '../provisioning/fields.js'
import { mapOperations, type Provisioning } from '../provisioning/operations.js'
import { ApiError } from './api-error.js'
import { isOurs, socketPath } from './socket-path.js'

/**
 * The operations of the daemon on this data directory; undefined where none answers. A socket that
 * a killed daemon left behind answers to nobody, and is no daemon.
 * @throws ApiError where there is one that we may not talk to
 */
export async function connectApi(dataDir: string): Promise<Provisioning | undefined> {
  if (!existsSync(dataDir)) return undefined
  const path = socketPath(dataDir)
  if (!existsSync(path)) return undefined
  if (!isOurs(path, dataDir)) {
    throw new ApiError('forbidden', `Somebody else may have made ${path}: remove its folder`)
  }
  if (!(await answers(path))) return undefined
  return mapOperations((_name, operation) => async input => {
    checkInput(operation.input, input)
    // Read when it is needed: most commands only read files, even beside a daemon.
    const { ask } = await import('./ask.js')
    return ask(path, operation, input as Record<string, unknown>)
  })
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EACCES' || error.code === 'EPERM') {
        reject(new ApiError('forbidden', `A daemon is running, but you may not use ${path}`))
      } else {
        resolve(false)
      }
    })
  })
}
