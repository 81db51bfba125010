/**
 * The orders in which the legs of a call end, one per way to end, as the recordings tell them.
 * In FreeSWITCH each leg ends on a thread of its own, so these are the usual orders, not the only
 * ones.
 */
import type { Call } from './call.js'
import type { EndedBy } from './history.js'
import type { Leg } from './leg.js'

export type Act = 'hangs up' | 'unbridges' | 'completes' | 'is destroyed'

/** With several outbound legs, B stands for each of them. */
export type Step = readonly [who: 'A' | 'B', act: Act]

const REST_OF_A: readonly Step[] = [
  ['A', 'completes'],
  ['A', 'is destroyed'],
]
const REST_OF_B: readonly Step[] = [
  ['B', 'completes'],
  ['B', 'is destroyed'],
]

const TABLE = {
  'A leaves the talk': [
    ['A', 'hangs up'],
    ['B', 'hangs up'],
    ['A', 'unbridges'],
    ...REST_OF_B,
    ...REST_OF_A,
  ],
  'A is cut off': [
    ['A', 'hangs up'],
    ['B', 'hangs up'],
    ['B', 'completes'],
    ['A', 'unbridges'],
    ['B', 'is destroyed'],
    ...REST_OF_A,
  ],
  'A ends, B goes on': [['A', 'hangs up'], ['A', 'unbridges'], ...REST_OF_A],
  'B ends first': [
    ['B', 'hangs up'],
    ['B', 'completes'],
    ['A', 'unbridges'],
    ['A', 'hangs up'],
    ['B', 'is destroyed'],
    ...REST_OF_A,
  ],
  'B ends, A goes on': [
    ['B', 'hangs up'],
    ['B', 'completes'],
    ['A', 'unbridges'],
    ['B', 'is destroyed'],
  ],
  'the switch is shut down': [
    ['B', 'hangs up'],
    ['A', 'hangs up'],
    ['A', 'unbridges'],
    ...REST_OF_A,
    ...REST_OF_B,
  ],
  'A cancels': [['A', 'hangs up'], ['B', 'hangs up'], ...REST_OF_A, ...REST_OF_B],
  'B is taken back': [['B', 'hangs up'], ['A', 'hangs up'], ...REST_OF_B, ...REST_OF_A],
  'B is given up': [['B', 'hangs up'], ['A', 'hangs up'], ...REST_OF_A, ...REST_OF_B],
  'B is refused': [['B', 'hangs up'], ...REST_OF_B, ['A', 'hangs up'], ...REST_OF_A],
  'A alone': [['A', 'hangs up'], ...REST_OF_A],
  'B alone': [['B', 'hangs up'], ...REST_OF_B],
} satisfies Record<string, readonly Step[]>

export type Order = keyof typeof TABLE

export const ORDERS: Readonly<Record<Order, readonly Step[]>> = TABLE

/** Who ends, why and how. */
export interface Ending {
  readonly call: Call
  readonly a: Leg | undefined
  /** The outbound legs that this is about. */
  readonly bs: readonly Leg[]
  readonly causeA: string
  readonly causeB: string
  readonly first: 'A' | 'B'
  readonly by: EndedBy
  readonly wasBridged: boolean
  /** A has left the bridge. */
  unbridged: boolean
  /** The far end has refused the call. */
  readonly refused: boolean
}
