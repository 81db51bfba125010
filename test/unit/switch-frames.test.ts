/** Reading the event socket's bytes: whole, cut anywhere, broken, and more than there should be. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { decode, eventName } from '../../src/switch/decode.js'
import {
  ANSWER_BYTES_MAX,
  FRAME_BYTES_MAX,
  type Frame,
  FrameError,
  Framer,
  HEAD_BYTES_MAX,
  WHOLE_ANSWER_BYTES,
} from '../../src/switch/frames.js'

const CAPTURES = join(import.meta.dirname, '../replay/captures')

const captures = readdirSync(CAPTURES)
  .filter(file => file.endsWith('.raw'))
  .map(file => ({ file, bytes: readFileSync(join(CAPTURES, file)) }))

const small = captures.filter(({ bytes }) => bytes.length < 64 * 1024)

/** A frame as it would go over the wire again. */
const wire = ({ head, body }: Frame) => `${head}\n\n${body?.toString('latin1') ?? ''}`

function read(...chunks: Buffer[]) {
  const framer = new Framer()
  const frames: Frame[] = []
  for (const chunk of chunks) frames.push(...framer.push(chunk))
  return { frames, torn: framer.end() }
}

/** All that a framer makes of these chunks, in one text. */
function all(...chunks: Buffer[]): string {
  const { frames, torn } = read(...chunks)
  const rest = torn ? `torn, ${torn.missing} missing: ${torn.bytes.toString('latin1')}` : 'clean'
  return [...frames.map(wire), rest].join('\n---\n')
}

t.test('no byte is lost or made up', async t => {
  t.ok(captures.length > 70)
  for (const { file, bytes } of captures) {
    const { frames, torn } = read(bytes)
    const again = frames.map(wire).join('') + (torn ? torn.bytes.toString('latin1') : '')
    t.equal(again, bytes.toString('latin1'), file)
  }
})

t.test('byte by byte is like whole', async t => {
  for (const { file, bytes } of captures) {
    const framer = new Framer()
    const frames: Frame[] = []
    for (let at = 0; at < bytes.length; at++) {
      for (const frame of framer.push(bytes.subarray(at, at + 1))) frames.push(frame)
    }
    const whole = read(bytes)
    t.same(frames.map(wire), whole.frames.map(wire), file)
    t.same(framer.end(), whole.torn, `${file}: what is left over`)
  }
})

t.test('cut at every offset of the first frames', async t => {
  for (const { file, bytes } of captures) {
    const start = bytes.subarray(0, 3_000)
    const whole = all(start)
    const bad: number[] = []
    for (let at = 0; at <= start.length; at++) {
      if (all(start.subarray(0, at), start.subarray(at)) !== whole) bad.push(at)
    }
    t.same(bad, [], file)
  }
})

t.test('cut anywhere, any number of times', async () => {
  const stream = Buffer.concat(small.map(({ bytes }) => bytes)).subarray(0, 200_000)
  const whole = all(stream)
  const cuts = fc.array(fc.nat(stream.length), { maxLength: 40 })
  fc.assert(
    fc.property(cuts, cuts => {
      const at = [0, ...cuts.sort((a, b) => a - b), stream.length]
      return all(...at.slice(1).map((end, i) => stream.subarray(at[i], end))) === whole
    }),
    { numRuns: 100 },
  )
})

t.test('a frame does not change when more bytes come', async t => {
  const { bytes } = captures.find(({ file }) => file.startsWith('12b'))!
  const framer = new Framer()
  const frames: Frame[] = []
  const early: string[] = []
  for (let at = 0; at < bytes.length; at += 700) {
    for (const frame of framer.push(bytes.subarray(at, at + 700))) {
      frames.push(frame)
      early.push(wire(frame))
    }
  }
  t.same(frames.map(wire), early)
})

