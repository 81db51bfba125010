/** Plans and their rates as people edit them: what is allowed, and the sentence where it is not. */
import t, { type Test } from 'tap'
import { BookError } from '../../src/ledger/books.js'
import { openBooks, SaidToBeLive } from '../support/books.js'

const actor = 'test'

async function withPlan(t: Test, live?: SaidToBeLive) {
  const books = openBooks(t.testdir({}), live)
  t.teardown(() => books.close())
  await books.rates.planCreate({ name: 'retail', actor })
  return books
}

async function refuses(t: Test, code: string, what: Promise<unknown>, message: RegExp | string) {
  await t.rejects(what, { name: 'BookError', code, message })
}

const BARE = {
  rates: 0,
  zone: 'UTC',
  cost_plan: null,
  refuse_loss: false,
  tech_prefix: null,
  international: ['00', '011'],
  country_code: null,
  trunk_prefix: null,
  national_digits: null,
  periods: [],
}

t.test('what a plan says', async t => {
  const { rates } = await withPlan(t)
  const bare = { name: 'retail', ...BARE }
  t.strictSame(await rates.planShow({ name: 'retail' }), bare)
  await rates.planCreate({ name: 'cost', actor })
  const set = (fields: object) => rates.planSet({ name: 'retail', actor, ...fields })
  t.strictSame(
    await set({
      zone: 'Europe/London',
      cost_plan: 'cost',
      refuse_loss: 'yes',
      tech_prefix: '99#',
      national_digits: '10',
    }),
    {
      ...bare,
      zone: 'Europe/London',
      cost_plan: 'cost',
      refuse_loss: true,
      tech_prefix: '99#',
      national_digits: 10,
    },
  )
  const cleared = { cost_plan: null, refuse_loss: false, tech_prefix: null, national_digits: null }
  t.strictSame(await set({ ...cleared, zone: 'UTC' }), bare, 'null takes away')
  t.strictSame(await rates.planList(), [{ ...bare, name: 'cost' }, bare])

  const refused: readonly (readonly [object, string, RegExp])[] = [
    [{}, 'bad_input', /^Nothing to set/],
    [{ zone: 'Mars/Olympus' }, 'bad_input', /Mars\/Olympus/],
    [{ cost_plan: 'none-such' }, 'unknown_plan', /There is no plan none-such$/],
    [
      { refuse_loss: 'maybe' },
      'bad_input',
      /^Whether calls that lose money are refused must be yes or no/,
    ],
    [{ tech_prefix: '9 9' }, 'bad_input', /^The tech prefix must be/],
    [{ tech_prefix: '' }, 'bad_input', /^The tech prefix must be/],
    [
      { international: '00,+' },
      'bad_input',
      /^International prefixes must be digits, like 00,011, not "00,\+"/,
    ],
    [{ international: [7] }, 'bad_input', /^International prefixes/],
    [{ international: Array.from({ length: 21 }, () => '00') }, 'bad_input', /^International/],
    [{ country_code: '+44' }, 'bad_input', /^The country code must be up to 16 digits, not "\+44"/],
    [{ trunk_prefix: 'x' }, 'bad_input', /^The trunk prefix must be/],
    [{ national_digits: 0 }, 'bad_input', /^The national digits must be a whole number/],
    [{ colour: 'red' }, 'bad_input', /^colour is not a known field/],
  ]
  for (const [fields, code, message] of refused) await refuses(t, code, set(fields), message)
  await refuses(t, 'unknown_plan', rates.planSet({ name: 'x', zone: 'UTC', actor }), /no plan x$/)
  await refuses(t, 'bad_input', rates.planSet({ name: 'retail', zone: 'UTC' }), /actor/)
  t.strictSame(await rates.planShow({ name: 'retail' }), bare, 'nothing was changed')
})

t.test('a country code brings the usual ways to dial, unless others were named', async t => {
  const { rates } = await withPlan(t)
  const set = async (fields: object) => {
    const plan = await rates.planSet({ name: 'retail', actor, ...fields })
    return [plan.country_code, plan.international.join(), plan.trunk_prefix]
  }
  t.strictSame(await set({ country_code: '44' }), ['44', '00', '0'])
  t.strictSame(await set({ country_code: '1' }), ['1', '011', '1'])
  t.strictSame(await set({ country_code: null }), [null, '00,011', null])
  t.strictSame(await set({ country_code: '39', trunk_prefix: null }), ['39', '00', null])
  t.strictSame(await set({ country_code: '33' }), ['33', '00', null], 'none was named before')
  t.strictSame(await set({ international: '00, 19' }), ['33', '00,19', null])
  t.strictSame(await set({ country_code: '1' }), ['1', '00,19', null])
  t.strictSame(await set({ international: null, trunk_prefix: '9' }), ['1', '', '9'])
})

