/** Chance from a seed: the same seed throws the same numbers, on every machine. */

export class Dice {
  #state: number

  constructor(readonly seed: number) {
    this.#state = seed >>> 0
  }

  /** Dice for one purpose: what is thrown for another does not disturb them. */
  for(purpose: string): Dice {
    let seed = this.seed >>> 0
    for (const char of purpose) seed = Math.imul(seed ^ char.charCodeAt(0), 0x01000193) >>> 0
    return new Dice(seed)
  }

  /** From 0 to 1, without 1 (mulberry32). */
  readonly next = (): number => {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let t = this.#state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 0x1_0000_0000
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  /** A whole number from 0 to `below` − 1. */
  int(below: number): number {
    return Math.floor(this.next() * below)
  }

  between(from: number, to: number): number {
    return from + this.next() * (to - from)
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.int(choices.length)]!
  }

  /** The first of the weighted choices that comes up. */
  weigh<T>(choices: readonly (readonly [weight: number, choice: T])[]): T {
    let left = this.next() * choices.reduce((sum, [weight]) => sum + weight, 0)
    for (const [weight, choice] of choices) {
      left -= weight
      if (left < 0) return choice
    }
    return choices.at(-1)![1]
  }

  /** How long until something happens that happens every `mean` on average. */
  wait(mean: number): number {
    return -Math.log(1 - this.next()) * mean
  }
}
