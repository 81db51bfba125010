/** The voice of a phone: sends silence, as a phone does on which nobody speaks, and counts what it hears. */
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'

/** PCMU, 20 ms a packet. */
const PACKET_MS = 20
const SAMPLES = 160
const RTP_HEAD_BYTES = 12
const SILENCE = 0xff

/** In PCMU the bits of a quiet sample are nearly all set, its sign apart. */
const LOUD = 0x50

export class Media {
  /** Packets with something to be heard in them. */
  loud = 0
  /** Packets at all. */
  received = 0
  #sequence = 0
  #sending: NodeJS.Timeout | undefined

  private constructor(readonly socket: Socket) {
    socket.on('message', packet => {
      this.received += 1
      const isLoud = packet.subarray(RTP_HEAD_BYTES).some(sample => (sample & 0x7f) < LOUD)
      if (isLoud) this.loud += 1
    })
  }

  static async open(ip: string): Promise<Media> {
    const socket = createSocket('udp4')
    socket.bind(0, ip)
    await once(socket, 'listening')
    return new Media(socket)
  }

  /** The offer, or the answer. `direction` is `sendrecv`, or `sendonly` to put on hold. */
  describe(ip: string, direction: string): string {
    const { port } = this.socket.address()
    const lines = ['v=0', `o=- 1 ${++this.#sequence} IN IP4 ${ip}`, 's=-', `c=IN IP4 ${ip}`]
    const audio = [`m=audio ${port} RTP/AVP 0`, 'a=rtpmap:0 PCMU/8000', `a=${direction}`]
    return [...lines, 't=0 0', ...audio, ''].join('\r\n')
  }

  /** Talks, that is keeps silent, to where a description of the other side says. */
  sendTo(description: string): void {
    const port = Number(/^m=audio (\d+)/m.exec(description)?.[1] ?? 0)
    const host = /^c=IN IP4 (\S+)/m.exec(description)?.[1]
    if (port === 0 || !host) return
    clearInterval(this.#sending)
    const packet = Buffer.alloc(RTP_HEAD_BYTES + SAMPLES, SILENCE)
    packet.writeUInt16BE(0x8000, 0)
    packet.writeUInt32BE(port, 8)
    let count = 0
    this.#sending = setInterval(() => {
      packet.writeUInt16BE(count & 0xffff, 2)
      packet.writeUInt32BE((count * SAMPLES) >>> 0, 4)
      count += 1
      this.socket.send(packet, port, host, () => {})
    }, PACKET_MS)
  }

  close(): void {
    clearInterval(this.#sending)
    this.socket.close()
  }
}
