/** What a simulated call is to do: the script that its parties follow. */

/** Where the account code is set; see design: "Which leg pays". */
export type AccountSetting =
  /** `[ac=X]` in the dial string: on the outbound leg from its creation on. */
  | 'b'
  /** `export ac=X`: on both legs. */
  | 'export'
  /** `set ac=X` before `bridge`: on A only, and not yet in its CREATE. */
  | 'a-set'
  /** A variable of the caller's SIP account: on A only, from its CREATE on. */
  | 'directory'

/** One outbound leg, as one entry of a dial string. */
export interface Branch {
  readonly number: string
  readonly ac?: string
  /** How long it rings, in milliseconds, before it is answered, refused or given up. */
  readonly ringMs: number
  /** False: rings for `ringMs` and is not answered. */
  readonly answer: boolean
  /** The far end refuses with this cause after `ringMs`; with 0 it does not ring at all. */
  readonly busyCause?: string
  /** The far end answers at once: no PROGRESS, ANSWER right behind CREATE. */
  readonly instant?: boolean
  /** More of the dial string: `{ origination_uuid: …, ac_number: …, execute_on_answer: … }`. */
  readonly extraVariables?: Readonly<Record<string, string>>
  /** The leg's Unique-ID; chosen by the switch where it is not given. */
  readonly uuid?: string
}

export interface CallPlan extends Branch {
  /** With a caller: A comes in and is bridged. Without: the outbound leg is originated and parked. */
  readonly aLeg: boolean
  readonly acOn?: AccountSetting
  /** From the answer on, in milliseconds; null: until someone or something ends it. */
  readonly talkMs: number | null
  /** Who hangs up after `talkMs`. The caller, where there is one, unless it says otherwise. */
  readonly hungUpBy?: 'caller' | 'callee'
  readonly aUuid?: string
  /** What the dialplan sets on A before `bridge`: `{ hangup_after_bridge: 'true' }`. */
  readonly aVariables?: Readonly<Record<string, string>>
  readonly callerName?: string
  readonly callerNumber?: string
  /** A forked dial: these ring together with the first branch, and the first to answer wins. */
  readonly forkOf?: readonly Branch[]
}

export interface PlacedCall {
  /** The inbound leg. */
  readonly a: string | undefined
  /** The outbound leg; of a forked dial the first. */
  readonly b: string
  /** All outbound legs. */
  readonly branches: readonly string[]
}

/** The entries of the plan's dial string: the plan itself is the first. */
export function branchesOf(plan: CallPlan): readonly Branch[] {
  return [plan, ...(plan.forkOf ?? [])]
}

/** The code that ought to pay for this branch, wherever it is set. */
export function payingAccount(plan: CallPlan, branch: Branch): string | undefined {
  return branch.ac ?? plan.ac
}
