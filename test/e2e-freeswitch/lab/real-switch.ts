/** The FreeSWITCH under test: configured for the suite, listened to, started and stopped. */
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { configure, NAME, recordsOf, USERS, type Wiring } from './configuration.js'
import type { Installation } from './installation.js'
import { until } from './until.js'
import { Watch } from './watch.js'

const MODULES = ['mod_json_cdr', 'mod_xml_curl']
const PROFILES = [NAME, USERS]

const AGAIN_MS = 500

/** What mod_json_cdr wrote of a leg when it was over. Microseconds of the switch's clock. */
export interface SwitchRecord {
  readonly answeredAt: number | null
  readonly endedAt: number
  readonly cause: string
}

export class RealSwitch {
  watch!: Watch
  #loadedBefore: string[] = []
  #putBack = () => {}

  /** Takes a switch that runs, and configures it. */
  static async take(installation: Installation, wiring: Wiring): Promise<RealSwitch> {
    const freeswitch = new RealSwitch(installation, wiring)
    freeswitch.watch = await Watch.open(installation)
    try {
      await freeswitch.#configure()
    } catch (error) {
      await freeswitch.giveBack()
      throw error
    }
    return freeswitch
  }

  private constructor(
    readonly installation: Installation,
    readonly wiring: Wiring,
  ) {}

  get version(): Promise<string> {
    return this.watch.api('version')
  }

  /** Leaves the switch as it was. */
  async giveBack(): Promise<void> {
    for (const profile of PROFILES) await this.#stopProfile(profile)
    this.#putBack()
    await this.watch.api('reloadxml')
    for (const module of MODULES) {
      await this.watch.api(`unload ${module}`)
      if (this.#loadedBefore.includes(module)) await this.watch.api(`load ${module}`)
    }
    this.watch.close()
  }

  async stop(): Promise<void> {
    this.watch.close()
    await shell(this.installation.power!.stop)
  }

  /** As a bug of its own would end it. */
  async crash(): Promise<void> {
    await this.watch.api('fsctl crash').catch(() => {})
    this.watch.close()
  }

  /** It comes up with our profiles, for they are in its configuration. */
  async start(): Promise<void> {
    await shell(this.installation.power!.start)
    let trouble: unknown
    await until(async () => {
      const watch = await Watch.open(this.installation).catch(error => {
        trouble = error
      })
      if (watch) this.watch = watch
      return watch !== undefined
    }, 'the event socket answers').catch(() => {
      throw trouble
    })
    await this.#load()
    for (const profile of PROFILES) await this.#startProfile(profile)
  }

  /** Null where there is none (yet). */
  record(legId: string): SwitchRecord | null {
    const file = join(recordsOf(this.installation.conf), `${legId}.cdr.json`)
    if (!existsSync(file)) return null
    const variables = variablesIn(readFileSync(file, 'utf8'))
    if (!variables) return null
    return {
      answeredAt: Number(variables['answer_uepoch']) || null,
      endedAt: Number(variables['end_uepoch']),
      cause: variables['hangup_cause']!,
    }
  }

  async #configure(): Promise<void> {
    for (const module of MODULES) {
      if (await this.#isLoaded(module)) this.#loadedBefore.push(module)
    }
    this.#putBack = configure(this.wiring)
    await this.watch.api('reloadxml')
    await this.#load()
    for (const profile of PROFILES) {
      await this.#stopProfile(profile)
      await this.#startProfile(profile)
    }
  }

  async #load(): Promise<void> {
    for (const module of MODULES) {
      if (await this.#isLoaded(module)) await this.watch.api(`unload ${module}`)
      const answer = await this.watch.api(`load ${module}`)
      if (!answer.includes('+OK')) throw new Error(`The switch has no ${module}: ${answer}`)
    }
  }

  async #isLoaded(module: string): Promise<boolean> {
    return (await this.watch.api(`module_exists ${module}`)) === 'true'
  }

  /** One that has just stopped is told to start in vain: so it is told again. */
  #startProfile(profile: string): Promise<void> {
    return until(async () => {
      if (await this.#says(profile, 'CALLS-IN')) return true
      await this.watch.api(`sofia profile ${profile} start`)
      await sleep(AGAIN_MS)
      return false
    }, `the switch takes sip_profiles/${profile}.xml: its sofia.conf.xml must include that folder`)
  }

  /** One that still runs would keep its old addresses. It does not stop in its first ten seconds. */
  #stopProfile(profile: string): Promise<void> {
    return until(async () => {
      if (await this.#says(profile, 'Invalid Profile')) return true
      await this.watch.api(`sofia profile ${profile} stop`)
      await sleep(AGAIN_MS)
      return false
    }, `${profile} has stopped`)
  }

  async #says(profile: string, what: string): Promise<boolean> {
    return (await this.watch.api(`sofia status profile ${profile}`)).includes(what)
  }
}

/** Null while it is being written. */
function variablesIn(text: string): Record<string, string> | null {
  try {
    return JSON.parse(text).variables
  } catch {
    return null
  }
}

function shell(command: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, { shell: true, stdio: 'ignore' })
    child.once('exit', code =>
      code === 0 ? resolve() : reject(new Error(`"${command}" ended with ${code}`)),
    )
  })
}
