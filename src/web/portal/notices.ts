/** What was done, as the next page says it. The address has only the name: nobody can put words there. */
import type { Notice } from './shown.js'

const good = (text: string): Notice => ({ tone: 'good', text })

const NOTICES = {
  top_up: good('The top-up is booked.'),
  adjustment: good('The adjustment is booked.'),
  refund: good('The refund is booked.'),
  account_created: good('The account is there.'),
  account_saved: good('The account is changed.'),
  account_suspended: good('The account is suspended: no new calls until it is reopened.'),
  account_closed: good('The account is closed: no new calls, and no top-ups.'),
  account_reopened: good('The account is open again.'),
  unseen_charged: good('The call is charged.'),
  unseen_charged_in_part: {
    tone: 'warn',
    text: 'The call is charged as far as there was credit; the rest is written off.',
  },
  unseen_dismissed: good('The call is dismissed: nobody is charged for it.'),
  pin_set: good('The PIN is set.'),
  pin_deleted: good('The account has no PIN any more.'),
  killed: good('The call is being ended.'),
  plan_created: good('The plan is there. It has no rates yet.'),
  plan_saved: good('The plan is changed. New calls are rated by it.'),
  plan_deleted: good('The plan and its rates are deleted.'),
  rate_added: good('The rate is added. New calls get it.'),
  rate_saved: good('The rate is changed. New calls get it.'),
  rate_deleted: good('The rate is deleted.'),
  imported: good('The deck is imported. New calls are rated by it.'),
  sip_saved: good('The SIP account is changed.'),
  sip_deleted: good('The SIP account is deleted.'),
  user_saved: good('The user is changed.'),
  user_deleted: good('The user is deleted, and all his sessions are ended.'),
  token_revoked: good('The token is revoked: it is good for nothing any more.'),
} satisfies Record<string, Notice>

export type Said = keyof typeof NOTICES

export function noticeOf(said: string | null): Notice | null {
  return said !== null && Object.hasOwn(NOTICES, said) ? NOTICES[said as Said] : null
}
