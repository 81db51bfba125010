/** What is wrong with a configuration, in sentences that name the setting as it stands in the file. */
import type { z } from 'zod'
import { didYouMean } from './spelling.js'

/** The configuration is wrong. `message` has one sentence a line. */
export class ConfigError extends Error {
  override name = 'ConfigError'
  readonly code = 'bad_config'
}

/** What a file may have in it, for "did you mean". */
export interface KnownNames {
  /** All names that may stand where a path ends. */
  at(path: readonly PropertyKey[]): readonly string[]
  /** Whether it is written as `[name]`. */
  isSection(name: string): boolean
}

/** @param source the name of the file */
export function sentences(issue: z.core.$ZodIssue, source: string, known: KnownNames): string[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map(key => {
      const meant = hint(key, known.at(issue.path))
      return `${source}: ${dotted([...issue.path, key])} is not a setting${meant}`
    })
  }
  const first = String(issue.path[0])
  if (issue.path.length === 1 && issue.code === 'invalid_type' && known.isSection(first)) {
    return [`${source}: ${first} must be written as [${first}]`]
  }
  return [`${source}: ${dotted(issue.path)} ${issue.message}`]
}

export const hint = (word: unknown, words: readonly string[]) =>
  typeof word === 'string' ? didYouMean(word, words) : ''

/** `switch[2].port`: switches are counted from 1, as people do. */
function dotted(path: readonly PropertyKey[]): string {
  return path
    .map(step => (typeof step === 'number' ? `[${step + 1}]` : `.${String(step)}`))
    .join('')
    .replace(/^\./, '')
}
