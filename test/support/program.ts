/** The program as others get it: compiled, and in processes of its own. */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import ts from 'typescript'

const ROOT = join(import.meta.dirname, '../..')

/** Imports the program, then waits for a word before it does anything. */
const STANDBY = `
const [main, ...args] = process.argv.slice(1)
const program = await import(main)
await import(new URL('run.js', main))
process.stdin.once('data', () => {
  process.stdin.destroy()
  void program.main(['', '', ...args])
})`

/** One line of the log of a daemon. */
export type LogLine = { readonly msg?: string } & Record<string, unknown>

/** Most tests are about calls: several daemons at a time would want the same port. */
const WITHOUT_WEB = { ...process.env, TOLLGATE_WEB_LISTEN: '' }

export class Program {
  /** @param root where bin/ and dist/ are */
  constructor(readonly root: string) {}

  /** What `npm ci` has built; or where the sources are newer than that, a build of them in `root`. */
  static built(root: string): Program {
    const main = join(ROOT, 'dist/cli/main.js')
    const sources = listSources()
    const newest = Math.max(...sources.map(file => statSync(join(ROOT, 'src', file)).mtimeMs))
    if (existsSync(main) && statSync(main).mtimeMs > newest) return new Program(ROOT)
    for (const file of sources) compile(file, join(root, 'dist'))
    const isTypeScript = (file: string) => file.endsWith('.ts')
    cpSync(join(ROOT, 'src'), join(root, 'dist'), {
      recursive: true,
      filter: file => !isTypeScript(file),
    })
    mkdirSync(join(root, 'bin'))
    symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'))
    for (const file of ['package.json', 'bin/tollgate.js']) {
      copyFileSync(join(ROOT, file), join(root, file))
    }
    return new Program(root)
  }

  /** The command line of the program, for a shell. */
  get command(): readonly string[] {
    return [process.execPath, join(this.root, 'bin/tollgate.js')]
  }

  /** Runs a command to its end. */
  async run(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    const [node, ...rest] = this.command
    const child = spawn(node!, [...rest, ...args], { env: { ...process.env, ...env } })
    const exit = new Promise<number | null>(resolve => child.once('close', resolve))
    const [out, err, code] = await Promise.all([text(child.stdout), text(child.stderr), exit])
    return { code, out, err }
  }

  /** A daemon that has been loaded, and starts at a word: `start()`. */
  standby(args: readonly string[]): DaemonProcess {
    const main = new URL(`file://${join(this.root, 'dist/cli/main.js')}`).href
    const line = ['--input-type=module', '-e', STANDBY, main, 'run', ...args]
    return new DaemonProcess(spawn(process.execPath, line, { env: WITHOUT_WEB }))
  }

  /** A daemon that starts at once; for another user, or with another environment. */
  daemon(args: readonly string[], user: SpawnOptions = {}): DaemonProcess {
    const [node, ...rest] = this.command
    return new DaemonProcess(spawn(node!, [...rest, 'run', ...args], { env: WITHOUT_WEB, ...user }))
  }
}

export class DaemonProcess {
  readonly logged: LogLine[] = []
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
  /** What it wrote to standard error: nothing, unless it could not start. */
  said = ''
  readonly #watchers = new Set<() => void>()
  #gone = false

  constructor(readonly child: ChildProcess) {
    this.exited = new Promise(resolve => {
      child.once('close', (code, signal) => {
        this.#gone = true
        resolve({ code, signal })
        this.#notify()
      })
    })
    child.stderr!.setEncoding('utf8').on('data', chunk => {
      this.said += chunk
    })
    createInterface(child.stdout!).on('line', line => {
      this.logged.push(JSON.parse(line))
      this.#notify()
    })
    child.stdin!.on('error', () => {})
  }

  get pid(): number {
    return this.child.pid!
  }

  /** Lets a standby run. */
  start(): void {
    this.child.stdin!.write('\n')
  }

  /** Resolves to the first line of the log with this message, at or after `from` lines. */
  async says(message: string, from = 0): Promise<LogLine> {
    const find = () => this.logged.slice(from).find(line => line.msg === message)
    while (!find()) {
      if (this.#gone) throw new Error(`the daemon ended before it said "${message}": ${this.said}`)
      await new Promise<void>(resolve => this.#watchers.add(resolve))
    }
    return find()!
  }

  /** Resolves when it is gone. */
  async kill(signal: NodeJS.Signals = 'SIGKILL') {
    this.child.kill(signal)
    return this.exited
  }

  #notify() {
    for (const wake of this.#watchers) wake()
    this.#watchers.clear()
  }
}

function listSources(): string[] {
  const files = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
  return files.filter(file => /\.(ts|sql|eta|css|js|svg)$/.test(file))
}

/** Without a check of types: that is `npm run typecheck`. */
function compile(file: string, outDir: string): void {
  if (!/(?<!\.d)\.ts$/.test(file)) return
  const { outputText } = ts.transpileModule(readFileSync(join(ROOT, 'src', file), 'utf8'), {
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
  })
  const to = join(outDir, file.replace(/\.ts$/, '.js'))
  mkdirSync(dirname(to), { recursive: true })
  writeFileSync(to, outputText)
}