t.test('periods', async t => {
  const { rates } = await withPlan(t)
  const plan = 'retail'
  const set = (name: string, hours: string) => rates.periodSet({ plan, name, hours, actor })
  await set('peak', ' mon-fri 08:00-20:00 ')
  t.match(await set('night', 'mon-sun 22:00-06:00'), {
    periods: [
      { name: 'night', hours: 'mon-sun 22:00-06:00' },
      { name: 'peak', hours: 'mon-fri 08:00-20:00' },
    ],
  })
  t.match(await set('peak', 'mon-fri 07:00-19:00'), {
    periods: [{ name: 'night' }, { name: 'peak', hours: 'mon-fri 07:00-19:00' }],
  })
  await refuses(t, 'bad_input', set('early', 'mon 05:00-07:30'), /.*early.*|.*overlap.*/)
  await refuses(t, 'bad_input', set('x', 'whenever'), /whenever/)
  const remove = (name: string) => rates.periodDelete({ plan, name, actor })
  await refuses(t, 'unknown_period', remove('noon'), 'The plan retail has no period noon')
  await rates.rateAdd({ plan, prefix: '44', period: 'peak', per_minute: '1', actor })
  await refuses(t, 'bad_input', remove('peak'), /peak/)
  await refuses(
    t,
    'unknown_period',
    rates.rateAdd({ plan, prefix: '44', period: 'noon', per_minute: '1', actor }),
    /no period noon/,
  )
  t.strictSame(
    (await remove('night')).periods.map(one => one.name),
    ['peak'],
  )
})

t.test('a plan that is in use stays', async t => {
  const { rates, provisioning } = await withPlan(t)
  for (const name of ['special', 'cost', 'spare']) await rates.planCreate({ name, actor })
  await rates.planSet({ name: 'retail', cost_plan: 'cost', actor })
  await provisioning.accountCreate({ code: 'A', plan: 'retail', special_plan: 'special', actor })
  const remove = (name: string) => rates.planDelete({ name, actor })
  await refuses(t, 'plan_in_use', remove('retail'), 'The account A is on the plan retail')
  await refuses(
    t,
    'plan_in_use',
    remove('special'),
    'The plan special is the special plan of the account A',
  )
  await refuses(t, 'plan_in_use', remove('cost'), /retail/)
  t.strictSame(await remove('spare'), { name: 'spare', ...BARE })
})

t.test('rates', async t => {
  const { rates } = await withPlan(t)
  const plan = 'retail'
  const added = {
    plan,
    prefix: '44',
    description: 'UK',
    per_minute: '0.020000',
    setup: '0.010000',
    minimum: 60,
    increment: 6,
    free_s: 5,
    period: '',
    from: null,
    until: null,
    blocked: false,
  }
  const uk = { plan, prefix: '44', description: 'UK', per_minute: '0.02', setup: '0.01', actor }
  t.strictSame(await rates.rateAdd({ ...uk, minimum: '60', increment: 6, free_s: '5' }), added)
  await refuses(t, 'rate_exists', rates.rateAdd(uk), /44/)
  const later = { ...uk, from: '2026-12-01T00:00Z', per_minute: '0.03', setup: '0' }
  t.match(await rates.rateAdd(later), { from: '2026-12-01T00:00:00.000000Z', minimum: 1 })
  t.match(await rates.rateShow({ plan, prefix: '44' }), [
    { ...added, until: '2026-12-01T00:00:00.000000Z' },
    { from: '2026-12-01T00:00:00.000000Z', until: null },
  ])
  await rates.rateAdd({ plan, prefix: '4420', per_minute: '0.03', actor })
  await rates.rateAdd({ plan, prefix: '45', per_minute: '0.03', description: 'Dänemark', actor })
  const listed = async (filter: object) =>
    (await rates.rateList({ plan, ...filter })).map(rate => `${rate.prefix} ${rate.from ?? ''}`)
  t.strictSame(await listed({}), ['44 ', '44 2026-12-01T00:00:00.000000Z', '4420 ', '45 '])
  t.strictSame(await listed({ prefix: '442' }), ['4420 '])
  t.strictSame(await listed({ search: 'däne' }), ['45 '])
  t.strictSame(await listed({ limit: 1 }), ['44 '])
  t.strictSame(await listed({ after: '44' }), ['44 2026-12-01T00:00:00.000000Z', '4420 ', '45 '])
  t.strictSame(await listed({ after: '44//2026-12-01T00:00:00.000000Z' }), ['4420 ', '45 '])
  await refuses(
    t,
    'bad_input',
    rates.rateList({ plan, after: '44//soon' }),
    /^"44\/\/soon" is no rate/,
  )

  const which = { plan, prefix: '44', actor }
  const two = 'The plan retail has 2 rates for prefix 44: say which by its period and its start'
  await refuses(t, 'bad_input', rates.rateSet({ ...which, per_minute: '1' }), two)
  await refuses(t, 'bad_input', rates.rateDelete(which), two)
  t.match(await rates.rateSet({ ...which, from: '1970-01-01', per_minute: '0.025' }), {
    ...added,
    per_minute: '0.025000',
    until: '2026-12-01T00:00:00.000000Z',
  })
  const from = '2026-12-01'
  t.match(await rates.rateSet({ ...which, from, until: '2027-01-01' }), {
    per_minute: '0.030000',
    until: '2027-01-01T00:00:00.000000Z',
  })
  t.match(await rates.rateSet({ ...which, from, until: null }), { until: null })
  t.match(
    await rates.rateSet({ ...which, from, until: '2200-01-01' }),
    { until: null },
    'as in a deck',
  )
  const late = rates.rateAdd({ ...uk, from: '2200-01-01' })
  await refuses(t, 'bad_input', late, 'The rate begins too late: 2200-01-01T00:00:00Z')
  await refuses(t, 'bad_input', rates.rateSet({ ...which, from }), /^Nothing to set/)
  await refuses(
    t,
    'bad_input',
    rates.rateSet({ ...which, from, until: '2026-12-01' }),
    /^The rate ends .* before it begins/,
  )
  t.match(await rates.rateDelete({ ...which, from }), { per_minute: '0.030000' })
  const gone = 'The plan retail has no rate for exactly prefix 44 that is of this period and start'
  await refuses(t, 'unknown_rate', rates.rateDelete({ ...which, from }), gone)
  await refuses(
    t,
    'unknown_rate',
    rates.rateShow({ plan, prefix: '442' }),
    'The plan retail has no rate for exactly prefix 442',
  )
  t.match(await rates.rateDelete({ ...which }), { prefix: '44' }, 'the only one is meant')
  await refuses(t, 'unknown_rate', rates.rateShow({ plan, prefix: '' }), /the empty prefix$/)
})

