/** Server-sent events: one answer that goes on until either side ends it. */
import type { FastifyReply, FastifyRequest } from 'fastify'

/** Who reads so slowly is let go, and begins anew with what is then. */
const UNREAD_BYTES_MAX = 4 * 2 ** 20

export interface EventStream {
  /** `content` as JSON. */
  send(event: string, content: unknown): void
  close(): void
}

export interface EventStreamOptions {
  readonly heartbeatMs: number
  /** Asked at every heartbeat: a log-out ends the stream as well. */
  readonly mayGoOn: () => Promise<boolean>
  /** Called once, however it ends. */
  readonly onClose: () => void
}

export function openEventStream(
  request: FastifyRequest,
  reply: FastifyReply,
  { heartbeatMs, mayGoOn, onClose }: EventStreamOptions,
): EventStream {
  reply.hijack()
  const { raw } = reply
  raw.writeHead(200, {
    ...(reply.getHeaders() as Record<string, string>),
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  })
  raw.write(':\n\n')
  const close = () => raw.end()
  const heartbeat = setInterval(async () => {
    if (await mayGoOn().catch(() => false)) raw.write(':\n\n')
    else close()
  }, heartbeatMs)
  heartbeat.unref()
  raw.once('close', () => {
    clearInterval(heartbeat)
    onClose()
  })
  request.raw.once('error', close)
  return {
    send(event, content) {
      if (raw.writableEnded || raw.destroyed) return
      raw.write(`event: ${event}\ndata: ${JSON.stringify(content)}\n\n`)
      if (raw.writableLength > UNREAD_BYTES_MAX) raw.destroy()
    },
    close,
  }
}
