/** A conversation with one switch over a connection of its own, beside that of any daemon. */
import { Connection } from '../switch/connection.js'
import { headersOf } from '../switch/decode.js'
import { expectOk, unexpected } from '../switch/encode.js'
import type { Frame } from '../switch/frames.js'
import { SwitchError } from '../switch/switch.js'

export interface DialogueOptions {
  readonly host: string
  readonly port: number
  readonly password: string
  readonly timeoutMs: number
}

export class Dialogue {
  readonly #connection: Connection
  /** The bgapi jobs whose end has been announced. */
  readonly #done = new Set<string>()
  #look = () => {}

  private constructor(
    readonly options: DialogueOptions,
    onReady: () => void,
    onClose: (why: string) => void,
  ) {
    const { timeoutMs, ...address } = options
    const onFrame = (frame: Frame) => this.#hear(frame)
    const told = { onFrame, onReady, onClose }
    this.#connection = new Connection({ ...address, loginTimeoutMs: timeoutMs, ...told })
  }

  /** @throws SwitchError `not_connected` with a sentence */
  static open(options: DialogueOptions): Promise<Dialogue> {
    return new Promise((resolve, reject) => {
      const dialogue: Dialogue = new Dialogue(
        options,
        () => resolve(dialogue),
        why => reject(new SwitchError('not_connected', why)),
      )
    })
  }

  /**
   * What an API command answers, be it an error.
   * @throws SwitchError `timeout` or `not_connected`
   */
  api(command: string): Promise<string> {
    return this.#connection.command(`api ${command}`, this.options.timeoutMs)
  }

  /** Asks for events of these names as well. */
  async subscribe(names: readonly string[]): Promise<void> {
    const { timeoutMs } = this.options
    expectOk(await this.#connection.command(`event plain ${names.join(' ')}`, timeoutMs))
  }

  /** Has the switch work in the background; resolves to how long it was until its event came, in ms. */
  async background(command: string): Promise<number> {
    const startMs = performance.now()
    const { timeoutMs } = this.options
    const answer = await this.#connection.command(`bgapi ${command}`, timeoutMs)
    const job = /^Job-UUID: ([\w-]+)$/.exec(expectOk(answer))?.[1]
    if (job === undefined) throw unexpected(answer)
    await this.#end(job)
    return performance.now() - startMs
  }

  close(): void {
    this.#connection.close('the examination is over')
  }

  #end(job: string): Promise<void> {
    const { timeoutMs } = this.options
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new SwitchError('timeout', `no event came within ${timeoutMs} ms`))
      }, timeoutMs)
      this.#look = () => {
        if (!this.#done.has(job)) return
        clearTimeout(timer)
        resolve()
      }
      this.#look()
    })
  }

  #hear(frame: Frame): void {
    const job = headersOf(frame)?.get('Job-UUID')
    if (!job) return
    this.#done.add(job)
    this.#look()
  }
}
