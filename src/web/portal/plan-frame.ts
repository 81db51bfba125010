/** What the pages of one plan have in common. */
import type { PlanJson } from '../../provisioning/rate-fields.js'
import { pathTo, type Visit } from './page.js'

/** @param here what follows the path of the plan */
export function planFrame(visit: Visit, { name, rates }: PlanJson, here: string) {
  const path = pathTo('rates', name)
  const tabs = [
    { text: 'Rates', href: path },
    { text: 'Terms and periods', href: `${path}/terms` },
    ...(visit.may('rates:write') ? [{ text: 'Import a deck', href: `${path}/import` }] : []),
  ]
  return {
    title: name,
    crumb: { text: 'Rates', href: '/rates' },
    lead: `${rates} rates`,
    links: [{ text: 'Export CSV', href: `${path}/export`, download: true }],
    tabs: {
      label: 'Of this plan',
      tabs: tabs.map(tab => ({ ...tab, current: tab.href === path + here })),
    },
  }
}
