/** Why there is no connection to a switch, each as a sentence for the operator's log. */

export const WRONG_PASSWORD = 'the switch refuses the password'

export const TURNED_AWAY =
  "the switch turns our address away: it is not in the access list of its event socket ('acl')"

/** It is there, and will not have us: waiting alone does not help. */
export function isRefusal(why: string): boolean {
  return why === WRONG_PASSWORD || why === TURNED_AWAY
}

export const CLOSED = 'the switch closed the connection'

export function noLogin(timeoutMs: number): string {
  return `the switch did not let us log in within ${timeoutMs} ms`
}

export function socketTrouble(error: Error): string {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'ECONNREFUSED':
      return 'the connection was refused: nothing listens at that address and port'
    case 'ENOTFOUND':
      return 'the host of the switch has no address'
    case 'ECONNRESET':
      return 'the switch broke the connection off'
    default:
      return `the connection failed: ${error.message}`
  }
}
