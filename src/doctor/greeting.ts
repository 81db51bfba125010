/** What is heard of whoever listens at an address before a word is said to it. */
import { connect } from 'node:net'
import { socketTrouble } from '../switch/trouble.js'

export type Greeting =
  | { readonly type: 'unreachable'; readonly code: string; readonly why: string }
  /** It takes the connection, and has said nothing within the time; or it has closed it before. */
  | { readonly type: 'silent' | 'closed' }
  /** Its first bytes, and the address under which it sees us. */
  | { readonly type: 'said'; readonly text: string; readonly ownAddress: string }

/** Never rejects. */
export function greeting(host: string, port: number, timeoutMs: number): Promise<Greeting> {
  return new Promise(resolve => {
    const socket = connect({ host, port })
    let isConnected = false
    const end = (heard: Greeting) => {
      clearTimeout(timer)
      socket.destroy()
      resolve(heard)
    }
    const unreachable = (code: string, why: string) => end({ type: 'unreachable', code, why })
    const timer = setTimeout(() => {
      if (isConnected) end({ type: 'silent' })
      else unreachable('ETIMEDOUT', `there is no answer within ${timeoutMs} ms`)
    }, timeoutMs)
    socket.once('connect', () => {
      isConnected = true
    })
    socket.once('data', bytes => {
      const ownAddress = socket.localAddress?.replace(/^::ffff:/, '') ?? ''
      end({ type: 'said', text: bytes.toString('latin1'), ownAddress })
    })
    socket.once('error', (error: NodeJS.ErrnoException) => {
      unreachable(error.code ?? '', socketTrouble(error))
    })
    socket.once('close', () => end({ type: 'closed' }))
  })
}
