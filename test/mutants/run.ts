/**
 * `npm run mutants [WORD]`: plants each bug of mutants.ts in a copy of the project and runs the tests
 * that must notice it. Exits 1 when one survives, or does not fit the source any more.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MUTANTS, type Mutant } from './mutants.js'

const ROOT = join(import.meta.dirname, '../..')

/** A test that hangs has noticed, too. */
const TIMEOUT_MS = 300_000

type Fate = { readonly by: string } | 'survived' | 'does not fit'

const only = process.argv[2]
const chosen = MUTANTS.filter(({ bug, file }) => !only || `${bug} ${file}`.includes(only))
const copy = mkdtempSync(join(tmpdir(), 'tollgate-mutants-'))
let bad = 0
try {
  for (const part of ['src', 'test', 'bin', 'package.json', 'tsconfig.json']) {
    cpSync(join(ROOT, part), join(copy, part), { recursive: true })
  }
  for (const part of ['node_modules', 'dist', 'freeswitch-conf'])
    symlinkSync(join(ROOT, part), join(copy, part))
  for (const test of new Set(chosen.flatMap(({ tests }) => tests))) {
    if (!passes(test)) throw new Error(`${test} fails without any bug planted`)
  }
  for (const mutant of chosen) {
    const startMs = performance.now()
    const fate = plant(mutant)
    const seconds = ((performance.now() - startMs) / 1000).toFixed(1)
    if (typeof fate === 'string') bad += 1
    const what = typeof fate === 'string' ? fate.toUpperCase() : `killed by ${fate.by}`
    process.stdout.write(`${mutant.file}: ${mutant.bug}: ${what} (${seconds} s)\n`)
  }
} finally {
  rmSync(copy, { recursive: true, force: true })
}
process.stdout.write(`${chosen.length - bad} of ${chosen.length} mutants killed\n`)
process.exitCode = bad === 0 ? 0 : 1

function plant({ file, find, replace, tests }: Mutant): Fate {
  const path = join(copy, 'src', file)
  const sound = readFileSync(path, 'utf8')
  if (sound.split(find).length !== 2) return 'does not fit'
  writeFileSync(
    path,
    sound.replace(find, () => replace),
  )
  try {
    const by = tests.find(test => !passes(test))
    return by === undefined ? 'survived' : { by }
  } finally {
    writeFileSync(path, sound)
  }
}

function passes(test: string): boolean {
  const args = ['--import=tsx', join('test', test)]
  const env = { ...process.env, TAP_BAIL: '1', TAP_TIMEOUT: String(TIMEOUT_MS / 1000) }
  return spawnSync('node', args, { cwd: copy, env, timeout: TIMEOUT_MS }).status === 0
}