t.test('blocked prefixes', async t => {
  const { rates } = await withPlan(t)
  const satellite = { plan: 'retail', prefix: '881', actor }
  const add = (fields: object) => rates.rateAdd({ ...satellite, ...fields })
  await refuses(
    t,
    'bad_input',
    add({ blocked: 'yes', per_minute: '1' }),
    'A blocked rate has no prices',
  )
  await refuses(t, 'bad_input', add({}), 'The price per minute is missing')
  t.match(await add({ blocked: 'yes', description: 'fraud' }), {
    blocked: true,
    per_minute: '0.000000',
  })
  const set = (fields: object) => rates.rateSet({ ...satellite, ...fields })
  await refuses(t, 'bad_input', set({ blocked: 'no' }), 'The price per minute is missing')
  t.match(await set({ blocked: 'no', per_minute: '2', setup: '1' }), {
    blocked: false,
    per_minute: '2.000000',
    description: 'fraud',
  })
  t.match(await set({ blocked: true }), { per_minute: '0.000000', setup: '0.000000' })
})

t.test('the rates of an account are those of its special plan', async t => {
  const { rates, provisioning } = await withPlan(t)
  await rates.planCreate({ name: 'own', actor })
  await provisioning.accountCreate({ code: 'A', plan: 'retail', special_plan: 'own', actor })
  await provisioning.accountCreate({ code: 'B', plan: 'retail', actor })
  const rate = { prefix: '44', per_minute: '1', actor }
  t.match(await rates.rateAdd({ ...rate, account: 'A' }), { plan: 'own' })
  t.match(await rates.rateList({ account: 'A' }), [{ plan: 'own', prefix: '44' }])
  await refuses(
    t,
    'bad_input',
    rates.rateAdd({ ...rate, account: 'B' }),
    'The account B has no rates of its own: give it a special plan first',
  )
  await refuses(t, 'unknown_account', rates.rateList({ account: 'X' }), /no account X$/)
  await refuses(t, 'bad_input', rates.rateList({ account: 'A', plan: 'own' }), /^Say whose rates/)
})

t.test('the daemon has read a change before it is said to be done', async t => {
  const live = new SaidToBeLive()
  const { rates } = await withPlan(t, live)
  const told = async (what: Promise<unknown>) => {
    live.told.length = 0
    await what.catch(error => t.type(error, BookError))
    return live.told.join()
  }
  const plan = 'retail'
  const rate = { plan, prefix: '1', actor }
  t.equal(await told(rates.rateAdd({ ...rate, per_minute: '1' })), 'rates retail')
  t.equal(await told(rates.rateAdd({ ...rate, per_minute: '1' })), '', 'not of what was refused')
  t.equal(await told(rates.rateSet({ ...rate, per_minute: '2' })), 'rates retail')
  t.equal(await told(rates.rateDelete(rate)), 'rates retail')
  t.equal(await told(rates.planSet({ name: plan, zone: 'Asia/Tokyo', actor })), 'rates retail')
  t.equal(
    await told(rates.periodSet({ plan, name: 'p', hours: 'mon 08:00-09:00', actor })),
    'rates retail',
  )
  t.equal(await told(rates.periodDelete({ plan, name: 'p', actor })), 'rates retail')
  t.equal(await told(rates.rateList({ plan })), '')
  t.equal(await told(rates.planDelete({ name: plan, actor })), 'rates retail')
})
