/** The FreeSWITCH that the suite is pointed at, by the environment. CONTRIBUTING.md explains each variable. */
import { existsSync } from 'node:fs'
import { isIPv4 } from 'node:net'

export interface Installation {
  readonly host: string
  readonly port: number
  readonly password: string
  /** Its configuration directory, which the suite may write to. */
  readonly conf: string
  /** Of this machine: for SIP, voice, the gate and HTTP. */
  readonly ip: string
  /** Shell commands that start and stop the switch; both return when that is done. */
  readonly power: { readonly start: string; readonly stop: string } | null
}

/** Null where none is named. @throws Error where what is named cannot be */
export function findInstallation(env: NodeJS.ProcessEnv): Installation | null {
  const { TOLLGATE_E2E_ESL: esl, TOLLGATE_E2E_CONF: conf, TOLLGATE_E2E_START: start } = env
  if (!esl || !conf) return null
  const [, host, port] = /^(.+):(\d+)$/.exec(esl) ?? []
  if (!host) throw new Error(`TOLLGATE_E2E_ESL is not host:port: ${esl}`)
  if (!existsSync(conf)) throw new Error(`TOLLGATE_E2E_CONF: there is no directory ${conf}`)
  const ip = env['TOLLGATE_E2E_IP'] ?? '127.0.0.1'
  if (!isIPv4(ip)) throw new Error(`TOLLGATE_E2E_IP is not an IPv4 address: ${ip}`)
  const stop = env['TOLLGATE_E2E_STOP']
  return {
    ...{ host, port: Number(port), password: env['TOLLGATE_E2E_PASSWORD'] ?? 'ClueCon', conf, ip },
    power: start && stop ? { start, stop } : null,
  }
}
