/** What can be made to go wrong between the switch and its clients. */
import type { SwitchEvent } from './switch-event.js'

/** A delayed event is overtaken by later ones: that is how to reorder. */
export type Fate = 'deliver' | 'drop' | 'duplicate' | { readonly delayMs: number }

export interface ApiFault {
  /** The reply comes so much later, and no events until then. */
  readonly delayMs?: number
  /** Answered instead of running the command. */
  readonly reply?: string
  /** The command is neither run nor answered. */
  readonly silent?: boolean
}

/** Asked for each event and each command; may be replaced at any time. */
export interface Faults {
  event?: ((event: SwitchEvent) => Fate) | undefined
  api?: ((commandLine: string) => ApiFault | undefined) | undefined
}
