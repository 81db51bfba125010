/**
 * Channel variables in FreeSWITCH's order: setting one that exists moves it to the end, which is
 * what makes the order of an event's `variable_…` headers tell the history of its leg.
 */
import { HeaderBlock, HeaderLine } from './switch-event.js'

export class Variables {
  readonly #lines = new Map<string, HeaderLine>()
  #block: HeaderBlock | undefined

  get(name: string): string | undefined {
    return this.#lines.get(name)?.value
  }

  /** An empty value unsets, as `uuid_setvar <uuid> <name>` does. */
  set(name: string, value: string) {
    if (value === '') return this.unset(name)
    this.#put(name, new HeaderLine(`variable_${name}`, value))
  }

  unset(name: string) {
    this.#lines.delete(name)
    this.#block = undefined
  }

  /** All of them as headers, in order; the block does not change when the variables do. */
  block(): HeaderBlock {
    this.#block ??= new HeaderBlock([...this.#lines.values()])
    return this.#block
  }

  /**
   * Applies a set (see variableSet) in its order. `values` fills the `{…}`; a line with a value
   * that is not there is left out. `dialString` goes where the set has it.
   */
  apply(set: VariableSet, values: Values, dialString: Values = {}) {
    for (const step of set) {
      switch (step.kind) {
        case 'constant':
          this.#put(step.name, step.line)
          break
        case 'filled': {
          const value = fill(step.template, values)
          if (value !== undefined) this.set(step.name, value)
          break
        }
        case 'unset':
          this.unset(step.name)
          break
        case 'dial string':
          for (const [name, value] of Object.entries(dialString)) {
            if (value !== undefined) this.set(name, value)
          }
      }
    }
  }

  #put(name: string, line: HeaderLine) {
    this.#lines.delete(name)
    this.#lines.set(name, line)
    this.#block = undefined
  }
}

export type Values = Readonly<Record<string, string | undefined>>

type Step =
  | { kind: 'constant'; name: string; line: HeaderLine }
  | { kind: 'filled'; name: string; template: readonly string[] }
  | { kind: 'unset'; name: string }
  | { kind: 'dial string' }

export type VariableSet = readonly Step[]

/** The same set with everything, and with only what a controller could care for. */
export interface SizedSet {
  readonly full: VariableSet
  readonly slim: VariableSet
}

/**
 * Reads a set from text, a variable per line:
 *
 *     * ac = {account}        starred: kept in slim events
 *       max_forwards = 70     a constant; `\r\n` stands for the control characters
 *     - bridge_to             unset
 *     * (dial string)         what the dial string sets, in its order
 */
export function variableSet(text: string): SizedSet {
  const rows = text.split('\n').map(row => row.trim())
  const full: Step[] = []
  const slim: Step[] = []
  for (const row of rows) {
    if (row === '') continue
    const starred = row.startsWith('* ')
    const step = parseStep(starred ? row.slice(2) : row)
    full.push(step)
    if (starred || step.kind === 'unset') slim.push(step)
  }
  return { full, slim }
}

function parseStep(row: string): Step {
  if (row === '(dial string)') return { kind: 'dial string' }
  if (row.startsWith('- ')) return { kind: 'unset', name: row.slice(2) }
  const [name, ...rest] = row.split(' = ')
  const value = rest.join(' = ').replaceAll('\\r\\n', '\r\n')
  const template = value.split(/[{}]/)
  if (template.length === 1) {
    return { kind: 'constant', name: name!, line: new HeaderLine(`variable_${name}`, value) }
  }
  return { kind: 'filled', name: name!, template }
}

/** A template is text, name, text, name, … text. */
function fill(template: readonly string[], values: Values): string | undefined {
  let filled = template[0]!
  for (let i = 1; i < template.length; i += 2) {
    const value = values[template[i]!]
    if (value === undefined) return undefined
    filled += value + template[i + 1]!
  }
  return filled
}