t.test('frames may be left unread while more bytes come', async () => {
  const stream = Buffer.concat(small.map(({ bytes }) => bytes)).subarray(0, 200_000)
  const whole = all(stream)
  const pieces = fc.array(fc.tuple(fc.integer({ min: 1, max: 20_000 }), fc.nat(3)))
  fc.assert(
    fc.property(pieces, pieces => {
      const framer = new Framer()
      const frames: Frame[] = []
      let at = 0
      for (const [length, most] of [...pieces, [stream.length, 0] as const]) {
        const come = framer.push(stream.subarray(at, at + length))
        let taken = 0
        if (most > 0) {
          for (const frame of come) {
            frames.push(frame)
            taken += 1
            if (taken === most) break
          }
        }
        at += length
      }
      const unread = framer.end()?.bytes ?? Buffer.alloc(0)
      return all(Buffer.from(frames.map(wire).join(''), 'latin1'), unread) === whole
    }),
    { numRuns: 100 },
  )
})

t.test('only the frame that lies in two chunks is copied', async t => {
  const frame = (body: string) =>
    `Content-Length: ${body.length}\nContent-Type: text/event-plain\n\n${body}`
  const bytes = Buffer.from(['one', 'two', 'three', 'four'].map(frame).join(''))
  const [first, second] = [bytes.indexOf('two') + 1, bytes.length - 1]
  const chunks = [bytes.subarray(0, first), bytes.subarray(first, second), bytes.subarray(second)]
  const framer = new Framer()
  const lies = chunks.map(chunk =>
    [...framer.push(Buffer.from(chunk))].map(({ body }) => body!.toString()),
  )
  t.strictSame(lies, [['one'], ['two', 'three'], ['four']])
  const again = new Framer()
  for (const _ of again.push(chunks[0]!));
  const behind = Buffer.from(new Uint8Array(chunks[1]!).buffer)
  const [two, three] = [...again.push(behind)]
  t.not(two!.body!.buffer, behind.buffer)
  t.equal(three!.body!.buffer, behind.buffer)
})

t.test('a capture cut in the middle', async t => {
  const { bytes } = captures.find(({ file }) => /^01.*plain/.test(file))!
  const { frames, torn } = read(bytes.subarray(0, 2_000))
  t.equal(frames.length, 3)
  t.ok(torn)
  t.equal(frames.map(wire).join('').length + torn!.bytes.length, 2_000)
  const head = '\n\nContent-Length: 4047\nContent-Type: text/event-plain\n\n'
  const bodyStart = bytes.indexOf(head) + head.length
  t.equal(torn!.missing, bodyStart + 4047 - 2_000)

  t.match(read(Buffer.from('Content-Type: auth/requ')).torn, { missing: null })
  t.equal(read(Buffer.from('Content-Type: auth/request\n\n')).torn, null)
  t.equal(read(Buffer.alloc(0)).torn, null)
})

t.test('a goodbye whose text comes too late (10e)', async t => {
  const { bytes } = captures.find(({ file }) => file === '10e-fsctl-shutdown-restart.plain.raw')!
  const { frames, torn } = read(bytes)
  const notice = frames.findIndex(frame => frame.contentType === 'text/disconnect-notice')
  t.equal(frames[notice]?.body?.toString(), 'Content-Length: 538\nContent-Typ')
  t.match(frames[notice + 1], { head: 'e: text/event-plain', contentType: null, body: null })
  t.equal(eventName(frames[notice + 2]!), 'MODULE_UNLOAD', 'the event whose head was swallowed')
  t.equal(frames.length, notice + 10, 'and seven more')
  t.ok(frames.slice(notice + 3).every(frame => eventName(frame) === 'MODULE_UNLOAD'))
  t.equal(torn?.missing, 642 - 31)
  t.match(torn?.bytes.toString(), /\n\nThe system is being shut down\.\n$/)
})

