/**
 * What the simulated switch knows of time and chance: nothing but what it is given here.
 *
 * On a socket it gets the machine's clock (real-timeline.ts); in a simulation it gets virtual time
 * and a seeded generator, and a run can be repeated exactly.
 */

export interface Timeline {
  /** Microseconds since the epoch by the switch's own clock. The switch itself steps it in 20 ms. */
  now(): number
  /** Things due at the same instant happen in the order in which they were asked for. */
  after(delayMs: number, happen: () => void): Cancellable
}

export interface Cancellable {
  cancel(): void
}

/** The next number in [0, 1). */
export type Random = () => number

/** A random UUID of version 4, as FreeSWITCH prints it. */
export function randomUuid(random: Random): string {
  const [one, two, three, four] = [hex32(random), hex32(random), hex32(random), hex32(random)]
  const version = `4${two.slice(5)}`
  const variant = '89ab'[Math.floor(random() * 4)] + three.slice(1, 4)
  return `${one}-${two.slice(0, 4)}-${version}-${variant}-${three.slice(4)}${four}`
}

/** Digits and small letters, as in a SIP tag or branch. */
export function randomToken(random: Random, length: number): string {
  let token = ''
  while (token.length < length) token += Math.floor(random() * 0x1_0000_0000).toString(36)
  return token.slice(0, length)
}

function hex32(random: Random): string {
  return Math.floor(random() * 0x1_0000_0000)
    .toString(16)
    .padStart(8, '0')
}
