/** Whether an account has a calling card, as a panel of its page: the PIN is set or taken away, and never told. */
import type { Services } from '../parts.js'
import { pathTo, type Visit } from './page.js'
import type { Form } from './shown.js'

export interface CardPanel {
  readonly says: string
  readonly set: readonly Form[]
  readonly remove: readonly Form[]
}

/** @param problem why a PIN was refused; what was typed is not shown again */
export async function cardPanel(
  visit: Visit,
  { cards }: Services,
  code: string,
  problem: string | null,
): Promise<CardPanel> {
  const hasPin = await cards.hasPin(code)
  const path = `${pathTo('accounts', code)}/pin`
  const set = visit.formFor('accounts:write', {
    action: path,
    submit: 'Set the PIN',
    id: 'pin',
    problem,
    ...(hasPin && { confirm: `Give ${code} another PIN? The one that it has is good no more.` }),
    fields: [
      {
        name: 'pin',
        label: hasPin ? 'New PIN' : 'PIN',
        type: 'password',
        autocomplete: 'new-password',
        hint: '4 to 12 digits; empty: one is made, and shown once',
      },
    ],
  })
  const remove = visit.formFor('accounts:write', {
    action: `${path}/delete`,
    submit: 'Take the PIN away',
    tone: 'danger',
    confirm: `Take the PIN of ${code} away? Its card is good for nothing then.`,
  })
  return {
    says: hasPin ? 'It has a PIN.' : 'It has no PIN: nobody can call by its card.',
    set,
    remove: hasPin ? remove : [],
  }
}