t.test('no event of any capture is missed', async t => {
  for (const { file, bytes } of captures) {
    if (file === '20-api-replies.raw') continue
    const written = bytes.toString('latin1').match(/^Event-Name: |"Event-Name":"/gm)?.length ?? 0
    const found = read(bytes).frames.filter(frame => eventName(frame) !== null)
    t.equal(found.length, written, file)
  }
})

t.test('after a lying length the stream is in step again', async t => {
  const bodies = {
    plain: 'Event-Name: HEARTBEAT\nCore-UUID: c\nEvent-Date-Timestamp: 7\n\n',
    json: '{"Event-Name":"HEARTBEAT","Core-UUID":"c","Event-Date-Timestamp":"7"}',
  }
  for (const [type, body] of Object.entries(bodies)) {
    const head = `Content-Length: ${body.length}\nContent-Type: text/event-${type}\n\n`
    const length = head.length + body.length
    for (let lie = 0; lie < 3 * length; lie++) {
      const notice = `Content-Type: text/disconnect-notice\nContent-Length: ${lie}\n\n`
      const { frames } = read(Buffer.from(notice + (head + body).repeat(5)))
      const found = frames.filter(frame => decode(frame)).length
      // A plain event is found even when its own head is gone; a JSON event has no line of its own.
      const spared = type === 'plain' ? head.length : 0
      const least = 5 - Math.ceil(Math.max(0, lie - spared) / length)
      if (found < least) t.fail(`${type}, ${lie} bytes too many: ${found} of ${least} events`)
    }
  }
})

t.test('a length in carriage returns, in small letters, of nothing', async t => {
  const { frames } = read(
    Buffer.from('content-length: 2\r\ncontent-type: api/response\r\n\r\nab\r\n\r\n'),
    Buffer.from('Content-Length: 0\nContent-Type: api/response\n\n\n\nReply-Text: x\n\n'),
  )
  t.match(frames, [
    { contentType: 'api/response', body: Buffer.from('ab') },
    { contentType: 'api/response', body: Buffer.alloc(0) },
    { contentType: null, body: null, head: 'Reply-Text: x' },
  ])
})

t.test('a body counts in bytes', async t => {
  const { frames } = read(Buffer.from('Content-Length: 4\n\nZoë\nContent-Type: next\n\n'))
  t.equal(frames[0]?.body?.toString(), 'Zoë')
  t.equal(frames[1]?.contentType, 'next')
})

t.test('a frame of 50 MB is refused, those before it are not lost', async t => {
  const framer = new Framer()
  const seen: Frame[] = []
  const bytes = Buffer.from('Content-Type: auth/request\n\nContent-Length: 52428800\n\nEvent')
  t.throws(() => seen.push(...takeAll(framer, bytes, seen)), {
    name: 'FrameError',
    code: 'bad_frame',
    message: 'a frame of 52428800 bytes is announced; the limit is 16777216',
  })
  t.equal(seen.length, 1)
  t.throws(() => framer.push(Buffer.from('Content-Type: auth/request\n\n')), FrameError, 'for good')
})

t.test('an answer may be longer: a listing of all channels is', async t => {
  const head = (length: number) =>
    Buffer.from(`Content-Type: api/response\nContent-Length: ${length}\n\n`)
  t.strictSame([...new Framer().push(head(ANSWER_BYTES_MAX))], [], 'awaited')
  t.throws(() => [...new Framer().push(head(ANSWER_BYTES_MAX + 1))], { code: 'bad_frame' })
})

t.test('a long answer comes in pieces, for who asks for that', async t => {
  const reply = 'Content-Type: command/reply\nReply-Text: +OK'
  for (const [type, length, inPieces] of [
    ['api/response', WHOLE_ANSWER_BYTES + 1, true],
    ['api/response', WHOLE_ANSWER_BYTES, false],
    ['text/event-plain', WHOLE_ANSWER_BYTES + 1, false],
  ] as const) {
    const head = `Content-Type: ${type}\nContent-Length: ${length}`
    const body = Buffer.alloc(length, '0123456789')
    const bytes = Buffer.concat([Buffer.from(`${head}\n\n`), body, Buffer.from(`${reply}\n\n`)])
    for (const chunk of [1000, 65_536, bytes.length]) {
      const framer = new Framer(true)
      const frames: Frame[] = []
      for (let at = 0; at < bytes.length; at += chunk) {
        frames.push(...framer.push(bytes.subarray(at, at + chunk)))
      }
      const last = frames.pop()!
      t.match(last, { head: reply, left: 0 }, 'what follows is read as ever')
      t.equal(frames.length > 1, inPieces && chunk < length, `${length} bytes, ${chunk} at a time`)
      let left = length
      for (const frame of frames) {
        left -= frame.body!.length
        t.match(frame, { head, contentType: type, left })
      }
      t.ok(Buffer.concat(frames.map(frame => frame.body!)).equals(body))
      t.equal(framer.end(), null)
    }
  }
  const framer = new Framer(true)
  const long = Buffer.from(`Content-Type: api/response\nContent-Length: ${ANSWER_BYTES_MAX}\n\n`)
  const before = process.memoryUsage().arrayBuffers
  t.strictSame([...framer.push(long)], [], 'FreeSWITCH sends the head by itself')
  t.match([...framer.push(Buffer.from('x'))], [{ left: ANSWER_BYTES_MAX - 1 }])
  const kept = process.memoryUsage().arrayBuffers - before
  t.ok(kept < ANSWER_BYTES_MAX / 100, `${kept} bytes are kept`)
  const torn = new Framer(true)
  const head = Buffer.from('Content-Type: api/response\nContent-Length: 100000\n\n')
  t.equal([...torn.push(Buffer.concat([head, Buffer.alloc(10)]))].length, 1)
  t.equal(torn.end()?.missing, 99_990)
})

function takeAll(framer: Framer, bytes: Buffer, seen: Frame[]): Frame[] {
  for (const frame of framer.push(bytes)) seen.push(frame)
  return []
}

t.test('a frame as long as allowed, in small pieces, in linear time', async t => {
  const chunk = Buffer.alloc(1024, 'x')
  const framer = new Framer()
  const started = process.cpuUsage().user
  const frames = [...framer.push(Buffer.from(`Content-Length: ${FRAME_BYTES_MAX}\n\n`))]
  for (let i = 0; i < FRAME_BYTES_MAX / 1024; i++) frames.push(...framer.push(chunk))
  t.equal(frames[0]?.body?.length, FRAME_BYTES_MAX)
  t.ok(process.cpuUsage().user - started < 2e6, 'within two seconds: 100 GB are to be copied else')
})

t.test('a head that never ends is refused', async t => {
  for (const line of ['x', 'X-Header: value\n', '\r']) {
    const framer = new Framer()
    let sent = 0
    const feed = () => {
      for (; sent < 2 * HEAD_BYTES_MAX; sent += line.length) {
        for (const frame of framer.push(Buffer.from(sent ? line : 'A: b'))) t.fail(wire(frame))
      }
    }
    t.throws(feed, { code: 'bad_frame', message: /head does not end within 262144 bytes/ }, line)
    t.ok(sent <= HEAD_BYTES_MAX + 16, 'no more is kept')
  }
})

t.test('a length that is none is refused', async t => {
  for (const length of ['-1', '1e3', 'abc', '', '12 34', '99999999999999999999']) {
    t.throws(() => read(Buffer.from(`Content-Length: ${length}\n\n`)), FrameError, length)
  }
})

t.test('noise is a FrameError at worst, and never an event that breaks the decoder', async () => {
  const bit = fc.oneof(
    fc.constantFrom(
      'Content-Length: 8\n',
      'Content-Length: 300\n',
      'Content-Type: text/event-plain\n',
      'Content-Type: text/event-json\n',
      '\n',
      'Event-Name: CHANNEL_CREATE\nCore-UUID: c\n',
      'Event-Date-Timestamp: 1\nUnique-ID: %E9%\nCall-Direction: outbound\n',
      'Caller-Channel-Created-Time: 1\nvariable_ac: %00%zz\n',
      '{"Event-Name":"CHANNEL_CREATE","variable_ac":{"toString":1},"Unique-ID":[[]]',
      '}',
    ),
    fc.string({ maxLength: 20 }),
  )
  fc.assert(
    fc.property(fc.array(bit, { maxLength: 60 }), bits => {
      try {
        for (const frame of read(Buffer.from(bits.join(''))).frames) decode(frame)
      } catch (error) {
        if (!(error instanceof FrameError)) throw error
      }
    }),
    { numRuns: 1000 },
  )
})
