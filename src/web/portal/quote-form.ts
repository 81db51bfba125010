/** The question which rate a call would get. */
import type { PlanJson } from '../../provisioning/rate-fields.js'
import type { Typed } from './page.js'
import type { Filters } from './shown.js'

export function quoteFilters(asked: Typed, plans: readonly PlanJson[]): Filters {
  const value = (name: string, otherwise = '') => asked[name] ?? otherwise
  return {
    action: '/quote',
    submit: 'Ask',
    fields: [
      {
        name: 'number',
        label: 'Number',
        value: value('number'),
        placeholder: '+44 20 7946 0000',
        required: true,
        wide: true,
      },
      { name: 'account', label: 'Account', value: value('account'), hint: '' },
      {
        name: 'plan',
        label: 'or plan',
        type: 'select',
        value: value('plan'),
        options: [
          { value: '', label: '—' },
          ...plans.map(({ name }) => ({ value: name, label: name })),
        ],
      },
      { name: 'seconds', label: 'Seconds', type: 'whole', value: value('seconds', '60') },
      { name: 'at', label: 'At (UTC)', value: value('at'), placeholder: 'now' },
    ],
  }
}
