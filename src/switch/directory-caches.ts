/** What switches keep of the directory of users, as the ones who change users see it. */
import type { Logger } from 'pino'
import type { Switch } from './switch.js'

/**
 * Has every switch ask again for a user. One that cannot be told goes on with what it has for as long
 * as it may keep an answer, and the log says so.
 */
export function directoryCaches(switches: readonly Switch[], log: Logger) {
  return {
    forget({ user, domain }: { user: string; domain: string }): void {
      for (const freeswitch of switches) {
        freeswitch.forgetUser(user, domain).catch(error => {
          const about = { switch: freeswitch.name, user, domain, error }
          log.warn(about, 'a switch was not told of a changed SIP account')
        })
      }
    },
  }
}
