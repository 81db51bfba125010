/** The part of modesl 1.2.1 that connection.ts uses, its private parts included: pin the version. */
declare module 'modesl' {
  import type { Socket } from 'node:net'

  namespace modesl {
    /** `left` is ours, in the place of an event: how many bytes of the body are still to come. */
    type ReplyCallback = (left: number, headers: Headers, body: string) => void

    type Headers = Readonly<Record<string, string>>

    interface Connection {
      readonly socket: Socket
      cmdCallbackQueue: ReplyCallback[]
      apiCallbackQueue: ReplyCallback[]
      on(event: string, listener: (...values: never[]) => void): void
      /** Takes a place in the queue, and calls send(). */
      sendRecv(command: string, callback: ReplyCallback): void
      send(command: string): void
      subscribe(events: readonly string[]): void
      /** What its own parser calls for each frame. */
      _onEvent(event: unknown, headers: Headers, body: string): void
    }
  }

  const modesl: {
    /** Connects at once, and logs in when it is greeted. */
    Connection: new (
      host: string,
      port: number,
      password: string,
    ) => modesl.Connection
    Event: new (headers: modesl.Headers, body: string) => unknown
  }
  export = modesl
}
