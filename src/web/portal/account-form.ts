/** The fields of an account, for who makes one and for who edits one. */
import type { AccountJson } from '../../ledger/account-fields.js'
import type { Field } from './shown.js'

/** The terms that an account may do without: they are taken away where they are emptied. */
export const LIMIT_TERMS = [
  'special_plan',
  'max_calls',
  'max_calls_per_second',
  'max_per_minute',
  'max_spend_per_call',
  'max_spend_per_day',
  'longest_call_s',
  'low_balance',
] as const

/** A form that was sent has no word of the fields that were left empty. */
export const EMPTY_TERMS = Object.fromEntries(
  [...LIMIT_TERMS, 'name', 'notes'].map(name => [name, '']),
)

type Terms = Partial<Record<keyof AccountJson, string | null>>

/** @param plans the names of all plans */
export function accountFields(terms: Terms, plans: readonly string[]): Field[] {
  const value = (name: keyof AccountJson) => ({ name, value: terms[name] ?? '' })
  const named = plans.map(plan => ({ value: plan, label: plan }))
  return [
    { ...value('name'), label: 'Name', wide: true },
    { ...value('plan'), label: 'Rate plan', type: 'select', options: named, required: true },
    {
      ...value('special_plan'),
      label: 'Special plan',
      type: 'select',
      options: [{ value: '', label: 'None' }, ...named],
      hint: 'Its rates come first',
    },
    {
      ...value('credit_limit'),
      label: 'Credit limit',
      type: 'money',
      hint: 'How far below zero it may go; 0 is prepaid',
    },
    { ...value('low_balance'), label: 'Low balance', type: 'money', hint: 'Told when it is below' },
    { ...value('max_calls'), label: 'Calls at once', type: 'whole', hint: 'Empty: any number' },
    { ...value('max_calls_per_second'), label: 'New calls a second', type: 'whole' },
    { ...value('max_per_minute'), label: 'Highest price a minute', type: 'money' },
    { ...value('max_spend_per_call'), label: 'Spend per call', type: 'money' },
    { ...value('max_spend_per_day'), label: 'Spend per day', type: 'money' },
    { ...value('longest_call_s'), label: 'Longest call, seconds', type: 'whole' },
    { ...value('time_zone'), label: 'Time zone', hint: 'Its days begin at midnight there' },
    { ...value('notes'), label: 'Notes', type: 'lines', wide: true },
  ]
}
