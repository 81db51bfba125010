/** What calls ask of a ledger: of one leg, of the account alice, at one a minute. */
import type { Ending, Leg } from '../../src/call/call.js'
import type { HoldRequest, Settlement } from '../../src/ledger/ledger.js'
import { UNIT } from '../../src/money.js'
import { type Tariff, tariffOf } from '../../src/rating/tariff.js'

export const TARIFF: Tariff = tariffOf('retail', '4420123', {
  prefix: '44',
  description: 'United Kingdom',
  perMinute: UNIT,
  setup: 0n,
  minimum: 60,
  increment: 1,
  freeS: 0,
})

export const ENDING: Ending = {
  answeredAt: 1_000_000,
  endedAt: 61_000_000,
  billedS: 60,
  carrierCost: null,
  outcome: 'completed',
  reason: null,
  cause: 'NORMAL_CLEARING',
}

export function leg(callId: string, account = 'alice'): Leg {
  return {
    callId,
    switch: 'fs1',
    coreUuid: 'run-1',
    account,
    dialled: '+4420123',
    createdAt: 500_000,
    otherLeg: null,
  }
}

export function request(
  callId: string,
  total: bigint,
  more: Partial<HoldRequest> & { account?: string } = {},
): HoldRequest {
  const { account, ...rest } = more
  return {
    at: 600_000,
    leg: leg(callId, account),
    tariff: TARIFF,
    answeredAt: null,
    total,
    atLeast: 0n,
    ...rest,
  }
}

export function settlement(
  callId: string,
  price: bigint,
  more: Partial<Settlement> = {},
): Settlement {
  return {
    leg: leg(callId),
    tariff: TARIFF,
    plan: null,
    number: null,
    price,
    ending: ENDING,
    ...more,
  }
}
