/** What calls and top-ups add up to over time, as the API tells it. */
import { z } from 'zod'
import { formatInstant, formatSeconds } from '../call/cdr.js'
import { BookError } from '../ledger/books.js'
import type { Statistics, StepFigures } from '../ledger/statistics.js'
import { formatMoney } from '../money.js'
import { checkInput, instant, whole } from './fields.js'

/** More points than that a chart does not show. */
const STEPS_MAX = 1_000

export const statsInput = z.strictObject({
  from: instant('The start'),
  to: instant('The end'),
  /** Steps begin at `from`. */
  step_s: whole('The seconds of a step', 60, 31_536_000),
})

export type StatsStepJson = ReturnType<typeof stepJson>

/** Every step, also those in which nothing happened. */
export async function statsSteps(
  statistics: Statistics,
  input: Readonly<Record<string, unknown>>,
): Promise<StatsStepJson[]> {
  const { from, to: until, step_s } = checkInput(statsInput, input)
  const stepUs = step_s * 1_000_000
  if (until <= from) throw new BookError('bad_input', 'The end must be after the start')
  if ((until - from) / stepUs > STEPS_MAX) {
    throw new BookError('bad_input', `That is more than ${STEPS_MAX} steps: make them longer`)
  }
  return (await statistics.steps({ from, until, stepUs }, Date.now() * 1000)).map(stepJson)
}

function stepJson(step: StepFigures) {
  return {
    at: formatInstant(step.at),
    calls: step.calls,
    answered: step.answered,
    refused: step.refused,
    cut_off: step.cutOff,
    billed_s: step.billedS,
    cost: formatMoney(step.cost),
    write_off: formatMoney(step.writeOff),
    top_ups: formatMoney(step.topUps),
    /** Divided by the length of the step: how many calls were up, on average. */
    talk_s: formatSeconds(step.talkUs),
  }
}
