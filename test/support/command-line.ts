/** Commands as they are typed, run in this process, with a terminal or without. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import type { Test } from 'tap'
import { run } from '../../src/cli/main.js'

export interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

export interface Setting {
  readonly input?: string
  readonly env?: NodeJS.ProcessEnv
  /** How wide the terminal is that a person sits at; without it everything is a pipe. */
  readonly columns?: number
  /** Which of the three streams are not that terminal, but pipes. */
  readonly piped?: readonly ('stdin' | 'stdout' | 'stderr')[]
}

/** Runs a command in this process. */
export async function tollgate(
  dir: string,
  args: readonly string[],
  { input = '', env = {}, columns, piped = [] }: Setting = {},
): Promise<Ran> {
  const streams = {
    stdin: new PassThrough(),
    stdout: new PassThrough(),
    stderr: new PassThrough(),
  }
  for (const [name, stream] of Object.entries(streams)) {
    if (columns === undefined || piped.includes(name as keyof typeof streams)) continue
    Object.assign(stream, { isTTY: true, columns })
  }
  const { stdin, stdout, stderr } = streams
  stdin.end(input)
  const printed = Promise.all([text(stdout), text(stderr)])
  const code = await run(args, { stdin, stdout, stderr, env: { TOLLGATE_DATA: dir, ...env } })
  stdout.end()
  stderr.end()
  const [out, err] = await printed
  return { code, out, err }
}

/** Words, as a shell would make them of this line. */
export const words = (line: string) =>
  (line.match(/"[^"]*"|\S+/g) ?? []).map(word => word.replace(/^"(.*)"$/, '$1'))

/** A folder whose path is short enough for a socket. */
export function shortDir(t: Test) {
  const dir = mkdtempSync(join(tmpdir(), 'tollgate-test-'))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}
