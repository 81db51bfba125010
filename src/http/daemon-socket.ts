/** Finds the socket of a running daemon, before anything is asked of it. */
import { existsSync } from 'node:fs'
import { connect } from 'node:net'
import { ApiError } from './api-error.js'
import { isOurs, socketPath } from './socket-path.js'

/**
 * The socket of the daemon on this data directory; undefined where none answers. A socket that a
 * killed daemon left behind answers to nobody, and is no daemon.
 * @throws ApiError where there is one that we may not talk to
 */
export async function daemonSocket(dataDir: string): Promise<string | undefined> {
  if (!existsSync(dataDir)) return undefined
  const path = socketPath(dataDir)
  if (!existsSync(path)) return undefined
  if (!isOurs(path, dataDir)) {
    throw new ApiError('forbidden', `Somebody else may have made ${path}: remove its folder`)
  }
  return (await answers(path)) ? path : undefined
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
