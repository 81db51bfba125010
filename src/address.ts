/** Where something listens, as it stands in the settings: `127.0.0.1:8084`, `[::1]:8084`. */

export interface Address {
  readonly host: string
  readonly port: number
}

/** IPv6 in brackets. */
const ADDRESS = /^(\[[\d.:a-f]+\]|[\w.-]+):(\d{1,5})$/i

const PORT_MAX = 65_535

/** Null for what is no address and port. */
export function addressOf(text: string): Address | null {
  const match = ADDRESS.exec(text)
  if (!match || Number(match[2]) > PORT_MAX) return null
  return { host: match[1]!.replace(/^\[|\]$/g, ''), port: Number(match[2]) }
}

/** Whether only this machine can reach it. */
export function isLoopback(host: string): boolean {
  return /^(127\.|::1$|localhost$)/.test(host)
}
