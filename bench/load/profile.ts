/**
 * Sums up a profile of V8 (`--cpu-prof`): by part of the program, by file and by function. What is
 * done in C++ counts for the function that called it: statements and commits of SQLite for sqlite/.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { say } from './rig.js'

interface Profile {
  readonly nodes: readonly {
    readonly id: number
    readonly callFrame: { readonly functionName: string; readonly url: string }
  }[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

/** What is less than this share is not printed. */
const LEAST = 0.005

export function printProfile(folder: string): void {
  const files = readdirSync(folder).filter(file => file.endsWith('.cpuprofile'))
  const text = readFileSync(join(folder, files[0]!), 'utf8')
  const { nodes, samples, timeDeltas } = JSON.parse(text) as Profile
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]))
  const byPart = new Map<string, number>()
  const byFile = new Map<string, number>()
  const byFunction = new Map<string, number>()
  let busy = 0
  samples.forEach((id, i) => {
    const { functionName, url } = frames.get(id)!
    if (functionName === '(idle)') return
    const file = fileOf(url)
    const spent = timeDeltas[i]!
    busy += spent
    const part = partOf(functionName, file)
    byPart.set(part, (byPart.get(part) ?? 0) + spent)
    byFile.set(file, (byFile.get(file) ?? 0) + spent)
    const name = `${functionName || '(anonymous)'} ${file}`
    byFunction.set(name, (byFunction.get(name) ?? 0) + spent)
  })
  for (const sums of [byPart, byFile, byFunction]) {
    const sorted = [...sums].sort(([, a], [, b]) => b - a)
    for (const [name, spent] of sorted) {
      if (spent / busy < LEAST) break
      say(`${((spent / busy) * 100).toFixed(1).padStart(6)} %  ${name}`)
    }
    say('')
  }
}

/** `dist/sqlite`, `node_modules/pino`, `node`; commits apart from the statements that they commit. */
function partOf(functionName: string, file: string): string {
  if (functionName === '#transaction') return 'commits'
  if (file === '(V8)') return functionName
  return file.startsWith('node:') ? 'node' : file.split('/').slice(0, 2).join('/')
}

function fileOf(url: string): string {
  if (url === '') return '(V8)'
  return url.replace(/^.*\/(dist|node_modules)\//, '$1/').replace(/^file:.*\//, '')
}
