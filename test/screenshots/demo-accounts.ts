/** Made-up customers of a made-up reseller. */

export interface DemoAccount {
  readonly code: string
  readonly name: string
  /** Its first top-up, and how busy it is compared with the others. */
  readonly credit: string
  readonly weight: number
  readonly terms?: Readonly<Record<string, string>>
}

const big = (code: string, name: string, terms = {}): DemoAccount => ({
  ...{ code, name, credit: '900', weight: 9 },
  terms: { low_balance: '100', max_calls: '30', ...terms },
})
const small = (code: string, name: string, credit = '60', terms = {}): DemoAccount => ({
  ...{ code, name, credit, weight: 2 },
  terms: { low_balance: '10', ...terms },
})

export const ACCOUNTS: readonly DemoAccount[] = [
  big('AURORA', 'Aurora Travel', { special_plan: 'aurora', credit_limit: '250' }),
  big('BLUEFIN', 'Bluefin Logistics'),
  big('CEDAR', 'Cedar & Finch Solicitors', { time_zone: 'Europe/London' }),
  big('DELTACARE', 'DeltaCare Clinics', { max_spend_per_day: '80' }),
  big('EASTGATE', 'Eastgate Call Centre', { max_calls: '60', max_calls_per_second: '5' }),
  small('FERN', 'Fern Interiors'),
  small('GLACIER', 'Glacier Outdoor'),
  small('HARBOUR', 'Harbour Fish Co-operative', '8'),
  small('IVORY', 'Ivory Dental', '40', { max_per_minute: '0.25' }),
  small('JUNIPER', 'Juniper Bakeries', '14'),
  small('KESTREL', 'Kestrel Couriers', '45'),
  small('LARKSPUR', 'Larkspur Florists', '6'),
  small('MERIDIAN', 'Meridian Language School', '80'),
  small('NORDLYS', 'Nordlys Studio', '35', { time_zone: 'Europe/Oslo' }),
  small('OAKHILL', 'Oakhill Veterinary', '25'),
  small('PELICAN', 'Pelican Boat Hire', '12'),
  small('QUARRY', 'Quarry Lane Garage', '9'),
  small('ROWAN', 'Rowan Accounting', '50'),
  small('SALTMARSH', 'Saltmarsh Hotel', '70'),
  small('TAMARIND', 'Tamarind Kitchen', '10'),
  small('UPLAND', 'Upland Wool', '22'),
  small('VESPER', 'Vesper Music School', '16'),
  small('WILLOW', 'Willow Physiotherapy', '30'),
  small('YARROW', 'Yarrow Garden Centre', '18'),
  small('ZEPHYR', 'Zephyr Cycle Repair', '7'),
]
