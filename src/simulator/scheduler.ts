/**
 * FreeSWITCH's scheduler (switch_scheduler.c), with what is awkward about it:
 *
 *   - it counts whole seconds: a task set for +5 at 0.9 s into a second is due 4.1 s later;
 *   - it looks every 500 ms, and at once when a task is added, so a task may fire a second early
 *     or half a second late;
 *   - a time in the past is taken for a period: the task is due that many seconds *from now*, which
 *     for an absolute time is in half a century;
 *   - a deleted task leaves the list at the next look, and only then says DEL_SCHEDULE.
 */
import type { SwitchClock } from './switch-clock.js'
import type { Cancellable, Timeline } from './timeline.js'

export interface Task {
  readonly id: number
  readonly description: string
  /** What `sched_del` knows it by; for `sched_hangup` the uuid of the leg. */
  readonly group: string
  /** Whole seconds since the epoch. */
  readonly runtimeS: number
  /** Microseconds since the epoch. */
  readonly addedAt: number
}

interface Entry extends Task {
  runtimeS: number
  readonly periodS: number
  readonly run: () => void
  deleted: boolean
}

export type TaskEvent = 'ADD_SCHEDULE' | 'DEL_SCHEDULE' | 'RE_SCHEDULE'

const LOOK_MS = 500

export class Scheduler {
  readonly #tasks = new Map<number, Entry>()
  readonly #groups = new Map<string, Set<Entry>>()
  /** By the second in which they are due, so that a look costs what is due and not what waits. */
  readonly #due = new Map<number, Set<Entry>>()
  #deleted: Entry[] = []
  #lookedAtS: number
  #next: Cancellable | undefined
  #lastId = 0

  constructor(
    readonly timeline: Timeline,
    readonly clock: SwitchClock,
    readonly announce: (event: TaskEvent, task: Task) => void,
  ) {
    this.#lookedAtS = clock.epochS() - 1
  }

  /** Returns the task's id. `runtimeS` is in seconds since the epoch. */
  add(runtimeS: number, description: string, group: string, run: () => void, periodS = 0): number {
    const nowS = this.clock.epochS()
    const past = runtimeS < nowS
    const entry: Entry = {
      id: ++this.#lastId,
      description,
      group,
      runtimeS: past ? runtimeS + nowS : runtimeS,
      periodS: past ? runtimeS : periodS,
      addedAt: this.clock.stamp(),
      run,
      deleted: false,
    }
    this.#tasks.set(entry.id, entry)
    member(this.#groups, group).add(entry)
    member(this.#due, entry.runtimeS).add(entry)
    this.announce('ADD_SCHEDULE', entry)
    this.#lookIn(0)
    return entry.id
  }

  /** How many were deleted. A task that is already marked counts again: so it does in FreeSWITCH. */
  deleteId(id: number): number {
    const entry = this.#tasks.get(id)
    if (!entry) return 0
    this.#mark(entry)
    return 1
  }

  deleteGroup(group: string): number {
    let count = 0
    for (const entry of this.#groups.get(group) ?? []) {
      if (entry.deleted) continue
      this.#mark(entry)
      count++
    }
    return count
  }

  /** Those that may still fire, oldest first. */
  list(): Task[] {
    return [...this.#tasks.values()].filter(entry => !entry.deleted)
  }

  /** The switch has gone: nothing will ever fire. */
  stop() {
    this.#next?.cancel()
    this.#next = undefined
    for (const table of [this.#tasks, this.#groups, this.#due]) table.clear()
    this.#deleted = []
    this.#lastId = 0
  }

  #mark(entry: Entry) {
    if (entry.deleted) return
    entry.deleted = true
    this.#deleted.push(entry)
  }

  #lookIn(delayMs: number) {
    this.#next?.cancel()
    this.#next = this.timeline.after(delayMs, () => this.#look())
  }

  #look() {
    this.#next = undefined
    this.#runDue(this.clock.epochS())
    const gone = this.#deleted
    this.#deleted = []
    for (const entry of gone) this.#remove(entry)
    // With nothing to wait for there is no need to look: adding a task looks at once.
    if (this.#tasks.size > 0 && !this.#next) this.#lookIn(LOOK_MS)
  }

  #runDue(nowS: number) {
    for (let second = this.#lookedAtS; second <= nowS; second++) {
      const due = this.#due.get(second)
      if (!due) continue
      this.#due.delete(second)
      for (const entry of due) if (!entry.deleted) this.#execute(entry, nowS)
    }
    this.#lookedAtS = nowS
  }

  #execute(entry: Entry, nowS: number) {
    entry.run()
    if (entry.periodS === 0 || entry.deleted) return this.#mark(entry)
    entry.runtimeS = nowS + entry.periodS
    member(this.#due, entry.runtimeS).add(entry)
    this.announce('RE_SCHEDULE', entry)
  }

  #remove(entry: Entry) {
    if (!this.#tasks.delete(entry.id)) return
    this.#due.get(entry.runtimeS)?.delete(entry)
    const group = this.#groups.get(entry.group)
    group?.delete(entry)
    if (group?.size === 0) this.#groups.delete(entry.group)
    this.announce('DEL_SCHEDULE', entry)
  }
}

function member<Key, Value>(table: Map<Key, Set<Value>>, key: Key): Set<Value> {
  const known = table.get(key)
  if (known) return known
  const made = new Set<Value>()
  table.set(key, made)
  return made
}
